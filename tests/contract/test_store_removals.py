"""``Removals``: inventories handled and the keys they lack."""

from __future__ import annotations

from typing import Literal

from shared.effects import DropLine, EndCandidacy, Quarantine
from shared.messages import InventoryTaken, PhotosPending
from shared.store.base import Candidates, Horizon, Outstanding
from tests.contract.stores import DAY, FEED, SECOND, START, Kit, Listing


def candidates(kit: Kit, after: str | None = None, upto: str | None = None) -> set[str]:
    with kit.store.write() as tx:
        return tx.removals.candidates_between(FEED, "property", after, upto)


def weighed(kit: Kit, at: int) -> Candidates:
    with kit.store.write() as tx:
        return tx.removals.weighed(FEED, "property", at)


def decide(kit: Kit, at: int, state: Literal["held", "released"]) -> None:
    with kit.store.write() as tx:
        tx.removals.decide(FEED, "property", at, state, kit.now)


def released(kit: Kit, at: int, limit: int = 100) -> list[str]:
    with kit.store.write() as tx:
        return tx.removals.released(FEED, "property", at, limit)


# --- what is overtaken


def test_an_inventory_set_aside_goes_when_a_newer_one_is_handled(kit: Kit) -> None:
    for at, resource, key in (
        (10, "property", InventoryTaken.TYPE),
        (10, "member", InventoryTaken.TYPE),
        (10, "property", PhotosPending.TYPE + " 1"),
        (20, "property", InventoryTaken.TYPE),
    ):
        kit.store.quarantine.put(FEED, resource, key, "message", "delivered too often", b"%d" % at, at)
    kit.inventory(20)
    kept = {(item.resource, item.key, item.observed_at) for item in kit.store.quarantine.list(FEED)}
    assert kept == {
        ("member", InventoryTaken.TYPE, 10),
        ("property", PhotosPending.TYPE + " 1", 10),
        ("property", InventoryTaken.TYPE, 20),
    }


# --- candidates


def test_candidates_are_found_by_range(kit: Kit) -> None:
    kit.lack(10, *"abcde")
    assert candidates(kit) == set("abcde")
    assert candidates(kit, "b", "d") == {"c", "d"}


def test_a_candidacy_ends(kit: Kit) -> None:
    kit.lack(10, "a", "b")
    kit.apply(EndCandidacy("a"), EndCandidacy("never one"))
    assert candidates(kit) == {"b"}


def test_candidates_of_another_resource_or_feed_are_not_shown(kit: Kit) -> None:
    kit.lack(10, "a")
    with kit.store.write() as tx:
        assert tx.removals.candidates_between(FEED, "member", None, None) == set()
        assert tx.removals.candidates_between("other", "property", None, None) == set()


def test_a_candidate_that_a_later_inventory_lacks_is_renewed_and_weighed_anew(kit: Kit) -> None:
    kit.lack(10, "a")
    kit.inventory(10)
    decide(kit, 10, "released")
    kit.lack(20, "a")
    kit.inventory(20)
    assert released(kit, 10) == released(kit, 20) == []
    assert weighed(kit, 20).seen == 1


def test_an_older_inventory_does_not_renew_a_candidate(kit: Kit) -> None:
    kit.inventory(20)
    kit.lack(20, "a")
    decide(kit, 20, "released")
    kit.lack(10, "a")
    assert released(kit, 20) == ["a"]


def test_lacking_a_candidate_twice_for_one_inventory_changes_nothing(kit: Kit) -> None:
    kit.inventory(20)
    kit.lack(20, "a")
    decide(kit, 20, "released")
    kit.lack(20, "a")
    assert released(kit, 20) == ["a"]


# --- ranges handled


def test_ranges_not_handled_yet_are_missing(kit: Kit) -> None:
    for part, missing in ((2, 2), (1, 1), (3, 0)):
        kit.inventory(10, part=part, parts=3)
        assert weighed(kit, 10).parts_missing == missing


def test_marking_a_range_again_changes_nothing(kit: Kit) -> None:
    kit.inventory(10, part=1, parts=2, count=7)
    before = weighed(kit, 10)
    kit.inventory(10, part=1, parts=2, count=7)
    assert weighed(kit, 10) == before


def test_ranges_of_an_older_inventory_count_for_nothing(kit: Kit) -> None:
    kit.inventory(10, part=1, parts=2)
    kit.inventory(20, part=2, parts=2)
    assert weighed(kit, 20).parts_missing == 1
    kit.inventory(10, part=2, parts=2)
    assert weighed(kit, 10).parts_missing > 0
    assert weighed(kit, 20).parts_missing == 1


def test_an_inventory_never_heard_of_is_not_to_be_weighed(kit: Kit) -> None:
    assert weighed(kit, 10).parts_missing > 0


# --- weighing


def test_what_is_weighed_are_the_candidates_of_that_inventory_by_state(kit: Kit) -> None:
    kit.page(1, *(Listing(str(n)) for n in range(5)))
    kit.inventory(10, count=3)
    kit.lack(9, "4")
    kit.lack(10, "0", "1")
    assert weighed(kit, 10) == Candidates(2, 0, 0, stored=5, removed_today=0, count=3, parts_missing=0)
    decide(kit, 10, "held")
    known = weighed(kit, 10)
    assert (known.seen, known.held, known.released, known.complete) == (0, 2, 0, True)


def test_what_is_weighed_counts_stored_rows_and_no_tombstone_or_want(kit: Kit) -> None:
    kit.page(1, Listing("1"), Listing("2"))
    kit.remove(5, "2")
    kit.want("3", by=5)
    kit.inventory(10)
    assert weighed(kit, 10).stored == 1


def test_previous_is_the_last_inventory_handled_whole(kit: Kit) -> None:
    kit.inventory(10)
    assert weighed(kit, 10).previous is None
    decide(kit, 10, "released")
    kit.inventory(20)
    kit.inventory(30)
    assert weighed(kit, 30).previous == 10


def test_removed_today_counts_what_other_inventories_removed(kit: Kit) -> None:
    kit.page(1, Listing("1"), Listing("2"), Listing("3"))
    kit.inventory(10)
    kit.remove(10, "1")
    kit.remove(10, "2")
    assert weighed(kit, 10).removed_today == 0
    kit.inventory(20)
    assert weighed(kit, 20).removed_today == 2


def test_a_day_is_a_day_by_the_servers_clock(kit: Kit) -> None:
    """A catch-up of many simulated days within one real minute is many days; the store's clock would call it one."""
    noon = START * SECOND
    kit.page(1, Listing("1"), Listing("2"))
    kit.inventory(10, server_date=noon)
    kit.remove(10, "1")
    kit.inventory(20, server_date=noon + DAY - 1)
    assert weighed(kit, 20).removed_today == 1
    kit.inventory(30, server_date=noon + DAY)
    assert weighed(kit, 30).removed_today == 0


def test_without_a_servers_date_a_day_is_a_day_of_the_stores(kit: Kit) -> None:
    kit.page(1, Listing("1"))
    kit.inventory(10)
    kit.remove(10, "1")
    kit.inventory(9 + DAY)
    assert weighed(kit, 9 + DAY).removed_today == 1
    kit.inventory(10 + DAY)
    assert weighed(kit, 10 + DAY).removed_today == 0


# --- deciding


def test_released_candidates_are_given_in_key_order_some_at_a_time(kit: Kit) -> None:
    kit.inventory(10)
    kit.lack(10, "b", "é", "a", "B")
    decide(kit, 10, "released")
    assert released(kit, 10) == ["B", "a", "b", "é"]
    assert released(kit, 10, 2) == ["B", "a"]


def test_released_candidates_that_are_none_any_more_are_not_given(kit: Kit) -> None:
    kit.inventory(10)
    kit.lack(10, "a", "b")
    decide(kit, 10, "released")
    kit.apply(EndCandidacy("a"))
    assert released(kit, 10) == ["b"]


def test_held_candidates_are_not_released(kit: Kit) -> None:
    kit.inventory(10)
    kit.lack(10, "a")
    decide(kit, 10, "held")
    assert released(kit, 10) == []
    assert candidates(kit) == {"a"}


def test_deciding_touches_no_other_inventorys_candidates(kit: Kit) -> None:
    kit.inventory(10)
    kit.lack(9, "a")
    kit.lack(10, "b")
    decide(kit, 10, "released")
    assert released(kit, 9) == []


def test_what_was_released_is_not_held_again_by_deciding_twice(kit: Kit) -> None:
    kit.inventory(10)
    kit.lack(10, "a")
    decide(kit, 10, "released")
    decide(kit, 10, "held")
    assert released(kit, 10) == ["a"]


def test_an_approval_releases_what_was_held(kit: Kit) -> None:
    kit.inventory(10)
    kit.lack(10, "a")
    decide(kit, 10, "held")
    decide(kit, 10, "released")
    assert released(kit, 10) == ["a"]


def test_a_line_dropped_is_no_candidate_of_a_later_weighing(kit: Kit) -> None:
    kit.inventory(10)
    kit.apply(DropLine("a"))
    assert weighed(kit, 10).seen == 0


# --- a resource that is listed no more


def test_a_forgotten_resource_has_had_no_inventory_removal_or_candidate(kit: Kit) -> None:
    kit.inventory(10, count=7)
    kit.lack(10, "1")
    decide(kit, 10, "held")
    kit.page(5, Listing("2"))
    kit.remove(10, "2")
    kit.apply(Quarantine("3", "record", b"?", "no", 10))
    with kit.store.write() as tx:
        tx.removals.forget(FEED, "property", 20)
    assert candidates(kit) == set()
    assert kit.store.feeds.outstanding(FEED) == Outstanding()
    assert kit.store.feeds.status(FEED).at_mls is None
    kit.inventory(30)
    assert (weighed(kit, 30).removed_today, weighed(kit, 30).previous) == (0, None)


def test_what_was_observed_of_a_resource_before_it_was_forgotten_is_older_than_the_horizon(kit: Kit) -> None:
    for at in (20, 30):
        with kit.store.write() as tx:
            tx.removals.forget(FEED, "property", at)
            assert tx.ledger.horizon(FEED, "property") == Horizon(at, 0, complete=False)
