"""One transaction on PostgreSQL: placeholders, locks, bulk writes."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterable, Iterator, Sequence
from hashlib import blake2b
from typing import Any

import psycopg

from shared.store.postgres.values import Shape, shape_of
from shared.store.sql.connection import LockOrderError, Row, plain, quoted, unique

FETCHED = 2_000
"""Rows of a streamed query in memory at once."""
MANY = 1_000
"""Rows in one statement that make a table grow; fewer are those of a page's keys, and most are there already."""
PATIENCE = "5s"
"""How long readers of a view may keep it from being made anew."""
AT_ONCE = 5_000
"""Rows in the arrays of one statement."""


class Session(psycopg.Connection[Row]):
    """A connection, and how many cursors it has had."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
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
        self.grew = False
        """Whether rows were inserted in bulk."""

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
            yield f"{column} = ANY(%b)", [list(found)]

    def insert(self, table: str, columns: Sequence[str], rows: Sequence[Row], conflict: str) -> None:
        """By arrays: a statement of which the plan is the same whatever is stored, and few bytes of it to parse."""
        sql = _by_arrays(table, tuple(columns), conflict)
        rows = unique(table, columns, rows)
        self.grew = self.grew or len(rows) >= MANY
        for start in range(0, len(rows), AT_ONCE):
            arrays = [list(values) for values in zip(*map(plain, rows[start : start + AT_ONCE]), strict=True)]
            self._session.execute(sql, arrays)

    def put(self, table: str, rows: Sequence[Row], *, new: bool) -> None:
        shape = shape_of(table)
        if new:
            self._copy(table, shape, list({shape.key_of(row): row for row in rows}.values()))
        else:
            self.insert(table, shape.names, rows, _over(shape))

    def replace(self, table: str, rows: Sequence[Row], feed: str, keys: Sequence[str]) -> None:
        """Rows that are equal already are left alone; the others are deleted, and written as new ones are.

        The rows there are read by an index and deleted by their place: no plan can go wrong, nothing is staged in a
        temporary table (to empty one costs more than to write a page), and PostgreSQL updates by writing anew, too.
        """
        if not keys:
            return
        shape = shape_of(table)
        wanted: dict[tuple[Any, ...], Row] = {shape.key_of(row): row for row in rows}
        here = self.execute(
            f'SELECT ctid, {shape.columns} FROM "{table}" WHERE feed = ? AND {shape.key[1]} = ANY(%b)',
            (feed, list(keys)),
        ).fetchall()
        away = []
        for place, *row in here:
            key = shape.key_of(row)
            if key in wanted and shape.same(row, wanted[key]):
                del wanted[key]
            else:
                away.append(place)
        if away:
            self.execute(f'DELETE FROM "{table}" WHERE ctid = ANY(?::tid[])', (away,))
        self._copy(table, shape, list(wanted.values()))

    def define(self, sql: str) -> None:
        """Whoever reads the view is waited for, but not for long: others wait behind."""
        self._session.execute(f"SET LOCAL lock_timeout = '{PATIENCE}'")
        self._session.execute(sql, prepare=False)

    def relations(self) -> set[str]:
        found = self.execute("SELECT relname FROM pg_class WHERE relnamespace = current_schema()::regnamespace")
        return {name for (name,) in found}

    def in_use(self, view: str) -> bool:
        found = self.execute(
            "SELECT EXISTS (SELECT 1 FROM pg_class c JOIN pg_depend d ON d.refobjid = c.oid "
            "AND d.refclassid = 'pg_class'::regclass AND d.classid = 'pg_rewrite'::regclass "
            "JOIN pg_rewrite w ON w.oid = d.objid AND w.ev_class <> c.oid "
            "WHERE c.relnamespace = current_schema()::regnamespace AND c.relname = ?)",
            (view,),
        ).fetchone()
        return bool(found and found[0])

    def lock(self, feed: str, *, of: str = "feed", shared: bool = False) -> None:
        name = f"{of} {feed}"
        if name in self._held:
            if self._held[name] and not shared:
                raise LockOrderError(f"the lock {name!r} is held shared; take it whole at the transaction's beginning")
            return
        kind = "_shared" if shared else ""
        self.execute(f"SELECT pg_advisory_xact_lock{kind}(?)", (lock_number(name),))
        self._held[name] = shared

    def _copy(self, table: str, shape: Shape, rows: Sequence[Row]) -> None:
        if not rows:
            return
        self.grew = True
        with (
            self._session.cursor() as cursor,
            cursor.copy(f'COPY "{table}" ({shape.columns}) FROM STDIN (FORMAT BINARY)') as copy,
        ):
            copy.set_types(shape.types)
            for row in rows:
                copy.write_row(row)


@functools.cache
def _by_arrays(table: str, columns: tuple[str, ...], conflict: str) -> str:
    shape = shape_of(table)
    arrays = ", ".join(f"%b::{shape.types[shape.names.index(name)]}[]" for name in columns)
    return f'INSERT INTO "{table}" ({quoted(columns)}) SELECT * FROM unnest({arrays}) {conflict}'


@functools.cache
def _over(shape: Shape) -> str:
    change = ", ".join(f'"{name}" = excluded."{name}"' for name in shape.rest)
    return f"ON CONFLICT ({quoted(shape.key)}) DO " + (f"UPDATE SET {change}" if change else "NOTHING")
