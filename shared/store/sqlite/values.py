"""How typed values look in SQLite, and the statements that write them."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import JSON, Date, DateTime, Numeric, Table

from shared.store.metadata import metadata
from shared.store.sql.connection import marks, quoted
from shared.store.sql.values import as_json, instant


def _day(value: date) -> str:
    return value.isoformat()


@functools.lru_cache(maxsize=4096)
def _number(value: Decimal) -> float | None:
    number = float(value)
    return number if Decimal(repr(number)) == value else None


def _exact(value: Decimal) -> float | str:
    """As a number if one is exactly that (SQLite itself reads some texts a bit beside), else as text."""
    number = _number(value)
    return str(value) if number is None else number


@functools.cache
def _converters(name: str, columns: tuple[str, ...]) -> list[tuple[int, Callable[[Any], Any]]]:
    found: list[tuple[int, Callable[[Any], Any]]] = []
    table = metadata.tables[name].columns
    for index, column in enumerate([table[column] for column in columns] if columns else table):
        if isinstance(column.type, DateTime):
            found.append((index, instant))
        elif isinstance(column.type, Date):
            found.append((index, _day))
        elif isinstance(column.type, JSON):
            found.append((index, as_json))
        elif isinstance(column.type, Numeric):
            found.append((index, _exact))
    return found


def adapted(name: str, rows: Iterable[Sequence[Any]], columns: tuple[str, ...] = ()) -> list[Sequence[Any]]:
    """Rows of table ``name``, in the order of its columns or of ``columns``, as SQLite takes them."""
    converters = _converters(name, columns)
    found: list[Sequence[Any]] = []
    for row in rows:
        values = list(row)
        for index, convert in converters:
            if values[index] is not None:
                values[index] = convert(values[index])
        found.append(values)
    return found


@functools.cache
def insert(name: str) -> str:
    """The statement that inserts a whole row, or replaces the row of the same key."""
    table: Table = metadata.tables[name]
    columns = [column.name for column in table.columns]
    return f'INSERT OR REPLACE INTO "{name}" ({quoted(columns)}) VALUES ({marks(len(columns))})'
