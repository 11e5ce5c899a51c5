"""Containers of metadata, of one answer or many, in COMPACT or STANDARD-XML, nested or beside each other: one tree.

What is blank, unknown or belongs nowhere is passed over and told in ``oddities``: servers send all of that
(RETS 1.7.2 §11.1.2), and one odd line is no reason to know nothing.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from shared.rets.errors import RetsParseError
from shared.rets.metadata import Row, Segment, plain
from shared.rets.schema.tables import ALIASES, TABLES, Table, chain
from shared.rets.schema.types import Entry, System

MAX_ENTRIES: Final = 2_000_000
"""Items of all the metadata of one server."""
_MAX_ODDITIES: Final = 100

Path = tuple[str, ...]
"""The names of the items above, outermost first, in lower case."""


@dataclass(slots=True)
class _Node:
    values: dict[str, Any] = field(default_factory=dict)
    below: dict[str, dict[str, _Node]] = field(default_factory=dict)


class Assembler:
    """Takes the containers of any number of answers; ``system`` is what they say together, the last word counting."""

    def __init__(self) -> None:
        self._root = _Node()
        self._entries = 0
        self.answered: set[tuple[str, Path]] = set()
        """Of which kinds, below which items, a container came, be it an empty one."""
        self.oddities: list[str] = []

    def add(self, segments: Iterable[Segment], asked: tuple[str, ...] = ()) -> None:
        """Take what an answer has. ``asked`` are the parents that the request named, for containers that do not.

        Raises RetsParseError for more items than any MLS has.
        """
        for segment in segments:
            table = TABLES[ALIASES.get(segment.kind, segment.kind)]
            parents = _parents(segment, table, asked)
            if parents is None:
                self._note(f"a {table.request} does not say what it belongs to")
                continue
            self.answered.add((table.kind, tuple(name.lower() for name in parents)))
            self._take(table, segment, parents)

    def below(self, kind: str) -> list[tuple[str, ...]]:
        """The names of every item under which tables of ``kind`` may be."""
        found: list[tuple[tuple[str, ...], _Node]] = [((), self._root)]
        for table in chain(kind):
            found = [
                ((*names, str(node.values[_named(table.entry)])), node)
                for names, above in found
                for node in above.below.get(table.within, {}).values()
            ]
        return [names for names, _ in found]

    def value(self, kind: str, parents: tuple[str, ...], attribute: str) -> Any:
        """What the item that tables of ``kind`` belong to says of itself; None when it says nothing."""
        return self._find(kind, parents).values.get(attribute)

    def system(self) -> System:
        """The tree as it is known now."""
        found: System = _built(System, self._root, "system")
        return found

    def _take(self, table: Table, segment: Segment, parents: tuple[str, ...]) -> None:
        above = self._find(table.kind, parents)
        if table.kind == "system":
            for row in segment.rows:
                above.values |= _values(table.entry, row)
            above.values |= _values(table.entry, {k: v for k, v in segment.attributes.items() if k in _STAMPS})
            return
        if table.stamps is not None:
            for name in _STAMPS:
                if not above.values.get(table.stamps + name):
                    above.values[table.stamps + name] = segment.attributes.get(name, "")
        siblings = above.below.setdefault(table.within, {})
        for row in segment.rows:
            values = _values(table.entry, row)
            name = values.get(_named(table.entry), "")
            if not name and not table.repeated:
                self._note(f"a line of {table.request} has no {_named(table.entry)}")
                continue
            self._entries += 1
            if self._entries > MAX_ENTRIES:
                raise RetsParseError("the metadata have more entries than any MLS has")
            key = "\0".join(map(str, values.values())) if table.repeated else name.lower() if table.names else name
            siblings.setdefault(key, _Node()).values |= values

    def _find(self, kind: str, parents: tuple[str, ...]) -> _Node:
        """The item of these names, made if it was not told of."""
        node = self._root
        for table, name in zip(chain(kind), parents, strict=True):
            node = node.below.setdefault(table.within, {}).setdefault(name.lower(), _Node())
            node.values.setdefault(_named(table.entry), name)
        return node

    def _note(self, oddity: str) -> None:
        if len(self.oddities) < _MAX_ODDITIES and oddity not in self.oddities:
            self.oddities.append(oddity)


_STAMPS: Final = ("version", "date")


def _parents(segment: Segment, table: Table, asked: tuple[str, ...]) -> tuple[str, ...] | None:
    """What a container belongs to: by its own attributes, else the items it is nested in, else the request."""
    above = chain(table.kind)
    found = [_parent(segment, each) for each in above]
    for index, name in enumerate(found):
        if not name and index < len(asked):
            found[index] = asked[index]
    return tuple(found) if all(found) else None


def _parent(segment: Segment, table: Table) -> str:
    for name in table.names:
        if value := segment.attributes.get(name):
            return value
    around = segment.around
    if around is None:
        return ""
    if ALIASES.get(around.kind, around.kind) == table.kind and segment.within is not None:
        return next((segment.within[name] for name in table.names if segment.within.get(name)), "")
    return _parent(around, table)


def _named(entry: type[Entry]) -> str:
    return entry.NAMED


def _built(entry: type[Any], node: _Node, kind: str) -> Any:
    below = {
        table.within: tuple(_built(table.entry, each, table.kind) for each in node.below.get(table.within, {}).values())
        for table in _children(kind)
    }
    return entry(**node.values, **below)


@functools.cache
def _children(kind: str) -> tuple[Table, ...]:
    return tuple(table for table in TABLES.values() if table.parent == kind)


def _values(entry: type[Entry], row: Row) -> dict[str, Any]:
    columns = _columns(entry)
    return {column[0]: column[1](text) for name, text in row.items() if (column := columns.get(name)) is not None}


@functools.cache
def _columns(entry: type[Entry]) -> dict[str, tuple[str, Callable[[str], Any]]]:
    """By plain name of the column, the attribute and how its text is read."""
    found: dict[str, tuple[str, Callable[[str], Any]]] = {}
    for each in msgspec.structs.fields(entry):
        convert = _CONVERTERS.get(each.type)
        if convert is not None:
            for name in (plain(each.name), *entry.ALIASES.get(each.name, ())):
                found[name] = (each.name, convert)
    return found


def _number(text: str) -> int | None:
    return int(text) if re.fullmatch(r"-?[0-9]{1,15}", text) else None


def _truth(text: str) -> bool:
    return text.lower() in {"1", "true", "t", "y", "yes"}


def _told(text: str) -> bool | None:
    return _truth(text) if text else None


def _list(text: str) -> tuple[str, ...]:
    return tuple(part for each in text.split(",") if (part := each.strip()))


_CONVERTERS: Final[dict[Any, Callable[[str], Any]]] = {
    str: str,
    int | None: _number,
    bool: _truth,
    bool | None: _told,
    tuple[str, ...]: _list,
}
