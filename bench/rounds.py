"""Measuring two things side by side, so that whatever else the machine does meets both."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from statistics import median

LEAST_SECONDS = 0.25
"""What is quicker is repeated within its turn."""


def say(text: str) -> None:
    """Show how far the benchmark is."""
    print(f"    {text}", file=sys.stderr, flush=True)


def seconds(run: Callable[[], object], clock: Callable[[], float] = time.perf_counter) -> float:
    """How long one call takes."""
    started = clock()
    run()
    return clock() - started


def interleaved(rounds: int, runs: Sequence[Callable[[], object]]) -> list[list[float]]:
    """Seconds of one call of each of ``runs``, by round: of this process's processor time, for work that waits for
    nothing, so that a busy machine does not show. Each runs once before, unmeasured, to be as warm as the others; quick
    ones are repeated within their turn; every other round goes the other way round."""
    repeats = [max(1, int(LEAST_SECONDS / max(seconds(run), 1e-9))) for run in runs]
    found: list[list[float]] = []
    for number in range(rounds):
        taken = [0.0] * len(runs)
        order = range(len(runs)) if number % 2 == 0 else reversed(range(len(runs)))
        for place in order:
            taken[place] = seconds(_repeated(runs[place], repeats[place]), time.process_time) / repeats[place]
        found.append(taken)
    return found


def _repeated(run: Callable[[], object], times: int) -> Callable[[], None]:
    def repeated() -> None:
        for _ in range(times):
            run()

    return repeated


def middle(values: Sequence[float]) -> float:
    """The median, rounded to what a measurement is worth."""
    return float(f"{median(values):.4g}")
