"""One history played, in a world of its own, and what was wrong at its end."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.simulation.check import Difference
from tests.simulation.machine import Machine
from tests.simulation.plan import Plan
from tests.simulation.world import World


@contextmanager
def machine() -> Iterator[Machine]:
    """A simulated machine, ready, in memory where there is room."""
    base = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="mlsync-", dir=base) as folder:
        made = Machine(Path(folder))
        try:
            with made.on():
                yield made
        finally:
            made.close()


@dataclass(frozen=True)
class Ended:
    """How a history ended: ``wrong`` is empty when all was as promised."""

    steps: int
    wrong: list[str]


def play(machine: Machine, plan: Plan, story: list[str] | None = None) -> Ended:
    """Play it. The same plan always goes the same way."""
    world = World(machine, plan.setup, plan.seed, story)
    try:
        world.play(plan)
    except Difference as error:
        return Ended(world.steps, error.found)
    finally:
        world.end()
    return Ended(world.steps, [])
