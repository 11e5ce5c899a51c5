"""A lease is relied on only while nobody else can have it, whatever becomes of the store."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from services.tenure import LeasedSlots, Tenure, Tenures, Turn
from shared.sources.pool import PHOTOS, NoSlotError, SessionPool
from shared.store.base import Leases, StoreUnavailableError
from shared.store.sqlite.store import SqliteStore
from tests.unit.test_ddf_pool import FakeSource
from tests.unit.test_ddf_pool import Leases as AnyLeases

SECONDS = 30.0


class Clock:
    """One clock for process and store, in seconds; the process may see the store stop answering."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


class Cut:
    """Leases of a real store, which can be out of reach."""

    def __init__(self, leases: Leases) -> None:
        self._leases = leases
        self.away = False

    def _reached(self) -> Leases:
        if self.away:
            raise StoreUnavailableError("the database does not answer")
        return self._leases

    def take(self, name: str, holder: str, seconds: float) -> bool:
        return self._reached().take(name, holder, seconds)

    def renew(self, name: str, holder: str, seconds: float) -> bool:
        return self._reached().renew(name, holder, seconds)

    def release(self, name: str, holder: str) -> None:
        self._reached().release(name, holder)

    def holder(self, name: str) -> str | None:
        return self._reached().holder(name)


class World:
    def __init__(self, path: Path) -> None:
        self.clock = Clock()
        self.store = SqliteStore(path / "mlsync.db", self.clock)
        self.store.migrate()
        self.cut = Cut(self.store.leases)

    def tenure(self, holder: str, name: str = "fetcher:ddf") -> Tenure:
        return Tenure(self.cut if holder == "a" else self.store.leases, name, holder, SECONDS, self.clock)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.store.close()


def test_what_was_not_taken_is_not_held(world: World) -> None:
    assert not world.tenure("a").held


def test_of_two_one_holds_it(world: World) -> None:
    a, b = world.tenure("a"), world.tenure("b")
    assert a.take()
    assert not b.take()
    assert (a.held, b.held) == (True, False)


def test_a_holder_stops_before_another_can_begin(world: World) -> None:
    """At every instant, the store away from the beginning: never do two rely on it."""
    a, b = world.tenure("a"), world.tenure("b")
    a.take()
    world.cut.away = True
    began = None
    for _ in range(70):
        world.clock.now += 0.5
        a.renew()
        if b.take():
            began = began or world.clock.now
        assert not (a.held and b.held)
    assert began == 1_000 + SECONDS


def test_renewing_in_time_keeps_it_for_ever(world: World) -> None:
    a, b = world.tenure("a"), world.tenure("b")
    a.take()
    for _ in range(100):
        world.clock.now += 5
        assert a.renew()
        assert not b.take()


def test_a_short_absence_of_the_store_loses_nothing(world: World) -> None:
    a = world.tenure("a")
    a.take()
    world.cut.away = True
    world.clock.now += 20
    assert a.renew()
    world.cut.away = False
    world.clock.now += 3
    assert a.renew()
    world.clock.now += 20
    assert a.held


def test_a_store_that_is_away_can_be_told_nothing_and_the_lease_ends(world: World) -> None:
    a, b = world.tenure("a"), world.tenure("b")
    a.take()
    world.cut.away = True
    a.release()
    assert not a.held
    assert not b.take()
    world.clock.now += SECONDS
    assert b.take()


class GivenBackWhileRenewed(Cut):
    """Another thread gives the lease back before this one knows that it is renewed."""

    tenure: Tenure

    def renew(self, name: str, holder: str, seconds: float) -> bool:
        ours = super().renew(name, holder, seconds)
        self.tenure.release()
        return ours


class RenewedWhileGivenBack(Cut):
    """Another thread renews the lease before the store knows that it is given back."""

    tenure: Tenure

    def release(self, name: str, holder: str) -> None:
        self.tenure.renew()
        super().release(name, holder)


@pytest.mark.parametrize("between", [GivenBackWhileRenewed, RenewedWhileGivenBack])
def test_what_is_given_back_while_it_is_renewed_is_not_held(
    world: World, between: type[GivenBackWhileRenewed | RenewedWhileGivenBack]
) -> None:
    leases = between(world.store.leases)
    tenure = leases.tenure = Tenure(leases, "fetcher:ddf", "one", SECONDS, world.clock)
    assert tenure.take()
    world.clock.now += SECONDS / 2
    tenure.renew() if between is GivenBackWhileRenewed else tenure.release()
    assert not tenure.held
    other = Tenure(world.store.leases, "fetcher:ddf", "other", SECONDS, world.clock)
    assert other.take()
    assert not tenure.take()
    other.release()
    assert tenure.take()
    assert tenure.held


def test_what_is_kept_is_renewed_and_what_is_lost_is_given_up(world: World) -> None:
    tenures = Tenures(SECONDS)
    a, b = world.tenure("a"), world.tenure("b")
    a.take()
    tenures.keep(a)
    for _ in range(20):
        world.clock.now += 4
        tenures.renew()
        assert a.held
    world.cut.away = True
    world.clock.now += SECONDS
    tenures.renew()
    assert not a.held
    assert b.take()
    world.cut.away = False
    tenures.close()
    assert b.held
    assert world.store.leases.holder("fetcher:ddf") == "b"


def test_the_end_gives_everything_back(world: World) -> None:
    tenures = Tenures(SECONDS)
    for name in ("one", "two"):
        tenure = world.tenure("a", name)
        tenure.take()
        tenures.keep(tenure)
    tenures.close()
    assert [world.store.leases.holder(name) for name in ("one", "two")] == [None, None]


def pool(world: World, holder: str, size: int = 1) -> SessionPool:
    slots = LeasedSlots(
        Tenures(SECONDS),
        lambda slot: world.tenure(holder, f"session:ddf:{slot}"),
        Turn(world.store.leases, "records:ddf", holder),
    )
    leases = AnyLeases()
    leases.held.add(0)  # what the source asks when it is closed
    return SessionPool(lambda: FakeSource(leases), slots, size, 60.0, poll_seconds=0.02)


def test_two_processes_never_have_more_sessions_than_the_feed(world: World) -> None:
    a, b = pool(world, "a", 2), pool(world, "b", 2)
    with a.use(), b.use():
        for one in (a, b):
            with pytest.raises(NoSlotError), one.use(PHOTOS):
                raise AssertionError("a third session")
    a.close()
    with b.use(), b.use():
        pass


def test_a_worker_with_photos_gives_its_session_to_a_fetcher_that_waits(world: World) -> None:
    media, fetcher = pool(world, "b"), pool(world, "a")
    stop, served = threading.Event(), list[float]()

    def photos() -> None:
        while not stop.is_set():
            try:
                with media.use(PHOTOS, 0.05):
                    time.sleep(0.01)
            except NoSlotError:
                media.reap()  # as each process does now and then: a session that idles when it is wanted is given up

    threads = [threading.Thread(target=photos) for _ in range(3)]
    for thread in threads:
        thread.start()
    _until(lambda: world.store.leases.holder("session:ddf:0") == "b")
    with fetcher.use(timeout=20):
        served.append(1)
    fetcher.close()
    _until(lambda: world.store.leases.holder("session:ddf:0") == "b")
    stop.set()
    for thread in threads:
        thread.join(10)
    assert served == [1]


def _until(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.02)
