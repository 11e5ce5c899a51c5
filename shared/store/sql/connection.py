"""The narrow face of a database that the shared SQL is written against.

Placeholders are ``?``, everywhere and in order. What has no wording that all databases understand is asked of the
connection: lists of keys, collations, bulk writes, locks.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from operator import itemgetter
from typing import Any, Concatenate, Literal, ParamSpec, Protocol, TypeVar

from shared.store.metadata import metadata

Row = tuple[Any, ...]
Rows = list[Row]
Dialect = Literal["postgresql", "sqlite"]
P = ParamSpec("P")
T = TypeVar("T")


class Cursor(Protocol):
    """What a statement found or did."""

    @property
    def rowcount(self) -> int: ...
    def fetchone(self) -> Any: ...
    def fetchall(self) -> Rows: ...
    def __iter__(self) -> Iterator[Row]: ...


class Connection(Protocol):
    """One open transaction."""

    @property
    def row_id(self) -> str:
        """The hidden column that tells the rows of any table apart."""

    def execute(self, sql: str, values: Sequence[Any] = ()) -> Cursor:
        """One statement. NUL, which not every database keeps in a text, is replaced by its symbol."""

    def executemany(self, sql: str, rows: Iterable[Sequence[Any]]) -> int:
        """One statement for each of ``rows``; how many rows were changed in all."""

    def stream(self, sql: str, values: Sequence[Any] = ()) -> Iterator[Row]:
        """The rows of one query in bounded memory; other statements may run meanwhile."""

    def among(self, column: str, keys: Iterable[str]) -> Iterator[tuple[str, list[Any]]]:
        """The condition that ``column`` is one of ``keys``, with its values, in as many parts as the database needs.

        No part when there are no keys.
        """

    def insert(self, table: str, columns: Sequence[str], rows: Sequence[Row], conflict: str) -> None:
        """Insert rows of these columns; ``conflict`` is what becomes of rows that are there (``ON CONFLICT …``).

        Of rows with the same key the last is taken.
        """

    def put(self, table: str, rows: Sequence[Row], *, new: bool) -> None:
        """Write whole rows in the order of the table's columns, over those of the same keys.

        ``new``: no row has any of these keys, and none occurs twice.
        """

    def replace(self, table: str, rows: Sequence[Row], feed: str, keys: Sequence[str]) -> None:
        """Make ``rows`` all that the table has of the feed's ``keys``, its second key column; equal ones may stay."""

    def define(self, sql: str) -> None:
        """A statement that makes or drops a view, word for word: no placeholders."""

    def relations(self) -> set[str]:
        """The names of all tables, views and the like that there are."""

    def in_use(self, view: str) -> bool:
        """Whether something that is not ours is made of a view, and would have to go with it."""

    def lock(self, feed: str, *, of: str = "feed", shared: bool = False) -> None:
        """Keep others from what belongs to the feed until the transaction ends; with ``shared`` only those who do not
        share. ``of`` names another lock than that of its records. Asking again changes nothing, asking for more than
        was taken raises LockOrderError."""


class LockOrderError(RuntimeError):
    """A transaction asks for a lock that it can no longer be given without the danger of a deadlock."""


class Database(Protocol):
    """Connections and transactions."""

    @property
    def dialect(self) -> Dialect:
        """What speaks its words."""

    @property
    def bytewise(self) -> str:
        """Put behind a text that is no key, to compare it as UTF-8 bytes."""

    def write(self) -> AbstractContextManager[Connection]:
        """One transaction: committed at the end, rolled back on an exception."""

    def run(self, work: Callable[[Connection], T]) -> T:
        """``work`` in a transaction of its own; done again from its beginning when it could not be finished."""

    def read(self, sql: str, values: Sequence[Any] = ()) -> Rows:
        """All rows of one query, outside any transaction."""

    def stream(self, sql: str, values: Sequence[Any] = ()) -> Iterator[Row]:
        """The rows of one query in bounded memory, as they were when it began."""


class _HasDatabase(Protocol):
    @property
    def _database(self) -> Database: ...


S = TypeVar("S", bound=_HasDatabase)


def transaction(method: Callable[Concatenate[S, Connection, P], T]) -> Callable[Concatenate[S, P], T]:
    """A method that is a transaction of its own: it is given the connection, and its callers do not see that."""

    def run(self: S, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return self._database.run(lambda connection: method(self, connection, *args, **kwargs))

    return functools.update_wrapper(run, method)


def between(after: str | None, upto: str | None, column: str = "key") -> tuple[str, list[str]]:
    """The condition for ``(after, upto]`` and its values. Keys compare as UTF-8 bytes."""
    terms, values = [], []
    if after is not None:
        terms.append(f"AND {column} > ?")
        values.append(after)
    if upto is not None:
        terms.append(f"AND {column} <= ?")
        values.append(upto)
    return " ".join(terms), values


def same(one: str, other: str) -> str:
    """The condition that two values are equal or both NULL."""
    return f"coalesce({one} = {other}, {one} IS NULL AND {other} IS NULL)"


def marks(n: int) -> str:
    """``n`` placeholders."""
    return ",".join("?" * n)


def upsert(table: str, columns: Sequence[str], keys: Sequence[str]) -> str:
    """The statement that inserts a row, or gives the row with the same ``keys`` these values."""
    rest = [name for name in columns if name not in keys]
    update = "UPDATE SET " + ", ".join(f'"{name}" = excluded."{name}"' for name in rest) if rest else "NOTHING"
    return (
        f'INSERT INTO "{table}" ({quoted(columns)}) VALUES ({marks(len(columns))}) '
        f"ON CONFLICT ({quoted(keys)}) DO {update}"
    )


def unique(table: str, columns: Sequence[str], rows: Sequence[Row]) -> Sequence[Row]:
    """The last of the rows of each key of the table, whose values are those of ``columns``."""
    key_of = itemgetter(*(columns.index(column.name) for column in metadata.tables[table].primary_key.columns))
    return list({key_of(row): row for row in rows}.values())


def quoted(names: Iterable[str]) -> str:
    """Names of columns, quoted and separated by commas."""
    return ", ".join(f'"{name}"' for name in names)


NUL, SYMBOL = "\0", "\u2400"


def plain(values: Sequence[Any]) -> Sequence[Any]:
    """``values`` with NUL in texts, and in lists of texts, replaced by its symbol."""
    for value in values:
        if type(value) is str and NUL in value:
            return [value.replace(NUL, SYMBOL) if type(value) is str else value for value in values]
    return values
