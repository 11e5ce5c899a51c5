"""``Census``: figures of all feeds at once, which agree with what status says of each."""

from __future__ import annotations

from shared.effects import Line, PutLine, Quarantine
from shared.store.base import Counts, PhotoFailed
from tests.contract.stores import FEED, RUN, SECOND, START, Kit, Listing

A_DAY = 86_400


def in_all_states(kit: Kit) -> None:
    """Listings, photos, wants, holds, quarantine and runs of every kind that is counted."""
    kit.page(
        100,
        Listing("K1", photos={1: 1, 2: 1}, agents={"A1": ("Ann", "O1")}),
        Listing("K2", photos={1: 1}),
        Listing("K3"),
        Listing("K4"),
    )
    kit.apply(
        PutLine(Line("K5", wanted_stamp="x", wanted_by=200)),
        PutLine(Line("K6", wanted_stamp="x", wanted_by=200, attempts=1, attempted_by=200, reason="not delivered")),
        Quarantine("K7", "record", b"<x/>", "no key", 200),
        Quarantine("K8", "xml", b"<y", "broken", 200),
    )
    kit.store.quarantine.put("", "", "writer", "message", "undecodable", b"?", 200)
    want = kit.wants("K2")[0]
    with kit.store.write() as tx:
        lost = PhotoFailed(want.media_key, want.version, want.horizon, "http_404", None)
        tx.media.settle(FEED, "property", "K2", RUN, [], [lost])
    kit.inventory(300, count=3)
    kit.lack(300, "K3", "K4")
    with kit.store.write() as tx:
        tx.removals.decide(FEED, "property", 300, "held", kit.now)


def test_an_empty_store_has_nothing_to_count(kit: Kit) -> None:
    assert kit.store.census.take() == Counts()
    assert kit.store.census.listed_since(FEED, "property") is None


def test_the_figures_agree_with_the_status_of_the_feed(kit: Kit) -> None:
    in_all_states(kit)
    counts, status = kit.store.census.take(), kit.store.feeds.status(FEED)
    listings = (FEED, "property")
    assert counts.stored[listings] == status.stored == 4
    assert counts.stored[FEED, "member"] == status.resources["member"].stored == 1
    assert counts.stored[FEED, "office"] == status.resources["office"].stored == 1
    assert counts.unavailable[listings] == status.unavailable == 1
    assert counts.wanted[listings] == 2
    assert counts.held[listings] == status.held == 2
    assert counts.whole[listings] == (300, status.at_mls) == (300, 3)
    assert counts.photos_stored[FEED] == status.photos_stored == 0
    assert counts.photos_pending[FEED] == status.photos_pending == 2
    assert counts.photos_failed[FEED] == status.photos_failed == 1
    assert counts.quarantined == {(FEED, "record"): 1, (FEED, "xml"): 1, ("", "message"): 1}
    assert status.quarantined == 2


def test_photos_stored_are_those_in_the_version_wanted(kit: Kit) -> None:
    kit.page(100, Listing("K1", photos={1: 1, 2: 1}))
    kit.fetch("K1")
    counts, status = kit.store.census.take(), kit.store.feeds.status(FEED)
    assert counts.photos_stored[FEED] == status.photos_stored == 2
    assert counts.photo_sets == {FEED: (1, 0)}
    kit.page(200, Listing("K1", stamp=2, photos={1: 1, 2: 5}))
    counts, status = kit.store.census.take(), kit.store.feeds.status(FEED)
    assert counts.photos_stored[FEED] == status.photos_stored == 1
    assert counts.photos_pending[FEED] == status.photos_pending == 1
    assert counts.photo_sets == {FEED: (1, 1)}


def test_the_last_sync_and_the_last_in_step_are_those_that_ended(kit: Kit) -> None:
    feeds = kit.store.feeds
    for number, (kind, outcome) in enumerate(
        [("sync", "in_step"), ("sync", "failed"), ("remap", "done"), ("sync", None)]
    ):
        kit.seconds = START + 100 * number
        feeds.start_run(FEED, f"run-{number}", kind)
        kit.seconds += 10
        if outcome is not None:
            feeds.finish_run(FEED, f"run-{number}", outcome)
    counts = kit.store.census.take()
    assert counts.runs == {FEED: ("failed", (START + 110) * SECOND)}
    assert counts.in_step == {FEED: (START + 10) * SECOND}


def test_a_resource_is_listed_since_the_first_run_that_took_its_inventory(kit: Kit) -> None:
    feeds = kit.store.feeds
    for number, resource in enumerate(["", "property", "property", "member"]):
        kit.seconds = START + A_DAY * number
        feeds.start_run(FEED, f"run-{number}", "sync")
        feeds.count(FEED, f"run-{number}", resource, {"inventory" if resource else "requests": 3})
    census = kit.store.census
    assert census.listed_since(FEED, "property") == (START + A_DAY) * SECOND
    assert census.listed_since(FEED, "member") == (START + 3 * A_DAY) * SECOND
    assert census.listed_since(FEED, "office") is None
    assert census.listed_since("other", "property") is None


def test_odd_elements_are_counted_by_kind(kit: Kit) -> None:
    kit.page(100, Listing("K1", more={"Unheard": "of", "Bedrooms": "many"}))
    kit.page(200, Listing("K2", more={"Unheard": "of"}))
    odd = kit.store.census.take().odd
    assert odd[FEED, "property", "unknown"] == len(
        {item.element for item in kit.store.feeds.status(FEED).extra.oddities if not item.reason}
    )
