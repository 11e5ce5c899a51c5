"""Chance that can be repeated: every draw is a function of the seed and of what is being drawn."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")
_MASK = (1 << 64) - 1

# The first part after the seed: which question a draw answers, so that no two questions share their chance.
STAMP, DAY, ASPECT, EDIT, PHOTO_COUNT, PHOTO_EDIT, PHOTO, PERSON, FAULT, PICTURE = range(1, 11)


def mix(*parts: int) -> int:
    """64 well-mixed bits out of integers, order respected (SplitMix64's finalizer, chained)."""
    state = 0x9E3779B97F4A7C15
    for part in parts:
        state = ((state ^ (part & _MASK)) * 0xBF58476D1CE4E5B9) & _MASK
        state ^= state >> 29
        state = (state * 0x94D049BB133111EB + 0x9E3779B97F4A7C15) & _MASK
        state ^= state >> 32
    return state


class Draw(random.Random):
    """A stream of chance that belongs to one question."""

    def __init__(self, *parts: int) -> None:
        super().__init__(mix(*parts))

    def chance(self, probability: float) -> bool:
        """True with this probability."""
        return self.random() < probability

    def pick(self, items: Sequence[T]) -> T:
        """One of the items (``choice`` without its detour: this is the hot path)."""
        return items[int(self.random() * len(items))]

    def some(self, items: Sequence[T], most: int) -> list[T]:
        """Between one and ``most`` different items."""
        count = min(1 + int(self.random() * most), len(items))
        if count == 1:
            return [self.pick(items)]
        return self.sample(items, count)

    def between(self, low: int, high: int) -> int:
        """An integer, both ends included."""
        return low + int(self.random() * (high - low + 1))
