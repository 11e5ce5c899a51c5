"""The promise: whatever happens to messages and processes, one more inventory of a quiet MLS brings all in step."""

from __future__ import annotations

import hashlib
import itertools
import random
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from services.due import Terms
from services.fetcher.service import Fetcher
from services.fetcher.settings import FetcherSettings
from services.incremental import bring, settle_mark
from services.media.service import FeedMedia, Media
from services.media.settings import MediaFeedSettings
from services.reconciler.service import Reconciler
from services.reconciler.settings import ReconcilerSettings
from services.writer.service import Writer
from services.writer.settings import WriterSettings
from shared.blobs.local import LocalBlobs
from shared.consumer import Retry
from shared.messages import ListingsGone, decode
from shared.outbox import Outbox
from shared.photos.download import Downloader, DownloadSettings
from shared.photos.verify import PhotoLimits
from shared.sources.pool import SessionPool
from shared.store.sqlite.store import SqliteStore
from shared.transport.base import Delivery
from tests.conftest import SCALE
from tests.pipeline.model import START, ModelMls, ModelSource, picture, when

FEED = "ddf"
SECOND = 1_000_000


class Crash(BaseException):
    """The process dies here."""


class Bomb:
    """Dies at a step chosen in advance; steps are whatever can be seen from outside."""

    def __init__(self) -> None:
        self.left: int | None = None

    def step(self) -> None:
        if self.left is not None:
            self.left -= 1
            if self.left < 0:
                self.left = None
                raise Crash


class CrashingStore:
    """The real store; the process may die before a transaction, before its commit, or right after it."""

    def __init__(self, store: SqliteStore, bomb: Bomb) -> None:
        self._store = store
        self._bomb = bomb
        self.feeds = store.feeds
        self.quarantine = store.quarantine
        self.census = store.census
        self.syncs = store.syncs

    @contextmanager
    def write(self) -> Iterator[Any]:
        self._bomb.step()
        with self._store.write() as tx:
            yield tx
            self._bomb.step()
        self._bomb.step()


class CrashingBlobs:
    """The real photo store; the process may die before or after a put or delete."""

    def __init__(self, blobs: LocalBlobs, bomb: Bomb) -> None:
        self._blobs = blobs
        self._bomb = bomb

    def put(self, name: str, data: bytes, content_type: str) -> None:
        self._bomb.step()
        self._blobs.put(name, data, content_type)
        self._bomb.step()

    def delete(self, name: str) -> None:
        self._bomb.step()
        self._blobs.delete(name)
        self._bomb.step()


class Bag:
    """A transport without order or memory of what was delivered: the test draws from it as it likes."""

    def __init__(self, bomb: Bomb) -> None:
        self.bodies: list[tuple[str, bytes]] = []
        self._bomb = bomb

    def publish(self, queue: str, body: bytes, *, delay: float = 0.0) -> None:
        self._bomb.step()
        self.bodies.append((queue, body))


class World:
    """All four services on a real store and real photos, around a model MLS."""

    mls_type: type[ModelMls] = ModelMls
    source_type: type[ModelSource] = ModelSource
    resources: tuple[str, ...] = ("property",)

    def __init__(self, folder: Path, template: Path, rng: random.Random, listings: int) -> None:
        self.rng = rng
        self.mls = self.mls_type(rng, listings)
        shutil.copy(template, folder / "mlsync.db")
        self.bomb = Bomb()
        self.bag = Bag(self.bomb)
        self.clock = 1_800_000_000.0
        self.sqlite = SqliteStore(folder / "mlsync.db", clock=lambda: self.clock)
        self.local = LocalBlobs(folder / "media")
        self.local.prepare()
        self.old: list[tuple[str, bytes]] = []
        self.runs = itertools.count(1)
        self.boot()

    def boot(self) -> None:
        """A new process: nothing in memory but what the transport kept."""
        store: Any = CrashingStore(self.sqlite, self.bomb)
        blobs: Any = CrashingBlobs(self.local, self.bomb)
        transport: Any = self.bag
        numbers = itertools.count(1)
        self.store = store
        outbox = self.outbox = Outbox(transport, clock=lambda: self.clock, ids=lambda: f"{next(numbers):016x}")
        pool = SessionPool(self.source, _Slots(), 1, idle_seconds=60.0)
        self.fetcher = Fetcher({FEED: pool}, store, outbox, FetcherSettings(range_size=3))
        guard = ReconcilerSettings(remove_at_least=1_000_000, page_size=4)
        self.reconciler = Reconciler({FEED: guard}, store, outbox)
        self.writer = Writer({FEED: WriterSettings("ddf", "bytes", resources=self.resources)}, store, outbox)
        media = FeedMedia(MediaFeedSettings("bytes"), Downloader(DownloadSettings()), pool)
        self.media = Media({FEED: media}, store, blobs, PhotoLimits())
        self.handlers: dict[str, Callable[..., str]] = {
            "fetcher": self.fetcher.handle,
            "reconciler": self.reconciler.handle,
            "writer": self.writer.handle,
            "media": self.media.handle,
        }

    def source(self) -> ModelSource:
        """A connection to the MLS."""
        return self.source_type(self.mls)

    def inventory(self) -> None:
        self.clock += 1
        self.guarded(lambda: self.fetcher.take_inventory(FEED, "property", "run"))

    def stray(self) -> None:
        """Pages of changes that belong to no run."""
        since = self.rng.randrange(START - 1, self.mls.now + 1) * SECOND
        self.clock += 1
        self.guarded(lambda: self.fetcher.take_changes(FEED, "property", since, 3, "stray"))

    def incremental(self) -> None:
        """A run by changes since the mark, with or without an inventory."""
        often = self.rng.choice((None, 40 * SECOND, 9_000 * SECOND))
        overlap = self.rng.choice((10, 60)) * SECOND  # no less: the model's clock is that much ahead of its changes
        terms = Terms(overlap, every=SECOND, inventory_every=often, page_size=3)
        run = f"run-{next(self.runs)}"
        self.clock += 1
        self.guarded(
            lambda: bring(
                self.fetcher,
                self.store,
                self.outbox,
                FEED,
                "property",
                run,
                terms,
                inventory=lambda: self.fetcher.take_inventory(FEED, "property", run),
                pause=lambda _: False,
                patience=0,
            )
        )

    def settle(self) -> None:
        self.guarded(lambda: settle_mark(self.store, FEED, "property", "", 0))
        self.assert_mark_holds()

    def assert_mark_holds(self) -> None:
        """What the MLS has not changed since before the mark is stored as it is."""
        with self.sqlite.write() as tx:
            mark = tx.marks.mark(FEED, "property")
            lines = tx.ledger.lines(FEED, "property", self.mls.listings)
        if mark is None or mark.reached is None:
            return
        for key, item in self.mls.listings.items():
            if item.stamp * SECOND < mark.reached:
                assert lines[key].stored
                assert lines[key].stamp == when(item.stamp)

    def guarded(self, act: Callable[[], object]) -> bool:
        """Act; False when the process died and was started again."""
        try:
            act()
        except Crash:
            self.sqlite.recover()
            self.boot()
            return False
        return True

    def deliver(self) -> None:
        """One message, any: acked, delivered twice, delivered late, or lost with the process in mid-handling."""
        if not self.bag.bodies:
            return
        self.clock += 0.1
        place = self.rng.randrange(len(self.bag.bodies))
        queue, body = self.bag.bodies.pop(place)
        if self.rng.random() < 0.3:
            self.old.append((queue, body))
        if self.guarded(lambda: self.handle(queue, body)):
            return
        if self.rng.random() < 0.5:
            self.bag.bodies.append((queue, body))  # a broker delivers it again
        else:
            self.bag.bodies.clear()  # a queue in memory died with its process

    def handle(self, queue: str, body: bytes) -> None:
        envelope, message = decode(body)
        try:
            self.handlers[queue.partition(".")[0]](envelope, message, Delivery(queue, body, 3))
        except Retry:
            self.bag.bodies.append((queue, body))

    def drain(self) -> None:
        while self.bag.bodies:
            self.deliver()

    def live(self, steps: int) -> None:
        """A stretch of history."""
        for _ in range(steps):
            match self.rng.randrange(15):
                case 0:
                    self.inventory()
                case 12:
                    self.stray()
                case 13:
                    self.incremental()
                case 14:
                    self.settle()
                case 1 | 2:
                    self.mls.step()
                case 3:
                    self.bomb.left = self.rng.randrange(12)
                case 4:
                    if self.old:
                        self.bag.bodies.append(self.rng.choice(self.old))
                case _:
                    self.deliver()

    def run_on(self, runs: int) -> None:
        """Runs by changes, of which some die and some are only begun to be handled."""
        for _ in range(runs):
            for _ in range(self.rng.randrange(6)):
                self.mls.step()
            self.bomb.left = self.rng.randrange(60) if self.rng.random() < 0.3 else None
            self.incremental()
            if self.rng.random() < 0.7:
                self.drain()
            else:
                for _ in range(self.rng.randrange(12)):
                    self.deliver()
            self.settle()

    def quiet(self) -> None:
        """The MLS stops changing; one more inventory, handled with all that it causes, old messages still arriving."""
        self.bomb.left = None
        self.inventory()
        self.bag.bodies += self.old
        self.old = []
        self.drain()

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        return self.sqlite._database.read(sql)

    def assert_in_step(self) -> None:
        listings = self.mls.listings
        assert dict(self.rows("SELECT listing_key, list_price FROM property")) == {
            key: item.price for key, item in listings.items()
        }
        assert sorted(self.rows("SELECT listing_key, count(*) FROM property_room GROUP BY 1")) == sorted(
            (key, item.rooms) for key, item in listings.items() if item.rooms
        )
        photos = self.photos()
        sql = 'SELECT resource_name, resource_record_key, "order", object_key, content_sha256 FROM media'
        stored = {(resource, key, order): (name, sha) for resource, key, order, name, sha in self.rows(sql)}
        assert set(stored) == set(photos)
        for place, number in photos.items():
            name, sha = stored[place]
            assert sha == hashlib.sha256(picture(number)).hexdigest()
            with self.local.open(name) as file:
                assert file.read() == picture(number)
        assert set(self.local.keys()) == {name for name, _ in stored.values()}
        assert set(self.rows("SELECT name, state FROM media_object")) == {(name, "live") for name, _ in stored.values()}
        assert self.members() == self.members_expected()
        assert self.rows("SELECT key FROM ledger WHERE wanted_by IS NOT NULL") == []
        assert self.rows("SELECT key FROM removal_candidate") == []

    def photos(self) -> dict[tuple[str, str, int], int]:
        """The picture that belongs at every place: resource, key, order."""
        return {
            ("property", key, order): number
            for key, item in self.mls.listings.items()
            for order, number in item.photos.items()
        }

    def members(self) -> dict[str, str]:
        return dict(self.rows("SELECT member_key, member_full_name FROM member"))

    def members_expected(self) -> dict[str, str]:
        """The copy in the last-observed listing that refers to the member; observed together, the greater key."""
        seen = dict(self.rows("SELECT key, observed_at FROM ledger WHERE resource = 'property' AND stored"))
        found: dict[str, tuple[int, str, str]] = {}
        for key, item in self.mls.listings.items():
            copy = (seen[key], key, item.agent_name)
            found[str(item.agent)] = max(found.get(str(item.agent), copy), copy)
        return {agent: name for agent, (_, _, name) in found.items()}


class _Slots:
    def want(self) -> None:
        return None

    def wanted(self) -> bool:
        return False

    def acquire(self, slot: int) -> bool:
        return True

    def renew(self, slot: int) -> bool:
        return True

    def release(self, slot: int) -> None:
        return None


@pytest.fixture(scope="module")
def template(memory_dir: Path) -> Path:
    """A migrated, empty database to copy."""
    path = memory_dir / "template.db"
    store = SqliteStore(path)
    store.migrate()
    store.close()
    return path


@contextmanager
def world(
    memory_dir: Path, template: Path, rng: random.Random, listings: int = 8, made_of: type[World] = World
) -> Iterator[World]:
    folder = memory_dir / "world"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    made = made_of(folder, template, rng, listings)
    try:
        yield made
    finally:
        made.sqlite.close()


@given(rng=st.randoms(use_true_random=False), steps=st.integers(0, 120))
@hypothesis_settings(max_examples=40 * SCALE)
def test_any_history_ends_in_step(memory_dir: Path, template: Path, rng: random.Random, steps: int) -> None:
    with world(memory_dir, template, rng) as it:
        it.live(steps)
        it.quiet()
        it.assert_in_step()


@pytest.mark.parametrize("seed", range(6 * SCALE))
def test_any_long_history_ends_in_step(memory_dir: Path, template: Path, seed: int) -> None:
    with world(memory_dir, template, random.Random(seed), 12) as it:
        for _ in range(3):
            it.live(150)
            it.quiet()
            it.assert_in_step()


@pytest.mark.parametrize("seed", range(6 * SCALE))
def test_a_mark_is_never_ahead_of_what_is_stored(memory_dir: Path, template: Path, seed: int) -> None:
    with world(memory_dir, template, random.Random(seed), 12) as it:
        it.run_on(30)
        assert it.rows("SELECT reached FROM mark WHERE settled_at IS NOT NULL")
        it.quiet()
        it.assert_in_step()
        it.settle()


def test_every_single_crash_of_a_first_sync_is_survived(memory_dir: Path, template: Path) -> None:
    for step in itertools.count():
        with world(memory_dir, template, random.Random(7), 5) as it:
            it.bomb.left = step
            it.inventory()
            it.drain()
            survived = it.bomb.left is not None
            it.quiet()
            it.assert_in_step()
        if survived:
            break
    assert step > 50  # the history has that many places to die


def test_a_second_sync_of_a_quiet_mls_asks_for_nothing(memory_dir: Path, template: Path) -> None:
    with world(memory_dir, template, random.Random(1)) as it:
        it.quiet()
        it.inventory()
        asked: list[str] = []
        while it.bag.bodies:
            queue, body = it.bag.bodies.pop()
            asked.append(queue)
            it.handle(queue, body)
        assert set(asked) == {"reconciler"}


def test_a_late_removal_does_not_touch_what_a_later_inventory_listed(memory_dir: Path, template: Path) -> None:
    with world(memory_dir, template, random.Random(2)) as it:
        it.quiet()
        key = sorted(it.mls.listings)[0]
        back = it.mls.listings.pop(key)
        it.inventory()
        late: list[tuple[str, bytes]] = []
        while it.bag.bodies:
            queue, body = it.bag.bodies.pop()
            if isinstance(decode(body)[1], ListingsGone):
                late.append((queue, body))
            else:
                it.handle(queue, body)
        assert late
        it.mls.listings[key] = back
        it.quiet()
        for queue, body in late:
            it.handle(queue, body)
        it.drain()
        it.assert_in_step()
