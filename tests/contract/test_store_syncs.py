"""``Syncs``: what one process asks of another, and how far a run has come."""

from __future__ import annotations

from shared.store.base import DAY, SyncRequest
from tests.contract.stores import FEED, SECOND, Kit

PATIENCE = 60 * SECOND


def test_requests_are_served_in_the_order_they_were_made(kit: Kit) -> None:
    syncs = kit.store.syncs
    assert syncs.next(FEED) is None
    for name in ("b", "a"):
        syncs.ask(name, FEED, None, PATIENCE)
        kit.seconds += 1
    assert syncs.next(FEED) == SyncRequest("b", FEED, None, PATIENCE)
    syncs.answer("b", FEED, "{}")
    assert syncs.next(FEED) == SyncRequest("a", FEED, None, PATIENCE)


def test_a_request_tells_what_was_asked_and_which_run_serves_it(kit: Kit) -> None:
    syncs = kit.store.syncs
    syncs.ask("r", FEED, 5, PATIENCE)
    assert syncs.begin("r", FEED, "run-7")
    assert syncs.look("r", FEED) == SyncRequest("r", FEED, 5, PATIENCE, "run-7")
    syncs.answer("r", FEED, '{"feed":"ddf"}')
    assert syncs.look("r", FEED) == SyncRequest("r", FEED, 5, PATIENCE, "run-7", '{"feed":"ddf"}')


def test_a_request_whose_server_died_is_still_to_be_served(kit: Kit) -> None:
    kit.store.syncs.ask("r", FEED, None, PATIENCE)
    kit.store.syncs.begin("r", FEED, "run-1")
    syncs = kit.reopen().syncs
    assert syncs.next(FEED) == SyncRequest("r", FEED, None, PATIENCE, "run-1")
    assert syncs.begin("r", FEED, "run-2")


def test_one_request_for_several_feeds_is_one_for_each(kit: Kit) -> None:
    syncs = kit.store.syncs
    for feed in (FEED, "other"):
        syncs.ask("r", feed, None, PATIENCE)
    syncs.answer("r", FEED, "{}")
    assert syncs.next(FEED) is None
    assert syncs.next("other") == SyncRequest("r", "other", None, PATIENCE)


def test_what_was_withdrawn_or_answered_is_not_begun(kit: Kit) -> None:
    syncs = kit.store.syncs
    for name in ("withdrawn", "answered"):
        syncs.ask(name, FEED, None, PATIENCE)
    syncs.withdraw("withdrawn", FEED)
    syncs.answer("answered", FEED, "{}")
    assert syncs.next(FEED) is None
    assert syncs.look("withdrawn", FEED) is None
    assert not syncs.begin("withdrawn", FEED, "run")
    assert not syncs.begin("answered", FEED, "run")


def test_requests_are_forgotten_after_a_day(kit: Kit) -> None:
    kit.store.syncs.ask("old", FEED, None, PATIENCE)
    kit.seconds += DAY / SECOND + 1
    kit.store.syncs.ask("new", FEED, None, PATIENCE)
    assert kit.store.syncs.look("old", FEED) is None
    assert kit.store.syncs.look("new", FEED) is not None


def test_a_range_handled_twice_counts_once(kit: Kit) -> None:
    syncs = kit.store.syncs
    assert syncs.parts("run", FEED, "property") == 0
    for part in (1, 2, 2, 1):
        syncs.handled("run", FEED, "property", part)
    assert syncs.parts("run", FEED, "property") == 2


def test_ranges_are_counted_by_run_feed_and_resource(kit: Kit) -> None:
    syncs = kit.store.syncs
    for where in (("run", FEED, "property"), ("run", FEED, "office"), ("run", "other", "property"),
                  ("later", FEED, "property")):  # fmt: skip
        syncs.handled(*where, 1)
    assert syncs.parts("run", FEED, "property") == 1


def test_ranges_are_forgotten_after_ten_days(kit: Kit) -> None:
    kit.store.syncs.handled("old", FEED, "property", 1)
    kit.seconds += 10 * DAY / SECOND + 1
    kit.store.syncs.handled("new", FEED, "property", 1)
    assert kit.store.syncs.parts("old", FEED, "property") == 0
    assert kit.store.syncs.parts("new", FEED, "property") == 1
