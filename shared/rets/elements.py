"""Record elements as dicts, shaped as ``shared.messages.SourceRecord`` says: the hot path of every page.

Expat's events rather than a tree: most of a tree's cost would be in asking it, element by element, for what is known
when the element ends.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final
from xml.parsers import expat

from shared.rets.errors import RetsParseError

_MAX_DEPTH: Final = 64
_BEHIND_NAMESPACE: Final = "}"
_BUFFER: Final = 1 << 16
"""Longer texts come in pieces."""


def read_elements(block: bytes, prefixes: dict[str, str]) -> list[dict[str, Any]]:
    """The fields of each record element of ``block``. The shape of a value is that of ``SourceRecord``.

    ``prefixes`` are the declarations in force around the block; names go without theirs. Raises RetsParseError.
    """
    scope = "".join(f" {name}={_quoted(value)}" for name, value in prefixes.items()).encode()
    value = _read(b"".join((b"<_", scope, b">", block, b"</_>")))
    found = value.values() if isinstance(value, dict) else ()
    records = [_record(record) for same in found for record in (same if isinstance(same, list) else [same])]
    if scope or b"xmlns" in block:
        records = [_localised(record) for record in records]
    return records


def _read(document: bytes) -> Any:
    """The value of the document's root element. Some 200 elements a listing pass here."""
    outer: list[dict[str, Any] | None] = []
    fields: dict[str, Any] | None = {}  # of the element that is open; None while it has neither attributes nor elements
    texts: list[str] = []  # since the last start or end of an element

    def start(_name: str, attributes: dict[str, str]) -> None:
        nonlocal fields
        if texts:
            fields = _with_text(fields, texts)
        if len(outer) > _MAX_DEPTH:
            raise RetsParseError(f"a record nests elements deeper than {_MAX_DEPTH}")
        outer.append(fields)
        fields = {f"@{name}": text.strip() for name, text in attributes.items()} if attributes else None

    def end(name: str) -> None:
        nonlocal fields
        value: Any = fields
        if value is None:
            value = ""
            if texts:
                value = texts[0].strip() if len(texts) == 1 else "".join(texts).strip()
                texts.clear()
        elif texts:
            value = _with_text(value, texts)
        fields = outer.pop()
        if fields is None:
            fields = {name: value}
        elif name not in fields:
            fields[name] = value
        else:
            _repeat(fields, name, value)

    parser = expat.ParserCreate("utf-8", _BEHIND_NAMESPACE)
    parser.buffer_text = True
    parser.buffer_size = _BUFFER
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = texts.append
    try:
        parser.Parse(document, True)
    except expat.ExpatError as error:
        raise RetsParseError(f"a record is broken XML: {expat.ErrorString(error.code)}") from None
    assert fields is not None
    return fields["_"]


def _with_text(fields: dict[str, Any] | None, texts: list[str]) -> dict[str, Any] | None:
    """``fields`` with the text that stands beside its elements: all of it, in order. Takes ``texts``."""
    text = "".join(texts).strip()
    texts.clear()
    if not text:
        return fields
    fields = {} if fields is None else fields
    fields["#text"] = f"{fields['#text']} {text}" if "#text" in fields else text
    return fields


def _repeat(fields: dict[str, Any], name: str, value: Any) -> None:
    """The values of a repeated name are a list."""
    if isinstance(fields[name], list):
        fields[name].append(value)
    else:
        fields[name] = [fields[name], value]


def _record(value: Any) -> dict[str, Any]:
    """A record without attributes and elements is a text, if that."""
    if isinstance(value, dict):
        return value
    return {"#text": value} if value else {}


def _localised(value: Any) -> Any:
    """Names without their namespace; two that become one are a list."""
    if isinstance(value, dict):
        return _grouped((_bare(name), _localised(each)) for name, each in value.items())
    if isinstance(value, list):
        return [_localised(each) for each in value]
    return value


def _grouped(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for name, value in pairs:
        if name in fields:
            for each in value if isinstance(value, list) else [value]:
                _repeat(fields, name, each)
        else:
            fields[name] = value
    return fields


def _bare(name: str) -> str:
    mark = "@" if name.startswith("@") else ""
    return mark + name.rpartition(_BEHIND_NAMESPACE)[2].removeprefix(mark)


def _quoted(value: str) -> str:
    escaped = value.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")
    return f'"{escaped}"'
