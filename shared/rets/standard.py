"""Rows out of a STANDARD-XML answer, whatever tree the server makes of its records (RETS 1.7.2 §7.6).

The specification leaves the tree to a DTD that hardly a server keeps to. What all have is names: elements, or
attributes, are called by the SystemNames or StandardNames of fields, and each record has its key. So the records of an
answer are the elements in which the first two keys part; groups within them, such as ``Listing`` of the RETS DTD, are
looked through.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

from shared.messages import BrokenRecord
from shared.rets.compact import Row
from shared.rets.dmql.binding import Kind
from shared.rets.errors import RetsParseError
from shared.rets.frame import Frame, local_name
from shared.rets.mend import MEBIBYTE, Mender
from shared.rets.records import RecordReader
from shared.rets.schema.kinds import kind_of
from shared.rets.schema.types import Field

_MAX_HEAD: Final = 32 * MEBIBYTE
"""Two keys must come within so much."""


class StandardReader:
    """Iterate ``stream`` for the rows, dicts from SystemName to text; afterwards ``frame`` says what lay around them.

    ``key`` is the SystemName of the field that every record has once. Fields that a record lacks are not in its row;
    several values of a LookupMulti become one text with commas; of any other field the outermost first value counts.
    A record that is broken within itself is in ``broken``.
    """

    def __init__(self, key: str, fields: Iterable[Field]) -> None:
        self._key = key
        self._names = _Names(fields)
        self.frame = Frame()
        self.broken: list[BrokenRecord] = []

    def stream(self, chunks: Iterable[bytes], mender: Callable[[], Mender]) -> Iterator[Row]:
        """The rows in order, in bounded memory.

        Raises RetsTruncatedError, RetsParseError, before it ends at the latest: rows yielded before are of an answer
        that was not whole.
        """
        rest = iter(chunks)
        head: list[bytes] = []
        finder = _Finder(lambda name: self._names.field(name) == self._key)
        element = self._find(finder, mender(), rest, head)
        if not element:
            self.frame = finder
            return
        self.frame = reader = RecordReader(element)
        self.broken = reader.broken
        for record in reader.read(itertools.chain(head, rest), mender()):
            yield self._row(record.fields)

    def _find(self, finder: _Finder, mender: Mender, chunks: Iterator[bytes], head: list[bytes]) -> str:
        """The name of the record elements, "" for an answer without any. What was read is put into ``head``."""
        size = 0
        for chunk in chunks:
            head.append(chunk)
            try:
                finder.feed(mender.feed(chunk))
            except RetsParseError:
                if not finder.element:
                    raise
            if finder.element:
                break
            size += len(chunk)
            if size > _MAX_HEAD:
                raise RetsParseError(f"within {_MAX_HEAD} bytes there are no two records, by the field {self._key}")
        else:
            finder.feed(mender.close())
            finder.close()
        if not finder.element and (finder.key_came or finder.count):
            finder.element = finder.only()
            if not finder.element:
                raise RetsParseError(
                    f"there are no records by the field {self._key}: they have it under neither its SystemName nor its "
                    f"StandardName, or nothing but it; the first element is {finder.first_path}"
                )
        return finder.element

    def _row(self, record: Mapping[str, Any]) -> Row:
        """The fields of a record, those of its groups included."""
        row: Row = {}
        groups = [record]
        while groups:
            below: list[Mapping[str, Any]] = []
            for name, value in itertools.chain.from_iterable(group.items() for group in groups):
                field = self._names.field(name.removeprefix("@"))
                if field and not self._is_group(value):
                    if not row.get(field):
                        row[field] = self._text(field, value)
                else:
                    below += (each for each in _listed(value) if isinstance(each, dict))
            groups = below
        return row

    def _is_group(self, value: Any) -> bool:
        """Whether an element that is called as a field is, holds fields."""
        return any(
            isinstance(each, dict) and any(self._names.field(name.removeprefix("@")) for name in each)
            for each in _listed(value)
        )

    def _text(self, field: str, value: Any) -> str:
        texts = [text for text in _texts(value) if text]
        if len(texts) > 1 and field in self._names.several:
            return ",".join(f'"{text.replace(chr(34), chr(34) * 2)}"' if "," in text else text for text in texts)
        return texts[0] if texts else ""


class _Names:
    """What elements may be called, by whose names: exactly rather than but for capitals, SystemName first."""

    def __init__(self, fields: Iterable[Field]) -> None:
        described = [each for each in fields if each.system_name]
        self._exact = {each.standard_name: each.system_name for each in reversed(described) if each.standard_name}
        self._exact |= {each.system_name: each.system_name for each in described}
        self._folded = {name.casefold(): field for name, field in reversed(self._exact.items())}
        self.several = frozenset(each.system_name for each in described if kind_of(each) is Kind.LOOKUP_MULTI)

    def field(self, name: str) -> str:
        """The SystemName of the field so called, "" if there is none."""
        return self._exact.get(name) or self._folded.get(name.casefold(), "")


class _Finder(Frame):
    """Reads an answer until it is known which of its elements are the records: ``element`` is their name then."""

    def __init__(self, is_key: Callable[[str], bool]) -> None:
        super().__init__()
        self._is_key = is_key
        self._serial = 0
        self._path: list[tuple[str, int]] = []
        self._first: list[tuple[str, int]] = []
        self._deepest: list[str] = []
        self.element = ""

    @property
    def key_came(self) -> bool:
        """Whether any record's key was there."""
        return bool(self._first)

    @property
    def first_path(self) -> str:
        """Where the first of the innermost elements is, for people."""
        return "/".join(self._deepest)[:200]

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """An element begins, and with it perhaps a record's key."""
        super().start(name, attributes)
        self._serial += 1
        self._path.append((local_name(name), self._serial))
        if len(self._path) > len(self._deepest):
            self._deepest = [each for each, _ in self._path]
        if self._is_key(self._path[-1][0]):
            self._key_at(self._path[:])
        for attribute in attributes:
            if self._is_key(local_name(attribute)):
                self._key_at([*self._path, (f"@{attribute}", self._serial)])

    def end(self, name: str) -> None:
        """An element ends."""
        super().end(name)
        self._path.pop()

    def only(self) -> str:
        """The name to cut by where one key came: all there is belongs to its record."""
        return next((name for name, _ in self._first[1:-1] if self._is_unique(name, self._first)), "")

    def _key_at(self, path: list[tuple[str, int]]) -> None:
        if self.element:
            return
        if not self._first:
            self._first = path
            return
        if [name for name, _ in path] != [name for name, _ in self._first]:
            return  # what a record refers to
        depth = next(place for place, (one, other) in enumerate(zip(path, self._first, strict=True)) if one != other)
        if depth == len(path) - 1:
            return  # one record has it twice
        element = path[depth][0]
        if not self._is_unique(element, path):
            raise RetsParseError(f"records, and what is around them, are all called {element}")
        self.element = element

    def _is_unique(self, element: str, path: list[tuple[str, int]]) -> bool:
        return sum(name == element for name, _ in path) == 1


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _texts(value: Any) -> Iterator[str]:
    """Every text of a value, with those of the elements in it; of attributes none."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each)
    elif "#text" in value:
        yield value["#text"]
    else:
        for name, each in value.items():
            if not name.startswith("@"):
                yield from _texts(each)
