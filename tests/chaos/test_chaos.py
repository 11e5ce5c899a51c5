"""Processes are killed, links cut, servers crashed, the MLS lies: afterwards all is in step by itself, and equal.

What is seen to fail is repeated with ``python -m tests.chaos --seed N``; the captured output begins with the schedule.
"""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.chaos.run import run
from tests.chaos.schedule import LINKS, LYING, SERVERS, SERVICES, Plan
from tests.chaos.world import own_servers
from tests.conftest import SCALE

CREW = ("fetcher", "fetcher-2", "reconciler", "writer", "media")
FULL = Plan(5, 5_000, 1, seconds=900.0, kills=50, crew=CREW)
PLANS = [Plan(1, listings=40)]
if SCALE > 1:
    PLANS = [
        *(Plan(3, 120, seconds=30.0, kills=3, subjects=(one,)) for one in (*SERVICES, *LINKS, LYING)),
        *(Plan(4, 200, seconds=120.0, subjects=(server,)) for server in SERVERS),
        Plan(5, 400, seconds=240.0, subjects=("rabbitmq",), nodes=3),
        *(Plan(seed, 200, seconds=60.0, kills=5, crew=CREW) for seed in (1, 2)),
        FULL,
    ]


def named(plan: Plan) -> str:
    """Of the test: what it happens to, the seed, how much."""
    of = f"{plan.nodes}x" if plan.nodes > 1 else ""
    return f"{of}{'+'.join(plan.subjects) or 'all'}-{plan.seed}-{plan.listings}"


@pytest.mark.parametrize("plan", PLANS, ids=named)
def test_whatever_happens_it_is_in_step_in_the_end(
    plan: Plan, request: pytest.FixtureRequest, tmp_path: Path
) -> None:  # fmt: skip
    chosen = plan.subjects or (*SERVICES, *SERVERS)
    with ExitStack() as stack:
        # servers that other tests use are not crashed; their links are cut all the same
        if SCALE > 1 and {*chosen} & {*SERVERS}:
            outcome = run(plan, tmp_path, stack.enter_context(own_servers(tmp_path, plan.nodes)))
            assert all(outcome.happened[f"crash {server}"] for server in {*chosen} & {*SERVERS}), outcome.as_json()
        else:
            outcome = run(plan, tmp_path, request.getfixturevalue("servers"))
    assert outcome.wrong == [], outcome.as_json()
    assert +outcome.kills == dict.fromkeys((service for service in SERVICES if service in chosen), plan.kills)
