"""Since when a sync by changes asks, and whether it takes an inventory, at given instants."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.due import Terms, changed_since, inventory_due, reached
from shared.store.base import DAY, Horizon, Mark, Outstanding

SECOND = 1_000_000
HOUR = 3_600 * SECOND
NOW = 2_000_000_000 * SECOND
MLS_NOW = 1_700_000_000 * SECOND
NOTHING = Outstanding()


def terms(every: int = HOUR, inventory_every: int | None = DAY, overlap: int = HOUR) -> Terms:
    return Terms(overlap, every, inventory_every)


def mark(age: int = HOUR, *, unfinished: bool = False, told: bool = True) -> Mark:
    return Mark(MLS_NOW - age if told else None, NOW - age, unfinished)


def whole(age: int, *, complete: bool = True) -> Horizon:
    return Horizon(NOW - age, 100, complete)


# --- since when


def test_changes_are_asked_for_from_before_the_mark_by_the_clock_of_the_mls() -> None:
    assert changed_since(mark(2 * HOUR), NOW, terms(overlap=3 * HOUR)) == MLS_NOW - 5 * HOUR


def test_without_a_mark_no_changes_are_asked_for() -> None:
    assert changed_since(None, NOW, terms()) is None
    assert changed_since(mark(told=False), NOW, terms()) is None


def test_a_mark_older_than_ten_days_is_not_asked_from() -> None:
    assert changed_since(mark(10 * DAY), NOW, terms()) is not None
    assert changed_since(mark(10 * DAY + 1), NOW, terms()) is None


def test_the_mark_is_the_clock_of_the_mls_but_never_later_than_ours() -> None:
    assert reached(MLS_NOW, NOW) == MLS_NOW
    assert reached(NOW + DAY, NOW) == NOW
    assert reached(None, NOW) is None


# --- an inventory


def test_an_inventory_is_taken_with_every_sync_unless_set() -> None:
    assert inventory_due(mark(), whole(0), NOTHING, NOW, terms(inventory_every=None))


def test_between_two_inventories_none_is_taken() -> None:
    assert not inventory_due(mark(), whole(12 * HOUR), NOTHING, NOW, terms())


@pytest.mark.parametrize(
    ("left", "known", "before"),
    [
        (NOTHING, whole(HOUR), None),
        (NOTHING, whole(HOUR), mark(unfinished=True)),
        (NOTHING, None, mark()),
        (NOTHING, whole(HOUR, complete=False), mark()),
        (Outstanding(wanted=1), whole(HOUR), mark()),
        (Outstanding(released=1), whole(HOUR), mark()),
    ],
    ids=["no mark", "run before unsettled", "no inventory yet", "half handled", "wanted", "released"],
)
def test_what_only_an_inventory_puts_right_makes_it_due(
    left: Outstanding, known: Horizon | None, before: Mark | None
) -> None:
    assert inventory_due(before, known, left, NOW, terms())


@pytest.mark.parametrize("left", [Outstanding(photos=9), Outstanding(unavailable=9, held=9, quarantined=9)])
def test_what_an_inventory_does_not_put_right_makes_none_due(left: Outstanding) -> None:
    assert not inventory_due(mark(), whole(HOUR), left, NOW, terms())


def test_it_is_due_before_the_next_sync_would_be_too_late() -> None:
    assert not inventory_due(mark(), whole(DAY - 2 * HOUR), NOTHING, NOW, terms(every=HOUR))
    assert inventory_due(mark(), whole(DAY - HOUR), NOTHING, NOW, terms(every=HOUR))
    assert inventory_due(mark(), whole(5), NOTHING, NOW, terms(every=DAY))


def test_a_daily_sync_that_is_a_little_early_takes_its_inventory() -> None:
    """Begun at the same time of day: the inventory before was observed some seconds into its sync."""
    assert inventory_due(mark(DAY), whole(DAY - 9 * SECOND), NOTHING, NOW, terms())


def schedule(every: int, inventory_every: int, days: int, late: list[float]) -> list[int]:
    """When inventories are taken by syncs that come ``every`` so often, each late by its share of ``every``."""
    taken: list[int] = []
    now = NOW
    for lateness in itertools.cycle(late):
        if now > NOW + days * DAY:
            return taken
        last = Horizon(taken[-1], 1, True) if taken else None
        before = Mark(MLS_NOW, now - every) if taken else None
        if inventory_due(before, last, NOTHING, now, terms(every, inventory_every)):
            taken.append(now)
        now += int(every * (1 + lateness))
    raise AssertionError


def test_ten_days_of_hourly_syncs_take_an_inventory_at_least_daily_and_hardly_more_often() -> None:
    taken = schedule(HOUR, DAY, 10, [0.0])
    gaps = [after - before for before, after in itertools.pairwise(taken)]
    assert len(taken) == 11
    assert {gap // HOUR for gap in gaps} == {23}


@given(
    st.integers(60, 30 * 3_600),
    st.integers(3_600, 86_400),
    st.lists(st.floats(0, 0.1), min_size=1, max_size=5),
)
def test_inventories_are_never_further_apart_than_set_as_long_as_syncs_come_that_often(
    every: int, inventory_every: int, late: list[float]
) -> None:
    taken = schedule(every * SECOND, inventory_every * SECOND, 4, late)
    limit = max(inventory_every, every * 1.1) * SECOND
    assert all(after - before <= limit + 1 for before, after in itertools.pairwise(taken))
