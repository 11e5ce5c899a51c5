"""Schedules repeat by seed, in whole and in part, and hold what they promise."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import replace
from itertools import pairwise

import pytest

from tests.chaos.actions import Crash, Day, Kill, Lie, Stall
from tests.chaos.schedule import LINKS, SERVERS, SERVICES, Event, Plan, schedule

CREW = ("fetcher", "fetcher-2", "reconciler", "writer", "writer-2", "media")
FULL = Plan(7, seconds=900.0, kills=50, crew=CREW)


def subject(event: Event) -> str:
    """What it happens to; ``kill`` may happen to what is stalled."""
    action = event.action
    if isinstance(action, Kill):
        return f"kill {action.process.partition('-')[0]}"
    for name in ("process", "link", "server"):
        if found := getattr(action, name, None):
            return str(found)
    return type(action).__name__


def test_a_seed_gives_the_same_lines_and_another_gives_others() -> None:
    assert [*map(str, schedule(FULL))] == [*map(str, schedule(replace(FULL)))]
    assert [*map(str, schedule(FULL))] != [*map(str, schedule(replace(FULL, seed=8)))]


@pytest.mark.parametrize("plan", [Plan(1), FULL])
def test_everything_happens_and_each_service_is_killed_so_often(plan: Plan) -> None:
    events = schedule(plan)
    kills = Counter(event.action.process.partition("-")[0] for event in events if isinstance(event.action, Kill))
    assert kills == dict.fromkeys(SERVICES, plan.kills)
    assert {event.action.server for event in events if isinstance(event.action, Crash)} == {*SERVERS}
    assert {event.action.process for event in events if isinstance(event.action, Stall)} == {*plan.crew}
    assert {*LINKS} <= {subject(event) for event in events}
    assert any(isinstance(event.action, Lie) for event in events)
    assert any(isinstance(event.action, Day) for event in events)
    assert all(0 <= event.at < plan.seconds for event in events)


@pytest.mark.parametrize("plan", [Plan(1), Plan(2), FULL])
def test_what_happens_to_one_thing_is_over_before_the_next(plan: Plan) -> None:
    by_subject: dict[str, list[Event]] = defaultdict(list)
    for event in schedule(plan):
        by_subject[subject(event)].append(event)
    for events in by_subject.values():
        for event, following in pairwise(events):
            assert event.at + getattr(event.action, "seconds", 0.0) <= following.at + 0.1, (event, following)


@pytest.mark.parametrize("only", ["writer", "media:s3", "rabbitmq", "lies"])
def test_a_part_is_as_it_is_in_the_whole(only: str) -> None:
    part = schedule(replace(FULL, subjects=(only,)))
    assert part
    whole = schedule(FULL)
    assert len(part) < len(whole)
    assert set(part) < set(whole)
