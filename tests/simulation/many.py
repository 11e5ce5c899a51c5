"""Many histories, in as many processes as there are cores."""

from __future__ import annotations

import multiprocessing
import os
import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, nullcontext

from tests.simulation.history import Ended, machine, play
from tests.simulation.machine import Machine
from tests.simulation.plan import drawn
from tests.simulation.planted import BUGS

AT_ONCE = 25
SHOWN = 10
"""Seeds that went wrong are named, so many; all are counted."""

_machine: Machine | None = None
_open = ExitStack()


def with_bug(bug: str | None) -> AbstractContextManager[None]:
    """The product with this bug in it, or as it is."""
    return BUGS[bug].planted() if bug else nullcontext()


def _begin(bug: str | None) -> None:
    global _machine  # noqa: PLW0603 - one in each worker process
    _open.enter_context(with_bug(bug))
    _machine = _open.enter_context(machine())


def _play(seeds: range) -> tuple[float, list[tuple[int, Ended]]]:
    """Core seconds it took, and how each ended."""
    assert _machine is not None
    began = time.process_time()
    ended = [(seed, play(_machine, drawn(seed))) for seed in seeds]
    return time.process_time() - began, ended


def _results(first: int, count: int, jobs: int, bug: str | None) -> Iterator[tuple[float, list[tuple[int, Ended]]]]:
    parts = [range(at, min(at + AT_ONCE, first + count)) for at in range(first, first + count, AT_ONCE)]
    with multiprocessing.get_context("spawn").Pool(jobs, _begin, (bug,)) as pool:
        yield from pool.imap_unordered(_play, parts)


def many(first: int, count: int, jobs: int, minutes: float | None, bug: str | None) -> int:
    """Play ``count`` histories; how many went wrong, of which the first ones are named as they come."""
    began, told = time.monotonic(), 0.0
    done = effects = wrong = 0
    cores = 0.0
    for seconds, ended in _results(first, count, jobs, bug):
        cores += seconds
        for seed, how in ended:
            done += 1
            effects += how.steps
            if how.wrong:
                wrong += 1
                if wrong <= SHOWN:
                    print(f"\n{command(seed, bug)}\n  {how.wrong[0][:300]}", flush=True)
        passed = time.monotonic() - began
        if passed - told > (1.0 if sys.stderr.isatty() else 30.0):
            told = passed
            line = f"{done:,} of {count:,} histories, {done / passed:.1f} a second, {wrong} differences"
            print(line, end="\r" if sys.stderr.isatty() else "\n", file=sys.stderr, flush=True)
        if minutes is not None and passed > 60 * minutes:
            break
    passed = time.monotonic() - began
    rate = done / cores if cores else 0.0
    print(
        f"{done:,} histories, {effects:,} effects, {passed:.0f} s, {cores:.0f} core seconds "
        f"({rate:.1f} histories a core second), load {os.getloadavg()[1]:.1f}: {wrong} differences"
    )
    return wrong


def command(seed: int, bug: str | None, more: str = "") -> str:
    """What plays it again."""
    return f"python -m tests.simulation --seed {seed}{more}" + (f" --bug {bug}" if bug else "")
