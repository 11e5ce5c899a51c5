"""Connections and transactions on one SQLite file."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from shared.store.base import StoreError

Rows = list[tuple[Any, ...]]


class Database:
    """One SQLite file with a connection per thread, in WAL mode, every commit on the disk before it returns.

    Writers take turns on a lock of this process rather than on SQLite's, which would have them poll and starve.
    """

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
    def write(self) -> Iterator[sqlite3.Connection]:
        """A transaction that holds the write lock from its first statement: what it reads cannot change under it."""
        connection = self.connection()
        with self._turn:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:  # a full disk has ended it already
                    connection.execute("ROLLBACK")
                raise

    def read(self, sql: str, values: Sequence[Any] = ()) -> Rows:
        """All rows of one query, outside any transaction."""
        return self.connection().execute(sql, values).fetchall()

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


def between(after: str | None, upto: str | None, column: str = "key") -> tuple[str, list[str]]:
    """The condition for ``(after, upto]`` and its values. SQLite's default collation compares text as UTF-8 bytes."""
    terms, values = [], []
    if after is not None:
        terms.append(f"AND {column} > ?")
        values.append(after)
    if upto is not None:
        terms.append(f"AND {column} <= ?")
        values.append(upto)
    return " ".join(terms), values


def chunks(items: Iterable[str], size: int = 500) -> Iterator[list[str]]:
    """``items`` in sorted order, at most ``size`` at a time: SQLite bounds the parameters of a statement."""
    ordered = sorted(items)
    for start in range(0, len(ordered), size):
        yield ordered[start : start + size]


def marks(n: int) -> str:
    """``n`` placeholders."""
    return ",".join("?" * n)
