"""``Feeds``: the clock, the runs and the state of each feed."""

from __future__ import annotations

import threading

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.effects import Line, PutLine, Quarantine
from shared.store.base import Outstanding, PhotoFailed, ResourceStatus
from tests.contract.stores import FEED, RUN, SECOND, START, Kit, Listing


def complete(kit: Kit, at: int, count: int) -> None:
    kit.inventory(at, count=count)
    with kit.store.write() as tx:
        tx.removals.decide(FEED, "property", at, "released", kit.now)


def hold(kit: Kit, at: int, *keys: str) -> None:
    kit.inventory(at)
    kit.lack(at, *keys)
    with kit.store.write() as tx:
        tx.removals.decide(FEED, "property", at, "held", kit.now)


def fail_photo(kit: Kit, key: str, until: int | None) -> None:
    want = kit.wants(key)[0]
    with kit.store.write() as tx:
        lost = PhotoFailed(want.media_key, want.version, want.horizon, "not_found", until)
        tx.media.settle(FEED, "property", key, RUN, [], [lost])


# --- the clock


def test_now_is_the_stores_clock_in_microseconds(kit: Kit) -> None:
    kit.seconds = START + 0.25
    assert kit.store.feeds.now() == START * SECOND + 250_000


def test_observed_at_is_the_stores_clock(kit: Kit) -> None:
    assert kit.store.feeds.observe(FEED) == START * SECOND


def test_observed_at_is_later_each_time_though_the_clock_stands_still(kit: Kit) -> None:
    given_out = [kit.store.feeds.observe(FEED) for _ in range(5)]
    assert given_out == sorted(set(given_out))


def test_observed_at_is_later_each_time_though_the_clock_steps_back(kit: Kit) -> None:
    before = kit.store.feeds.observe(FEED)
    kit.seconds -= 86_400
    assert kit.store.feeds.observe(FEED) > before


def test_observed_at_is_later_than_what_another_process_was_given(kit: Kit) -> None:
    before = kit.store.feeds.observe(FEED)
    kit.reopen()
    kit.seconds -= 86_400
    assert kit.store.feeds.observe(FEED) > before


def test_observed_at_follows_the_clock_again_once_that_has_caught_up(kit: Kit) -> None:
    kit.store.feeds.observe(FEED)
    kit.seconds += 60
    assert kit.store.feeds.observe(FEED) == kit.now


@given(st.lists(st.tuples(st.floats(-1e6, 1e6), st.booleans()), max_size=8))
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_observed_at_never_steps_back_whatever_clock_and_processes_do(
    kit: Kit, steps: list[tuple[float, bool]]
) -> None:
    last = kit.store.feeds.observe(FEED)
    for offset, restarts in steps:
        kit.seconds = START + offset
        if restarts:
            kit.reopen()
        following = kit.store.feeds.observe(FEED)
        assert following > last
        last = following


def test_threads_are_never_given_the_same_observed_at(kit: Kit) -> None:
    given_out: list[int] = []

    def observe() -> None:
        given_out.extend(kit.store.feeds.observe(FEED) for _ in range(25))

    threads = [threading.Thread(target=observe) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(given_out)) == 50


def test_feeds_have_clocks_of_their_own(kit: Kit) -> None:
    kit.seconds += 60
    kit.store.feeds.observe("other")
    kit.seconds -= 60
    assert kit.store.feeds.observe(FEED) == kit.now


# --- runs


def test_a_run_is_shown_as_the_last_from_its_start(kit: Kit) -> None:
    assert kit.store.feeds.status(FEED).last_run is None
    kit.store.feeds.start_run(FEED, "r1", "sync")
    assert kit.store.feeds.status(FEED).last_run == {
        "run_id": "r1", "kind": "sync", "started_at": kit.now, "finished_at": None, "outcome": None, "error": None,
    }  # fmt: skip


def test_a_finished_run_says_how_it_ended(kit: Kit) -> None:
    kit.store.feeds.start_run(FEED, "r1", "sync")
    kit.seconds += 5
    kit.store.feeds.finish_run(FEED, "r1", "failed", "no answer")
    last = kit.store.feeds.status(FEED).last_run
    assert last is not None
    assert (last["finished_at"], last["outcome"], last["error"]) == (kit.now, "failed", "no answer")


def test_the_last_runs_of_a_kind_are_told_newest_first_and_none_of_the_future(kit: Kit) -> None:
    assert kit.store.feeds.runs(FEED, "sync", kit.now, 10) == []
    begun = []
    for number in range(5):
        kit.seconds += 60
        begun.append(kit.now)
        kit.store.feeds.start_run(FEED, f"r{number}", "sync")
        kit.store.feeds.start_run(FEED, f"l{number}", "limited")
        kit.store.feeds.start_run("other", f"r{number}", "sync")
        if number != 3:
            kit.store.feeds.finish_run(FEED, f"r{number}", "in_step")
    assert kit.store.feeds.runs(FEED, "sync", kit.now, 3) == [
        (begun[4], "in_step"), (begun[3], None), (begun[2], "in_step"),
    ]  # fmt: skip
    kit.seconds -= 150  # the clock was set back
    assert [began for began, _ in kit.store.feeds.runs(FEED, "sync", kit.now, 3)] == [begun[1], begun[0]]


def test_the_last_run_is_the_one_started_last(kit: Kit) -> None:
    for name in ("r2", "r1"):
        kit.store.feeds.start_run(FEED, name, "sync")
        kit.seconds += 1
    kit.store.feeds.start_run("other", "r3", "sync")
    last = kit.store.feeds.status(FEED).last_run
    assert last is not None
    assert last["run_id"] == "r1"


def test_counts_add_up_by_run_feed_resource_and_name(kit: Kit) -> None:
    feeds = kit.store.feeds
    feeds.count(FEED, "r1", "property", {"fetched": 2, "requests": 1})
    feeds.count(FEED, "r1", "property", {"fetched": 3})
    feeds.count(FEED, "r1", "member", {"fetched": 5})
    feeds.count("other", "r1", "property", {"fetched": 7})
    feeds.count(FEED, "r2", "property", {"fetched": 11})
    assert feeds.counts("r1") == {
        FEED: {"property": {"fetched": 5, "requests": 1}, "member": {"fetched": 5}},
        "other": {"property": {"fetched": 7}},
    }
    assert feeds.counts("r0") == {}


# --- what is lacking


def test_a_feed_never_heard_of_lacks_nothing(kit: Kit) -> None:
    assert kit.store.feeds.outstanding(FEED) == Outstanding()


def test_wanted_are_the_records_that_can_be_asked_for_now(kit: Kit) -> None:
    kit.want("1", "2", by=5)
    kit.apply(
        PutLine(Line("3", wanted_stamp="s", wanted_by=5, attempts=1, attempted_by=5, reason="lost")),
        PutLine(Line("4", wanted_stamp="s", wanted_by=5, attempted_by=4, next_attempt_at=kit.now + 1, reason="lost")),
    )
    left = kit.store.feeds.outstanding(FEED)
    assert (left.wanted, left.unavailable, left.next_due) == (2, 2, kit.now + 1)
    kit.seconds += 1
    assert kit.store.feeds.outstanding(FEED).wanted == 3


def test_photos_are_those_to_fetch_now_and_the_objects_to_delete(kit: Kit) -> None:
    kit.page(10, Listing("1", photos={1: 1, 2: 1}), Listing("2", photos={1: 1}))
    kit.fetch("2")
    kit.remove(20, "2")
    assert kit.store.feeds.outstanding(FEED).photos == 3
    fail_photo(kit, "1", kit.now + SECOND)
    left = kit.store.feeds.outstanding(FEED)
    assert (left.photos, left.photos_failed, left.next_due) == (2, 1, kit.now + SECOND)


def test_a_photo_tried_in_vain_is_to_fetch_again_after_the_next_inventory_of_its_own_resource(kit: Kit) -> None:
    kit.own("member", 10, "7", "Ann", photo="2024-02-01 9:15:00 AM")
    for resource, at in (("property", 20), ("member", 15)):
        with kit.store.write() as tx:
            tx.removals.mark_part(FEED, resource, at, 1, 1, 1, None)
    with kit.store.write() as tx:
        (want,) = tx.media.wants(FEED, "member", "7", kit.now)
        tx.media.settle(
            FEED, "member", "7", RUN, [], [PhotoFailed(want.media_key, want.version, want.horizon, "missing", None)]
        )
    left = kit.store.feeds.outstanding(FEED)
    assert (left.photos, left.photos_failed) == (0, 1)
    with kit.store.write() as tx:
        tx.removals.mark_part(FEED, "member", 25, 1, 1, 1, None)
    assert kit.store.feeds.outstanding(FEED).photos == 1


def test_held_are_the_candidates_that_wait_for_the_operator(kit: Kit) -> None:
    hold(kit, 10, "1", "2")
    kit.lack(20, "3")
    assert kit.store.feeds.outstanding(FEED).held == 2


def test_quarantined_is_what_was_set_aside(kit: Kit) -> None:
    kit.apply(Quarantine("1", "record", b"?", "no", 10), Quarantine("2", "record", b"?", "no", 10))
    assert kit.store.feeds.outstanding(FEED).quarantined == 2


def test_what_another_feed_lacks_is_not_counted(kit: Kit) -> None:
    kit.page(10, Listing("1", photos={1: 1}))
    kit.want("2", by=5)
    hold(kit, 10, "3")
    kit.apply(Quarantine("1", "record", b"?", "no", 10))
    assert kit.store.feeds.outstanding("other") == Outstanding()


def test_nothing_is_lacking_once_all_is_stored(kit: Kit) -> None:
    kit.page(10, Listing("1", photos={1: 1}, agents={"7": ("Ann", "9")}))
    kit.fetch("1")
    assert kit.store.feeds.outstanding(FEED) == Outstanding()


# --- status


def test_status_of_a_feed_never_heard_of_is_empty(kit: Kit) -> None:
    status = kit.store.feeds.status(FEED)
    assert (status.freshness_seconds, status.at_mls, status.stored, status.problems) == (None, None, 0, [])


def test_status_counts_rows_and_photos(kit: Kit) -> None:
    kit.page(10, Listing("1", photos={1: 1, 2: 1, 3: 1}, agents={"7": ("Ann", "9"), "8": ("Bob", "9")}), Listing("2"))
    kit.fetch("1", [3])
    fail_photo(kit, "1", None)
    status = kit.store.feeds.status(FEED)
    assert (status.stored, status.photos_stored, status.photos_pending, status.photos_failed) == (2, 1, 1, 1)
    assert status.resources == {
        "member": ResourceStatus(2, 0, None, None), "office": ResourceStatus(1, 0, None, None)
    }  # fmt: skip


def test_status_tells_own_records_from_copies_and_how_fresh_each_resource_is(kit: Kit) -> None:
    kit.page(10, Listing("1", agents={"7": ("Ann", "9"), "8": ("Bob", "9")}))
    kit.own("member", 20, "7", "Ann herself")
    with kit.store.write() as tx:
        tx.removals.mark_part(FEED, "member", kit.now, 1, 1, 1, None)
        tx.removals.decide(FEED, "member", kit.now, "released", kit.now)
    kit.seconds += 90
    status = kit.store.feeds.status(FEED)
    assert status.resources["member"] == ResourceStatus(stored=2, own=1, at_mls=1, freshness_seconds=90)
    assert status.resources["office"] == ResourceStatus(stored=1, own=0, at_mls=None, freshness_seconds=None)
    assert (status.at_mls, status.freshness_seconds) == (None, None)


def test_freshness_is_the_age_of_the_last_whole_inventory(kit: Kit) -> None:
    at = kit.store.feeds.observe(FEED)
    kit.inventory(at, part=1, parts=2, count=7)
    assert kit.store.feeds.status(FEED).freshness_seconds is None
    complete(kit, at, 7)
    kit.seconds += 90
    status = kit.store.feeds.status(FEED)
    assert (status.freshness_seconds, status.at_mls) == (90, 7)


def test_freshness_is_not_negative_when_the_clock_steps_back(kit: Kit) -> None:
    complete(kit, kit.store.feeds.observe(FEED), 7)
    kit.seconds -= 90
    assert kit.store.feeds.status(FEED).freshness_seconds == 0


def test_status_names_every_problem_with_its_reason(kit: Kit) -> None:
    kit.page(10, Listing("1", photos={1: 1}))
    fail_photo(kit, "1", None)
    hold(kit, 10, "2")
    kit.apply(
        PutLine(Line("3", wanted_stamp="s", wanted_by=5, attempts=1, attempted_by=5, reason="lost")),
        Quarantine("4", "record", b"?", "nested too deep", 10),
    )
    found = {(item["kind"], item["key"], item["reason"]) for item in kit.store.feeds.status(FEED).problems}
    assert found == {
        ("photo", "1:1", "not_found"),
        ("held", "2", "removal held: the inventory of 1 keys lacks it and 0 more, too many to believe at once"),
        ("unavailable", "3", "lost"),
        ("quarantined", "4", "nested too deep"),
    }


def test_a_sync_that_failed_or_doubted_its_inventory_is_a_problem_until_the_next_one_ends(kit: Kit) -> None:
    def problems() -> list[tuple[object, object]]:
        return [(item["kind"], item["reason"]) for item in kit.store.feeds.status(FEED).problems]

    for number, (outcome, error, told) in enumerate(
        [
            ("failed", "the MLS is away", [("sync", "the MLS is away")]),
            ("unfinished", "3 keys came", [("inventory", "3 keys came")]),
            ("unfinished", None, []),
            ("in_step", None, []),
        ]
    ):
        before = problems()
        kit.seconds += 1
        kit.store.feeds.start_run(FEED, f"run{number}", "sync")
        assert problems() == before
        kit.store.feeds.finish_run(FEED, f"run{number}", outcome, error)
        assert problems() == told
    kit.store.feeds.start_run(FEED, "weekly", "audit")
    kit.store.feeds.finish_run(FEED, "weekly", "failed", "no disk")
    assert problems() == []
