"""How rows go into PostgreSQL, and how instants come out of it."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

import msgspec
import psycopg
from psycopg.abc import Buffer
from psycopg.adapt import Dumper, Loader
from psycopg.types.datetime import TimestamptzLoader
from psycopg.types.json import set_json_dumps, set_json_loads
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
    def _instants(self) -> list[int]:
        return [place for place, kind in enumerate(self.types) if kind == "timestamptz"]

    @functools.cached_property
    def _json(self) -> list[int]:
        return [place for place, kind in enumerate(self.types) if kind == "jsonb"]

    def same(self, stored: Sequence[Any], row: Row) -> bool:
        """Whether a row read holds what ``row`` would write; in doubt it does not."""
        there = list(row)
        for place in self._instants:
            there[place] = instant(there[place])
        return list(stored) == there and all(
            # in Python true is 1
            not isinstance(row[place], dict) or _sorted(row[place]) == _sorted(stored[place])
            for place in self._json
        )


_sorted = functools.partial(json.dumps, sort_keys=True)


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
        text = bytes(data)
        if len(text) == 22 and text.endswith(b"+00"):  # whole seconds, as nearly all are
            return f"{text[:10].decode()}T{text[11:19].decode()}Z"
        return instant(self._typed.load(data))


class JsonDumper(Dumper):
    """JSON for binary COPY, in a third of the time that psycopg's own takes."""

    format = psycopg.pq.Format.BINARY
    oid = psycopg.adapters.types["jsonb"].oid

    def dump(self, obj: Any) -> Buffer:
        return b"\x01" + as_json(obj).encode()


def adapt(connection: psycopg.Connection[tuple[object, ...]]) -> None:
    """Have values of this connection's rows look as in every other database."""
    connection.adapters.register_loader("timestamptz", InstantLoader)
    set_json_dumps(as_json, connection)
    set_json_loads(msgspec.json.decode, connection)

    connection.adapters.register_dumper(None, JsonDumper)
