"""Cutting a list that a server will not give whole into parts that it will. Pure.

The parts are ``[low, high]``, both ends included and each end shared with the next part, so whatever order the server
has, as long as it has one, every value lies in one of them: they need not be in the order that we think they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, TypeVar

T = TypeVar("T")

MOST: Final = 5_000
"""Parts of one list. A server that caps so low cannot be read in reasonable time."""
STALLED: Final = 3
"""Cuts in a row that took nothing away: the server does not honour them."""


def rank(text: str) -> tuple[int, int, str]:
    """Keys in the order they most probably have at the server: numbers by their value."""
    return (0, int(text), "") if text.isascii() and text.isdigit() and len(text) < 40 else (1, 0, text)


def cut(came: Sequence[str], low: str | None, high: str | None) -> str | None:
    """Where to cut, given the values that came of a part; None where there is nothing to cut between.

    Rows in order are the first of the part: so cut behind most of them, and before them if they came backwards. Else
    they may be from anywhere: cut in the middle.
    """
    inside = list(dict.fromkeys(value for value in came if value and value not in (low, high)))
    if not inside:
        return None
    ordered = sorted(inside, key=rank)
    share = 0.9 if inside == ordered else 0.1 if inside == ordered[::-1] else 0.5
    return ordered[int((len(ordered) - 1) * share)]
