"""The simulation catches what the rules of convergence exclude: bugs put into the product, one at a time."""

from __future__ import annotations

import pytest

from tests.conftest import SCALE
from tests.simulation.history import play
from tests.simulation.machine import Machine
from tests.simulation.plan import Plan, changed, drawn
from tests.simulation.planted import BUGS
from tests.simulation.shrink import as_arguments, from_arguments, shrunk

MOST = 2_000
"""Histories within which each is caught."""


def caught(machine: Machine, bug: str) -> Plan:
    """The first history that goes wrong with the bug in the product: at full size of all, else of where it shows."""
    worlds = BUGS[bug].shows if SCALE == 1 else {}
    with BUGS[bug].planted():
        for seed in range(MOST):
            plan = changed(drawn(seed), **worlds)
            if play(machine, plan).wrong:
                return plan
    raise AssertionError(f"{bug} is not caught within {MOST} histories")


@pytest.mark.parametrize("bug", BUGS)
def test_a_planted_bug_is_caught(machine: Machine, bug: str) -> None:
    plan = caught(machine, bug)
    assert not play(machine, plan).wrong  # it is the bug that was caught


def test_what_goes_wrong_is_shrunk_and_can_be_played_again(machine: Machine) -> None:
    plan = caught(machine, "process-clock")
    seed_plan = drawn(plan.seed)
    with BUGS["process-clock"].planted():
        least = shrunk(plan, lambda candidate: bool(play(machine, candidate).wrong), tries=60)
        assert len(least.events) < len(plan.events)
        words = as_arguments(least, seed_plan).split()
        given = dict(zip(words[::2], words[1::2], strict=True))
        again = from_arguments(seed_plan, given.get("--keep"), given.get("--setup"))
        assert again == least
        assert play(machine, again).wrong
