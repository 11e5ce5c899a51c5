"""A query as a tree of frozen values, equal when they say the same.

What a bare word means (a number, a date, a range, a pattern) depends on its field's type, which the text does not
tell: ``2024-01-05`` is a date or a name, ``5-9`` a range or a text. So the tree keeps words as written;
``shared.rets.dmql.binding`` gives them their meaning.
"""

from __future__ import annotations

import dataclasses
import re
from dataclasses import dataclass
from enum import Enum
from typing import Final, Generic, TypeAlias, TypeVar, Union

from shared.rets.dmql.errors import DmqlError

WORD: Final = r"[^\s\x00-\x20\x7f()\",|~=+][^\s\x00-\x20\x7f()\",|~=]*"
"""A bare text. What it cannot hold, blanks among them, stands in quotes."""
NAME: Final = r"[A-Za-z0-9_][A-Za-z0-9_.:-]{0,127}"
"""A field's SystemName or StandardName."""
LITERAL: Final = r"[^\x00-\x1f\x7f]*"

L = TypeVar("L")


class Special(Enum):
    """Values with a meaning of their own."""

    ANY = ".ANY."
    EMPTY = ".EMPTY."


@dataclass(frozen=True, slots=True)
class Word:
    """A text without quotes, which may be a number, a time, a range or a pattern."""

    text: str

    def __post_init__(self) -> None:
        if not re.fullmatch(WORD, self.text):
            raise DmqlError("a text with blanks, quotes or operators must be quoted")
        if self.text in {special.value for special in Special}:
            raise DmqlError(f"{self.text} must be the only value")


@dataclass(frozen=True, slots=True)
class Literal:
    """A text in quotes: always just that text."""

    text: str

    def __post_init__(self) -> None:
        if not re.fullmatch(LITERAL, self.text):
            raise DmqlError("a quoted text must not hold control characters")


Item: TypeAlias = Word | Literal


class Choice(Enum):
    """How the values of a list are meant."""

    ANY = "|"
    NONE = "~"
    ALL = "+"


@dataclass(frozen=True, slots=True)
class Chosen:
    """Values of a lookup: any, none or all of them."""

    how: Choice
    items: tuple[Item, ...]

    def __post_init__(self) -> None:
        _some(self.items)


@dataclass(frozen=True, slots=True)
class Items:
    """Alternatives without an operator: texts, patterns, numbers, ranges."""

    items: tuple[Item, ...]

    def __post_init__(self) -> None:
        _some(self.items)


Value: TypeAlias = Items | Chosen | Special


@dataclass(frozen=True, slots=True)
class Criterion:
    """``(field=value)``. ``position`` is where it stood in the text it was read from."""

    field: str
    value: Value
    position: int | None = dataclasses.field(default=None, compare=False)

    def __post_init__(self) -> None:
        if not re.fullmatch(NAME, self.field):
            raise DmqlError("a field's name must be letters, digits and underscores")


@dataclass(frozen=True, slots=True)
class Not(Generic[L]):
    """What ``term`` is not."""

    term: Tree[L]


@dataclass(frozen=True, slots=True)
class And(Generic[L]):
    """All of two or more."""

    terms: tuple[Tree[L], ...]

    def __post_init__(self) -> None:
        _several(self.terms)


@dataclass(frozen=True, slots=True)
class Or(Generic[L]):
    """Any of two or more."""

    terms: tuple[Tree[L], ...]

    def __post_init__(self) -> None:
        _several(self.terms)


Tree: TypeAlias = Union[L, "Not[L]", "And[L]", "Or[L]"]
Query: TypeAlias = Tree[Criterion]


def _some(items: tuple[Item, ...]) -> None:
    if not items:
        raise DmqlError("a list of values must not be empty")


def _several(terms: tuple[object, ...]) -> None:
    if len(terms) < 2:
        raise DmqlError("a conjunction or alternative takes two terms or more")
