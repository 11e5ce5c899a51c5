"""When syncs begin, over simulated weeks: never too close, never at the wrong hour, and a missed one once."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.beat import JITTER, MINUTE, MOST_JITTER, RETRY, Beat, next_start
from shared.hours import Hours, parse_hours

HOUR = 60 * MINUTE
DAY = 24 * HOUR
SPRING = int(datetime(2024, 3, 4, tzinfo=UTC).timestamp()) * 1_000_000
AUTUMN = int(datetime(2024, 10, 28, tzinfo=UTC).timestamp()) * 1_000_000
Runs = list[tuple[int, str | None]]
Draw = Callable[[int], float]


def draws(seed: int) -> Draw:
    return lambda began: random.Random(f"{seed} {began}").uniform(-1, 1)


def still(_began: int) -> float:
    return 0.0


def test_the_first_sync_begins_at_once_and_each_next_one_a_beat_after_the_last_began() -> None:
    assert next_start(Beat(HOUR), [], SPRING, still) == SPRING
    assert next_start(Beat(HOUR), [(SPRING, "in_step")], SPRING + 5 * MINUTE, still) == SPRING + HOUR


def test_jitter_is_a_tenth_of_the_beat_and_bounded() -> None:
    for every, most in ((HOUR, 6 * MINUTE), (7 * DAY, MOST_JITTER)):
        for extreme, draw in ((-1, lambda _: -1.0), (1, lambda _: 1.0)):
            found = next_start(Beat(every), [(SPRING, "in_step")], SPRING, draw)
            assert found == SPRING + every + extreme * most


@pytest.mark.parametrize("missed", [1, 5, 500])
def test_however_many_beats_were_missed_one_sync_makes_up_for_them(missed: int) -> None:
    runs: Runs = [(SPRING, "in_step")]
    now = SPRING + missed * HOUR + 17 * MINUTE
    assert next_start(Beat(HOUR), runs, now, still) == now
    assert next_start(Beat(HOUR), [(now, "in_step"), *runs], now + MINUTE, still) == now + HOUR


def test_a_sync_that_outlasts_its_beat_is_followed_by_one_at_once_and_then_the_beat() -> None:
    ended = SPRING + 3 * HOUR
    assert next_start(Beat(HOUR), [(SPRING, "unfinished")], ended, still) == ended
    assert next_start(Beat(HOUR), [(ended, "in_step"), (SPRING, "unfinished")], ended, still) == ended + HOUR


def test_what_the_hours_did_not_allow_is_made_up_for_when_they_begin() -> None:
    beat = Beat(HOUR, parse_hours("09:00-03:00 America/Toronto"))
    last = SPRING + 7 * HOUR + 30 * MINUTE  # 02:30 there
    opens = SPRING + 14 * HOUR
    assert next_start(beat, [(last, "in_step")], last, still) == opens
    assert next_start(beat, [(opens, "in_step"), (last, "in_step")], opens, still) == opens + HOUR


@pytest.mark.parametrize("outcome", ["unavailable", "stopped", None])
def test_a_sync_that_did_not_come_about_is_tried_again_soon_and_then_ever_later(outcome: str | None) -> None:
    runs: Runs = [(SPRING - DAY, "in_step")]
    gaps = []
    now = SPRING
    for _ in range(9):
        runs.insert(0, (now, outcome))
        gaps.append(next_start(Beat(HOUR), runs, now, still) - now)
        now += gaps[-1]
    assert gaps == [RETRY << n for n in range(6)] + [HOUR] * 3


def test_a_login_that_was_refused_is_not_tried_again_sooner() -> None:
    assert next_start(Beat(HOUR), [(SPRING, "failed")], SPRING, still) == SPRING + HOUR


def test_a_sync_that_might_not_ask_begins_when_it_may() -> None:
    free = SPRING + 20 * MINUTE
    assert next_start(Beat(DAY), [(SPRING, "paused")], SPRING + MINUTE, still, free) == free
    assert next_start(Beat(DAY), [(SPRING, "paused")], SPRING, still) == SPRING + RETRY
    assert next_start(Beat(HOUR), [(SPRING, "in_step")], SPRING + 2 * HOUR, still, SPRING + 3 * HOUR) == (
        SPRING + 3 * HOUR
    )


def simulate(
    beat: Beat, begins: int, days: int, seed: int, asleep: list[tuple[int, int]], lasts: Callable[[int], int]
) -> list[int]:
    """Every beginning within so many days, of a process that looks every minute unless it sleeps or syncs."""
    draw = draws(seed)
    starts: list[int] = []
    now = begins
    while now < begins + days * DAY:
        awake = next((until for since, until in asleep if since <= now < until), now)
        if awake > now:
            now = awake
            continue
        at = next_start(beat, [(start, "in_step") for start in reversed(starts[-3:])], now, draw)
        assert at >= now
        if at == now:
            starts.append(now)
            now += max(MINUTE, lasts(len(starts)))
        else:
            # nothing changes until then: the next minute that matters
            now = min([at, *(since for since, _ in asleep if since > now)])
    return starts


@given(
    st.integers(15, 600),
    st.sampled_from([None, *(f"{hours} America/Toronto" for hours in ("09:00-03:00", "02:10-02:50", "22:00-01:30"))]),
    st.sampled_from([SPRING, AUTUMN]),
    st.lists(st.tuples(st.integers(0, 14 * 24 * 60), st.integers(1, 3000)), max_size=4),
    st.integers(0, 99),
)
def test_over_weeks_and_both_changes_of_the_clock(
    every: int, written: str | None, begins: int, naps: list[tuple[int, int]], seed: int
) -> None:
    hours = parse_hours(written) if written else None
    beat = Beat(every * MINUTE, hours)
    asleep = [(begins + since * MINUTE, begins + (since + length) * MINUTE) for since, length in naps]
    rng = random.Random(seed)
    lengths = [rng.choice([1, 1, 1, 20, 2 * every]) * MINUTE for _ in range(3000)]
    starts = simulate(beat, begins, 14, seed, asleep, lambda number: lengths[number % 3000])

    least, most = beat.every * (1 - JITTER), beat.every * (1 + JITTER)
    assert starts
    for number, (one, two) in enumerate(pairwise(starts), start=1):
        assert two - one >= least - 1  # so a missed one is made up for once, however many were missed
        assert hours is None or hours.contain(two)
        assert two <= may_begin(int(max(one + most, one + lengths[number % 3000])) + 1, hours, asleep)


def may_begin(at: int, hours: Hours | None, asleep: list[tuple[int, int]]) -> int:
    """The first instant from ``at`` on at which the hours allow it and the process is awake."""
    while True:
        then = at if hours is None else hours.following(at, within=True)
        then = max([then, *(until for since, until in asleep if since <= then < until)])
        if then == at:
            return at
        at = then


def test_every_minute_of_four_weeks_around_the_changes_of_the_clock() -> None:
    """By brute force: asked every minute, the decision never names an instant outside the hours or in the past."""
    beat = Beat(45 * MINUTE, parse_hours("09:00-03:00 America/Toronto"))
    for begins in (SPRING, AUTUMN):
        starts: Runs = []
        for now in range(begins, begins + 14 * DAY, MINUTE):
            at = next_start(beat, starts[:2], now, draws(1))
            assert at >= now
            if at == now or at < now + MINUTE:
                starts.insert(0, (at, "in_step"))
        assert all(beat.hours is not None and beat.hours.contain(start) for start, _ in starts)
        gaps = [late - early for (late, _), (early, _) in pairwise(starts)]
        assert min(gaps) >= 40 * MINUTE
        nights = sum(gap > 2 * HOUR for gap in gaps)
        assert nights in (13, 14)
        assert max(gaps) <= 7 * HOUR  # one hour of the night of the change more, or less
