"""Text that a server escaped twice, undone once (RETS servers write ``&amp;eacute;`` for é).

One text alone rarely tells: ``Bed &amp; Breakfast`` may be escaped twice or be meant so. What tells is that escaping
leaves neither ``<`` nor an ampersand that begins no reference: a record that holds either was escaped once, like every
honest record of the DDF with its scripts in AnalyticsView and AnalyticsClick.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from html import unescape
from html.entities import html5
from typing import Any, Literal

from msgspec.structs import replace

from shared.messages import SourceRecord

Unescape = Literal["auto", "always", "never"]

_REFERENCE = re.compile(r"&(?:#[0-9]{1,8}|#[xX][0-9a-fA-F]{1,6}|([A-Za-z][A-Za-z0-9]{1,31}));")
_NUMBERS = re.compile(r"&#([0-9]{5}|[xX][0-9a-fA-F]{4});&#([0-9]{5}|[xX][0-9a-fA-F]{4});")


def restored(record: SourceRecord, mode: Unescape) -> SourceRecord:
    """The record with the texts that were escaped twice as they were meant. Pure; everything else stays as it is.

    ``auto``: all or none of a record. It is taken for escaped twice when none of its texts holds a ``<`` or a bare
    ampersand and one of them holds a reference other than ``&amp;``. ``always``: every text by itself that can be the
    result of escaping. ``never``: none.
    """
    if mode == "never" or (mode == "auto" and not _escaped_twice(record.fields)):
        return record
    return replace(record, fields=_changed(record.fields, _undone))


def _escaped_twice(fields: dict[str, Any]) -> bool:
    proven = False
    for text in _texts(fields):
        if "<" in text:
            return False
        if "&" in text:
            references = _references(text)
            if references is None:
                return False
            proven = proven or any(name != "amp" for name in references)
    return proven


def _references(text: str) -> list[str | None] | None:
    """The names of the references in a text, None for those by number; None when an ampersand begins none."""
    names = [found[1] for found in _REFERENCE.finditer(text)]
    if len(names) != text.count("&") or any(name is not None and f"{name};" not in html5 for name in names):
        return None
    return names


def _undone(text: str) -> str:
    if "&" not in text or "<" in text or _references(text) is None:
        return text
    return unescape(_NUMBERS.sub(_joined, text)).strip()


def _joined(pair: re.Match[str]) -> str:
    """The character that two references to the halves of a surrogate pair stand for; other pairs as they are."""
    high, low = (int(part[1:], 16) if part[0] in "xX" else int(part) for part in pair.groups())
    if not (0xD800 <= high < 0xDC00 <= low < 0xE000):
        return pair[0]
    return chr(0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    else:
        for inner in value.values() if isinstance(value, dict) else value:
            if isinstance(inner, str):
                yield inner
            else:
                yield from _texts(inner)


def _changed(value: Any, change: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return change(value)
    if isinstance(value, dict):
        return {name: _changed(inner, change) for name, inner in value.items()}
    return [_changed(inner, change) for inner in value]
