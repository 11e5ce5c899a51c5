"""How rows go into PostgreSQL, and how instants come out of it."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from operator import itemgetter
from typing import Any

import psycopg
from psycopg.abc import Buffer
from psycopg.adapt import Loader
from psycopg.types.datetime import TimestamptzLoader
from psycopg.types.json import set_json_dumps
from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Date,
    DateTime,
    Integer,
    LargeBinary,
    Numeric,
    Text,
)

from shared.store.metadata import metadata
from shared.store.sql.connection import Row, quoted
from shared.store.sql.values import as_json, instant

NAMES = (
    (BigInteger, "int8"),
    (Integer, "int4"),
    (Numeric, "numeric"),
    (Boolean, "bool"),
    (DateTime, "timestamptz"),
    (Date, "date"),
    (JSON, "jsonb"),
    (LargeBinary, "bytea"),
    (Text, "text"),
)
"""PostgreSQL's names of the types of columns, the special before the general."""


@dataclass(frozen=True, eq=False)
class Shape:
    """What statements about a table need: its columns, their types, its key and where in a row that is."""

    names: tuple[str, ...]
    types: tuple[str, ...]
    key: tuple[str, ...]

    @functools.cached_property
    def columns(self) -> str:
        """The names, as they stand in statements."""
        return quoted(self.names)

    @functools.cached_property
    def rest(self) -> tuple[str, ...]:
        """The columns that are not of the key."""
        return tuple(name for name in self.names if name not in self.key)

    @functools.cached_property
    def key_of(self) -> Callable[[Sequence[Any]], tuple[Any, ...]]:
        """The key of a whole row."""
        return itemgetter(*(self.names.index(name) for name in self.key))

    @functools.cached_property
    def _read(self) -> list[tuple[int, Callable[[Any], Any]]]:
        """Which values of a row to write do not equal what is read of it, and what would."""
        return [(place, READ[kind]) for place, kind in enumerate(self.types) if kind in READ]

    def same(self, stored: Sequence[Any], row: Row) -> bool:
        """Whether a row read holds what ``row`` would write; in doubt it does not."""
        here, there = list(stored), list(row)
        for place, convert in self._read:
            if there[place] is not None:
                there[place] = convert(there[place])
            if self.types[place] == "jsonb" and here[place] is not None:
                here[place] = convert(here[place])
        return here == there


READ: dict[str, Callable[[Any], Any]] = {"timestamptz": instant, "jsonb": partial(json.dumps, sort_keys=True)}


@functools.cache
def shape_of(table: str) -> Shape:
    """The shape of one of mlsync's tables."""
    columns = list(metadata.tables[table].columns)
    return Shape(
        tuple(column.name for column in columns),
        tuple(next(name for kind, name in NAMES if isinstance(column.type, kind)) for column in columns),
        tuple(column.name for column in metadata.tables[table].primary_key.columns),
    )


class InstantLoader(Loader):
    """Instants as text, as they are written; see ``shared.store.sql.values.instant``."""

    def __init__(self, oid: int, context: psycopg.abc.AdaptContext | None = None) -> None:
        super().__init__(oid, context)
        self._typed = TimestamptzLoader(oid, context)

    def load(self, data: Buffer) -> str | None:
        return instant(self._typed.load(data))


def adapt(connection: psycopg.Connection[tuple[object, ...]]) -> None:
    """Have values of this connection's rows look as in every other database."""
    connection.adapters.register_loader("timestamptz", InstantLoader)
    set_json_dumps(as_json, connection)
