"""One process of mlsync in a simulated world: the services as ``services.app`` puts them together, threads as tasks."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, cast

from services.audit import GRACE, audit
from services.distributed import Distributed
from services.due import Terms
from services.embedded import Embedded
from services.fetcher.service import Fetcher, Taken
from services.fetcher.settings import FetcherSettings
from services.incremental import bring, settle_mark
from services.media.service import FeedMedia, Media
from services.media.settings import MediaFeedSettings
from services.once import PhotosOnce
from services.reconciler.service import Reconciler
from services.reconciler.settings import ReconcilerSettings
from services.tenure import Tenure
from services.writer.service import Writer
from services.writer.settings import WriterSettings
from shared.consumer import Consumer, ConsumerSettings, Handler, Reject, Retry
from shared.messages import (
    Envelope,
    ListingsDeleted,
    Message,
    PhotosPending,
    RecordsRequested,
    backlog_of,
)
from shared.photos.download import Downloader, DownloadSettings
from shared.photos.verify import PhotoLimits
from shared.sources.base import Source, SourceError
from shared.sources.pool import SessionPool
from shared.store.base import Store
from shared.transport.base import Delivery
from shared.transport.rabbitmq import RabbitTransport
from tests.simulation.effects import SteppedStore
from tests.simulation.machine import Machine, Stop
from tests.simulation.mls import SECOND, START
from tests.simulation.scheduler import Crash, Task

if TYPE_CHECKING:
    from tests.simulation.world import World

FEED = "ddf"
SERVICES = ("reconciler", "writer", "media")
TAKEOVER = 30.0
STANDBY_SECONDS = 5.0
HOUSEKEEPING_SECONDS = 2.5
MOST_SKEW = 300.0


@cache
def _downloader() -> Downloader:
    """Never used, and dear to make: all photos are asked of the MLS itself."""
    return Downloader(DownloadSettings())


class Node(Distributed):
    """One of several processes, whose leases run on the simulated clock."""

    def __init__(self, name: str, machine: Machine, transport: Any, store: Store, stopping: threading.Event) -> None:
        super().__init__(cast(RabbitTransport, transport), store, stopping, TAKEOVER)
        self.holder = name
        self._machine = machine

    def _tenure(self, name: str) -> Tenure:
        return Tenure(self._store.leases, name, self.holder, self._takeover, self._machine.monotonic)

    def renew(self) -> None:
        """What its thread does every now and then."""
        self._tenures.renew()


class Single(Embedded):
    """A process for itself, whose queues the world can look into."""

    def __init__(self, transport: Any, store: Store, stopping: threading.Event) -> None:
        super().__init__(store, stopping)
        self.transport = transport
        self.outbox = PhotosOnce(transport)


class SteppedPool(SessionPool):
    """The real one. It leases under a lock of its own, where other threads could but wait."""

    def __init__(self, make: Callable[[], Source], slots: Any, size: int, machine: Machine) -> None:
        super().__init__(make, slots, size, idle_seconds=5.0, clock=machine.monotonic)
        self._machine = machine

    def _take(self, priority: int, timeout: float) -> Any:
        with self._machine.scheduler.whole():
            return super()._take(priority, timeout)

    def reap(self, now: float | None = None) -> None:
        with self._machine.scheduler.whole():
            super().reap(now)


class Process:
    """The services ``consuming`` their queues; with ``fetches`` it also takes inventories, if it may."""

    def __init__(self, world: World, name: str, consuming: Sequence[str], *, fetches: bool) -> None:
        self.world = world
        self.name = name
        self.dead = False
        self.tasks: list[Task] = []
        self._machine, self._scheduler = world.machine, world.machine.scheduler
        setup = world.setup
        self.alone = setup.form == "embedded"
        self.skew = world.rng.uniform(-MOST_SKEW, MOST_SKEW) if setup.skewed else 0.0
        self.resources = world.draw_resources()
        self.stopping = Stop(self._machine)
        own, shared = (lambda: self._machine.now + self.skew), (lambda: self._machine.now)
        # one process has the store to itself, and the store its clock; a server has its own
        self.store = SteppedStore(self._machine.database, own if self.alone else shared)
        store: Any = self.store
        self.form: Single | Node = (
            Single(world.bag, store, self.stopping)
            if self.alone
            else Node(name, self._machine, world.bag, store, self.stopping)
        )
        self.tenure: Tenure | None = None
        self._fetch_stop = Stop(self._machine)
        self.pool = SteppedPool(world.source, self.form.slots(FEED), setup.sessions, self._machine)
        outbox = self.form.outbox
        self.fetcher = Fetcher(
            {FEED: self.pool},
            store,
            outbox,
            FetcherSettings(range_size=setup.range_size, slot_timeout=0.0, inventory_slot_timeout=0.0),
            may=lambda _feed: self.may_fetch(),
        )
        at_least = 1_000_000 if setup.guard is None else setup.guard
        guard = ReconcilerSettings(remove_at_least=at_least, remove_share=0.0, page_size=setup.page_size)
        self.reconciler = Reconciler({FEED: guard}, store, outbox, handled=store.syncs.handled)
        self.writer = Writer({FEED: WriterSettings("ddf", "bytes", resources=self.resources)}, store, outbox)
        media = FeedMedia(MediaFeedSettings("bytes", slot_timeout=0.0), _downloader(), self.pool)
        self.media = Media({FEED: media}, store, world.blobs, PhotoLimits())
        self._handlers: dict[str, Handler] = {
            "fetcher": self.fetcher.handle,
            "reconciler": self.reconciler.handle,
            "writer": self.writer.handle,
            "media": self._photos,
        }
        if self.alone:
            self.store.recover()
        for service in consuming:
            for number in range(setup.workers if self.alone and service == "media" else 1):
                self._consume(service, service, f"{service}-{number + 1}", self.stopping)
        if fetches:
            self._start("fetching", self._keep if self.alone else self._serve)
            if self.alone:
                self._fetch(self.stopping)
        if not self.alone:
            self._start("housekeeper", self._keep_house)

    def may_fetch(self) -> bool:
        """See ``services.app.App.may_fetch``."""
        return self.tenure is None or self.tenure.held

    def _start(self, name: str, act: Callable[[], None]) -> Task:
        def body() -> None:
            try:
                act()
            except Crash:
                pass
            except Exception as error:
                self.world.raised(f"{self.name} {name}", error)

        task = Task(self, f"{self.name} {name}", body)
        self.tasks.append(task)
        return task

    def _consume(self, service: str, queue: str, name: str, stop: threading.Event) -> Task:
        consumer = Consumer(
            cast(Any, self.world.bag),
            [queue, backlog_of(queue)],
            lambda envelope, message, delivery: self.handle(service, envelope, message, delivery),
            ConsumerSettings(),
            clock=self._machine.monotonic,
            rng=self.world.rng,
        )
        return self._start(name, lambda: consumer.run(stop))

    def handle(self, service: str, envelope: Envelope, message: Message, delivery: Delivery) -> str | None:
        """Handle one message; the consumer takes what is raised for a passing fault, the world does not."""
        if self.world.story is not None:
            self.world.tell(f"{service} takes up {brief(message)}")
        try:
            label = self._handlers[service](envelope, message, delivery)
        except (Retry, Reject) as error:
            if self.world.story is not None:
                self.world.tell(f"{service} gives it back: {error}")
            raise
        except Exception as error:
            self.world.raised(service, error)
            raise
        if self.world.story is not None:
            self.world.tell(f"{service} is done: {label}")
        return label

    def _photos(self, envelope: Envelope, message: Message, delivery: Delivery) -> str:
        assert isinstance(message, PhotosPending)
        with self.form.taking(message):
            return self.media.handle(envelope, message, delivery)

    def _fetch(self, stop: threading.Event) -> list[Task]:
        """Threads that serve requests for records."""
        queue = f"{RecordsRequested.QUEUE}.{FEED}"
        return [self._consume("fetcher", queue, f"fetcher-{n + 1}", stop) for n in range(self.world.setup.sessions)]

    def _keep_house(self) -> None:
        assert isinstance(self.form, Node)
        while not self.stopping.wait(HOUSEKEEPING_SECONDS):
            self.form.renew()
            self.pool.reap()

    def _keep(self) -> None:
        """Do what is asked for, for ever."""
        while True:
            self._scheduler.wait(lambda: bool(self.world.jobs))
            self._next_job()

    def _serve(self) -> None:
        """The same, whenever no other process does: see ``services.schedule.serve``."""
        assert isinstance(self.form, Node)
        while True:
            tenure = self.form.fetching(FEED)
            if tenure.take():
                with self.form.keeping(tenure):
                    self._serve_under(tenure)
            self._scheduler.wait(until=self._machine.now + STANDBY_SECONDS)

    def _serve_under(self, tenure: Tenure) -> None:
        self.tenure = tenure
        stop = Stop(self._machine)
        tasks = self._fetch(stop)
        while tenure.held:
            self.world.note_holders()
            if self.world.jobs:
                self._next_job()
            else:
                self._scheduler.wait(lambda: bool(self.world.jobs), self._machine.now + STANDBY_SECONDS)
        stop.set()
        self.world.bag.leave([])
        self._scheduler.wait(lambda: all(task.ended for task in tasks))
        self.tasks = [task for task in self.tasks if task not in tasks]

    def _next_job(self) -> None:
        task = self._scheduler.current
        assert task is not None
        job = self.world.jobs.pop(0)
        task.busy_since = self._machine.now
        if self.world.story is not None:
            self.world.tell(f"begins: {job.kind}")
        try:
            self._do(job)
        except SourceError as error:
            if self.world.story is not None:
                self.world.tell(f"gives up: {error}")
            if job.kind == "inventory":
                self._scheduler.wait(until=self._machine.now + 1.0)
                self.world.jobs.append(job)
        finally:
            task.busy_since = None

    def _do(self, job: Any) -> None:
        draw = job.draw
        match job.kind:
            case "sync":
                self.sync(f"run-{next(self.world.runs)}", draw)
            case "inventory":
                self.inventory("final")
            case "stray":
                since = (START - 1 + draw % (self.world.mls.now - START + 2)) * SECOND
                self.fetcher.take_changes(FEED, "property", since, 3, "stray", lambda: not self.may_fetch())
            case "deleted":
                gone = sorted(self.world.mls.gone)
                keys = [key for number, key in enumerate(gone) if draw >> number & 1]
                observed_at = self.store.feeds.observe(FEED)
                keys = [key for key in keys if key not in self.world.mls.listings]
                if keys:
                    self.world.named[observed_at] = keys
                    deleted = ListingsDeleted(feed=FEED, resource="property", observed_at=observed_at, keys=keys)
                    self.form.outbox.publish(deleted, "deleted")
            case "settle":
                settle_mark(self._any_store, FEED, "property", "", 0)
            case "bury":
                self.store.objects.bury(self.store.feeds.now() - GRACE)
            case "audit":
                audit(self._any_store, self.world.blobs, [FEED])

    @property
    def _any_store(self) -> Any:
        return self.store

    def sync(self, run_id: str, draw: int = 0) -> None:
        """A run by the world's strategy. Raises SourceError."""
        if not self.world.setup.incremental:
            self.inventory(run_id)
            return
        self._prepare(run_id)
        # no less than the margin by which a record counts as settled
        overlap = (10, 60)[draw & 1] * SECOND
        often = (None, 40 * SECOND, 9_000 * SECOND)[(draw >> 1) % 3]
        bring(
            self.fetcher,
            self._any_store,
            self.form.outbox,
            FEED,
            "property",
            run_id,
            Terms(overlap, every=SECOND, inventory_every=often, page_size=3),
            inventory=lambda: self.fetcher.take_inventory(FEED, "property", run_id),
            pause=self.stopping.wait,
            patience=(0.0, 0.3)[(draw >> 3) & 1],
        )
        for resource in self.resources[1:]:
            self.fetcher.take_inventory(FEED, resource, run_id)

    def inventory(self, run_id: str) -> list[Taken]:
        """The lists of all resources. Raises SourceError."""
        self._prepare(run_id)
        return [self.fetcher.take_inventory(FEED, resource, run_id) for resource in self.resources]

    def _prepare(self, run_id: str) -> None:
        if self.world.setup.people:
            self.writer.give_up(FEED, run_id)
            self.writer.remap(FEED, run_id)


def brief(message: Message) -> str:
    """A message in a few words."""
    facts = {
        "resource": getattr(message, "resource", None),
        "observed_at": getattr(message, "observed_at", None),
        "range": (message.after, message.upto) if hasattr(message, "after") and hasattr(message, "upto") else None,
        "part": f"{message.part}/{message.parts}" if hasattr(message, "part") and hasattr(message, "parts") else None,
        "entries": [key for key, _ in getattr(message, "entries", ())],
        "records": [record.key for record in getattr(message, "records", ())],
        "asked": getattr(message, "asked", None),
        "keys": getattr(message, "keys", None),
        "key": getattr(message, "key", None),
        "failure": getattr(message, "failure", None),
    }
    words = [f"{name} {value}" for name, value in facts.items() if value]
    return f"{type(message).__name__} ({', '.join(words)})"
