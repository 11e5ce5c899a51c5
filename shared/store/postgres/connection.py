"""One transaction on PostgreSQL: placeholders, locks, bulk writes."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterable, Iterator, Sequence
from hashlib import blake2b
from typing import Any

import psycopg

from shared.store.postgres.values import Shape, key_of, shape_of
from shared.store.sql.connection import LockOrderError, Row, plain

FETCHED = 2_000
"""Rows of a streamed query in memory at once."""


class Session(psycopg.Connection[Row]):
    """A connection, and which of its own temporary tables it has."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.staging: set[str] = set()
        self.cursors = itertools.count()


@functools.cache
def translated(sql: str) -> str:
    """With psycopg's placeholders for ``?``; no statement has a question mark, or per cent, of its own."""
    return sql.replace("?", "%s")


def lock_number(name: str) -> int:
    """The number PostgreSQL knows a lock by."""
    return int.from_bytes(blake2b(b"mlsync " + name.encode("utf-8", "replace"), digest_size=8).digest(), signed=True)


def stream(session: Session, sql: str, values: Sequence[Any]) -> Iterator[list[Row]]:
    """The rows of a query within the open transaction, some at a time, by a cursor on the server."""
    name = f"mlsync_{next(session.cursors)}"
    session.execute(f"DECLARE {name} NO SCROLL CURSOR FOR {translated(sql)}", plain(values), prepare=False)
    while rows := session.execute(f"FETCH {FETCHED} FROM {name}", prepare=False).fetchall():
        yield rows
        if len(rows) < FETCHED:
            break
    session.execute(f"CLOSE {name}", prepare=False)


class PostgresConnection:
    """See ``shared.store.sql.connection.Connection``."""

    row_id = "ctid"

    def __init__(self, session: Session) -> None:
        self._session = session
        self._held: dict[str, bool] = {}
        self._staged: set[str] = set()

    def execute(self, sql: str, values: Sequence[Any] = ()) -> psycopg.Cursor[Row]:
        return self._session.execute(translated(sql), plain(values))

    def executemany(self, sql: str, rows: Iterable[Sequence[Any]]) -> int:
        some = [plain(row) for row in rows]
        if not some:
            return 0
        with self._session.cursor() as cursor:
            cursor.executemany(translated(sql), some)
            return cursor.rowcount

    def stream(self, sql: str, values: Sequence[Any] = ()) -> Iterator[Row]:
        for rows in stream(self._session, sql, values):
            yield from rows

    def among(self, column: str, keys: Iterable[str]) -> Iterator[tuple[str, list[Any]]]:
        found = plain(sorted(keys))
        if found:
            yield f"{column} = ANY(?)", [list(found)]

    def put(self, table: str, rows: Sequence[Row], *, new: bool) -> None:
        shape = shape_of(table)
        rows = list({key_of(shape, row): row for row in rows}.values())
        if new:
            self._copy(table, shape, rows)
        elif rows:
            staging = self._stage(table, shape, rows)
            self.execute(f"{_insert(table, shape)} SELECT {shape.columns} FROM {staging} {_over(shape)}")

    def replace(self, table: str, rows: Sequence[Row], feed: str, keys: Sequence[str]) -> None:
        """Rows that are equal already are left alone: an update, even to the same values, would write them anew.

        Nothing is joined to the temporary table, of which the planner knows nothing.
        """
        if not keys:
            return
        shape = shape_of(table)
        rows = list({key_of(shape, row): row for row in rows}.values())
        these, values = f"feed = ? AND {shape.key[1]} = ANY(?)", (feed, list(keys))
        if len(shape.key) > 2:
            names = ", ".join(f'"{name}"' for name in shape.key)
            kept = {key_of(shape, row) for row in rows}
            here = self.execute(f'SELECT {names} FROM "{table}" WHERE {these}', values)
            away = " AND ".join(f'"{name}" = ?' for name in shape.key)
            self.executemany(f'DELETE FROM "{table}" WHERE {away}', [key for key in here.fetchall() if key not in kept])
        if rows:
            staging = self._stage(table, shape, rows)
            self.execute(
                f"{_insert(table, shape)} SELECT {shape.columns} FROM {staging} EXCEPT "
                f'SELECT {shape.columns} FROM "{table}" WHERE {these} {_over(shape)}',
                values,
            )

    def lock(self, feed: str, *, of: str = "feed", shared: bool = False) -> None:
        name = f"{of} {feed}"
        if name in self._held:
            if self._held[name] and not shared:
                raise LockOrderError(f"the lock {name!r} is held shared; take it whole at the transaction's beginning")
            return
        kind = "_shared" if shared else ""
        self.execute(f"SELECT pg_advisory_xact_lock{kind}(?)", (lock_number(name),))
        self._held[name] = shared

    def _stage(self, table: str, shape: Shape, rows: Sequence[Row]) -> str:
        """Copy rows into this session's temporary table of that shape; its name."""
        staging = f"incoming_{table}"
        if table not in self._session.staging:
            self.execute(f'CREATE TEMP TABLE IF NOT EXISTS {staging} (LIKE "{table}") ON COMMIT DELETE ROWS')
        elif table in self._staged:
            self.execute(f"DELETE FROM {staging}")
        self._staged.add(table)
        self._copy(staging, shape, rows)
        return staging

    def committed(self) -> None:
        """The temporary tables made in the transaction are there to stay."""
        self._session.staging |= self._staged

    def _copy(self, table: str, shape: Shape, rows: Sequence[Row]) -> None:
        if not rows:
            return
        with (
            self._session.cursor() as cursor,
            cursor.copy(f'COPY "{table}" ({shape.columns}) FROM STDIN (FORMAT BINARY)') as copy,
        ):
            copy.set_types(shape.types)
            for row in rows:
                copy.write_row(row)


def _insert(table: str, shape: Shape) -> str:
    return f'INSERT INTO "{table}" ({shape.columns})'


def _over(shape: Shape) -> str:
    key = ", ".join(f'"{name}"' for name in shape.key)
    change = ", ".join(f'"{name}" = excluded."{name}"' for name in shape.rest)
    return f"ON CONFLICT ({key}) DO UPDATE SET {change}" if change else f"ON CONFLICT ({key}) DO NOTHING"
