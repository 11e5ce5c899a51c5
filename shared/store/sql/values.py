"""Instants and JSON as every database is given them."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from typing import Any

import msgspec

from shared.store.sql.connection import NUL, SYMBOL

_encode = msgspec.json.Encoder().encode


@lru_cache(maxsize=4096)
def instant(value: datetime | None) -> str | None:
    """ISO 8601 in UTC with a ``Z``: sorts as time does, and every database reads it."""
    if value is None:
        return None
    text = value.isoformat(timespec="microseconds" if value.microsecond else "seconds")
    return text.removesuffix("+00:00") + "Z"


def as_json(value: Any) -> str:
    """JSON with characters as they are; NUL, which PostgreSQL keeps in no text, becomes its symbol."""
    text = _encode(value)
    return (_encode(_visible(value)) if rb"\u0000" in text else text).decode()


def _visible(value: Any) -> Any:
    match value:
        case str():
            return value.replace(NUL, SYMBOL)
        case dict():
            return {_visible(key): _visible(item) for key, item in value.items()}
        case list() | tuple():
            return [_visible(item) for item in value]
        case _:
            return value
