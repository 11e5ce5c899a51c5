"""A world: an MLS, processes of mlsync around one store, and what befalls them."""

from __future__ import annotations

import itertools
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from services.audit import GRACE
from tests.simulation.check import Difference, differences, guard_kept, mark_holds, removals_true
from tests.simulation.effects import Bag
from tests.simulation.machine import Machine
from tests.simulation.mls import Mls, MlsSource
from tests.simulation.plan import Event, Plan, Setup
from tests.simulation.process import FEED, SERVICES, Process
from tests.simulation.scheduler import Task, place

MOST_STEPS = 20_000
"""Effects until all must be at rest."""
HELD_UP = 400
"""Effects for which the others try to come to rest without those that are stalled."""
DAYS = 2 * 86_400.0
"""Longer than any back-off."""
WEEK = 7 * 86_400.0
"""Within which every record is read again, whatever the lists say."""
SETTINGS = (("property", "member", "office"), ("property", "member", "office"), ("property", "office"), ("property",))
JUMPS = (1.0, 6.0, 35.0, 120.0, 1_800.0, 3_000.0)


@dataclass(frozen=True)
class Job:
    """Something for whoever fetches."""

    kind: str
    draw: int = 0


@dataclass(frozen=True)
class Place:
    """Where a process is to run, which one after the other does."""

    name: str
    consuming: tuple[str, ...]
    fetches: bool


class World:
    """See the module. ``story`` is told line by line, if there is one."""

    def __init__(self, machine: Machine, setup: Setup, seed: int = 0, story: list[str] | None = None) -> None:
        machine.clear()
        self.machine = machine
        self.setup = setup
        self.rng = random.Random(seed)
        self.story = story
        self.blobs = machine.blobs
        self.bag = Bag(lambda: machine.now, machine.scheduler)
        self.bag.rng = self.rng
        self.mls = Mls(self.rng, setup.listings, people=setup.people, alike=setup.alike)
        self.mls.faulty = setup.faulty
        self.jobs: list[Job] = []
        self.runs = itertools.count(1)
        self.named: dict[int, list[str]] = {}
        """Keys that the MLS named as deleted, by ``observed_at``."""
        self.steps = 0
        self.crashes = 0
        self._boots = itertools.count(1)
        self.choices: Sequence[tuple[str, ...]] = SETTINGS if setup.people else SETTINGS[-1:]
        """What processes may be told to list."""
        self._settings: tuple[str, ...] = self.rng.choice(self.choices)
        machine.scheduler.watch = self._watch if story is not None else None
        self.places = self._places()
        self.processes: dict[str, Process | None] = {}
        for where in self.places:
            self._boot(where)

    def _places(self) -> list[Place]:
        setup = self.setup
        if setup.form == "embedded":
            return [Place("mlsync", SERVICES, fetches=True)]
        fetchers = [Place(f"fetcher-{n + 1}", (), fetches=True) for n in range(setup.fetchers)]
        others = [
            Place(f"{service}-{n + 1}", (service,), fetches=False) for service in SERVICES for n in range(setup.workers)
        ]
        return [*fetchers, *others]

    def draw_resources(self) -> tuple[str, ...]:
        """What a process that starts now is told to list: a single one may be told otherwise each time."""
        if self.setup.people and self.setup.form == "embedded":
            self._settings = self.rng.choice(self.choices)
        return self._settings

    @property
    def resources(self) -> tuple[str, ...]:
        """What is listed now."""
        return self._settings

    def source(self) -> Any:
        """A connection to the MLS."""
        return MlsSource(self.mls, self.machine.scheduler.point)

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """What the database has."""
        return self.machine.database.read(sql)

    # what happens

    def play(self, plan: Plan) -> None:
        """The plan's events, then the end. Raises Difference."""
        if plan.setup.begun:
            self.mls.faulty = False
            self.sync()
            self.mls.faulty = plan.setup.faulty
        for number, event in plan.events:
            if self.story is not None:
                self.story.append(f"{number}: {event.kind}" + (f" ({event.size})" if event.kind == "work" else ""))
            self.happens(event)
        self.rng.seed(plan.seed)
        self.finish()

    def happens(self, event: Event) -> None:
        """One event."""
        self.rng.seed(event.draw)
        draw = event.draw
        match event.kind:
            case "work":
                self.work(event.size)
            case "change":
                for _ in range(1 + draw % 3):
                    self.mls.step()
                if self.story is not None:
                    self.tell(f"the MLS has {self.mls.listings}")
            case "sync" | "stray" | "deleted" | "bury" | "audit":
                if len(self.jobs) < 3 and not (event.kind == "deleted" and self.setup.guard is not None):
                    self.jobs.append(Job(event.kind, draw))
            case "settle":
                self.settle()
            case "crash":
                self.crash(draw)
            case "boot":
                self.boot_one(draw)
            case "freeze":
                busy = [task for task in self.tasks() if task.busy_since is not None and not task.frozen]
                if busy:
                    task = busy[draw % len(busy)]
                    task.frozen = True
                    if self.story is not None:
                        self.tell(f"{task.name} stalls")
            case "thaw":
                self.thaw()
            case "again":
                self.bag.again(draw)
            case "steal":
                if self.setup.form == "distributed":
                    self.bag.steal(draw)
            case "time":
                self.passes(JUMPS[draw % len(JUMPS)])
            case "outage":
                self.mls.lose()
                if self.story is not None:
                    self.tell(f"the MLS has but {sorted(self.mls.listings)}")
            case "lag":
                if self.setup.lagging:
                    self.mls.lag()
            case "rest":
                self.thaw()
                self.quiet()
            case _:
                raise AssertionError(event.kind)

    def settle(self) -> None:
        self.jobs.append(Job("settle"))
        if not (self.setup.lagging or self.setup.faulty):  # then what was wanted in vain is no error
            mark_holds(self)

    def finish(self) -> None:
        """The MLS changes no more; one more inventory, among all that is still on its way. Raises Difference."""
        self.mls.rest()
        if self._must_wait():
            self.thaw()
            self.quiet()
            self._wait()
        if self.rng.random() < 0.5:
            for task in self.tasks():
                task.frozen |= task.busy_since is not None and self.rng.random() < 0.5
        self.last_inventory()
        if self.setup.faulty and self._must_wait():
            # An answer from before the rest was still in hand: what failed in it is tried again when it is due.
            self._wait()
            self.last_inventory()
        if self.mls.untold:
            # A replica was behind by a change that had no timestamp of its own: only reading all again tells.
            self.machine.now += WEEK
            self.last_inventory()
        if self.setup.guard is not None:
            self._approve()
        found = [*differences(self), *removals_true(self)]
        if found:
            raise Difference(found)

    def last_inventory(self) -> None:
        """One more, old messages arriving among all it causes."""
        if self.story is not None:
            self.story.append("the last inventory")
        self.jobs.append(Job("inventory"))
        self.bag.waiting += self.bag.old
        self.bag.old = []
        self.quiet(HELD_UP)
        self.thaw()
        self.quiet()

    def sync(self) -> None:
        """A run, until nothing is left of it. Raises Difference."""
        self.jobs.append(Job("sync"))
        self.quiet()

    def restart(self) -> None:
        """All processes die, and are started again."""
        for process in self.live():
            self.kill(process)
        for where in self.places:
            self._boot(where)

    def _wait(self) -> None:
        """Until nothing is in back-off any more, and names never finished can be given up."""
        self.machine.now += DAYS
        self.jobs.append(Job("bury"))
        self.quiet()

    def _must_wait(self) -> bool:
        """Whether something is in back-off, or names were left *writing* by a worker that died."""
        states = "SELECT EXISTS (SELECT 1 FROM ledger WHERE next_attempt_at IS NOT NULL) "
        states += "OR EXISTS (SELECT 1 FROM media WHERE next_attempt_at IS NOT NULL) "
        if self.crashes:
            states += "OR EXISTS (SELECT 1 FROM media_object WHERE state = 'writing')"
        return bool(self.rows(states)[0][0])

    def _approve(self) -> None:
        """What the guard held is all that differs; then the operator says that it may go."""
        found = guard_kept(self)
        if found:
            raise Difference(found)
        next(iter(self.live())).store.holds.approve(FEED)
        self.last_inventory()

    # time and processes

    def live(self) -> list[Process]:
        return [process for process in self.processes.values() if process is not None]

    def tasks(self) -> list[Task]:
        return [task for process in self.live() for task in process.tasks]

    def passes(self, seconds: float) -> None:
        """Time passes; but no handler runs for longer than it ever may."""
        oldest = min(
            (task.busy_since for task in self.tasks() if task.busy_since is not None), default=self.machine.now
        )
        room = GRACE / 1_000_000 - 60.0 - (self.machine.now - oldest)
        self.machine.now += max(0.0, min(seconds, room))

    def thaw(self) -> None:
        for task in self.tasks():
            task.frozen = False

    def crash(self, draw: int) -> None:
        """A process dies between two effects; most are started again at once."""
        live = self.live()
        if not live:
            return
        process = live[draw % len(live)]
        self.kill(process)
        if draw >> 8 & 3:
            self.boot_one(draw)

    def kill(self, process: Process) -> None:
        if self.story is not None:
            self.tell(f"{process.name} dies")
        self.crashes += 1
        process.dead = True
        for task in process.tasks:
            self.machine.scheduler.kill(task)
        self.bag.lost(process, durable=not process.alone)
        for name, known in self.processes.items():
            if known is process:
                self.processes[name] = None

    def end(self) -> None:
        """Nothing goes on."""
        for process in self.live():
            process.dead = True
            for task in process.tasks:
                self.machine.scheduler.kill(task)

    def boot_one(self, draw: int) -> None:
        dead = [where for where in self.places if self.processes[where.name] is None]
        if dead:
            self._boot(dead[draw % len(dead)])

    def _boot(self, where: Place) -> None:
        name = f"{where.name}.{next(self._boots)}"
        self.processes[where.name] = Process(self, name, where.consuming, fetches=where.fetches)

    def work(self, steps: int) -> None:
        """So many effects, of whichever threads; in some stretches one goes on for long before the next."""
        sticky = self.rng.random() < 0.5
        last: Task | None = None
        for _ in range(steps):
            now = self.machine.now
            self.bag.look()
            able = [task for task in self.tasks() if task.runnable(now)]
            if not able:
                if not self._skip():
                    return
                continue
            if not (sticky and last in able and self.rng.random() < 0.9):
                last = self.rng.choice(able)
            assert last is not None
            self.step(last)

    def step(self, task: Task) -> None:
        """One effect of one thread."""
        self.steps += 1
        self.machine.now += 0.05
        self.machine.scheduler.step(task)
        if task.ended:
            for process in self.live():
                if task in process.tasks and not task.owner.dead:
                    process.tasks.remove(task)

    def _skip(self) -> bool:
        """On to the next instant at which something may happen; False when there is none."""
        wakes = [task.wakes_at for task in self.tasks() if task.wakes_at is not None and not task.frozen]
        due = [*wakes, *(item.due for item in self.bag.waiting)]
        later = [at for at in due if at > self.machine.now]
        if not later:
            return False
        self.passes(min(later) - self.machine.now + 0.001)
        return True

    def quiet(self, most: int = MOST_STEPS) -> None:
        """Until nothing is on its way any more; all processes are there. Raises Difference if that takes too long."""
        for where in self.places:
            if self.processes[where.name] is None:
                self._boot(where)
        until = self.steps + most
        while self.busy:
            if self.steps >= until:
                if most < MOST_STEPS:
                    return
                raise Difference(["it does not come to rest"])
            before = (self.steps, self.machine.now)
            self.work(1)
            if before == (self.steps, self.machine.now):
                if any(task.frozen for task in self.tasks()):
                    return
                raise Difference(["everything waits for something else"])

    @property
    def busy(self) -> bool:
        """Whether anything is on its way that does not stall."""
        if self.jobs or self.bag.waiting:
            return True
        return any(task.busy_since is not None and not task.frozen for task in self.tasks())

    # what is noticed on the way

    def raised(self, who: str, error: Exception) -> None:
        """Nothing may raise what its caller does not expect. Ends the history."""
        raise Difference([f"{who} raised {type(error).__name__}: {error}"]) from error

    def note_holders(self) -> None:
        """Two processes never rely on the same lease at once."""
        holders = [process.name for process in self.live() if process.tenure is not None and process.tenure.held]
        if len(holders) > 1:
            raise Difference([f"{' and '.join(holders)} fetch at once"])

    def tell(self, what: str) -> None:
        """A line of the story."""
        assert self.story is not None
        task = self.machine.scheduler.current
        who = f"{task.owner.name}: " if task else ""
        self.story.append(f"  {self.machine.now % 1_000_000:10.2f} {who}{what}")

    def _watch(self, task: Task, what: str) -> None:
        self.tell(f"{task.name.rpartition(' ')[2]} is about to: {what}, in {place()}")
