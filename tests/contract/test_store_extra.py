"""What stands in ``extra`` is counted exactly as it is stored, with when it was first and last read."""

from __future__ import annotations

from typing import Any

from shared.mapping.extra import Oddity
from shared.store.base import Store
from tests.contract.stores import FEED, Kit, Listing

NEW: dict[str, Any] = {"NewThing": "x"}


def tallied(store: Store, feed: str = FEED) -> list[tuple[str, str, str, int]]:
    found = store.feeds.status(feed).extra
    assert found.others == 0
    return [(item.resource, item.element, item.reason, item.records) for item in found.oddities]


def test_a_feed_without_oddities_has_none(kit: Kit) -> None:
    kit.page(5, Listing("1", rooms=2, agents={"7": ("Ann", "8")}))
    assert tallied(kit.store) == []


def test_counts_follow_what_is_written_replaced_and_removed(kit: Kit) -> None:
    kit.page(5, *(Listing(str(n), more=NEW) for n in range(3)), Listing("9", more={"Lease": "soon", **NEW}))
    assert tallied(kit.store) == [("property", "NewThing", "", 4), ("property", "Lease", "number", 1)]
    kit.page(6, Listing("0", more=NEW, stamp=2), Listing("1", stamp=2), Listing("9", stamp=2, more={"Lease": "9" * 20}))
    assert tallied(kit.store) == [("property", "NewThing", "", 2), ("property", "Lease", "range", 1)]
    kit.remove(7, "0", "9")
    assert tallied(kit.store) == [("property", "NewThing", "", 1)]
    assert tallied(kit.reopen()) == [("property", "NewThing", "", 1)]


def test_first_and_last_seen_are_when_records_were_observed(kit: Kit) -> None:
    kit.page(5, Listing("1", more=NEW))
    kit.page(9, Listing("2", more=NEW), Listing("1", more=NEW))
    kit.page(7, Listing("3", more={"Lease": "soon"}))
    assert kit.store.feeds.status(FEED).extra.oddities == (
        Oddity("property", "NewThing", "", 2, 5, 9), Oddity("property", "Lease", "number", 1, 7, 7)
    )  # fmt: skip
    kit.page(11, Listing("1", stamp=2), Listing("2", stamp=2))
    kit.page(12, Listing("1", stamp=3, more=NEW))
    assert kit.store.feeds.status(FEED).extra.oddities[1] == Oddity("property", "NewThing", "", 1, 5, 12)


def test_members_and_offices_are_counted_where_they_are_stored(kit: Kit) -> None:
    agent = {"@ID": "7", "Name": "Ann", "Mood": "good", "Office": {"@ID": "8", "Name": "A", "Motto": "!"}}
    kit.page(5, Listing("1", more={"AgentDetails": agent}), Listing("2", more={"AgentDetails": agent}))
    assert tallied(kit.store) == [("member", "Mood", "", 1), ("office", "Motto", "", 1)]


def test_a_timestamp_that_is_none_is_counted_though_only_the_ledger_keeps_it(kit: Kit) -> None:
    kit.page(5, Listing("1", written="yesterday"), Listing("2"))
    assert tallied(kit.store) == [("property", "@LastUpdated", "date", 1)]


def test_feeds_are_counted_apart(kit: Kit) -> None:
    kit.page(5, Listing("1", more=NEW))
    assert tallied(kit.store, "other") == []


def test_names_of_any_kind_and_number_are_counted_in_bounds(kit: Kit) -> None:
    hostile: dict[str, Any] = {"x" * 100_000: "", "\x1b[31m": {"a": "b"}, "a/b[3]'": "1", "#unfit": "1"}
    many = {f"E{n}": "" for n in range(1_500)}
    kit.page(5, Listing("1", more=hostile), Listing("2", more=many))
    found = kit.store.feeds.status(FEED).extra
    assert len(found.oddities) + found.others == 1_504
    assert len(found.oddities) == 200
    assert all(len(item.element) <= 200 for item in found.oddities)
    (noted,) = kit.rows("SELECT count(*), max(length(element)) FROM extra_element")
    assert noted == (1_000, 200)
