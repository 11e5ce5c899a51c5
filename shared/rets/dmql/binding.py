"""What a query means for fields of known types (RETS 1.7.2 §7.7.2).

Lookups and texts are compared as they are, letters' case included. ``*`` stands for any run of characters, ``?`` for
exactly one. A text may be bounded on one side (``M+``, ``M-``); a dash within it is a dash. A date asked of an instant
is the whole day in the server's zone; NOW asked of a date is today. The answer to a null is no, but for ``.EMPTY.``,
``.ANY.`` and what is negated.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from decimal import Decimal
from enum import Enum, auto
from typing import Final, TypeAlias

from shared.rets.dmql.errors import DmqlError, DmqlFieldError
from shared.rets.dmql.tree import (
    And,
    Choice,
    Chosen,
    Criterion,
    Item,
    Items,
    Literal,
    Not,
    Or,
    Query,
    Special,
    Tree,
    Word,
)

Scalar: TypeAlias = str | bool | Decimal | date | datetime | time


class Kind(Enum):
    """What the values of a field are."""

    CHARACTER = auto()
    NUMBER = auto()
    BOOLEAN = auto()
    DATE = auto()
    DATETIME = auto()
    TIME = auto()
    LOOKUP = auto()
    LOOKUP_MULTI = auto()


@dataclass(frozen=True, slots=True)
class Field:
    """A field that can be asked for; ``values`` are those of its lookup, None when any may be asked for."""

    kind: Kind
    values: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class OneOf:
    """Equal to one of the values; of a field with several values, any of them is."""

    values: tuple[Scalar, ...]


@dataclass(frozen=True, slots=True)
class Within:
    """From ``low`` to ``high``, None without bound; ``high`` itself only when ``closed``."""

    low: Scalar | None = None
    high: Scalar | None = None
    closed: bool = True


@dataclass(frozen=True, slots=True)
class Like:
    """A pattern of ``*`` and ``?``."""

    pattern: str


Condition: TypeAlias = OneOf | Within | Like | Special


@dataclass(frozen=True, slots=True)
class Test:
    """A condition on one field."""

    __test__ = False  # for pytest, which takes the name for its own

    field: str
    kind: Kind
    condition: Condition


Bound: TypeAlias = Tree[Test]

MAX_STARS: Final = 16
"""``*`` in one pattern."""
_MAX_NUMBER: Final = 64
_NUMBER: Final = r"-?[0-9]+(?:\.[0-9]*)?|-?\.[0-9]+"
_DAY: Final = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
_CLOCK: Final = r"[0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,6})?)?"
_MOMENT: Final = rf"{_DAY}(?:T{_CLOCK}(?:Z|[+-][0-9]{{2}}:[0-9]{{2}})?)?|TODAY|NOW"
_ATOMS: Final = {Kind.NUMBER: _NUMBER, Kind.DATE: _MOMENT, Kind.DATETIME: _MOMENT, Kind.TIME: f"{_CLOCK}|NOW"}
_RANGES: Final = {
    kind: re.compile(rf"(?P<low>{atom})(?:(?P<open>[+-])|-(?P<high>{atom}))?") for kind, atom in _ATOMS.items()
}
_WANTED: Final = {
    Kind.NUMBER: "a number",
    Kind.DATE: "a date",
    Kind.DATETIME: "a date or time",
    Kind.TIME: "a time of day",
    Kind.BOOLEAN: "1 or 0",
}
_TRUTHS: Final = {"1": True, "0": False, "true": True, "false": False, "y": True, "n": False, "t": True, "f": False}


def bind(query: Query, fields: Mapping[str, Field], *, now: datetime, zone: tzinfo = UTC) -> Bound:
    """The query's meaning. ``now`` has a zone; ``zone`` is that of dates and times that name none.

    Raises DmqlFieldError for a field, or a lookup's value, that there is not, and DmqlError for a value that its field
    cannot have.
    """
    match query:
        case Not(term):
            return Not(bind(term, fields, now=now, zone=zone))
        case And(terms):
            return And(tuple(bind(term, fields, now=now, zone=zone) for term in terms))
        case Or(terms):
            return Or(tuple(bind(term, fields, now=now, zone=zone) for term in terms))
        case Criterion(name):
            field = fields.get(name)
            if field is None:
                raise DmqlFieldError(f"there is no field {name}", query.position)
            return _Binder(query, field, now.astimezone(zone), zone).bound()


class _Binder:
    """One criterion."""

    def __init__(self, criterion: Criterion, field: Field, now: datetime, zone: tzinfo) -> None:
        self._criterion = criterion
        self._field = field
        self._now = now
        self._zone = zone

    def bound(self) -> Bound:
        match self._criterion.value:
            case Items(items):
                if items == (Word("*"),):
                    return self._test(Special.ANY)  # the idiom for all there is, of fields of any type
                return self._any([self._item(item) for item in items])
            case Chosen(how, items):
                conditions = [self._chosen(item) for item in items]
                if how is Choice.ALL and len(conditions) > 1:
                    return And(tuple(map(self._test, conditions)))
                found = self._any(conditions)
                return Not(found) if how is Choice.NONE else found
            case special:
                return self._test(special)

    def _test(self, condition: Condition) -> Test:
        return Test(self._criterion.field, self._field.kind, condition)

    def _any(self, conditions: Sequence[Condition]) -> Bound:
        """Alternatives; equalities are one condition together."""
        values = tuple(value for each in conditions if isinstance(each, OneOf) for value in each.values)
        others = [each for each in conditions if not isinstance(each, OneOf)]
        tests = [self._test(each) for each in ([OneOf(values)] if values else []) + others]
        return tests[0] if len(tests) == 1 else Or(tuple(tests))

    def _chosen(self, item: Item) -> Condition:
        return OneOf((item.text,)) if self._field.kind is Kind.CHARACTER else self._item(item)

    def _item(self, item: Item) -> Condition:
        kind, text = self._field.kind, item.text
        if kind is Kind.CHARACTER:
            return OneOf((text,)) if isinstance(item, Literal) else _text(text, self._fail)
        if kind in {Kind.LOOKUP, Kind.LOOKUP_MULTI}:
            if self._field.values is not None and text not in self._field.values:
                raise DmqlFieldError(f"{self._criterion.field} has no value {text[:80]!r}", self._criterion.position)
            return OneOf((text,))
        if kind is Kind.BOOLEAN:
            truth = _TRUTHS.get(text.lower())
            return self._fail(text) if truth is None else OneOf((truth,))
        found = _RANGES[kind].fullmatch(text)
        if found is None:
            return self._fail(text)
        low, high = found["low"], found["high"]
        try:
            first = self._span(low)
            match found["open"]:
                case "+":
                    return Within(first.low)
                case "-":
                    return Within(None, first.high, first.closed)
            if high is None:
                return OneOf((first.low,)) if first.low is not None and first.low == first.high else first
            last = self._span(high)
            return Within(first.low, last.high, last.closed)
        except (ValueError, ArithmeticError):
            return self._fail(text)

    def _span(self, atom: str) -> Within:
        """From where to where a value reaches: a day is a span of instants."""
        match self._field.kind:
            case Kind.NUMBER:
                if len(atom) > _MAX_NUMBER:
                    raise ValueError("too long")
                number = Decimal(atom)
                return Within(number, number)
            case Kind.TIME:
                clock = self._now.time() if atom == "NOW" else time.fromisoformat(atom)
                return Within(clock, clock)
            case Kind.DATE:
                day = self._now.date() if atom in {"NOW", "TODAY"} else self._moment(atom).date()
                return Within(day, day)
            case _:
                return self._instants(atom)

    def _instants(self, atom: str) -> Within:
        if atom == "NOW":
            return Within(self._now.astimezone(UTC), self._now.astimezone(UTC))
        if atom == "TODAY" or "T" not in atom:
            day = self._now.date() if atom == "TODAY" else date.fromisoformat(atom)
            begin, end = (
                datetime.combine(each, time(), self._zone).astimezone(UTC) for each in (day, day + timedelta(1))
            )
            return Within(begin, end, closed=False)
        instant = self._moment(atom).astimezone(UTC)
        return Within(instant, instant)

    def _moment(self, atom: str) -> datetime:
        found = datetime.fromisoformat(atom)
        return found if found.tzinfo else found.replace(tzinfo=self._zone)

    def _fail(self, text: str) -> Condition:
        wanted = _WANTED.get(self._field.kind, "such a pattern")
        raise DmqlError(f"{text[:80]!r} is not {wanted}, as {self._criterion.field} needs", self._criterion.position)


def _text(text: str, fail: Callable[[str], Condition]) -> Condition:
    """A word asked of a text: a pattern, one side bounded, or itself."""
    if "*" in text or "?" in text:
        return Like(text) if text.count("*") <= MAX_STARS else fail(text)
    if text[-1] in "+-" and text[:-1].isalnum():
        return Within(text[:-1]) if text[-1] == "+" else Within(None, text[:-1])
    return OneOf((text,))
