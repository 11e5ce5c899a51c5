"""Queries put together from values, quoted as they must be. What cannot be said raises DmqlError.

A text of letters and digits stands bare, every other in quotes (RETS 1.7.2 §7.7.2). Ranges and patterns cannot be
quoted, so they take numbers, times and plain texts only.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TypeAlias

from shared.rets.dmql.errors import DmqlError
from shared.rets.dmql.tree import And, Choice, Chosen, Criterion, Item, Items, Literal, Or, Query, Special, Word

Plain: TypeAlias = str | int | Decimal | date | datetime
"""A value as Python has it. A datetime with a zone is sent in UTC, one without as the server's own time."""


def equals(field: str, *values: Plain) -> Criterion:
    """The field is one of the values."""
    return Criterion(field, Items(tuple(map(_item, values))))


def any_of(field: str, values: Iterable[Plain]) -> Criterion:
    """A lookup has any of the values."""
    return Criterion(field, Chosen(Choice.ANY, tuple(map(_item, values))))


def none_of(field: str, values: Iterable[Plain]) -> Criterion:
    """A lookup has none of the values."""
    return Criterion(field, Chosen(Choice.NONE, tuple(map(_item, values))))


def all_of(field: str, values: Iterable[Plain]) -> Criterion:
    """A lookup of several values has all of these."""
    return Criterion(field, Chosen(Choice.ALL, tuple(map(_item, values))))


def at_least(field: str, value: Plain) -> Criterion:
    """From the value on, itself included. Times are sent in seconds, rounded so that none is left out."""
    return Criterion(field, Items((Word(f"{_bound(value, up=False)}+"),)))


def at_most(field: str, value: Plain) -> Criterion:
    """Up to the value, itself included."""
    return Criterion(field, Items((Word(f"{_bound(value, up=True)}-"),)))


def between(field: str, low: Plain, high: Plain) -> Query:
    """Both ends included."""
    if isinstance(low, str) or isinstance(high, str):
        # Within a text a dash is a dash, so this range cannot be said in one.
        return And((at_least(field, low), at_most(field, high)))
    return Criterion(field, Items((Word(f"{_bound(low, up=False)}-{_bound(high, up=True)}"),)))


def starts_with(field: str, text: str) -> Criterion:
    """The text begins so."""
    return Criterion(field, Items((Word(f"{_plain(text)}*"),)))


def contains(field: str, text: str) -> Criterion:
    """The text has this somewhere."""
    return Criterion(field, Items((Word(f"*{_plain(text)}*"),)))


def is_empty(field: str) -> Criterion:
    """No value was entered."""
    return Criterion(field, Special.EMPTY)


def has_any(field: str) -> Criterion:
    """Whatever the value."""
    return Criterion(field, Special.ANY)


def both(*queries: Query) -> Query:
    """All of the queries hold."""
    return queries[0] if len(queries) == 1 else And(queries)


def either(*queries: Query) -> Query:
    """Any of the queries holds."""
    return queries[0] if len(queries) == 1 else Or(queries)


def _item(value: Plain) -> Item:
    if isinstance(value, str):
        return Word(value) if value.isascii() and value.isalnum() else Literal(value)
    return Word(_text(value))


def _bound(value: Plain, *, up: bool) -> str:
    if isinstance(value, str):
        return _plain(value)
    if isinstance(value, datetime) and value.microsecond:
        try:
            value = value.replace(microsecond=0) + timedelta(seconds=1 if up else 0)
        except OverflowError:
            raise DmqlError("the time is beyond the calendar") from None
    return _text(value)


def _text(value: Plain) -> str:
    match value:
        case bool():
            return str(int(value))
        case int():
            return str(value)
        case Decimal():
            if not value.is_finite():
                raise DmqlError("a number must be finite")
            return format(value, "f")
        case datetime():
            if value.tzinfo is None:
                return value.isoformat()
            try:
                return value.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"
            except OverflowError:
                raise DmqlError("the time is beyond the calendar") from None
        case date():
            return value.isoformat()
        case _:
            return value


def _plain(text: str) -> str:
    if not (text.isascii() and text.isalnum()):
        raise DmqlError("a range or pattern takes letters and digits only")
    return text
