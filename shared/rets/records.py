"""Records of a STANDARD-XML answer as they are, streamed (RETS 1.7.2 §7.6; DDF guide, Search).

The record elements are cut out of the stream as bytes (after mending, ``<`` is always markup) and parsed in blocks, so
that one that is broken within itself harms no other. The rest, the frame, is parsed by itself, so that the answer as a
whole is still checked to its last end tag.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any, Final

from shared.messages import BrokenRecord, SourceRecord
from shared.rets.elements import read_elements
from shared.rets.errors import RetsParseError
from shared.rets.frame import Frame, local_name
from shared.rets.mend import MEBIBYTE, Mender

_MAX_RECORD_BYTES: Final = 32 * MEBIBYTE
_KEPT_BYTES: Final = 262_144
"""Of a record that cannot be read so much is kept."""


class RecordReader(Frame):
    """Iterate ``read`` for the records; afterwards ``reply``, ``count`` and the others say what the server announced.

    ``element`` is the record element's local name; ``key`` and ``stamp`` are paths within it, of elements and a last
    attribute (``Listing/Key``, ``@ID``). A record that is broken within itself (between its own start and end tag)
    harms no other: it is in ``broken``.
    """

    def __init__(self, element: str, *, key: str = "@ID", stamp: str = "@LastUpdated") -> None:
        super().__init__()
        self._element = element
        self._key = key.split("/")
        self._stamp = stamp.split("/")
        self._prefixes: dict[str, str] = {}
        self._cutter = _Cutter(element)
        self.broken: list[BrokenRecord] = []

    def read(self, chunks: Iterable[bytes], mender: Mender) -> Iterator[SourceRecord]:
        """The records in order, in bounded memory. Raises RetsTruncatedError, RetsParseError, before it ends at the
        latest: records yielded before are of an answer that was not whole."""
        for chunk in chunks:
            yield from self._take(mender.feed(chunk))
        yield from self._take(mender.close())
        self.feed(self._cutter.rest())
        self.close()

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """Remember prefixes for the blocks; a record that was not cut out must not be lost silently."""
        if local_name(name) == self._element:
            raise RetsParseError(f"{self._element} elements appear under several names")
        for attribute, value in attributes.items():
            if attribute.startswith("xmlns:"):
                self._prefixes[attribute] = value
        super().start(name, attributes)

    def _take(self, piece: bytes) -> Iterator[SourceRecord]:
        if not piece:
            return
        outside, inside = self._cutter.cut(piece)
        if outside:
            self.feed(outside)
        if inside:
            yield from self._convert(inside)

    def _convert(self, records: list[bytes]) -> Iterator[SourceRecord]:
        """The records of a block; where one breaks it, each by itself."""
        try:
            converted = read_elements(b"".join(records), self._prefixes)
        except RetsParseError as error:
            if len(records) > 1:
                for record in records:
                    yield from self._convert([record])
            elif swallowed := self._cutter.last_start(records[0]):
                # It lacks its end tag and so seemed to go on to the end of the one after it.
                self._set_aside(records[0][:swallowed], error)
                yield from self._convert([records[0][swallowed:]])
            else:
                self._set_aside(records[0], error)
            return
        for fields in converted:
            yield SourceRecord(_at(fields, self._key), _at(fields, self._stamp), fields)

    def _set_aside(self, record: bytes, error: RetsParseError) -> None:
        self.broken.append(BrokenRecord(self._key_of(record), record[:_KEPT_BYTES], str(error)))

    def _key_of(self, record: bytes) -> str:
        """The key of a record of which only the start tag may be whole."""
        start = record[: record.find(b">") + 1].removesuffix(b">").removesuffix(b"/") + b"/>"
        try:
            (fields,) = read_elements(start, self._prefixes)
        except (RetsParseError, ValueError):
            return ""
        return _at(fields, self._key)


def _at(fields: Any, path: list[str]) -> str:
    """The text at a path, the first of several; "" without."""
    for name in path:
        if isinstance(fields, list):
            fields = fields[0]
        fields = fields.get(name, "") if isinstance(fields, dict) else ""
    if isinstance(fields, list):
        fields = fields[0]
    text: str = fields.get("#text", "") if isinstance(fields, dict) else fields
    return text


class _Cutter:
    """Separates whole record elements from what is around them, across piece boundaries."""

    def __init__(self, element: str) -> None:
        self._first = re.compile(rb"<((?:[^\s<>/:]+:)?" + re.escape(element.encode()) + rb")(?=[\s/>])")
        self._open = b""
        self._close = b""
        self._held: list[bytes] = []
        self._held_size = 0

    def cut(self, piece: bytes) -> tuple[bytes, list[bytes]]:
        """What is outside of records, joined, and the records that ended in ``piece``."""
        if self._held:
            # A record still open: unless its end came, only keep.
            if self._close not in piece and self._close not in self._held[-1][-len(self._close) :] + piece[:256]:
                return self._hold(piece)
            piece = b"".join([*self._held, piece])
            self._held.clear()
            self._held_size = 0
        outside: list[bytes] = []
        inside: list[bytes] = []
        place = 0
        while (start := self._find(piece, place)) >= 0:
            outside.append(piece[place:start])
            stop = self._end(piece, start)
            if stop < 0:
                self._hold(piece[start:])
                place = len(piece)
                break
            inside.append(piece[start:stop])
            place = stop
        outside.append(piece[place:])
        return b"".join(outside), inside

    def last_start(self, record: bytes) -> int:
        """Where in ``record`` the last start tag of a record stands; 0 when there is none but its own."""
        place = len(record)
        while (place := record.rfind(self._open, 0, place)) > 0:
            if record[place + len(self._open) : place + len(self._open) + 1] in b" \t\r\n/>":
                return place
        return 0

    def rest(self) -> bytes:
        """What is left of a record that never ended."""
        return b"".join(self._held).replace(self._open, b"<_") if self._held else b""

    def _hold(self, piece: bytes) -> tuple[bytes, list[bytes]]:
        self._held.append(piece)
        self._held_size += len(piece)
        if self._held_size > _MAX_RECORD_BYTES:
            raise RetsParseError(f"a record is larger than {_MAX_RECORD_BYTES} bytes")
        return b"", []

    def _find(self, piece: bytes, place: int) -> int:
        if not self._open:
            found = self._first.search(piece, place)
            if found is None:
                return -1
            self._open = b"<" + found[1]
            self._close = b"</" + found[1]
        while (place := piece.find(self._open, place)) >= 0:
            following = piece[place + len(self._open) : place + len(self._open) + 1]
            if following in b" \t\r\n/>":
                return place
            place += 1
        return -1

    def _end(self, piece: bytes, start: int) -> int:
        """Where the record that starts at ``start`` ends, -1 when that is not in ``piece``."""
        head = piece.find(b">", start)
        if head > 0 and piece[head - 1 : head] == b"/":
            return head + 1
        place = start
        while (place := piece.find(self._close, place)) >= 0:
            stop = piece.find(b">", place) + 1
            if piece[place + len(self._close) : stop].strip() == b">":
                return stop
            place += 1
        return -1
