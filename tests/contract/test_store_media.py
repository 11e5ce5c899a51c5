"""``Media``: photos wanted, and the ledger of objects; ``Objects``: that ledger as a whole."""

from __future__ import annotations

from dataclasses import replace

import pytest

from shared.effects import RecheckPhotos, RetryPhotos
from shared.store.base import NewObject, PhotoFailed, RepeatedPhoto
from tests.contract.stores import FEED, RUN, SECOND, START, Kit, Listing, fetched, stamp

HOUR = 3_600 * SECOND
TWO = Listing("1", photos={1: 1, 2: 1})


def fail(kit: Kit, order: int = 1, *, until: int | None = None, reason: str = "timeout", key: str = "1") -> None:
    (want,) = [want for want in kit.wants(key) if want.order == order]
    with kit.store.write() as tx:
        lost = PhotoFailed(want.media_key, want.version, want.horizon, reason, until)
        assert tx.media.settle(FEED, "property", key, RUN, [], [lost]) == []


def stored(kit: Kit, key: str = "1") -> dict[int, str | None]:
    """Object name by order, of every photo listed."""
    sql = f"SELECT \"order\", object_key FROM media WHERE resource_record_key = '{key}'"
    return {row[0]: row[1] for row in kit.rows(sql)}


def strike(kit: Kit, *names: str) -> None:
    with kit.store.write() as tx:
        tx.media.struck(FEED, "property", RUN, names)


# --- what is wanted


def test_photos_listed_are_wanted_in_display_order(kit: Kit) -> None:
    kit.page(10, Listing("1", photos={10: 1, 2: 1, 1: 1}))
    wants = kit.wants("1")
    assert [want.order for want in wants] == [1, 2, 10]
    assert wants[0].url == "http://photos.example/1/1.jpg"
    assert stamp(1) in wants[0].version
    assert (wants[0].stored_sha256, wants[0].etag, wants[0].attempts, bool(wants[0].recheck)) == (None, None, 0, False)


def test_photos_of_another_record_or_feed_are_not_wanted(kit: Kit) -> None:
    kit.page(10, TWO)
    with kit.store.write() as tx:
        assert tx.media.wants(FEED, "member", "1", kit.now) == []
        assert tx.media.wants("other", "property", "1", kit.now) == []
    assert kit.wants("2") == []


def test_photos_that_the_policy_only_links_are_listed_and_not_wanted(kit: Kit) -> None:
    kit.page(10, TWO, stores_photos=False)
    assert stored(kit) == {1: None, 2: None}
    assert kit.rows("SELECT media_url FROM media WHERE media_key = '1'") == [("http://photos.example/1/1.jpg",)]
    assert kit.wants("1") == []
    assert kit.pending("1") == []


def test_photos_stored_are_not_wanted_any_more(kit: Kit) -> None:
    kit.page(10, TWO)
    names = kit.fetch("1")
    assert kit.wants("1") == []
    assert stored(kit) == names


# --- failures


def test_a_photo_that_failed_waits_for_the_next_inventory(kit: Kit) -> None:
    kit.page(10, TWO)
    kit.inventory(10)
    fail(kit)
    assert [want.order for want in kit.wants("1")] == [2]
    kit.inventory(20)
    assert [(want.order, want.attempts) for want in kit.wants("1")] == [(1, 1), (2, 0)]


def test_a_photo_that_was_being_tried_while_an_inventory_was_handled_is_tried_once_more(kit: Kit) -> None:
    kit.page(10, TWO)
    kit.inventory(10)
    (want,) = [want for want in kit.wants("1") if want.order == 1]
    kit.inventory(20)
    with kit.store.write() as tx:
        lost = PhotoFailed(want.media_key, want.version, want.horizon, "timeout", None)
        tx.media.settle(FEED, "property", "1", RUN, [], [lost])
    assert [want.order for want in kit.wants("1")] == [1, 2]
    fail(kit)
    assert [want.order for want in kit.wants("1")] == [2]


def test_a_photo_in_back_off_waits_until_it_ends(kit: Kit) -> None:
    kit.page(10, TWO)
    fail(kit, until=kit.now + HOUR)
    kit.inventory(20)
    assert [want.order for want in kit.wants("1")] == [2]
    kit.seconds += 3_600
    assert [want.order for want in kit.wants("1")] == [1, 2]


def test_a_failure_of_a_version_not_wanted_any_more_counts_for_nothing(kit: Kit) -> None:
    kit.page(10, TWO)
    want = kit.wants("1")[0]
    kit.page(20, Listing("1", photos={1: 2, 2: 1}))
    with kit.store.write() as tx:
        late = PhotoFailed(want.media_key, want.version, want.horizon, "timeout", None)
        tx.media.settle(FEED, "property", "1", RUN, [], [late])
    assert kit.wants("1")[0].attempts == 0
    assert "photos_failed" not in kit.counts()


def test_a_photo_stored_forgets_its_failures(kit: Kit) -> None:
    kit.page(10, TWO)
    fail(kit)
    kit.inventory(20)
    kit.fetch("1")
    assert kit.rows("SELECT failed_reason, attempts FROM media WHERE media_key = '1'") == [(None, 0)]


# --- a record written again


def test_a_record_written_again_keeps_the_state_of_unchanged_photos(kit: Kit) -> None:
    kit.page(10, TWO)
    names = kit.fetch("1", [1])
    fail(kit, 2, until=kit.now + HOUR)
    kit.page(20, Listing("1", price=90, photos={1: 1, 2: 1}))
    assert stored(kit) == {1: names[1], 2: None}
    assert kit.rows("SELECT attempts, failed_reason FROM media WHERE media_key = '2'") == [(1, "timeout")]
    assert kit.wants("1") == []


def test_a_changed_version_starts_afresh_and_keeps_the_old_object_until_the_new_one_is_stored(kit: Kit) -> None:
    kit.page(10, TWO)
    names = kit.fetch("1", [1])
    fail(kit, 2, until=kit.now + HOUR)
    kit.page(20, Listing("1", photos={1: 2, 2: 2}))
    assert stored(kit) == {1: names[1], 2: None}
    assert [(want.order, want.attempts) for want in kit.wants("1")] == [(1, 0), (2, 0)]
    assert kit.wants("1")[0].stored_sha256 is not None
    assert kit.objects() == {names[1]: "live"}
    new = kit.fetch("1", [1])
    assert kit.objects() == {names[1]: "dead", new[1]: "live"}


def test_a_version_that_is_the_stored_one_again_is_not_fetched_again(kit: Kit) -> None:
    kit.page(10, TWO)
    names = kit.fetch("1")
    kit.page(20, Listing("1", photos={1: 2, 2: 1}))
    kit.page(30, TWO)
    assert kit.wants("1") == []
    assert stored(kit) == names


def test_a_photo_listed_no_more_loses_its_row_and_its_object(kit: Kit) -> None:
    kit.page(10, TWO)
    names = kit.fetch("1")
    kit.page(20, Listing("1", photos={2: 1}))
    assert stored(kit) == {2: names[2]}
    assert kit.dead("1") == [names[1]]


def test_photos_that_the_policy_ceases_to_store_lose_their_objects(kit: Kit) -> None:
    kit.page(10, TWO)
    names = kit.fetch("1")
    kit.page(20, replace(TWO, price=90), stores_photos=False)
    assert stored(kit) == {1: None, 2: None}
    assert kit.dead("1") == sorted(names.values())
    assert kit.rows("SELECT content_sha256, byte_size FROM media WHERE media_key = '1'") == [(None, None)]


def test_removing_a_record_marks_its_objects_dead(kit: Kit) -> None:
    kit.page(10, TWO, Listing("2", photos={1: 1}))
    names = kit.fetch("1")
    other = kit.fetch("2")
    kit.remove(20, "1")
    assert kit.dead("1") == sorted(names.values())
    assert kit.objects() == dict.fromkeys(names.values(), "dead") | {other[1]: "live"}
    assert kit.wants("1") == []


# --- pending


def test_records_with_photos_to_fetch_or_objects_to_delete_are_pending(kit: Kit) -> None:
    kit.page(10, TWO, Listing("2", photos={1: 1}), Listing("3"), Listing("4", photos={1: 1}))
    kit.fetch("2")
    kit.fetch("4")
    kit.remove(20, "4")
    assert kit.pending("1", "2", "3", "4", "5") == ["1", "4"]
    assert kit.pending() == []


def test_pending_records_are_found_by_range(kit: Kit) -> None:
    kit.page(10, *(Listing(key, photos={1: 1}) for key in ("a", "b", "c", "é")))
    kit.fetch("c")
    kit.remove(20, "c")
    with kit.store.write() as tx:
        assert tx.media.pending_between(FEED, "property", None, None, kit.now) == ["a", "b", "c", "é"]
        assert tx.media.pending_between(FEED, "property", "a", "c", kit.now) == ["b", "c"]


def test_photos_that_wait_do_not_make_a_record_pending(kit: Kit) -> None:
    kit.page(10, Listing("1", photos={1: 1}))
    kit.inventory(10)
    fail(kit, until=kit.now + HOUR)
    with kit.store.write() as tx:
        assert tx.media.pending_between(FEED, "property", None, None, kit.now) == []
    assert kit.pending("1") == []


# --- names


def test_a_name_is_in_the_ledger_before_the_object_is_put(kit: Kit) -> None:
    (name,) = kit.begin("1")
    (known,) = kit.store.objects.known()
    assert (known.name, known.feed, known.resource, known.key, known.state) == (name, FEED, "property", "1", "writing")
    assert (known.byte_size, known.content_sha256, known.at) == (10, "sha1", kit.now)


def test_no_name_is_given_twice(kit: Kit) -> None:
    names = [*kit.begin("1", [1, 1, 2]), *kit.begin("1", [1]), *kit.begin("2", [1])]
    assert len(set(names)) == 5


def test_no_name_is_given_twice_across_processes(kit: Kit) -> None:
    before = kit.begin("1", [1, 1])
    kit.store.recover()
    strike(kit, *before)
    kit.reopen()
    assert not set(kit.begin("1", [1, 1])) & set(before)


def test_a_name_of_a_transaction_rolled_back_is_not_in_the_ledger(kit: Kit) -> None:
    def interrupted() -> None:
        with kit.store.write() as tx:
            tx.media.begin(FEED, "property", "1", [NewObject(1, "s", 1, "jpg")], lambda item, n: f"{n}")
            raise KeyboardInterrupt

    kit.store.feeds.observe(FEED)
    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert kit.objects() == {}


def test_a_feed_never_observed_gets_names_too(kit: Kit) -> None:
    with kit.store.write() as tx:
        names = tx.media.begin("new", "property", "1", [NewObject(1, "s", 1, "jpg")], lambda item, n: f"{n}")
    assert kit.objects() == {names[0]: "writing"}


# --- settling


def test_settling_points_the_row_at_its_object_and_says_what_it_is(kit: Kit) -> None:
    kit.page(10, TWO)
    names = kit.fetch("1")
    assert kit.objects() == dict.fromkeys(names.values(), "live")
    row = kit.rows(
        "SELECT object_key, content_sha256, byte_size, width, height, mime_type, etag, last_modified FROM media "
        "WHERE media_key = '1'"
    )
    assert row[0][0] == names[1]
    assert row[0][2:] == (10, 4, 3, "image/jpeg", '"e"', None)
    assert kit.counts() == {"photos_stored": 2}


def test_an_object_of_a_version_not_wanted_any_more_does_not_become_live(kit: Kit) -> None:
    kit.page(10, TWO)
    want = kit.wants("1")[0]
    (name,) = kit.begin("1")
    kit.page(20, Listing("1", photos={1: 2, 2: 1}))
    assert kit.settle("1", fetched(want, name)) == [name]
    assert kit.dead("1") == [name]
    assert stored(kit)[1] is None
    assert [want.order for want in kit.wants("1")] == [1, 2]


@pytest.mark.parametrize("gone", ["photo", "record"])
def test_an_object_whose_row_is_gone_does_not_become_live(kit: Kit, gone: str) -> None:
    kit.page(10, TWO)
    want = kit.wants("1")[0]
    (name,) = kit.begin("1")
    if gone == "photo":
        kit.page(20, Listing("1", photos={2: 1}))
    else:
        kit.remove(20, "1")
    assert kit.settle("1", fetched(want, name)) == [name]
    assert kit.dead("1") == [name]


def test_of_two_workers_with_the_same_photo_the_first_wins(kit: Kit) -> None:
    kit.page(10, TWO)
    want = kit.wants("1")[0]
    first, second = kit.begin("1", [1, 1])
    assert kit.settle("1", fetched(want, first)) == []
    assert kit.settle("1", fetched(want, second)) == [second]
    assert kit.objects() == {first: "live", second: "dead"}


@pytest.mark.parametrize("struck", [False, True])
def test_a_name_that_is_not_writing_any_more_does_not_become_live(kit: Kit, struck: bool) -> None:
    """A worker stalled beyond the grace: another may be deleting its object at this moment."""
    kit.page(10, TWO)
    want = kit.wants("1")[0]
    (name,) = kit.begin("1")
    kit.seconds += 7_200
    assert kit.store.objects.bury(kit.now - HOUR) == 1
    if struck:
        strike(kit, name)
    assert kit.settle("1", fetched(want, name)) == [name]
    assert stored(kit)[1] is None
    assert kit.objects() == ({} if struck else {name: "dead"})
    assert [want.order for want in kit.wants("1")] == [1, 2]


def test_the_same_bytes_keep_the_object(kit: Kit) -> None:
    kit.page(10, TWO)
    names = kit.fetch("1")
    kit.page(20, Listing("1", photos={1: 2, 2: 1}))
    (want,) = kit.wants("1")
    assert kit.settle("1", fetched(want, None, want.stored_sha256)) == []
    assert stored(kit) == names
    assert kit.wants("1") == []
    assert kit.counts()["photos_stored"] == 2


@pytest.mark.parametrize("meanwhile", ["lost", "removed and back"])
def test_the_same_bytes_as_an_object_that_went_meanwhile_do_not_count_as_stored(kit: Kit, meanwhile: str) -> None:
    """The worker compared its bytes with an object that is no more: it has put none, so the photo is still wanted."""
    kit.page(10, Listing("1", photos={1: 1}))
    names = kit.fetch("1")
    again = Listing("1", photos={1: 2})
    kit.page(20, again)
    (want,) = kit.wants("1")
    if meanwhile == "lost":
        kit.store.objects.lost([names[1]])
    else:
        kit.remove(30, "1")
        kit.page(40, again)
    kit.settle("1", fetched(want, None, want.stored_sha256))
    assert [(want.order, want.stored_sha256) for want in kit.wants("1")] == [(1, None)]
    assert kit.photo_set("1") == (1, 0, False)


# --- asking again


def test_photos_stored_are_asked_for_again_by_conditional_request(kit: Kit) -> None:
    kit.page(10, TWO)
    kit.fetch("1", [1])
    kit.apply(RecheckPhotos("1"))
    one, two = kit.wants("1")
    assert (bool(one.recheck), one.etag) == (True, '"e"')
    assert one.stored_sha256 is not None
    assert (bool(two.recheck), two.stored_sha256) == (False, None)


def test_a_photo_that_the_server_still_has_is_as_good_as_stored_again(kit: Kit) -> None:
    kit.page(10, TWO)
    names = kit.fetch("1")
    kit.apply(RecheckPhotos("1"))
    with kit.store.write() as tx:
        versions = [(want.media_key, want.version) for want in tx.media.wants(FEED, "property", "1", kit.now)]
        tx.media.unchanged(FEED, "property", "1", versions)
    assert kit.wants("1") == []
    assert stored(kit) == names


def test_unchanged_says_nothing_of_another_version(kit: Kit) -> None:
    kit.page(10, TWO)
    kit.fetch("1")
    kit.apply(RecheckPhotos("1"))
    late = [(want.media_key, want.version) for want in kit.wants("1")]
    kit.page(20, Listing("1", photos={1: 2, 2: 2}))
    with kit.store.write() as tx:
        tx.media.unchanged(FEED, "property", "1", late)
    assert [want.order for want in kit.wants("1")] == [1, 2]


def test_unchanged_says_nothing_of_a_photo_whose_object_is_gone(kit: Kit) -> None:
    kit.page(10, TWO)
    names = kit.fetch("1")
    kit.apply(RecheckPhotos("1"))
    versions = [(want.media_key, want.version) for want in kit.wants("1")]
    kit.store.objects.lost([names[1]])
    with kit.store.write() as tx:
        tx.media.unchanged(FEED, "property", "1", versions)
    assert [want.order for want in kit.wants("1")] == [1]


def test_a_recheck_outlives_a_change_of_the_record(kit: Kit) -> None:
    kit.page(10, TWO)
    kit.fetch("1")
    kit.apply(RecheckPhotos("1"))
    kit.page(20, replace(TWO, price=90))
    assert [bool(want.recheck) for want in kit.wants("1")] == [True, True]


@pytest.mark.parametrize("until", [None, 10**18])
def test_photos_that_failed_are_asked_for_at_once_when_their_record_was_read_again(kit: Kit, until: int | None) -> None:
    kit.page(10, TWO)
    kit.fetch("1", [1])
    (want,) = kit.wants("1")
    with kit.store.write() as tx:
        lost = PhotoFailed(want.media_key, want.version, want.horizon, "http_403", until)
        tx.media.settle(FEED, "property", "1", RUN, [], [lost])
    assert kit.wants("1") == []
    kit.apply(RetryPhotos("1"))
    assert [(again.order, again.attempts) for again in kit.wants("1")] == [(2, 1)]


# --- whether a set is complete


def test_a_set_is_complete_once_every_photo_listed_is_stored(kit: Kit) -> None:
    kit.page(10, TWO)
    assert kit.photo_set("1") == (2, 0, False)
    kit.fetch("1", [1])
    assert kit.photo_set("1") == (2, 1, False)
    kit.fetch("1", [2])
    assert kit.photo_set("1") == (2, 2, True)
    kit.page(20, Listing("1", photos={1: 1, 2: 2, 3: 1}))
    assert kit.photo_set("1") == (3, 1, False)
    kit.page(30, Listing("1", photos={1: 1}))
    assert kit.photo_set("1") == (1, 1, True)


@pytest.mark.parametrize("page", [Listing("1", price=90), None])
def test_a_record_without_photos_has_no_set(kit: Kit, page: Listing | None) -> None:
    kit.page(10, TWO)
    if page is None:
        kit.remove(20, "1")
    else:
        kit.page(20, page)
    assert kit.photo_set("1") is None


def test_a_set_that_lost_an_object_is_complete_no_more(kit: Kit) -> None:
    kit.page(10, TWO)
    names = kit.fetch("1")
    kit.store.objects.lost([names[1]])
    assert kit.photo_set("1") == (2, 1, False)


# --- dead objects


def test_only_the_records_own_dead_objects_are_given(kit: Kit) -> None:
    kit.page(10, TWO, Listing("11", photos={1: 1}))
    names = kit.fetch("1")
    kit.fetch("11")
    kit.remove(20, "1", "11")
    assert kit.dead("1") == sorted(names.values())
    with kit.store.write() as tx:
        assert tx.media.dead(FEED, "member", "1") == []
        assert tx.media.dead("other", "property", "1") == []


def test_dead_objects_deleted_are_struck_from_the_ledger_and_counted(kit: Kit) -> None:
    kit.page(10, TWO)
    names = kit.fetch("1")
    kit.remove(20, "1")
    strike(kit, names[1], "never.jpg")
    assert kit.objects() == {names[2]: "dead"}
    strike(kit)
    assert kit.counts()["photos_deleted"] == 1
    assert kit.pending("1") == ["1"]


def test_objects_that_are_not_dead_are_not_struck(kit: Kit) -> None:
    kit.page(10, TWO)
    names = kit.fetch("1")
    (writing,) = kit.begin("1")
    strike(kit, *names.values(), writing)
    kit.store.objects.strike([*names.values(), writing])
    assert kit.objects() == dict.fromkeys(names.values(), "live") | {writing: "writing"}
    assert "photos_deleted" not in kit.counts()


# --- the ledger as a whole


def test_every_object_is_known_in_the_order_of_names_as_bytes(kit: Kit) -> None:
    for key in ("é", "a", "B", "\U0001f3e0", "\ue000", "z"):
        kit.begin(key)
    names = [item.name for item in kit.store.objects.known()]
    assert len(names) == 6
    assert names == sorted(names, key=str.encode)


def test_more_objects_than_a_page_are_all_known(kit: Kit) -> None:
    kit.begin("1", [1] * 2_001)
    assert len(list(kit.store.objects.known())) == 2_001


def test_names_writing_for_too_long_are_buried(kit: Kit) -> None:
    kit.page(10, Listing("1", photos={1: 1}))
    live = kit.fetch("1")
    (old,) = kit.begin("2")
    kit.seconds += 100
    (young,) = kit.begin("2")
    assert kit.store.objects.bury((START + 100) * SECOND) == 1
    assert kit.objects() == {live[1]: "live", old: "dead", young: "writing"}


def test_dead_objects_are_struck(kit: Kit) -> None:
    kit.begin("1", [1, 2])
    kit.store.objects.bury(kit.now + 1)
    names = kit.dead("1")
    kit.store.objects.strike(names[:1])
    assert list(kit.objects()) == names[1:]


def test_rows_of_lost_objects_want_them_again(kit: Kit) -> None:
    kit.page(10, TWO)
    names = kit.fetch("1")
    assert kit.store.objects.lost([names[1], "never.jpg"]) == 1
    (want,) = kit.wants("1")
    assert (want.order, want.stored_sha256, want.etag) == (1, None, None)
    assert kit.objects() == {names[2]: "live"}
    assert stored(kit) == {1: None, 2: names[2]}


def test_an_object_that_died_meanwhile_is_not_forgotten_as_lost(kit: Kit) -> None:
    """Its file may still be there: only deleting it strikes it from the ledger."""
    kit.page(10, TWO)
    names = kit.fetch("1")
    kit.remove(20, "1")
    assert kit.store.objects.lost(list(names.values())) == 0
    assert kit.objects() == dict.fromkeys(names.values(), "dead")


@pytest.mark.parametrize("kit", ["sqlite"], indirect=True)
def test_recovering_makes_dead_what_was_being_written_and_nothing_else(kit: Kit) -> None:
    kit.page(10, TWO)
    names = kit.fetch("1")
    (writing,) = kit.begin("1")
    kit.reopen()
    kit.store.recover()
    assert kit.objects() == dict.fromkeys(names.values(), "live") | {writing: "dead"}
    assert kit.dead("1") == [writing]
    assert kit.pending("1") == ["1"]


# --- pictures by their content


def content(kit: Kit, order: int = 1) -> str:
    (row,) = kit.rows(f"SELECT content_sha256 FROM media WHERE media_key = '{order}' AND resource_record_key = '1'")
    return str(row[0])


def test_a_picture_disowned_is_wanted_again_and_its_object_dead(kit: Kit) -> None:
    kit.page(10, Listing("1", photos={1: 1, 2: 2}))
    names = kit.fetch("1")
    placeholder = content(kit)
    assert kit.store.objects.disown(FEED, [placeholder, "0" * 64]) == 1
    assert stored(kit) == {1: None, 2: names[2]}
    assert [want.order for want in kit.wants("1")] == [1]
    assert kit.dead("1") == [names[1]]
    assert kit.photo_set("1") == (2, 1, False)
    assert kit.store.objects.disown(FEED, [placeholder]) == 0


def test_a_picture_of_another_feed_is_not_disowned(kit: Kit) -> None:
    kit.page(10, TWO)
    kit.fetch("1")
    assert kit.store.objects.disown("other", [content(kit)]) == 0
    assert kit.wants("1") == []


def show(kit: Kit, key: str, pictures: dict[int, str]) -> None:
    """A listing whose photos are these pictures, by order."""
    kit.page(10, Listing(key, photos=dict.fromkeys(pictures, 1)))
    wants = kit.wants(key)
    names = kit.begin(key, list(pictures))
    kit.settle(key, *(fetched(want, name, pictures[want.order]) for want, name in zip(wants, names, strict=True)))


def test_pictures_that_many_listings_share_are_named_with_how_many(kit: Kit) -> None:
    for number in range(10):
        show(kit, str(number), {1: "same", 2: f"own {number}", 3: "same"})
    assert kit.store.feeds.status(FEED).repeated == []
    show(kit, "10", {1: "same"})
    assert kit.store.feeds.status(FEED).repeated == [RepeatedPhoto("same", 11)]
    assert kit.store.feeds.status("other").repeated == []
