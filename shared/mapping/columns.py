"""What a line of a mapping says of columns: the types an element can have, and the columns each of them fills."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal

Kind = Literal[
    "key",
    "code",
    "text",
    "integer",
    "money",
    "decimal",
    "measure",
    "coordinate",
    "boolean",
    "date",
    "timestamp",
    "list",
    "json",
]
"""What a column holds."""

Type = Literal[
    "key",
    "code",
    "text",
    "remarks",
    "integer",
    "money",
    "decimal",
    "coordinate",
    "boolean",
    "date",
    "timestamp",
    "list",
    "texts",
    "measure",
    "measure_range",
    "event_start",
]
"""What an element is, hence how it is read and which columns it fills."""

COLUMNS: Mapping[Type, tuple[tuple[str, Kind], ...]] = {
    "key": (("", "key"),),
    "code": (("", "code"),),
    "text": (("", "text"),),
    "remarks": (("", "text"),),
    "integer": (("", "integer"),),
    "money": (("", "money"),),
    "decimal": (("", "decimal"),),
    "coordinate": (("", "coordinate"),),
    "boolean": (("", "boolean"),),
    "date": (("", "date"),),
    "timestamp": (("", "timestamp"),),
    "list": (("", "list"),),
    "texts": (("", "list"),),
    "measure": (("", "measure"), ("_units", "code"), ("_text", "text")),
    "measure_range": (
        ("", "measure"),
        ("_units", "code"),
        ("_text", "text"),
        ("_minimum", "measure"),
        ("_maximum", "measure"),
    ),
    "event_start": (("_time", "timestamp"), ("_date", "date")),
}
"""The columns of each type: what is appended to the name, and what it holds."""

FieldLine = tuple[str | list[str], Type, str]
"""One line of a mapping file: column or columns, type, description."""


class MappingError(ValueError):
    """The mapping file is wrong; the text says where."""


@dataclass(frozen=True, slots=True)
class ColumnSpec:
    """One column: its name, what it holds, what it means, and the source element it comes from ("" for none)."""

    name: str
    kind: Kind
    about: str
    source: str = ""
    key: bool = False


@dataclass(frozen=True, slots=True)
class TableSpec:
    """One table in column order, keys first."""

    name: str
    resource: str
    about: str
    columns: tuple[ColumnSpec, ...]


def columns_of(path: str, line: FieldLine) -> tuple[ColumnSpec, ...]:
    """The columns one line of the mapping fills, in the order in which its type gives values."""
    named, kind, about = line
    parts = COLUMNS[kind]
    given = named if isinstance(named, list) else [named]
    names = [*given, *(given[0] + suffix for suffix, _ in parts[len(given) :])]
    if len(given) > len(parts):
        raise MappingError(f"{path}: {kind} fills {len(parts)} columns, {len(given)} are named")
    notes = {"_units": "unit as written", "_text": "as written", "_minimum": "low end", "_maximum": "high end"}
    return tuple(
        ColumnSpec(name, holds, f"{about}: {notes[suffix]}" if suffix in notes else about, path)
        for name, (suffix, holds) in zip(names, parts, strict=True)
    )


def distinct_columns(lines: Iterable[tuple[str, FieldLine]]) -> Iterator[ColumnSpec]:
    """The columns of several lines; two spellings of one element share theirs."""
    columns: dict[str, ColumnSpec] = {}
    for path, line in lines:
        for column in columns_of(path, line):
            known = columns.get(column.name)
            if known is None:
                columns[column.name] = column
            elif known.kind == column.kind and known.about == column.about:
                columns[column.name] = replace(known, source=f"{known.source}, {column.source}")
            else:
                raise MappingError(f"{path}: the column {column.name} is taken by {known.source}")
    return iter(columns.values())
