"""Looking at what takes the longer the more there is: the less often, so that looking costs little of the time."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

TIMES = 10
"""So many times as long as a look took, nobody looks again."""
MOST = 10.0
"""But no longer than so many seconds: what was looked at may not have answered."""


class Seldom:
    """When to look again: after ``at_least`` seconds, and ``TIMES`` as long as looking took, ``MOST`` at most."""

    def __init__(self, at_least: float = 0.0, clock: Callable[[], float] = time.monotonic) -> None:
        self._at_least = at_least
        self._clock = clock
        self._next = clock() + at_least

    @property
    def due(self) -> bool:
        """Whether it is time."""
        return self._clock() >= self._next

    @property
    def pause(self) -> float:
        """Seconds until it is."""
        return max(0.0, self._next - self._clock())

    @contextmanager
    def looking(self) -> Iterator[None]:
        """While one looks, whatever comes of it."""
        began = self._clock()
        try:
            yield
        finally:
            ended = self._clock()
            self._next = ended + max(self._at_least, min(MOST, TIMES * (ended - began)))
