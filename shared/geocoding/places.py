"""What a geocoder's answer says: places, read with suspicion. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

MAX_PLACES = 10
_MAX_TEXT = 200


@dataclass(frozen=True, slots=True)
class Place:
    """One place of an answer. ``rank`` is its search rank ("Place Ranking in Nominatim"), None when it was not told.

    ``kind`` is ``addresstype``, else ``type``; ``category`` and ``osm_type`` are as sent, ``address`` the details by
    label; "" and nothing where they lack.
    """

    latitude: float
    longitude: float
    rank: int | None = None
    category: str = ""
    type: str = ""
    kind: str = ""
    osm_type: str = ""
    address: Mapping[str, str] = field(default_factory=dict)


def places(body: bytes) -> list[Place]:
    """The places of an answer that can be read, in the order given. Raises ValueError when it is no JSON array."""
    try:
        found = msgspec.json.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise ValueError("no JSON") from None
    if not isinstance(found, list):
        raise ValueError("no array")
    return [place for item in found[:MAX_PLACES] if (place := _place(item)) is not None]


def _place(item: Any) -> Place | None:
    if not isinstance(item, dict):
        return None
    latitude, longitude = _degrees(item.get("lat"), 90), _degrees(item.get("lon"), 180)
    if latitude is None or longitude is None or (latitude == 0 and longitude == 0):
        return None
    details = item.get("address")
    rank = item.get("place_rank")
    return Place(
        latitude,
        longitude,
        rank if isinstance(rank, int) and not isinstance(rank, bool) and 0 <= rank <= 30 else None,
        _text(item.get("category", item.get("class"))),
        _text(item.get("type")),
        _text(item.get("addresstype", item.get("type"))),
        _text(item.get("osm_type")),
        {label: text for label, value in details.items() if (text := _text(value))}
        if isinstance(details, dict)
        else {},
    )


def _degrees(value: Any, most: float) -> float | None:
    """A coordinate as number or text, seven digits behind the point: a centimetre."""
    if isinstance(value, bool) or not isinstance(value, str | int | float) or len(str(value)) > 40:
        return None
    try:
        number = round(float(value), 7)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) and abs(number) <= most else None


def _text(value: Any) -> str:
    return value if isinstance(value, str) and len(value) <= _MAX_TEXT else ""
