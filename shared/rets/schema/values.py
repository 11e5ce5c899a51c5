"""The texts of a row as values of the types that the metadata name (RETS 1.7.2 §2.4, §7.6, §11.3.2, §13.3).

Values of lookups are codes, whichever format they came in: COMPACT-DECODED is turned back where its texts are those of
the metadata. A text with commas of its own is found among several by the longest that the lookup knows.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from dataclasses import field as attribute
from datetime import UTC, date, datetime, time, tzinfo
from decimal import Decimal
from typing import Final, TypeAlias

from shared.mapping.times import parse_local, parse_stamp
from shared.rets.dmql.binding import Kind
from shared.rets.schema.kinds import INTEGERS, kind_of
from shared.rets.schema.types import Field, Lookup, ResourceClass

Value: TypeAlias = str | bool | int | Decimal | date | datetime | time | tuple[str, ...]

MAX_ITEMS: Final = 10_000
"""Values of one lookup in one field."""
_MAX_NUMBER: Final = 64
_TRUTHS: Final = {"1": True, "0": False, "true": True, "false": False, "y": True, "n": False, "t": True, "f": False,
                  "yes": True, "no": False}  # fmt: skip
_ITEM: Final = re.compile(r'\s*(?:"((?:[^"]|"")*)"[^,]*|([^,]*))(?:,|$)')
_DECIMAL: Final = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)")
_CLOCK: Final = re.compile(
    r"([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:\.([0-9]{1,6})[0-9]*)?)?(?:Z|[+-][0-9]{2}:?[0-9]{2})?"
)


@dataclass(frozen=True, slots=True)
class Typed:
    """A row's values by field; those without a value are left out. ``restricted`` are the fields whose values the login
    may not see. ``misfits`` are texts that are not what the metadata say, as sent; ``unknown`` texts that their lookup
    does not have, which are values all the same."""

    values: dict[str, Value] = attribute(default_factory=dict)
    restricted: frozenset[str] = frozenset()
    misfits: dict[str, str] = attribute(default_factory=dict)
    unknown: frozenset[str] = frozenset()


class ValueReader:
    """Reads the rows of one class. ``indicator`` is the RestrictedIndicator that was asked for, "" if none was;
    ``zone`` that of times without one; ``decoded`` whether the rows are COMPACT-DECODED."""

    def __init__(
        self,
        described: ResourceClass,
        lookups: Iterable[Lookup] = (),
        *,
        zone: tzinfo = UTC,
        indicator: str = "",
        decoded: bool = False,
        standard_names: bool = False,
    ) -> None:
        self._indicator = indicator
        self._decoded = decoded
        self._zone = zone
        self._codes = {each.lookup_name: _codes(each, decoded) for each in lookups}
        self._fields = {
            name: (each, kind_of(each))
            for each in described.fields
            if (name := each.standard_name if standard_names else each.system_name)
        }

    def read(self, row: Mapping[str, str]) -> Typed:
        """A row as its server sent it. Fields that the metadata do not know are texts."""
        values: dict[str, Value] = {}
        restricted: set[str] = set()
        unknown: set[str] = set()
        misfits: dict[str, str] = {}
        for name, text in row.items():
            if not text:
                continue
            if self._indicator and text == self._indicator:
                restricted.add(name)
                continue
            field, kind = self._fields.get(name, _TEXT)
            if kind in {Kind.LOOKUP, Kind.LOOKUP_MULTI}:
                value, known = self._looked_up(field, kind, text)
                values[name] = value
                if not known:
                    unknown.add(name)
                continue
            try:
                values[name] = self._value(field, kind, text)
            except (ValueError, ArithmeticError):
                misfits[name] = text
        return Typed(values, frozenset(restricted), misfits, frozenset(unknown))

    def _value(self, field: Field, kind: Kind, text: str) -> Value:
        match kind:
            case Kind.NUMBER:
                return _number(field, text)
            case Kind.BOOLEAN:
                if text.lower() not in _TRUTHS:
                    raise ValueError("neither true nor false")
                return _TRUTHS[text.lower()]
            case Kind.DATE:
                return parse_local(_unambiguous(text), self._zone)[1]
            case Kind.DATETIME:
                return parse_stamp(_unambiguous(text), self._zone)
            case Kind.TIME:
                return _time(text, self._zone)
        return text

    def _looked_up(self, field: Field, kind: Kind, text: str) -> tuple[Value, bool]:
        codes = self._codes.get(field.lookup_name)
        if kind is Kind.LOOKUP:
            code = codes.get(text) if codes is not None else text
            return (text, False) if code is None else (code, True)
        items = split_items(text)
        if self._decoded and codes is not None:
            items = _joined(items, codes)
        found = [codes.get(item) if codes is not None else item for item in items]
        decided = tuple(item if code is None else code for item, code in zip(items, found, strict=True))
        return decided, None not in found


def split_items(text: str) -> list[str]:
    """The values of a LookupMulti: separated by commas, in quotes where they hold one, blank ones left out.

    Raises nothing; more than ``MAX_ITEMS`` are cut.
    """
    found: list[str] = []
    for match in _ITEM.finditer(text):
        item = match[1].replace('""', '"') if match[1] is not None else match[2].strip()
        if item:
            found.append(item)
        if len(found) == MAX_ITEMS:
            break
    return found


_TEXT: Final = (Field(), Kind.CHARACTER)
_MOST_JOINED: Final = 8


def _joined(items: list[str], known: Mapping[str, str]) -> list[str]:
    """Texts that were cut at commas of their own, whole again."""
    found: list[str] = []
    place = 0
    while place < len(items):
        for stop in range(min(len(items), place + _MOST_JOINED), place, -1):
            whole = next(
                (glue.join(items[place:stop]) for glue in (", ", ",") if glue.join(items[place:stop]) in known), None
            )
            if whole is not None or stop == place + 1:
                found.append(whole if whole is not None else items[place])
                place = stop
                break
    return found


def _codes(lookup: Lookup, decoded: bool) -> dict[str, str]:
    """The code of what a row may have: itself, or in decoded rows its text. A text of several codes is none's."""
    codes = {each.value: each.value for each in lookup.values}
    if not decoded:
        return codes
    texts: dict[str, str | None] = {}
    for each in lookup.values:
        text = each.long_value or each.short_value
        texts[text] = None if texts.get(text, each.value) != each.value else each.value
    return codes | {text: code for text, code in texts.items() if text and code is not None}


def _number(field: Field, text: str) -> int | Decimal:
    if len(text) > _MAX_NUMBER or not _DECIMAL.fullmatch(text):
        raise ValueError("not a number")
    number = Decimal(text)
    bits = INTEGERS.get(field.data_type.lower())
    if bits is None:
        return number
    whole = int(number)
    if whole != number or not -(1 << 63) <= whole < 1 << 63:
        raise ValueError("not a whole number, or a larger one than there are")
    return whole


def _time(text: str, zone: tzinfo) -> time:
    found = _CLOCK.fullmatch(text)
    if found is None:
        return parse_stamp(_unambiguous(text), zone).astimezone(zone).time()
    hour, minute, second, fraction = found.groups()
    return time(int(hour), int(minute), int(second or 0), int((fraction or "0").ljust(6, "0")))


def _unambiguous(text: str) -> str:
    """Dates with slashes put the day first here and the month there: nobody can tell them apart."""
    if "/" in text:
        raise ValueError("a date with slashes")
    return text
