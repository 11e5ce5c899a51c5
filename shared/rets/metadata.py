"""Metadata in COMPACT and STANDARD-XML, streamed (RETS 1.7.2 §11, App. B; RETS 1.5; DDF guide, GetMetadata).

A container (``METADATA-LOOKUP`` …) holds items. In STANDARD-XML an item holds columns as elements or attributes, and
further containers may be nested within it; items are read by where they stand, not by their names, which RETS 1.5 and
1.7.2 give to different things. In COMPACT an item is a DATA line under COLUMNS, and containers follow one another.
Names of containers, columns and attributes are compared in lower case without ``_`` and ``-``, in which servers
differ. What is not asked for is skipped.
"""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Final

from shared.rets.errors import RetsParseError
from shared.rets.frame import Frame, local_name, read_frame
from shared.rets.mend import MEBIBYTE, Mender

MAX_BYTES: Final = 64 * MEBIBYTE
"""The largest metadata answer, decompressed."""

_MAX_KEPT: Final = 64 * MEBIBYTE
_ELEMENT_COST: Final = 128
"""What an element or attribute takes in memory beside its name and text, about."""

_PREFIX: Final = "METADATA-"

_LINES: Final = frozenset({"COLUMNS", "DATA"})

LISTS: Final = frozenset({"searchfield", "displayfield", "resultfields", "resultsfields"})
"""Columns that STANDARD-XML repeats, where COMPACT has one list."""
_PAIRS: Final = frozenset({"resultfields", "resultsfields"})
"""Of these each is a pair of elements, written ``target=source`` in COMPACT."""

Row = dict[str, str]


def plain(name: str) -> str:
    """The name of a container, column or attribute as compared: ``LOOKUP_TYPE`` and ``LookupType`` are one."""
    return sys.intern(local_name(name).lower().replace("_", "").replace("-", ""))


@dataclass(slots=True)
class Segment:
    """One container. ``kind`` (``lookuptype``), ``attributes`` and the columns of ``rows`` have plain names, texts are
    trimmed. ``within`` is the item it is nested in and ``around`` that item's container, None when it stands alone."""

    kind: str
    attributes: Row
    within: Row | None
    rows: list[Row] = field(default_factory=list)
    around: Segment | None = field(default=None, repr=False)

    def of(self, parent: str, column: str) -> str:
        """The name of a parent (``lookup``), from the container's attribute, else from that column of the item it is
        nested in; "" without."""
        return self.attributes.get(parent) or (self.within or {}).get(column, "")


@dataclass(slots=True)
class _Open:
    segment: Segment | None
    depth: int
    row: Row | None = None
    column: str | None = None
    parts: list[str] = field(default_factory=list)
    pair: Row = field(default_factory=dict)
    line: str | None = None
    """What of COMPACT is open."""
    columns: list[str] | None = None


class MetadataReader(Frame):
    """Reads one answer. Afterwards ``segments`` has the containers of ``kinds`` (plain names) in the order in which
    they began. Of a column that an item has twice the last counts, but where a list is written so (``LISTS``) all
    are joined by commas. Blank lines of COMPACT are no items."""

    def __init__(self, kinds: Collection[str]) -> None:
        super().__init__()
        self._kinds = frozenset(kinds)
        self._stack: list[_Open] = []
        self._kept = 0
        self.segments: list[Segment] = []

    def read(self, chunks: Iterable[bytes], mender: Mender) -> list[Segment]:
        """The whole answer. Raises RetsTruncatedError, RetsParseError."""
        read_frame(chunks, self, mender)
        return self.segments

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """A container, an item, a column, or what lies around them."""
        name = local_name(name)
        container = name[: len(_PREFIX)].upper() == _PREFIX
        if self.reply is None or not (self._stack or container):
            super().start(name, attributes)
            return
        self.deepen()
        if container:
            self._begin(plain(name[len(_PREFIX) :]), attributes)
            return
        top = self._stack[-1]
        if top.segment is None:
            return
        if top.row is None:
            self._begin_item(top, top.segment, name, attributes)
        elif top.column is None and top.line is None:
            top.column = plain(name)
            self._parser.CharacterDataHandler = self._gather
        elif top.column in _PAIRS:
            top.parts.clear()
        self._keep(_ELEMENT_COST + len(name))

    def end(self, name: str) -> None:
        """The end of any of them."""
        if not self._stack:
            super().end(name)
            return
        top, depth = self._stack[-1], self._depth
        self._depth -= 1
        if depth == top.depth:
            self._stack.pop()
        elif depth == top.depth + 1:
            if top.line is not None and top.segment is not None:
                self._end_line(top, top.segment, top.line)
            top.row = None
        elif depth == top.depth + 2 and top.column is not None and top.row is not None:
            pair, text = top.pair, "".join(top.parts).strip()
            if pair:
                text = f"{pair.get('target', '')}={pair.get('source', '')}"
            known = top.row.get(top.column) if top.column in LISTS else None
            top.row[top.column] = f"{known},{text}" if known else text
            self._end_text(top)
        elif depth == top.depth + 3 and top.column in _PAIRS:
            top.pair[plain(name)] = "".join(top.parts).strip()

    def _begin_item(self, top: _Open, segment: Segment, name: str, attributes: dict[str, str]) -> None:
        """An item, or what COMPACT has in its place."""
        line = name.upper()
        if line in _LINES or (line == "COMMENTS" and segment.kind == "system"):
            top.row, top.line = {}, line
            self._parser.CharacterDataHandler = self._gather
        else:
            top.row = self._texts_of(attributes)
            segment.rows.append(top.row)

    def _end_line(self, top: _Open, segment: Segment, line: str) -> None:
        """COLUMNS, DATA, or a system's COMMENTS."""
        text = "".join(top.parts)
        self._end_text(top)
        if line == "COMMENTS":
            if not segment.rows:
                segment.rows.append({})
            segment.rows[0]["comments"] = text.strip()
        elif line == "COLUMNS":
            names = text.strip("\r\n").removeprefix("\t").rstrip("\t ").split("\t")
            top.columns = [plain(name.strip()) for name in names]
        elif text.strip():
            segment.rows.append(self._row_of(text, top.columns))

    def _row_of(self, text: str, columns: list[str] | None) -> Row:
        """A DATA line. One that ends early lacks its last values; one with more values than columns is unreadable."""
        if columns is None:
            raise RetsParseError("the metadata have values before the names of their columns")
        values = [value.strip() for value in text.strip("\r\n").removeprefix("\t").split("\t")]
        if any(values[len(columns) :]):
            raise RetsParseError(f"a line of the metadata has more values than the {len(columns)} columns")
        row = {column: value for column, value in zip(columns, values, strict=False) if column}
        self._keep(_ELEMENT_COST * len(row))
        return row

    def _end_text(self, top: _Open) -> None:
        top.column = top.line = None
        top.parts.clear()
        top.pair.clear()
        self._parser.CharacterDataHandler = None

    def _begin(self, kind: str, attributes: dict[str, str]) -> None:
        segment = None
        if kind in self._kinds:
            top = self._stack[-1] if self._stack else None
            within, around = (top.row, top.segment) if top else (None, None)
            segment = Segment(kind, self._texts_of(attributes), within, around=around)
            self.segments.append(segment)
            self._keep(_ELEMENT_COST)
        self._stack.append(_Open(segment, self._depth))

    def _texts_of(self, attributes: dict[str, str]) -> Row:
        self._keep(sum(_ELEMENT_COST + len(name) + len(value) for name, value in attributes.items()))
        return {plain(name): value.strip() for name, value in attributes.items()}

    def _gather(self, text: str) -> None:
        if self._stack and (self._stack[-1].column is not None or self._stack[-1].line is not None):
            self._keep(len(text))
            self._stack[-1].parts.append(text)

    def _keep(self, size: int) -> None:
        self._kept += size
        if self._kept > _MAX_KEPT:
            raise RetsParseError("the metadata are larger than any MLS has")
