"""Records of a STANDARD-XML answer as they are, streamed (RETS 1.7.2 §7.6; DDF guide, Search).

The speed is in what is not done. The record elements are cut out of the stream as bytes (after mending, ``<`` is
always markup) and parsed by lxml in blocks; its pull parser would spend more on events than on parsing. The rest, the
frame, goes to expat, so that the answer as a whole is still checked to its last end tag. Default namespaces are left
in the frame, which gives bare tags.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any, Final

from lxml import etree

from shared.messages import SourceRecord
from shared.rets.errors import RetsParseError
from shared.rets.frame import Frame, local_name
from shared.rets.mend import MEBIBYTE, Mender

_Element = Any  # lxml's stubs know neither slices of elements nor that names and texts are str here
_MAX_DEPTH: Final = 64
_MAX_RECORD_BYTES: Final = 32 * MEBIBYTE


class RecordReader(Frame):
    """Iterate ``read`` for the records; afterwards ``reply``, ``count`` and the others say what the server announced.

    ``element`` is the record element's local name; ``key`` and ``stamp`` are its attributes.
    """

    def __init__(self, element: str, *, key: str = "ID", stamp: str = "LastUpdated") -> None:
        super().__init__()
        self._element = element
        self._key = key
        self._stamp = stamp
        self._converter = _Converter()
        self._prefixes: dict[str, str] = {}
        self._cutter = _Cutter(element)

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
            for fields in self._converter.convert(inside, self._prefixes):
                yield SourceRecord(fields.get(f"@{self._key}", ""), fields.get(f"@{self._stamp}", ""), fields)


class _Cutter:
    """Separates whole record elements from what is around them, across piece boundaries."""

    def __init__(self, element: str) -> None:
        self._first = re.compile(rb"<((?:[^\s<>/:]+:)?" + re.escape(element.encode()) + rb")(?=[\s/>])")
        self._open = b""
        self._close = b""
        self._held: list[bytes] = []
        self._held_size = 0

    def cut(self, piece: bytes) -> tuple[bytes, bytes]:
        """What is outside of records and the records that ended in ``piece``, each joined."""
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
        return b"".join(outside), b"".join(inside)

    def rest(self) -> bytes:
        """What is left of a record that never ended."""
        return b"".join(self._held).replace(self._open, b"<_") if self._held else b""

    def _hold(self, piece: bytes) -> tuple[bytes, bytes]:
        self._held.append(piece)
        self._held_size += len(piece)
        if self._held_size > _MAX_RECORD_BYTES:
            raise RetsParseError(f"a record is larger than {_MAX_RECORD_BYTES} bytes")
        return b"", b""

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


class _Converter:
    """Elements to dicts. The shape of a value is that of ``shared.messages.SourceRecord``."""

    def __init__(self) -> None:
        self._parser = etree.XMLParser(
            resolve_entities=False, no_network=True, load_dtd=False, remove_blank_text=True, huge_tree=False
        )
        self._repeating: set[str] = set()
        self._mixed = False

    def convert(self, block: bytes, prefixes: dict[str, str]) -> list[dict[str, Any]]:
        """The fields of each record element of ``block``."""
        scope = "".join(f" {name}={_quoted(value)}" for name, value in prefixes.items()).encode()
        try:
            root = etree.fromstring(b"".join((b"<_", scope, b">", block, b"</_>")), self._parser)
        except etree.XMLSyntaxError as error:
            raise RetsParseError(f"a record is broken XML: {error.msg}") from None
        self._mixed = False
        records = [self._fields(element, _MAX_DEPTH) for element in root]
        if self._mixed:
            records = [_exact(element) for element in root]
        if scope or b"xmlns" in block:
            records = [_localised(record) for record in records]
        return records

    def _fields(self, element: _Element, depth: int) -> dict[str, Any]:
        """The hot path: about 300 elements a listing pass here, so leaves are converted in the comprehension."""
        if not depth:
            raise RetsParseError(f"a record nests elements deeper than {_MAX_DEPTH}")
        value = self._value
        tag = element.tag
        if tag in self._repeating:
            fields = _grouped(
                (c.tag, value(c, depth - 1) if len(c) or c.keys() or c.tail else (t.strip() if (t := c.text) else ""))
                for c in element[:]
            )
        else:
            fields = {
                c.tag: value(c, depth - 1) if len(c) or c.keys() or c.tail else (t.strip() if (t := c.text) else "")
                for c in element[:]
            }
            if len(fields) != len(element):
                self._repeating.add(tag)
                return self._fields(element, depth)
        for name, text in element.items():
            fields["@" + name] = text.strip()
        if (text := element.text) and (text := text.strip()):
            fields["#text"] = text
        return fields

    def _value(self, element: _Element, depth: int) -> Any:
        if element.tail and element.tail.strip():
            self._mixed = True
        if len(element) or element.keys():
            return self._fields(element, depth)
        return (element.text or "").strip()


def _grouped(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """A dict in which the values of a repeated name are a list."""
    fields: dict[str, Any] = {}
    for name, value in pairs:
        if name not in fields:
            fields[name] = value
        elif isinstance(fields[name], list):
            fields[name].append(value)
        else:
            fields[name] = [fields[name], value]
    return fields


def _exact(element: _Element) -> dict[str, Any]:
    """The same for a block where text stands between elements: it all becomes ``#text``, in order."""
    fields = _grouped(
        (child.tag, _exact(child) if len(child) or child.keys() else (child.text or "").strip()) for child in element
    )
    for name, text in element.items():
        fields["@" + name] = text.strip()
    texts = [element.text, *(child.tail for child in element)]
    if joined := " ".join(stripped for text in texts if text and (stripped := text.strip())):
        fields["#text"] = joined
    return fields


def _localised(value: Any) -> Any:
    """Names without their ``{namespace}``; two that become one are a list."""
    if isinstance(value, dict):
        return _grouped((_bare(name), _localised(each)) for name, each in value.items())
    if isinstance(value, list):
        return [_localised(each) for each in value]
    return value


def _bare(name: str) -> str:
    mark = "@" if name.startswith("@") else ""
    return mark + name.rpartition("}")[2].removeprefix(mark)


def _quoted(value: str) -> str:
    escaped = value.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")
    return f'"{escaped}"'
