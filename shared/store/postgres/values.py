"""How rows go into PostgreSQL, and how instants come out of it."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass

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
from shared.store.sql.connection import quoted
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


@dataclass(frozen=True, slots=True)
class Shape:
    """What statements about a table need: its columns, their types, its key and where in a row that is."""

    columns: str
    types: tuple[str, ...]
    key: tuple[str, ...]
    places: tuple[int, ...]
    rest: tuple[str, ...]


@functools.cache
def shape_of(table: str) -> Shape:
    """The shape of one of mlsync's tables."""
    columns = list(metadata.tables[table].columns)
    names = [column.name for column in columns]
    key = tuple(column.name for column in metadata.tables[table].primary_key.columns)
    return Shape(
        quoted(names),
        tuple(next(name for kind, name in NAMES if isinstance(column.type, kind)) for column in columns),
        key,
        tuple(names.index(name) for name in key),
        tuple(name for name in names if name not in key),
    )


def key_of(shape: Shape, row: Sequence[object]) -> tuple[object, ...]:
    """The key of a whole row."""
    return tuple(row[place] for place in shape.places)


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
