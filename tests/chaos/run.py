"""A run: a schedule happens during the first sync of an MLS; then what runs by itself goes on until in step."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg

from tests.chaos.actions import Crash, Kill
from tests.chaos.schedule import Event, Plan, schedule
from tests.chaos.world import Own, World, world
from tests.pipeline.forms import Servers
from tests.pipeline.simulated import until

LOOK_SECONDS = 0.5
START_SECONDS = 120.0
QUEUES_SECONDS = 3.0
TELL_SECONDS = 10.0
REST_SECONDS = 300.0
"""How long it may take, at least, until all is in step by itself: bounds something that hangs, measures nothing."""
STOP_SECONDS = 45.0
"""How long a process that is told to stop may take: more than its setting ``grace``."""
IDLE_SECONDS = 5
"""A session nobody uses for so long the MLS ends, once: those of processes that were killed."""


@dataclass
class Outcome:
    """What happened, and what was not as it is at the MLS in the end: ``wrong`` is empty when all was."""

    plan: Plan
    happened: Counter[str] = field(default_factory=Counter)
    kills: Counter[str] = field(default_factory=Counter)
    ends: dict[str, dict[int, int]] = field(default_factory=dict)
    at_last_kill: dict[str, int] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    equal: dict[str, int] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """For people and notes."""
        return {
            "seed": self.plan.seed, "listings": self.plan.listings, "kills": dict(self.kills),
            "happened": dict(sorted(self.happened.items())), "ended by themselves": self.ends,
            "when the last was killed": self.at_last_kill, "seconds": self.seconds, "equal": self.equal,
            "wrong": self.wrong[:20],
        }  # fmt: skip


def run(plan: Plan, folder: Path, servers: Servers | Own, tell: Callable[[str], None] = print) -> Outcome:
    """Make it happen. ``tell`` gets the schedule at the beginning, and how far it is."""
    events = [
        event for event in schedule(plan) if isinstance(servers, Own) or not isinstance(event.action, Crash)
    ]  # fmt: skip
    for event in events:
        tell(str(event))
    outcome = Outcome(plan)
    with world(plan, folder, servers) as here:
        for member in here.processes.values():
            member.start()
        _begun(here)
        started = time.monotonic()
        with _telling(here, tell, started):
            _happen(here, events, outcome)
            outcome.seconds["chaos"] = round(time.monotonic() - started, 1)
            calm = time.monotonic()
            _come_to_rest(here, outcome, tell)
            outcome.seconds["until in step"] = round(time.monotonic() - calm, 1)
        _stop(here, outcome)
        for member in here.processes.values():
            outcome.kills[member.service] += member.kills
            outcome.ends[member.name] = dict(member.ends)
        calm = time.monotonic()
        _compare(here, outcome)
        outcome.seconds["compared in"] = round(time.monotonic() - calm, 1)
    return outcome


def _begun(here: World) -> None:
    """Until a sync is under way: else all would be over before there is anything to disturb.

    And until the broker has made all queues: RabbitMQ 3.10, killed while it makes a quorum queue, may keep one that it
    can never use again.
    """
    until(lambda: here.here.count("run") > 0, START_SECONDS)
    until(lambda: here.here.logged("rabbitmq.connected") >= len(here.processes), START_SECONDS)
    time.sleep(QUEUES_SECONDS)


def _happen(here: World, events: list[Event], outcome: Outcome) -> None:
    """All of it, each in a thread of its own; what cannot happen is wrong."""
    started = time.monotonic()
    over = threading.Event()
    threads: list[threading.Thread] = []
    last = max((event.at for event in events if isinstance(event.action, Kill)), default=0.0)

    def happen(event: Event) -> None:
        try:
            event.action.apply(here, over.wait)
        except Exception as error:
            outcome.wrong.append(f"{event} could not happen: {type(error).__name__}: {error}")

    for event in events:
        over.wait(max(0.0, event.at - (time.monotonic() - started)))
        thread = threading.Thread(target=happen, args=(event,), name=str(event), daemon=True)
        thread.start()
        threads.append(thread)
        outcome.happened[_kind(event)] += 1
        if event.at >= last and not outcome.at_last_kill:
            outcome.at_last_kill = _progress(here)
    for thread in threads:
        thread.join()


def _kind(event: Event) -> str:
    action = event.action
    return f"crash {action.server}" if isinstance(action, Crash) else type(action).__name__.lower()


def _come_to_rest(here: World, outcome: Outcome, tell: Callable[[str], None]) -> None:
    """Until a sync that began after all was well says it is in step."""
    bound = max(REST_SECONDS, outcome.plan.seconds)
    with contextlib.closing(here.here.store()) as store:
        since = store.feeds.now()
    time.sleep(IDLE_SECONDS + 1)  # so that those of the last that were killed are among them
    here.hand.fault("one-session", str(IDLE_SECONDS))
    left = here.hand.stats()["sessions_open"]
    here.hand.fault("one-session", "off")
    tell(f"calm; {_progress(here)}; sessions open at the MLS: {left}")
    deadline = time.monotonic() + bound
    while not here.here.count("run", f"kind = 'sync' AND outcome = 'in_step' AND started_at > {since}"):
        if time.monotonic() > deadline:
            outcome.wrong.append(f"not in step after {bound:.0f} s: {here.here.run('status', '--json').out}")
            return
        time.sleep(LOOK_SECONDS)


def _stop(here: World, outcome: Outcome) -> None:
    """SIGTERM for all: each ends well, and no session and no lease is left."""
    for member in here.processes.values():
        member.tell_to_stop()
    for member in here.processes.values():
        if (code := member.ended(STOP_SECONDS)) != 0:
            outcome.wrong.append(f"{member.name}, told to stop, ended with {code}")
    if sessions := here.hand.stats()["sessions_open"]:
        outcome.wrong.append(f"{sessions} sessions are open at the MLS")
    running = "until > 1e6 * extract(epoch FROM clock_timestamp())"  # one that a killed process had just runs out
    if leases := here.here.rows(f"SELECT name FROM lease WHERE {running}"):
        outcome.wrong.append(f"leases are kept: {leases}")


def _compare(here: World, outcome: Outcome) -> None:
    """Rows, objects and their bytes with the MLS; nothing parked."""
    installation = here.here
    outcome.wrong += [
        f"parked: {row}" for row in installation.rows("SELECT resource, key, kind, reason FROM quarantine LIMIT 20")
    ]
    with contextlib.closing(installation.store()) as store:  # names of who died are given up, as an hour later
        store.objects.bury(store.feeds.now() + 1)
    audited = installation.run("audit", "media", "--json", seconds=900)
    if audited.code != 0 or json.loads(audited.out)["lost"]:
        outcome.wrong.append(f"the audit: {audited.out} {audited.err[-1_000:]}")
    outcome.wrong += installation.differences(here.mls)
    outcome.equal = {
        "listings": installation.count("property"),
        "photos": installation.count("media", "object_key IS NOT NULL"),
        "objects": len(installation.copy.photos.names()),
        "of them deleted by the audit": json.loads(audited.out)["deleted"] if audited.code == 0 else 0,
        "parked": installation.count("quarantine"),
        "syncs begun": installation.count("run", "kind = 'sync'"),
    }


def _progress(here: World) -> dict[str, int]:
    """How far the copy is; nothing while the database is away."""
    try:
        return {
            "listings": here.here.count("property_record"),
            "photos": here.here.count("media", "object_key IS NOT NULL"),
            "kills": sum(member.kills for member in here.processes.values()),
        }
    except psycopg.Error:
        return {}


@contextmanager
def _telling(here: World, tell: Callable[[str], None], started: float) -> Iterator[None]:
    over = threading.Event()

    def go_on() -> None:
        while not over.wait(TELL_SECONDS):
            tell(f"{time.monotonic() - started:.0f} s: {_progress(here)}")

    thread = threading.Thread(target=go_on, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
