"""The kinds of value a listing holds, how they are written on the wire and what truth says of them."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import NamedTuple

from .formats import EASTERN, iso


class Measure(NamedTuple):
    """A number with its unit, or a range; ``text`` is what the answer holds."""

    value: Decimal | None
    unit: str | None
    text: str
    minimum: Decimal | None = None
    maximum: Decimal | None = None


class Moment(NamedTuple):
    """An instant (seconds) and the form in which this record writes it."""

    instant: int
    text: str


Value = str | int | bool | Decimal | date | list[str] | Measure | Moment | None
"""What an element holds; None is an element that is there and empty."""

Json = str | int | bool | list[str] | None


def measure(number: str, unit: str) -> Measure:
    """``1850 sqft`` out of its parts; a unit of "" is none."""
    return Measure(Decimal(number), unit or None, f"{number} {unit}".strip())


def spread(low: int, high: int, unit: str) -> Measure:
    """``1100 - 1500 sqft``."""
    return Measure(None, unit, f"{low} - {high} {unit}", Decimal(low), Decimal(high))


def wire(value: Value, odd: bool) -> str:
    """The text of the element, not yet escaped; ``odd`` chooses between the two spellings of a boolean."""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return ", ".join(value)
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value) if odd else str(value).lower()
    if isinstance(value, Measure | Moment):
        return value.text
    return value.isoformat() if isinstance(value, date) else str(value)


def truth(value: Value, columns: tuple[str, ...]) -> dict[str, Json]:
    """The value under its names: decimals as strings of exactly what was sent, instants as ``…Z``, nothing for null."""
    if value is None or value in ("", []):
        return {}
    if isinstance(value, Measure):
        parts = (value.value, value.unit, value.text, value.minimum, value.maximum)
        return {
            name: part if isinstance(part, str) else str(part)
            for name, part in zip(columns, parts, strict=False)
            if part is not None
        }
    if isinstance(value, Moment):
        return {columns[0]: iso(value.instant)}
    if isinstance(value, Decimal):
        return {columns[0]: str(value)}
    if isinstance(value, date):
        return {columns[0]: value.isoformat()}
    return {columns[0]: value}


def local_date(moment: Moment) -> str:
    """The Eastern calendar day of an instant, as ``2024-03-09``."""
    return datetime.fromtimestamp(moment.instant, UTC).astimezone(EASTERN).date().isoformat()
