"""A history before it happens: how the world is made, and what befalls it, drawn from one number."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from typing import Literal, NamedTuple


@dataclass(frozen=True)
class Setup:
    """How the world is made. The first value of each is the plainest."""

    form: Literal["embedded", "distributed"] = "embedded"
    listings: int = 1
    fetchers: int = 1
    workers: int = 1
    """Of each other service: processes, or threads for photos in one process."""
    sessions: int = 1
    range_size: int = 100
    page_size: int = 100
    skewed: bool = False
    """Whether processes' clocks are wrong, each by its own amount."""
    lagging: bool = False
    """Whether the MLS answers from copies that are behind."""
    faulty: bool = False
    """Whether its answers are cut, refused or lacking now and then."""
    guard: int | None = None
    """So many removals of a day are believed, None: any number."""
    people: bool = False
    """Whether agents and offices have lists of their own."""
    incremental: bool = False
    """Whether syncs ask for changes first."""
    begun: bool = False
    """Whether all is in step before anything befalls it."""
    alike: bool = False
    """Whether changes may share a timestamp, and listings come back as they went."""

    def words(self) -> str:
        """What differs from the plainest."""
        plain = Setup()
        return ", ".join(
            f"{item.name}={getattr(self, item.name)}"
            for item in fields(self)
            if getattr(self, item.name) != getattr(plain, item.name)
        )


class Event(NamedTuple):
    """Something that befalls the world; ``draw`` decides all there is to decide about it."""

    kind: str
    draw: int
    size: int = 1


class Plan(NamedTuple):
    """A setup and the events in their order, each with its place in what the seed gave."""

    seed: int
    setup: Setup
    events: list[tuple[int, Event]]


WEIGHTS = {
    "work": 44,
    "change": 14,
    "sync": 9,
    "crash": 4,
    "boot": 4,
    "freeze": 5,
    "thaw": 2,
    "again": 4,
    "steal": 3,
    "time": 4,
    "stray": 2,
    "deleted": 1,
    "settle": 2,
    "bury": 1,
    "audit": 1,
    "lag": 3,
    "outage": 3,
    "rest": 2,
}
"""How often events of each kind are, relative to one another."""
KINDS, OFTEN = list(WEIGHTS), list(WEIGHTS.values())
MOST_EVENTS = 30
MOST_WORK = 40
"""Effects in one stretch of work."""


def drawn(seed: int) -> Plan:
    """The plan that ``seed`` stands for."""
    rng = random.Random(seed)
    setup = _setup(rng)
    count = 4 + rng.randrange(MOST_EVENTS - 3) if rng.random() < 0.9 else 3 * MOST_EVENTS
    kinds = rng.choices(KINDS, OFTEN, k=count)
    events = [Event(kind, rng.getrandbits(32), 1 + rng.randrange(MOST_WORK) if kind == "work" else 1) for kind in kinds]
    return Plan(seed, setup, list(enumerate(events)))


def _setup(rng: random.Random) -> Setup:
    def seldom(share: float) -> bool:
        return rng.random() < share

    several = seldom(0.6)
    lagging, faulty = seldom(0.15), seldom(0.2)
    return Setup(
        form="distributed" if several else "embedded",
        listings=rng.choice((1, 2, 2, 3, 3, 4, 5, 6)),
        fetchers=rng.choice((1, 2)) if several else 1,
        workers=rng.choice((1, 2, 2)),
        sessions=rng.choice((1, 2, 3)),
        range_size=rng.choice((1, 2, 3)),
        page_size=rng.choice((1, 2, 4)),
        skewed=seldom(0.5),
        lagging=lagging,
        faulty=faulty,
        guard=None if lagging or seldom(0.75) else rng.choice((1, 2)),
        people=seldom(0.12),
        incremental=seldom(0.2),
        begun=seldom(0.6),
        alike=seldom(0.5),
    )


def changed(plan: Plan, *, without: Iterable[int] = (), sizes: dict[int, int] | None = None, **setup: object) -> Plan:
    """The plan with events left out, stretches of work of other lengths, another setup."""
    left, sizes = set(without), sizes or {}
    events = [
        (place, event._replace(size=sizes.get(place, event.size))) for place, event in plan.events if place not in left
    ]
    return Plan(plan.seed, replace(plan.setup, **setup), events)  # type: ignore[arg-type]
