"""``Budget``: what a feed may ask of its MLS, whoever asks, however often the process is another one."""

from __future__ import annotations

import random
import threading
import time
from bisect import bisect_right
from collections.abc import Sequence

import pytest

from shared.budget import DAY, HOUR, LONGEST_PAUSE, PARTS, Limits, Share, Wait
from tests.contract.stores import FEED, SECOND, START, Kit

NONE = Limits()
HOURLY = Limits(requests_per_hour=10)


def take(kit: Kit, limits: Limits) -> Share:
    found = kit.store.budget.take(FEED, limits)
    assert isinstance(found, Share)
    return found


def wait(kit: Kit, limits: Limits) -> Wait:
    found = kit.store.budget.take(FEED, limits)
    assert isinstance(found, Wait)
    return found


def answered(kit: Kit, limits: Limits, share: Share, byte_size: int = 0, transaction: str = "Search") -> None:
    kit.store.budget.answered(FEED, limits, share, transaction, byte_size, well=True)


def most(instants: Sequence[float], length: float) -> int:
    """The most of them in any stretch of that length: closed at one end, open at the other."""
    instants = sorted(instants)
    return max((number - bisect_right(instants, at - length) for number, at in enumerate(instants, 1)), default=0)


# --- limits


def test_without_limits_there_is_always_leave_and_nothing_is_written(kit: Kit) -> None:
    for _ in range(100):
        answered(kit, NONE, take(kit, NONE), 10**9)
    assert kit.rows("SELECT * FROM budget_use") == []


@pytest.mark.parametrize(
    ("limits", "leave", "seconds"),
    [
        (Limits(requests_per_second=3), 3, 1),
        (Limits(requests_per_second=0.5), 1, 2),
        (Limits(requests_per_second=2.9), 2, 1),
        (Limits(requests_per_hour=10), 10, 3_600),
        (Limits(requests_per_day=12), 12, 86_400),
        (Limits(requests_per_second=3, requests_per_day=2), 2, 86_400),
    ],
)
def test_there_is_leave_up_to_the_limit_and_again_when_the_window_has_passed(
    kit: Kit, limits: Limits, leave: int, seconds: int
) -> None:
    for _ in range(leave):
        take(kit, limits)
    until = wait(kit, limits).until
    first = kit.now + seconds * SECOND
    assert first <= until <= first + seconds * SECOND // PARTS + 2 * SECOND
    kit.seconds = (until - 1) / SECOND
    assert kit.now == until - 1
    assert wait(kit, limits).until == until
    kit.seconds = until / SECOND
    take(kit, limits)


def test_who_waits_is_told_which_setting_is_used_up(kit: Kit) -> None:
    for _ in range(10):
        take(kit, HOURLY)
    assert wait(kit, HOURLY).reason == "the budget of requests_per_hour is used up"


def test_the_longest_wait_is_told_when_several_limits_are_used_up(kit: Kit) -> None:
    limits = Limits(requests_per_second=1, requests_per_hour=1, requests_per_day=1)
    take(kit, limits)
    assert "requests_per_day" in wait(kit, limits).reason


def test_a_new_process_does_not_start_afresh(kit: Kit) -> None:
    for _ in range(10):
        take(kit, HOURLY)
        kit.reopen()
    wait(kit, HOURLY)


def test_feeds_do_not_share(kit: Kit) -> None:
    for _ in range(10):
        take(kit, HOURLY)
    assert isinstance(kit.store.budget.take("other", HOURLY), Share)


def test_a_forced_request_counts_and_never_waits(kit: Kit) -> None:
    for _ in range(11):
        assert isinstance(kit.store.budget.take(FEED, HOURLY, forced=True), Share)
    (use,), _ = kit.store.budget.look(FEED, HOURLY)
    assert (use.used, use.limit) == (11, 10)
    wait(kit, HOURLY)


def test_what_is_left_is_told_with_the_leave(kit: Kit) -> None:
    limits = Limits(requests_per_hour=10, bytes_per_hour=5_000)
    assert take(kit, limits).left == (("requests_per_hour", 9), ("bytes_per_hour", 5_000))
    answered(kit, limits, take(kit, limits), 2_000)
    assert take(kit, limits).left == (("requests_per_hour", 7), ("bytes_per_hour", 3_000))


def test_bytes_are_a_debt_that_later_requests_wait_for(kit: Kit) -> None:
    limits = Limits(bytes_per_hour=1_000)
    answered(kit, limits, take(kit, limits), 999)
    answered(kit, limits, take(kit, limits), 5_000)
    kit.seconds += 60
    found = wait(kit, limits)
    assert found.reason == "the budget of bytes_per_hour is used up"
    assert HOUR - 60 * SECOND <= found.until - kit.now <= HOUR
    kit.seconds = found.until / SECOND
    take(kit, limits)


def test_a_request_counts_from_its_answer_or_a_second_after_it_left(kit: Kit) -> None:
    """It may have arrived at any time in between, and the MLS counts arrivals."""
    limits = Limits(requests_per_second=1)
    share = take(kit, limits)
    kit.seconds += 0.3
    answered(kit, limits, share)
    assert 1.0 <= (wait(kit, limits).until - kit.now) / SECOND <= 1.02
    kit.seconds += 1.1
    take(kit, limits)
    assert 2.0 <= (wait(kit, limits).until - kit.now) / SECOND <= 2.02


def test_what_is_kept_stays_small_however_much_is_asked(kit: Kit) -> None:
    limits = Limits(requests_per_second=1000, requests_per_hour=10**6, requests_per_day=10**7, bytes_per_hour=10**9)
    rng = random.Random(1)
    for _ in range(400):
        answered(kit, limits, take(kit, limits), 10)
        kit.seconds += rng.choice([0.01, 1, 60, 1_000])
    assert len(kit.rows("SELECT * FROM budget_use")) <= 3 * (PARTS + 2)


def test_a_limit_that_is_set_no_longer_is_forgotten(kit: Kit) -> None:
    take(kit, HOURLY)
    take(kit, Limits(requests_per_day=10))
    assert {row[0] for row in kit.rows("SELECT kind FROM budget_use")} == {"day"}


@pytest.mark.parametrize("years", [-1, 1])
def test_a_clock_that_is_set_right_makes_nobody_wait_longer_than_a_window(kit: Kit, years: int) -> None:
    for _ in range(10):
        take(kit, HOURLY)
    share = kit.store.budget.take(FEED, NONE)
    assert isinstance(share, Share)
    kit.store.budget.refused(FEED, share, "Search", "busy", 600.0, 5.0)
    kit.seconds += years * 365 * 86_400
    found = kit.store.budget.take(FEED, HOURLY)
    if isinstance(found, Wait):
        assert found.until <= kit.now + LONGEST_PAUSE
        kit.seconds = found.until / SECOND
        found = kit.store.budget.take(FEED, HOURLY)
    if isinstance(found, Wait):
        assert found.until <= kit.now + HOUR + HOUR // PARTS + 2 * SECOND
        kit.seconds = found.until / SECOND
        take(kit, HOURLY)


@pytest.mark.parametrize("rate", [0.5, 3, 10])
def test_however_requests_and_answers_fall_no_window_is_exceeded_where_they_arrive(kit: Kit, rate: float) -> None:
    limits = Limits(requests_per_second=rate, requests_per_hour=20)
    for seed in range(12):
        rng = random.Random(seed)
        feed, now = f"feed {seed}", START * SECOND
        arrivals: list[int] = []
        under_way: list[tuple[int, Share]] = []
        for number in range(60):
            now += int(rng.random() ** rng.choice([1, 3]) * 0.9 * SECOND)
            for done, share in sorted(under_way, key=lambda pair: pair[0]):
                if done <= now:
                    kit.seconds = (done + 0.5) / SECOND  # halves, so that no float rounds to another microsecond
                    kit.store.budget.answered(feed, limits, share, "Search", 0, well=True)
                    under_way.remove((done, share))
            kit.seconds = (now + 0.5) / SECOND
            if number == 30:
                kit.reopen()
            found = kit.store.budget.take(feed, limits)
            if isinstance(found, Share):
                latency = rng.randrange(SECOND * 9 // 10)
                arrivals.append(now + int(latency * rng.random()))
                under_way.append((now + latency, found))
        assert 1 <= most(arrivals, int(SECOND / min(rate, 1))) <= max(1, rate)
        assert most(arrivals, HOUR) <= 20


def test_threads_and_processes_together_never_exceed_a_limit(kit: Kit) -> None:
    limits = Limits(requests_per_second=20, requests_per_hour=45)
    stores = [kit.backend.open(time.time) for _ in range(2)]
    arrivals: list[float] = []
    until = time.monotonic() + 20

    def ask(number: int) -> None:
        rng = random.Random(number)
        while len(arrivals) < 45 and time.monotonic() < until:
            found = stores[number % 2].budget.take(FEED, limits)
            if isinstance(found, Share):
                time.sleep(rng.random() / 50)
                arrivals.append(time.monotonic())
                time.sleep(rng.random() / 50)
                stores[number % 2].budget.answered(FEED, limits, found, "Search", 100, well=True)
            else:
                time.sleep(0.005)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert isinstance(stores[0].budget.take(FEED, limits), Wait)
    for store in stores:
        store.close()
    assert most(arrivals, 1.0) <= 20
    assert len(arrivals) == 45


# --- the MLS's own word


def test_nobody_has_leave_before_the_time_the_mls_said(kit: Kit) -> None:
    until = kit.store.budget.refused(FEED, take(kit, NONE), "Search", "too many requests", 90.0, 5.0)
    assert until == kit.now + 90 * SECOND
    kit.reopen()
    for limits in (NONE, HOURLY):
        assert wait(kit, limits) == Wait(until, "too many requests")
    assert isinstance(kit.store.budget.take("other", NONE), Share)
    assert isinstance(kit.store.budget.take(FEED, NONE, forced=True), Share)
    kit.seconds += 90
    take(kit, NONE)


@pytest.mark.parametrize(("said", "seconds"), [(0.0, 1), (None, 5), (3_600.0, 3_600), (3.2e8, 86_400), (1e300, 86_400)])
def test_a_pause_is_as_long_as_was_said_within_reason(kit: Kit, said: float | None, seconds: int) -> None:
    assert kit.store.budget.refused(FEED, take(kit, NONE), "Search", "x", said, 5.0) == kit.now + seconds * SECOND


def test_pauses_grow_while_refusals_follow_one_another_and_begin_anew_when_one_was_answered(kit: Kit) -> None:
    lengths = []
    for _ in range(12):
        until = kit.store.budget.refused(FEED, take(kit, NONE), "Search", "busy", None, 5.0)
        lengths.append((until - kit.now) // SECOND)
        kit.seconds = until / SECOND
        answered(kit, NONE, take(kit, NONE), transaction="Login")  # that one may log in says nothing of searches
    assert lengths == [5, 10, 20, 40, 80, 160, 320, 640, 1280, 2560, 3600, 3600]
    answered(kit, NONE, take(kit, NONE))
    assert kit.store.budget.refused(FEED, take(kit, NONE), "Search", "busy", None, 5.0) == kit.now + 5 * SECOND


def test_refusals_of_requests_under_way_at_once_are_one(kit: Kit) -> None:
    shares = [take(kit, NONE) for _ in range(4)]
    for share in shares:
        kit.seconds += 0.1
        until = kit.store.budget.refused(FEED, share, "Search", "busy", None, 5.0)
    assert until == kit.now + 5 * SECOND


def test_an_answer_to_a_request_sent_before_does_not_end_a_pause(kit: Kit) -> None:
    early = take(kit, NONE)
    until = kit.store.budget.refused(FEED, take(kit, NONE), "Search", "busy", 60.0, 5.0)
    answered(kit, NONE, early)
    assert wait(kit, NONE).until == until


def test_looking_shows_use_and_pause_and_takes_nothing(kit: Kit) -> None:
    limits = Limits(requests_per_hour=10, bytes_per_hour=2_000)
    answered(kit, limits, take(kit, limits), 700)
    for _ in range(3):
        uses, free = kit.store.budget.look(FEED, limits)
        assert [(use.setting, use.limit, use.used) for use in uses] == [
            ("requests_per_hour", 10, 1),
            ("bytes_per_hour", 2_000, 700),
        ]
        assert free is None
    kit.store.budget.refused(FEED, take(kit, limits), "Search", "busy", 60.0, 5.0)
    assert kit.store.budget.look(FEED, limits)[1] == Wait(kit.now + 60 * SECOND, "busy")
    kit.seconds += 2 * DAY / SECOND
    uses, free = kit.store.budget.look(FEED, limits)
    assert [use.used for use in uses] == [0, 0]
    assert free is None
