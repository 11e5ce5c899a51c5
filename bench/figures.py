"""What a benchmark says: a ratio to a floor, taken in several rounds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Figure:
    """One row. ``ratio`` is the median of ``rounds``, each a ratio to ``floor`` measured within that round.

    ``target`` is the least it should be, with ``at_least`` False the most; 0 where there is none, and the row is shown
    for itself. ``unit`` is that of ratio and target: "x", "%" (then both are shares of 1), or what it counts.
    No ``rounds`` means that none counted. ``detail`` are absolute figures of this machine beside it, for people.
    """

    path: str
    ratio: float
    target: float
    at_least: bool
    unit: str
    floor: str
    rounds: list[float]
    detail: dict[str, float | str]

    @property
    def met(self) -> bool | None:
        """Whether the target is met; None without one, and when no round counted."""
        if not self.target or not self.rounds:
            return None
        return self.ratio >= self.target if self.at_least else self.ratio <= self.target


class Benchmark(Protocol):
    """What each module of benchmarks has: ``measure``, which runs its rounds and says how they went."""

    measure: Callable[[int], list[Figure]]
