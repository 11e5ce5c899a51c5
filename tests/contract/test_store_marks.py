"""``Marks``: runs that asked for changes, and when the mark moves."""

from __future__ import annotations

import pytest

from shared.effects import DropLine, Line, PutLine
from shared.store.base import KEEP_MARKS, Mark
from tests.contract.stores import FEED, SECOND, Kit

REACHED = 1_700_000_000 * SECOND
"""On the MLS's clock, which has nothing to do with the store's."""


def mark(kit: Kit, resource: str = "property", feed: str = FEED) -> Mark | None:
    with kit.store.write() as tx:
        return tx.marks.mark(feed, resource)


def begin(kit: Kit, run: str, resource: str = "property", feed: str = FEED) -> int:
    begun = kit.store.feeds.observe(feed)
    with kit.store.write() as tx:
        tx.marks.begin(feed, resource, run, begun)
    return begun


def complete(
    kit: Kit, run: str, pages: int = 0, inventory: int | None = None, reached: int | None = REACHED,
    resource: str = "property", feed: str = FEED,
) -> None:  # fmt: skip
    with kit.store.write() as tx:
        tx.marks.complete(feed, resource, run, reached, pages, inventory)


def handled(kit: Kit, run: str, *messages: str, resource: str = "property") -> None:
    for message in messages:
        with kit.store.write() as tx:
            tx.marks.handled(FEED, resource, run, message)


def settle(kit: Kit, resource: str = "property", feed: str = FEED) -> bool:
    with kit.store.write() as tx:
        return tx.marks.settle(feed, resource, kit.now)


def unhandled(kit: Kit, run: str, pages: int) -> int:
    with kit.store.write() as tx:
        return tx.marks.unhandled(FEED, "property", run, pages)


def whole(kit: Kit, parts: int = 1, handled: int = 1) -> int:
    """An inventory, handled whole unless fewer of its ranges were."""
    at = kit.store.feeds.observe(FEED)
    for part in range(1, handled + 1):
        kit.inventory(at, part=part, parts=parts)
    if handled == parts:
        with kit.store.write() as tx:
            tx.removals.decide(FEED, "property", at, "released", kit.now)
    return at


def first(kit: Kit) -> int:
    """A first run, by inventory alone, settled."""
    begun = begin(kit, "first")
    complete(kit, "first", inventory=whole(kit))
    assert settle(kit)
    return begun


def test_before_the_first_run_was_settled_there_is_no_mark(kit: Kit) -> None:
    assert mark(kit) is None
    assert not settle(kit)
    begin(kit, "r1")
    assert mark(kit) is None


def test_a_run_whose_inventory_was_handled_whole_moves_the_mark(kit: Kit) -> None:
    begun = first(kit)
    assert mark(kit) == Mark(REACHED, begun)
    assert kit.rows("SELECT run_id, settled_at FROM mark") == [("first", kit.now)]


def test_a_run_of_an_mls_without_a_clock_leaves_a_mark_that_says_so(kit: Kit) -> None:
    first(kit)
    begun = begin(kit, "r2")
    complete(kit, "r2", reached=None)
    assert settle(kit)
    assert mark(kit) == Mark(None, begun)


def test_a_run_moves_the_mark_once_every_page_was_written(kit: Kit) -> None:
    old = first(kit)
    begun = begin(kit, "r2")
    handled(kit, "r2", "a")
    complete(kit, "r2", pages=2, reached=REACHED + 5)
    assert not settle(kit)
    assert mark(kit) == Mark(REACHED, old, unfinished=True)
    handled(kit, "r2", "b")
    assert settle(kit)
    assert mark(kit) == Mark(REACHED + 5, begun)


def test_a_page_delivered_twice_counts_once(kit: Kit) -> None:
    first(kit)
    begin(kit, "r2")
    handled(kit, "r2", "a", "a", "a")
    complete(kit, "r2", pages=2)
    handled(kit, "r2", "a")
    assert unhandled(kit, "r2", 2) == 1
    assert not settle(kit)


def test_a_page_of_another_run_or_resource_does_not_count(kit: Kit) -> None:
    first(kit)
    begin(kit, "r2")
    complete(kit, "r2", pages=1)
    handled(kit, "r3", "a")
    handled(kit, "r2", "a", resource="member")
    assert not settle(kit)
    assert kit.rows("SELECT * FROM mark_page") == []


def test_a_run_that_was_never_completed_moves_no_mark(kit: Kit) -> None:
    """It died, its inventory failed, or what came was in doubt."""
    first(kit)
    begin(kit, "r2")
    handled(kit, "r2", "a")
    assert not settle(kit)
    kit.reopen()
    assert not settle(kit)


def test_unhandled_counts_down_and_is_nothing_once_settled(kit: Kit) -> None:
    first(kit)
    begin(kit, "r2")
    assert unhandled(kit, "r2", 3) == 3
    handled(kit, "r2", "a", "b")
    assert unhandled(kit, "r2", 3) == 1
    handled(kit, "r2", "c")
    complete(kit, "r2", pages=3)
    assert settle(kit)
    assert unhandled(kit, "r2", 3) == unhandled(kit, "never", 3) == 0
    assert kit.rows("SELECT * FROM mark_page") == []


def test_its_inventory_must_have_been_handled_whole_or_a_newer_one(kit: Kit) -> None:
    first(kit)
    begin(kit, "r2")
    complete(kit, "r2", inventory=kit.store.feeds.observe(FEED))
    assert not settle(kit)
    whole(kit)
    assert settle(kit)


@pytest.mark.parametrize("with_inventory", [True, False])
def test_while_an_inventory_is_half_handled_nothing_is_settled(kit: Kit, with_inventory: bool) -> None:
    """It may have had a page of the run dropped whose key the range not yet handled will want."""
    first(kit)
    begin(kit, "r2")
    at = whole(kit, parts=2, handled=1)
    complete(kit, "r2", inventory=at if with_inventory else None)
    assert not settle(kit)
    kit.inventory(at, part=2, parts=2)
    with kit.store.write() as tx:
        tx.removals.decide(FEED, "property", at, "held", kit.now)
    assert settle(kit)


def test_a_record_wanted_keeps_the_mark_where_it_is(kit: Kit) -> None:
    first(kit)
    begin(kit, "r2")
    at = whole(kit)
    kit.want("1", by=at)
    complete(kit, "r2", inventory=at)
    assert not settle(kit)
    kit.apply(DropLine("1"))
    assert settle(kit)


def test_a_record_asked_for_in_vain_or_in_back_off_does_not(kit: Kit) -> None:
    first(kit)
    begin(kit, "r2")
    at = whole(kit)
    complete(kit, "r2", inventory=at)
    kit.apply(
        PutLine(Line("1", wanted_stamp="s", wanted_by=at, attempts=1, attempted_by=at, reason="lost")),
        PutLine(Line("2", wanted_stamp="s", wanted_by=at, attempted_by=at - 1, next_attempt_at=kit.now + 1)),
    )
    assert settle(kit)


def test_a_back_off_that_has_ended_is_a_record_wanted(kit: Kit) -> None:
    first(kit)
    begin(kit, "r2")
    complete(kit, "r2")
    kit.apply(PutLine(Line("2", wanted_stamp="s", wanted_by=9, attempted_by=5, next_attempt_at=kit.now)))
    assert not settle(kit)


def test_the_newest_run_that_is_settled_is_the_mark_and_older_ones_are_forgotten(kit: Kit) -> None:
    first(kit)
    begin(kit, "lost")
    handled(kit, "lost", "a")
    for number in (2, 3):
        begin(kit, f"r{number}")
        complete(kit, f"r{number}", reached=REACHED + number)
    begin(kit, "under way")
    handled(kit, "under way", "b")
    assert settle(kit)
    found = mark(kit)
    assert found is not None
    assert (found.reached, found.unfinished) == (REACHED + 3, True)
    assert kit.rows("SELECT run_id FROM mark ORDER BY begun") == [("r3",), ("under way",)]
    assert kit.rows("SELECT run_id, message FROM mark_page") == [("under way", "b")]
    complete(kit, "lost")
    assert not settle(kit)


def test_an_older_run_may_settle_while_a_newer_one_is_under_way(kit: Kit) -> None:
    """A run slower than the schedule would else never move the mark."""
    first(kit)
    begun = begin(kit, "r2")
    complete(kit, "r2", pages=1, reached=REACHED + 2)
    begin(kit, "r3")
    handled(kit, "r2", "a")
    assert settle(kit)
    assert mark(kit) == Mark(REACHED + 2, begun, unfinished=True)


def test_a_settled_run_is_not_settled_again(kit: Kit) -> None:
    begun = first(kit)
    complete(kit, "first", reached=REACHED + 9)
    assert not settle(kit)
    assert mark(kit) == Mark(REACHED, begun)


def test_runs_given_up_are_forgotten_in_time_the_mark_is_not(kit: Kit) -> None:
    first(kit)
    begin(kit, "lost")
    handled(kit, "lost", "a")
    kit.seconds += KEEP_MARKS / SECOND + 1
    begin(kit, "r2")
    assert kit.rows("SELECT run_id FROM mark ORDER BY begun") == [("first",), ("r2",)]
    assert kit.rows("SELECT * FROM mark_page") == []


def test_resources_and_feeds_have_marks_of_their_own(kit: Kit) -> None:
    first(kit)
    begin(kit, "first", "member")
    begin(kit, "first", feed="other")
    assert mark(kit, "member") is mark(kit, feed="other") is None
    complete(kit, "first", resource="member")
    complete(kit, "first", feed="other")
    kit.want("1", by=5, resource="member")
    begin(kit, "r2")
    complete(kit, "r2")
    assert not settle(kit, "member")
    assert not settle(kit, feed="other")
    assert settle(kit)
    found = mark(kit)
    assert found is not None
    assert not found.unfinished


def test_another_process_finds_the_same(kit: Kit) -> None:
    old = first(kit)
    begin(kit, "r2")
    handled(kit, "r2", "a")
    complete(kit, "r2", pages=2)
    kit.reopen()
    assert mark(kit) == Mark(REACHED, old, unfinished=True)
    assert unhandled(kit, "r2", 2) == 1
    handled(kit, "r2", "b")
    kit.reopen()
    assert settle(kit)
