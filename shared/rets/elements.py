"""Record elements as dicts, shaped as ``shared.messages.SourceRecord`` says: the hot path of every page."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from lxml import etree

from shared.rets.errors import RetsParseError

_Element = Any  # lxml's stubs know neither slices of elements nor that names and texts are str here
_MAX_DEPTH: Final = 64


class Converter:
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
        records = [self._value(element) for element in root]
        if self._mixed:
            records = [_exact(element) for element in root]
        # a record without attributes and elements is a text, if that
        records = [record if type(record) is dict else {"#text": record} if record else {} for record in records]
        if scope or b"xmlns" in block:
            records = [_localised(record) for record in records]
        return records

    def _value(self, element: _Element, depth: int = _MAX_DEPTH) -> Any:
        """The hot path: about 300 elements a listing pass here, so plain leaves are read in the comprehension."""
        if not depth:
            raise RetsParseError(f"a record nests elements deeper than {_MAX_DEPTH}")
        depth -= 1
        value = self._value
        tag = element.tag
        fields: dict[str, Any]
        if tag in self._repeating:
            fields = _grouped(
                [
                    (c.tag, value(c, depth) if len(c) or c.keys() or c.tail else t.strip() if (t := c.text) else "")
                    for c in element
                ]
            )
        else:
            fields = {
                c.tag: value(c, depth) if len(c) or c.keys() or c.tail else t.strip() if (t := c.text) else ""
                for c in element
            }
            if len(fields) != len(element):
                self._repeating.add(tag)
                return self._value(element, depth + 1)
        for name, text in element.items():
            fields["@" + name] = text.strip()
        text = text.strip() if (text := element.text) else ""
        if element.tail and element.tail.strip():
            self._mixed = True
        if not fields:
            return text
        if text:
            fields["#text"] = text
        return fields


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
