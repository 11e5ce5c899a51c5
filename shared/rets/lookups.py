"""Lookups and their values out of metadata (RETS 1.7.2 §11.4.2, §11.4.3)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from shared.lookups import LookupValue
from shared.rets.errors import RetsParseError
from shared.rets.metadata import Row, Segment

KINDS: Final = ("lookup", "lookuptype")
"""The containers they stand in."""

_NAME_BYTES: Final = 255
_TEXT_LENGTH: Final = 4_000


def lookups_of(segments: Iterable[Segment], resource: str, asked: str = "") -> dict[str, list[LookupValue] | None]:
    """By the name of the lookup its values, None where the answer names it alone. Values that name no lookup are of
    the one ``asked`` for.

    Raises RetsParseError when any line has no name, no code or no text: what is in part unreadable is no evidence of
    what there is. Of values with one code the last counts.
    """
    found: dict[str, dict[str, LookupValue] | None] = {}
    for segment in segments:
        if segment.of("resource", "resourceid").lower() not in ("", resource.lower()):
            continue
        if segment.kind == "lookup":
            for row in segment.rows:
                found.setdefault(_name(row.get("lookupname", ""), "a lookup's name"), None)
        elif segment.kind == "lookuptype":
            name = _name(segment.of("lookup", "lookupname") or asked, "a lookup's name")
            values = found.get(name) or {}
            found[name] = values | {value.code: value for value in (_value(row, name) for row in segment.rows)}
    return {name: None if values is None else list(values.values()) for name, values in found.items()}


def _value(row: Row, lookup: str) -> LookupValue:
    code = _name(row.get("value", ""), f"a code of the lookup {lookup!r}")
    long, short = row.get("longvalue", ""), row.get("shortvalue", "")
    if not (long or short):
        raise RetsParseError(f"the code {code!r} of the lookup {lookup!r} has no text")
    if max(len(long), len(short)) > _TEXT_LENGTH:
        raise RetsParseError(f"the code {code!r} of the lookup {lookup!r} has a text beyond {_TEXT_LENGTH} characters")
    entry = row.get("metadataentryid", "")
    return LookupValue(code, long or short, short, entry if len(entry.encode()) <= _NAME_BYTES else "")


def _name(name: str, what: str) -> str:
    if not name:
        raise RetsParseError(f"{what} is blank")
    if len(name.encode()) > _NAME_BYTES:
        raise RetsParseError(f"{what} is longer than {_NAME_BYTES} bytes")
    return name
