"""The session pool with real threads: one user per session, order kept, slots given back."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Generator, Iterator, Sequence
from contextlib import contextmanager

import pytest

from shared.lookups import Metadata, MetadataDocument, MetadataVersion
from shared.sources.base import Inventory, Page, PhotoObject, SourceUnavailableError
from shared.sources.pool import PHOTOS, RECORDS, NoSlotError, SessionPool


class FakeSource:
    """A source that notices two users at once and use after its slot was given back."""

    def __init__(self, leases: Leases) -> None:
        self.leases = leases
        self.users = 0
        self.closed = 0

    def login(self) -> None:
        self.users += 1
        assert self.users == 1
        time.sleep(0.001)
        self.users -= 1

    def inventory(self, resource: str) -> Inventory:
        raise AssertionError("a pool asks the MLS for nothing")

    def records(self, resource: str, keys: Sequence[str]) -> Page:
        raise AssertionError("a pool asks the MLS for nothing")

    def changes(self, resource: str, since: int, limit: int) -> Iterator[Page]:
        raise AssertionError("a pool asks the MLS for nothing")

    def metadata_version(self) -> MetadataVersion | None:
        raise AssertionError("a pool asks the MLS for nothing")

    def metadata(self) -> Metadata:
        raise AssertionError("a pool asks the MLS for nothing")

    def described(self) -> MetadataDocument | None:
        raise AssertionError("a pool asks the MLS for nothing")

    def objects(self, resource: str, key: str, kind: str, *, location: bool) -> Generator[PhotoObject, None, None]:
        raise AssertionError("a pool asks the MLS for nothing")

    def photos(self, resource: str, key: str, *, location: bool, orders: Collection[int] = ()) -> Iterator[PhotoObject]:
        raise AssertionError("a pool asks the MLS for nothing")

    def close(self) -> None:
        assert self.leases.held
        self.closed += 1


class Leases:
    """Leases in memory; ``taken`` are those of other processes."""

    def __init__(self) -> None:
        self.held: set[int] = set()
        self.taken: set[int] = set()
        self.lost: set[int] = set()
        self.renewed: list[int] = []
        self.asked = 0
        self.elsewhere = False

    def acquire(self, slot: int) -> bool:
        assert slot not in self.held
        if slot in self.taken:
            return False
        self.held.add(slot)
        return True

    def release(self, slot: int) -> None:
        self.held.discard(slot)

    def renew(self, slot: int) -> bool:
        self.renewed.append(slot)
        return slot not in self.lost

    def want(self) -> None:
        self.asked += 1

    def wanted(self) -> bool:
        return self.elsewhere


class Setting:
    def __init__(self, size: int = 1) -> None:
        self.leases = Leases()
        self.sources: list[FakeSource] = []
        self.pool = SessionPool(self.make, self.leases, size, 60.0, poll_seconds=0.02)

    def make(self) -> FakeSource:
        self.sources.append(FakeSource(self.leases))
        return self.sources[-1]


@contextmanager
def running(*targets: Callable[[], None]) -> Iterator[None]:
    threads = [threading.Thread(target=target) for target in targets]
    for thread in threads:
        thread.start()
    yield
    for thread in threads:
        thread.join(10)
        assert not thread.is_alive()


def test_session_is_reused() -> None:
    setting = Setting()
    for _ in range(3):
        with setting.pool.use() as source:
            source.login()
    assert len(setting.sources) == 1
    assert setting.sources[0].closed == 0
    assert setting.leases.held == {0}


@pytest.mark.parametrize("size", [1, 3])
def test_never_more_sessions_than_slots_nor_two_users_of_one(size: int) -> None:
    setting = Setting(size)
    done: list[int] = []

    def work() -> None:
        for turn in range(10):
            with setting.pool.use(turn % 2, timeout=10) as source:
                source.login()
            done.append(1)

    with running(*[work] * 8):
        pass
    assert len(done) == 80
    assert 1 <= len(setting.sources) <= size
    setting.pool.close()
    assert all(source.closed == 1 for source in setting.sources)
    assert setting.leases.held == set()


def test_records_go_before_photos_and_first_come_first_served_within() -> None:
    setting = Setting()
    order: list[str] = []

    def wait(name: str, priority: int) -> Callable[[], None]:
        def work() -> None:
            with setting.pool.use(priority, timeout=10):
                order.append(name)

        return work

    threads = []
    with setting.pool.use():
        for name, priority in (("p1", PHOTOS), ("p2", PHOTOS), ("r1", RECORDS), ("p3", PHOTOS), ("r2", RECORDS)):
            threads.append(threading.Thread(target=wait(name, priority)))
            threads[-1].start()
            until(lambda: len(setting.pool._waiting) == len(threads))
    for thread in threads:
        thread.join(10)
    assert order == ["r1", "r2", "p1", "p2", "p3"]


def until(condition: Callable[[], bool]) -> None:
    limit = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < limit
        time.sleep(0.001)


def test_no_slot_in_time_is_an_error_that_may_pass() -> None:
    setting = Setting()
    with setting.pool.use(), pytest.raises(NoSlotError), setting.pool.use(timeout=0.05):
        pytest.fail("two users of one session")
    with setting.pool.use():
        pass
    assert issubclass(NoSlotError, SourceUnavailableError)


def test_slot_of_another_process_is_waited_for() -> None:
    setting = Setting()
    setting.leases.taken.add(0)
    with pytest.raises(NoSlotError), setting.pool.use():
        pytest.fail("the slot is another's")

    def free() -> None:
        time.sleep(0.05)
        setting.leases.taken.clear()

    with running(free), setting.pool.use(timeout=5) as source:
        source.login()
    assert setting.leases.held == {0}


def test_an_error_of_the_user_gives_the_session_back() -> None:
    setting = Setting()
    with pytest.raises(KeyError), setting.pool.use():
        raise KeyError
    with setting.pool.use():
        assert len(setting.sources) == 1


def test_a_source_that_cannot_be_made_leaves_the_slot_free() -> None:
    leases = Leases()

    def fail() -> FakeSource:
        raise ValueError("settings")

    pool = SessionPool(fail, leases, 1, 60.0)
    with pytest.raises(ValueError), pool.use():
        pytest.fail("no source")
    assert leases.held == set()


def test_reap_ends_idle_sessions_and_renews_the_others() -> None:
    setting = Setting(2)
    with setting.pool.use():
        with setting.pool.use():
            pass
        setting.pool.reap(time.monotonic() + 61)
        assert [source.closed for source in setting.sources] == [0, 1]
        assert setting.leases.held == {0}
        assert sorted(setting.leases.renewed) == [0, 1]
    setting.pool.reap()
    assert setting.leases.held == {0}
    setting.pool.reap(time.monotonic() + 61)
    assert setting.leases.held == set()


def test_a_lost_lease_ends_the_session_after_its_user() -> None:
    setting = Setting()
    with setting.pool.use():
        setting.leases.lost.add(0)
        setting.pool.reap()
        assert setting.sources[0].closed == 0
    assert setting.sources[0].closed == 1
    assert setting.leases.held == set()
    setting.leases.lost.clear()
    with setting.pool.use():
        assert len(setting.sources) == 2


def test_close_wakes_who_waits_and_ends_what_is_in_use_when_its_user_is_done() -> None:
    setting = Setting()
    refused: list[bool] = []

    def wait() -> None:
        try:
            with setting.pool.use(timeout=10):
                refused.append(False)
        except NoSlotError:
            refused.append(True)

    with setting.pool.use() as source:
        with running(wait):
            until(lambda: len(setting.pool._waiting) == 1)
            setting.pool.close()
        assert refused == [True]
        assert setting.sources[0].closed == 0
        source.login()
    assert setting.sources[0].closed == 1
    assert setting.leases.held == set()
    setting.pool.close()
    with pytest.raises(NoSlotError), setting.pool.use():
        pytest.fail("the pool is closed")


def test_records_that_wait_say_so_and_photos_do_not() -> None:
    setting = Setting()
    setting.leases.taken.add(0)
    for priority, asked in ((PHOTOS, False), (RECORDS, True)):
        with pytest.raises(NoSlotError), setting.pool.use(priority, 0.1):
            raise AssertionError("there was no slot")
        assert bool(setting.leases.asked) == asked


def test_photos_wait_while_records_wait_elsewhere_and_give_their_session_back() -> None:
    setting = Setting()
    with setting.pool.use(PHOTOS):
        setting.leases.elsewhere = True
    assert setting.leases.held == set()
    assert setting.sources[0].closed == 1
    with pytest.raises(NoSlotError), setting.pool.use(PHOTOS, 0.1):
        raise AssertionError("photos went first")
    setting.leases.elsewhere = False
    with setting.pool.use(PHOTOS):
        pass


def test_an_idle_session_goes_when_records_wait_elsewhere() -> None:
    setting = Setting()
    with setting.pool.use():
        pass
    setting.pool.reap()
    assert setting.leases.held == {0}
    setting.leases.elsewhere = True
    setting.pool.reap()
    assert setting.leases.held == set()
