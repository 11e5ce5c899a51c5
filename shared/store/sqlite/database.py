"""Connections and transactions on one SQLite file."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

from shared.store.base import StoreError
from shared.store.sql.connection import Connection, Row, Rows, marks, plain, quoted, unique
from shared.store.sqlite.values import adapted, insert
from shared.store.tables import metadata

AT_ONCE = 500
"""Keys in one statement."""

T = TypeVar("T")


class SqliteConnection:
    """See ``shared.store.sql.connection.Connection``. Whoever writes has the file to itself: no more need be locked."""

    row_id = "rowid"

    def __init__(self, raw: sqlite3.Connection) -> None:
        self._raw = raw

    def execute(self, sql: str, values: Sequence[Any] = ()) -> sqlite3.Cursor:
        return self._raw.execute(sql, plain(values))

    def executemany(self, sql: str, rows: Iterable[Sequence[Any]]) -> int:
        return max(0, self._raw.executemany(sql, map(plain, rows)).rowcount)

    def stream(self, sql: str, values: Sequence[Any] = ()) -> Iterator[Row]:
        return self.execute(sql, values)

    def among(self, column: str, keys: Iterable[str]) -> Iterator[tuple[str, list[Any]]]:
        """In sorted order, some at a time: SQLite bounds the parameters of a statement."""
        ordered = sorted(keys)
        for start in range(0, len(ordered), AT_ONCE):
            part = ordered[start : start + AT_ONCE]
            yield f"{column} IN ({marks(len(part))})", part

    def insert(self, table: str, columns: Sequence[str], rows: Sequence[Row], conflict: str) -> None:
        self._raw.executemany(
            f'INSERT INTO "{table}" ({quoted(columns)}) VALUES ({marks(len(columns))}) {conflict}',
            adapted(table, map(plain, unique(table, columns, rows)), tuple(columns)),
        )

    def put(self, table: str, rows: Sequence[Row], *, new: bool) -> None:
        del new  # finding out costs what replacing costs
        self._raw.executemany(insert(table), adapted(table, rows))

    def replace(self, table: str, rows: Sequence[Row], feed: str, keys: Sequence[str]) -> None:
        primary = list(metadata.tables[table].primary_key.columns)
        if len(primary) > 2:  # else each key has one row, which is replaced
            for which, values in self.among(primary[1].name, keys):
                self._raw.execute(f'DELETE FROM "{table}" WHERE feed = ? AND {which}', (feed, *values))
        self.put(table, rows, new=False)

    def define(self, sql: str) -> None:
        self._raw.execute(sql)

    def relations(self) -> set[str]:
        return {name for (name,) in self._raw.execute("SELECT name FROM sqlite_schema")}

    def in_use(self, view: str) -> bool:
        """SQLite lets views stand that are made of none: they work again when it is back."""
        del view
        return False

    def lock(self, feed: str, *, of: str = "feed", shared: bool = False) -> None:
        del feed, of, shared


class Database:
    """One SQLite file with a connection per thread, in WAL mode, every commit on the disk before it returns.

    Writers take turns on a lock of this process rather than on SQLite's, which would have them poll and starve.
    """

    bytewise = ""
    dialect: Final = "sqlite"

    def __init__(self, path: Path) -> None:
        self.path = path
        self._local = threading.local()
        self._turn = threading.Lock()
        self._all: list[tuple[threading.Thread, sqlite3.Connection]] = []
        self._guard = threading.Lock()

    def connection(self) -> sqlite3.Connection:
        """This thread's connection. Raises StoreError when the file cannot be opened."""
        found: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if found is not None:
            return found
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            made = sqlite3.connect(self.path, timeout=60, isolation_level=None, check_same_thread=False)
            _use_wal(made)
        except (OSError, sqlite3.Error) as error:
            raise StoreError(
                f"cannot open the database {self.path}: {error}; is the folder there and writable?"
            ) from error
        made.execute("PRAGMA synchronous=FULL")
        made.execute("PRAGMA temp_store=MEMORY")
        made.execute("PRAGMA cache_size=-16000")
        with self._guard:
            for _, ended in (pair for pair in self._all if not pair[0].is_alive()):
                ended.close()
            self._all = [pair for pair in self._all if pair[0].is_alive()]
            self._all.append((threading.current_thread(), made))
        self._local.connection = made
        return made

    @contextlib.contextmanager
    def write(self) -> Iterator[SqliteConnection]:
        """A transaction that holds the write lock from its first statement: what it reads cannot change under it."""
        connection = self.connection()
        with self._turn:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield SqliteConnection(connection)
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:  # a full disk has ended it already
                    connection.execute("ROLLBACK")
                raise

    def run(self, work: Callable[[Connection], T]) -> T:
        """``work`` in a transaction of its own."""
        with self.write() as connection:
            return work(connection)

    def read(self, sql: str, values: Sequence[Any] = ()) -> Rows:
        """All rows of one query, outside any transaction."""
        return self.connection().execute(sql, plain(values)).fetchall()

    def stream(self, sql: str, values: Sequence[Any] = ()) -> Iterator[Row]:
        """The rows of one query in bounded memory, as they were when it began."""
        return self.connection().execute(sql, plain(values))

    def close(self) -> None:
        """Close every thread's connection."""
        with self._guard:
            for _, connection in self._all:
                connection.close()
            self._all.clear()
        self._local = threading.local()


def _use_wal(connection: sqlite3.Connection, patience: float = 10.0) -> None:
    """Switch to WAL; SQLite does not wait its timeout when another process is switching or migrating a new file."""
    until = time.monotonic() + patience
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                raise
            time.sleep(0.02)
        else:
            return
