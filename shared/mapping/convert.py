"""Text of an element → value of its column. One function per type, each strict: what does not fit is a Misfit.

A number is taken only if its column holds it exactly, so that PostgreSQL and SQLite keep the same and nothing is
rounded unseen. Values arrive trimmed and not empty.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import tzinfo
from decimal import Decimal
from functools import lru_cache
from typing import Any

from shared.mapping.columns import Type
from shared.mapping.record import Reason
from shared.mapping.times import parse_date, parse_local, parse_stamp

CODE_LENGTH = 255
"""Characters a ``code`` may have: such columns are indexed, and an index entry must fit a third of a page."""
KEY_BYTES = 255
"""Bytes of UTF-8 a key may have; several of them make one index entry."""

NUMBER_LENGTH = 64
"""Characters a number may have; more is not looked at."""

Convert = Callable[[str], Any]


class Misfit(ValueError):
    """The value does not fit its column."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason: Reason = reason


def text(value: str) -> str:
    """Any text but NUL, which PostgreSQL cannot keep."""
    if "\0" in value:
        raise Misfit("characters")
    return value


def code(value: str) -> str:
    """Text short enough for an index."""
    if len(value) > CODE_LENGTH:
        raise Misfit("length")
    if "\0" in value:
        raise Misfit("characters")
    return value


def key(value: str) -> str:
    """Text that can be a key."""
    if len(value) > KEY_BYTES or len(value.encode()) > KEY_BYTES:
        raise Misfit("length")
    return text(value)


_FEED_MARK = re.compile(r"\s*\(id:[0-9]{1,12}\)$")


def remarks(value: str) -> str | None:
    """Text without the `` (id:1234)`` that names the feed, so that one listing reads the same in all feeds."""
    if value.endswith(")"):
        value = _FEED_MARK.sub("", value)
    return text(value) or None


_WHOLE = re.compile(r"[+-]?[0-9]+(?:\.0*)?")


def integer(value: str) -> int:
    """A whole number of 32 bits; a decimal point with nothing but zeros behind it is let pass."""
    if value.isascii() and value.isdigit() and len(value) < 10:
        return int(value)
    if _WHOLE.fullmatch(value) is None:
        raise Misfit("number")
    whole = value.partition(".")[0]
    if len(value) > NUMBER_LENGTH or not -(2**31) <= int(whole) < 2**31:
        raise Misfit("range")
    return int(whole)


_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)")


def exact(digits: int, scale: int) -> Convert:
    """A decimal with at most ``digits`` digits, ``scale`` of them behind the point."""
    fits = re.compile(rf"[+-]?0*(?:[0-9]{{1,{digits - scale}}}(?:\.[0-9]{{0,{scale}}}0*)?|\.[0-9]{{1,{scale}}}0*)")

    def convert(value: str) -> Decimal:
        if len(value) > NUMBER_LENGTH:
            raise Misfit("length")
        if fits.fullmatch(value) is None:
            raise Misfit("number" if _NUMBER.fullmatch(value) is None else "range")
        return Decimal(value)

    return convert


_BOOLEANS = dict.fromkeys(("true", "1", "y", "yes", "oui", "vrai"), True) | dict.fromkeys(
    ("false", "0", "n", "no", "non", "faux"), False
)


def boolean(value: str) -> bool:
    """``True``, ``true``, ``False``, ``false``, as DDF writes them, and what other servers write."""
    known = _BOOLEANS.get(value.lower())
    if known is None:
        raise Misfit("boolean")
    return known


def listed(value: str) -> list[str]:
    """The items of a ``, `` separated list."""
    items = value.split(", ") if ", " in value else [value]
    if "" in items:
        items = [item for item in items if item] or [value]
    if "\0" in value:
        raise Misfit("characters")
    return items


_AMOUNT = r"[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]+)?|[0-9]*\.?[0-9]+"
_UNIT = r"""[^\W\d_](?:[^\W\d_]|[ .²³/])*[23]?|%|''?|\""""
_MEASURE = re.compile(rf"(-?(?:{_AMOUNT}))\s*({_UNIT})?")
_RANGE = re.compile(rf"({_AMOUNT})\s*(?:-|–|to|à)\s*({_AMOUNT})\s*({_UNIT})?")
_amount = exact(20, 8)

Measured = tuple[Decimal | None, str | None, str]


@lru_cache(maxsize=4096)  # "50 ft" is sent again and again
def measure(value: str) -> Measured:
    """``0.25 ac`` → number, unit and the text as sent; text that is no such thing is kept as text alone."""
    text(value)
    found = _MEASURE.fullmatch(value) if len(value) <= CODE_LENGTH else None
    if found is None:
        return None, None, value
    number = _number(found[1])
    return number, (found[2] if number is not None else None), value


def measure_range(value: str) -> tuple[Decimal | None, str | None, str, Decimal | None, Decimal | None]:
    """As ``measure``; of ``1100 - 1500 sqft`` the unit, the text, the low and the high end."""
    found = _RANGE.fullmatch(value) if len(value) <= CODE_LENGTH else None
    if found is not None:
        low, high = _number(found[1]), _number(found[2])
        if low is not None and high is not None and low <= high:
            return None, found[3], text(value), low, high
    return (*measure(value), None, None)


def _number(value: str) -> Decimal | None:
    try:
        return _amount(value.replace(",", ""))  # type: ignore[no-any-return]
    except Misfit:
        return None


def reason_of(error: ValueError) -> Reason:
    """Why a conversion failed; the functions of ``shared.mapping.times`` raise plain ValueErrors."""
    return error.reason if isinstance(error, Misfit) else "date"


def converters(zone: tzinfo) -> dict[Type, Convert]:
    """A function for each type, raising ValueError. Those of several columns give a tuple, as ``COLUMNS`` orders."""
    return {
        "key": key,
        "code": code,
        "text": text,
        "remarks": remarks,
        "integer": integer,
        "money": exact(14, 2),
        "decimal": exact(14, 4),
        "coordinate": exact(18, 15),
        "boolean": boolean,
        "date": parse_date,
        "timestamp": lambda value: parse_stamp(value, zone),
        "list": listed,
        "texts": lambda value: [text(value)],
        "measure": measure,
        "measure_range": measure_range,
        "event_start": lambda value: parse_local(value, zone),
    }
