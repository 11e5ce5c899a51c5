"""A query asked of records in memory."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from shared.rets.dmql.binding import Bound, Condition, Kind, Like, OneOf, Test, Within
from shared.rets.dmql.tree import And, Not, Or, Special

Record: TypeAlias = Mapping[str, Any]
"""Values by field: str, bool, int or Decimal, date, datetime with a zone, time; a collection of str where a field has
several; None, or no entry, where it has none."""
Predicate: TypeAlias = Callable[[Record], bool]


def predicate(bound: Bound) -> Predicate:
    """Whether a record is one of those asked for; made once, asked of any number."""
    match bound:
        case Not(term):
            negated = predicate(term)
            return lambda record: not negated(record)
        case And(terms):
            all_of = [predicate(term) for term in terms]
            return lambda record: all(holds(record) for holds in all_of)
        case Or(terms):
            any_of = [predicate(term) for term in terms]
            return lambda record: any(holds(record) for holds in any_of)
        case Test(field, kind, condition):
            return _of(field, _holds(condition, kind is Kind.LOOKUP_MULTI), isinstance(condition, Special))


def _of(field: str, holds: Callable[[Any], bool], of_null: bool) -> Predicate:
    def asked(record: Record) -> bool:
        value = record.get(field)
        return of_null if value is None else holds(value)

    return asked


def _holds(condition: Condition, several: bool) -> Callable[[Any], bool]:
    match condition:
        case OneOf(values):
            wanted = frozenset(values)
            return (lambda value: not wanted.isdisjoint(value)) if several else (lambda value: value in wanted)
        case Within(low, high, closed):
            return lambda value: (
                (low is None or low <= value) and (high is None or value < high or (closed and value == high))
            )
        case Like(pattern):
            # A bracket is no sign of DMQL; in brackets of its own it stands for itself.
            matches = re.compile(fnmatch.translate(pattern.replace("[", "[[]"))).match
            return lambda value: matches(value) is not None
        case Special.EMPTY:
            return lambda value: len(value) == 0 if isinstance(value, str | tuple | list | frozenset | set) else False
        case Special.ANY:
            return lambda _: True
