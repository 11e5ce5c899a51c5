"""What happens when, by seed. Pure: the same plan gives the same lines.

What happens to one subject (a process, a link, a server, the MLS) is drawn from the seed and its name alone, so that a
run can be repeated with some of the subjects only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from random import Random

from tests.chaos.actions import Action, Crash, Cut, Day, HalfOpen, Kill, Lie, Narrow, Refuse, Slow, Stall

SERVICES = ("fetcher", "reconciler", "writer", "media")
SERVERS = ("postgres", "rabbitmq", "s3")
LINKS = (
    *(f"{service}:{server}" for service in SERVICES for server in ("broker", "database")),
    "fetcher:s3", "media:s3", "mls",
)  # fmt: skip
"""From whom to what; photos come by the same link as records."""
LYING = "lies"
LEASE = 4.0
"""Seconds after which what a stalled process had is another's (setting ``takeover``)."""
PASSING = 2.5
"""The MLS and its link are not bad for longer: records and photos that fail three inventories running are left alone
for an hour, as they should be."""
LIES = (
    ("session-lost", "5"), ("status-412", "5"), ("lost-node", "5"), ("not-logged-in", "3"), ("stale-nonce", "3"),
    ("truncated", "4"), ("cut", "4"), ("http-503", "6"), ("throttle-20210", "3"), ("broken-gzip", "corrupt:4"),
    ("late-status", "20203:3"), ("success-with-400", "2"), ("short-inventory", "0.1"), ("empty-inventory", "0"),
    ("count-mismatch", "1"), ("doubled-keys", "0.1"), ("duplicate-records", "0.1"), ("slow", "400"),
    ("wrong-date", "-86400"),
)  # fmt: skip
"""Faults of the simulator, with values, that heal by themselves once they are over."""


@dataclass(frozen=True)
class Plan:
    """How much of what. ``kills`` are of each service; ``crew`` are the processes, several of a service as ``-2``.

    ``nodes`` of the broker; ``subjects``: only what happens to these. How often links are disturbed, servers crash and
    the like follows from ``seconds``, but each happens at least once.
    """

    seed: int
    listings: int = 60
    photos: int = 2
    seconds: float = 8.0
    kills: int = 1
    crew: tuple[str, ...] = SERVICES
    nodes: int = 1
    subjects: tuple[str, ...] = ()

    @property
    def every(self) -> int:
        """Seconds between inventories."""
        return 5 if self.seconds < 60 else 20

    @property
    def page_size(self) -> int:
        """Of a size that a request a second needs half of the time: what happens then happens during the first sync."""
        return min(100, max(5, round(self.listings / (self.seconds / 2))))


@dataclass(frozen=True)
class Event:
    """So many seconds after the start."""

    at: float
    action: Action

    def __str__(self) -> str:
        return f"t={self.at:.1f}s {self.action}"


def schedule(plan: Plan) -> list[Event]:
    """Everything that happens, in order."""
    return sorted(_events(plan), key=lambda event: (event.at, str(event)))


def _events(plan: Plan) -> Iterator[Event]:
    for service in SERVICES:
        if _chosen(plan, service):
            own = [name for name in plan.crew if name.partition("-")[0] == service]
            yield from _spread(plan, f"kill {service}", plan.kills, partial(_kill, own))
            for name in own:
                yield from _spread(plan, f"stall {name}", _times(plan, 60), partial(_stall, name))
    for link in LINKS:
        if _chosen(plan, link):
            yield from _spread(plan, link, _times(plan, 40), partial(_disturb, link))
    for server in SERVERS:
        if _chosen(plan, server):
            yield from _spread(plan, server, _times(plan, 180), partial(_crash, server))
    if _chosen(plan, LYING):
        yield from _spread(plan, LYING, _times(plan, 8), _lie)
        yield from _spread(plan, "days", _times(plan, 60), lambda _draw, _room: Day())


def _chosen(plan: Plan, subject: str) -> bool:
    return not plan.subjects or subject in plan.subjects


def _times(plan: Plan, every: float) -> int:
    return max(1, round(plan.seconds / every))


def _spread(plan: Plan, what: str, count: int, make: Callable[[Random, float], Action]) -> Iterator[Event]:
    """One in each of ``count`` equal stretches of time, at random in its first half: none overlaps the next."""
    draw = Random(f"{plan.seed} {what}")
    stretch = plan.seconds / max(1, count)
    for number in range(count):
        at = (number + draw.random() / 2) * stretch
        yield Event(round(at, 1), make(draw, stretch / 2))


def _seconds(draw: Random, least: float, most: float) -> float:
    return round(draw.uniform(least, most), 1)


def _kill(names: Sequence[str], draw: Random, _room: float) -> Action:
    return Kill(draw.choice(names))


def _crash(server: str, draw: Random, _room: float) -> Action:
    return Crash(server, _seconds(draw, 0.0, 5.0))


def _stall(name: str, draw: Random, room: float) -> Action:
    return Stall(name, _seconds(draw, min(1.25 * LEASE, room), min(2.5 * LEASE, max(1.25 * LEASE, room))))


def _disturb(link: str, draw: Random, room: float) -> Action:
    most = min(room, PASSING if link == "mls" else 10.0)
    seconds = _seconds(draw, min(0.5, most), most)
    kind = draw.randrange(7)
    if kind < 2:
        return Cut(link, reset=bool(kind))
    if kind == 2:
        return Refuse(link, seconds)
    if kind == 3:
        return Slow(link, seconds, draw.choice((0.02, 0.1, 0.5)))
    if kind == 4:
        return Narrow(link, seconds, draw.choice((4_000.0, 20_000.0, 100_000.0)))
    return HalfOpen(link, seconds, reset=kind == 6)


def _lie(draw: Random, room: float) -> Action:
    fault, value = draw.choice(LIES)
    return Lie(fault, value, _seconds(draw, 0.5, min(PASSING, max(0.5, room))))
