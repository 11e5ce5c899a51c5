"""What a benchmark found."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """One hot path against its floor: ``ratio`` is the median of ``rounds``, each a ratio taken within one round.

    ``at_least`` says which side of ``target`` is good; without it ``target`` is a ceiling.
    """

    path: str
    ratio: float
    target: float
    at_least: bool
    unit: str
    floor: str
    rounds: list[float]
    detail: dict[str, float | str]
