"""``ObjectSets``: objects that are no photos, wanted and kept by record and type."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest

from shared.effects import KeepRecord, Line, ObjectsWanted, RecheckPhotos, RetryPhotos, StoreRecord
from shared.store.base import NewObject, ObjectsFailed, ObjectStored, ObjectsWant
from tests.contract.stores import FEED, RUN, SECOND, Kit, Listing, mapped

HOUR = 3_600 * SECOND


@dataclass
class Objects:
    """What is done with the objects of one listing."""

    kit: Kit
    key: str = "1"

    def page(self, at: int, *types: str, version: str = "v1", price: int = 100) -> None:
        """Write the listing as observed, wanting these types of object."""
        source = Listing(self.key, price).source()
        made = mapped(source)
        known = self.kit.lines(self.key).get(self.key)
        line = Line(self.key, stored=True, observed_at=at, stamp=source.stamp, hash=made.hash)
        objects = [ObjectsWanted(kind, kind == "Video", version) for kind in types]
        if known is not None and known.stored and known.hash == made.hash:
            self.kit.apply(KeepRecord(made, line, objects))
        else:
            self.kit.apply(StoreRecord(made, [], source, line, known is None or not known.stored, objects))

    def wants(self) -> dict[str, ObjectsWant]:
        with self.kit.store.write() as tx:
            return {want.type: want for want in tx.object_sets.wants(FEED, "property", self.key, self.kit.now)}

    def name(self, *orders: int) -> list[str]:
        with self.kit.store.write() as tx:
            new = [NewObject(order, f"sha{order}", 10, "pdf") for order in orders]
            return tx.media.begin(FEED, "property", self.key, new, lambda item, n: f"{self.key}/{item.order}-{n}.pdf")

    def keep(self, want: ObjectsWant, *items: ObjectStored) -> set[int]:
        with self.kit.store.write() as tx:
            return tx.object_sets.keep(FEED, "property", self.key, RUN, want, items)

    def settle(self, want: ObjectsWant, *orders: int) -> None:
        with self.kit.store.write() as tx:
            tx.object_sets.settle(FEED, "property", self.key, want, orders)

    def fail(self, want: ObjectsWant, until: int | None = None) -> None:
        with self.kit.store.write() as tx:
            tx.object_sets.failed(FEED, "property", self.key, RUN, want, ObjectsFailed("truncated", until))

    def fetch(self, kind: str, *orders: int) -> dict[int, str]:
        """Keep objects of these numbers as all that there are; their names."""
        want = self.wants()[kind]
        names = dict(zip(orders, self.name(*orders), strict=True))
        assert self.keep(want, *(stored(order, name) for order, name in names.items())) == set(orders)
        self.settle(want, *orders)
        return names

    def rows(self) -> dict[tuple[str, int], str | None]:
        sql = 'SELECT object_type, "order", coalesce(object_key, media_url) FROM record_object'
        return {(kind, order): where for kind, order, where in self.kit.rows(sql)}


def stored(order: int, name: str | None, sha256: str = "") -> ObjectStored:
    return ObjectStored(
        order, f"number {order}", object_name=name, sha256=sha256 or f"sha{order}", byte_size=10,
        mime_type="application/pdf",
    )  # fmt: skip


@pytest.fixture
def here(kit: Kit) -> Objects:
    kit.store.feeds.observe(FEED)
    return Objects(kit)


def test_types_are_wanted_until_all_that_came_is_kept(kit: Kit, here: Objects) -> None:
    here.page(10, "Plat", "Video")
    assert [(want.type, want.linked, want.version, want.stored) for want in here.wants().values()] == [
        ("Plat", False, "v1", {}), ("Video", True, "v1", {}),
    ]  # fmt: skip
    assert kit.pending("1") == ["1"]
    names = here.fetch("Plat", 1, 2)
    assert [*here.wants()] == ["Video"]
    film = here.wants()["Video"]
    assert here.keep(film, ObjectStored(1, url="https://films.example/1")) == {1}
    here.settle(film, 1)
    assert here.wants() == {}
    assert kit.pending("1") == []
    assert here.rows() == {("Plat", 1): names[1], ("Plat", 2): names[2], ("Video", 1): "https://films.example/1"}
    assert kit.objects() == dict.fromkeys(names.values(), "live")
    assert kit.rows('SELECT byte_size, mime_type, content_sha256 FROM record_object WHERE "order" = 2') == [
        (10, "application/pdf", "sha2")
    ]
    assert kit.counts()["objects_stored"] == 2


def test_a_type_of_which_there_is_nothing_is_settled(here: Objects) -> None:
    here.page(10, "Plat")
    here.fetch("Plat")
    assert (here.wants(), here.rows()) == ({}, {})


def test_the_same_version_is_not_wanted_again_and_another_is(kit: Kit, here: Objects) -> None:
    here.page(10, "Plat")
    names = here.fetch("Plat", 1, 2)
    here.page(20, "Plat")
    assert here.wants() == {}
    here.page(30, "Plat", version="v2")
    want = here.wants()["Plat"]
    assert want.stored == {1: "sha1", 2: "sha2"}
    (other,) = here.name(2)
    assert here.keep(want, stored(1, None), stored(2, other, "other")) == {1, 2}
    assert here.rows() == {("Plat", 1): names[1], ("Plat", 2): other}
    assert kit.dead("1") == [names[2]]
    here.settle(want, 1, 2)
    assert here.wants() == {}


def test_objects_that_are_gone_go_when_all_that_is_left_is_kept(kit: Kit, here: Objects) -> None:
    here.page(10, "Plat")
    names = here.fetch("Plat", 1, 2)
    here.page(20, "Plat", version="v2")
    want = here.wants()["Plat"]
    here.keep(want, stored(1, None))
    assert len(here.rows()) == 2
    here.settle(want, 1)
    assert here.rows() == {("Plat", 1): names[1]}
    assert kit.dead("1") == [names[2]]


def test_a_version_that_is_not_wanted_any_more_is_not_kept(kit: Kit, here: Objects) -> None:
    here.page(10, "Plat")
    late = here.wants()["Plat"]
    here.page(20, "Plat", version="v2")
    (name,) = here.name(1)
    assert here.keep(late, stored(1, name)) == set()
    here.settle(late, 1)
    assert kit.objects() == {name: "dead"}
    assert here.wants()["Plat"].version == "v2"


def test_bytes_whose_name_was_buried_or_that_were_lost_are_not_kept(kit: Kit, here: Objects) -> None:
    here.page(10, "Plat")
    want = here.wants()["Plat"]
    (name,) = here.name(1)
    kit.seconds += 7_200
    kit.store.objects.bury(kit.now)
    assert here.keep(want, stored(1, name), stored(2, None)) == set()
    here.settle(want, 1)
    assert [*here.wants()] == ["Plat"]


def test_told_twice_nothing_changes(kit: Kit, here: Objects) -> None:
    here.page(10, "Plat")
    want = here.wants()["Plat"]
    names = here.fetch("Plat", 1)
    assert here.keep(want, stored(1, *here.name(1))) == set()
    here.settle(want)
    assert here.rows() == {("Plat", 1): names[1]}
    assert sorted(kit.objects().values()) == ["dead", "live"]


def test_a_failure_waits_for_the_next_inventory_and_what_is_stored_stays(kit: Kit, here: Objects) -> None:
    here.page(10, "Plat")
    names = here.fetch("Plat", 1)
    here.page(20, "Plat", version="v2")
    kit.inventory(30)
    here.fail(here.wants()["Plat"])
    assert (here.wants(), here.rows()) == ({}, {("Plat", 1): names[1]})
    left = kit.store.feeds.outstanding(FEED)
    assert (left.photos, left.photos_failed) == (0, 1)
    (problem,) = kit.store.feeds.status(FEED).problems
    assert (problem["kind"], problem["key"], problem["reason"]) == ("object", "1:Plat", "truncated")
    assert kit.store.census.take().photos_failed == {FEED: 1}
    kit.inventory(40)
    assert here.wants()["Plat"].attempts == 1
    here.fail(here.wants()["Plat"], kit.now + HOUR)
    kit.inventory(50)
    assert here.wants() == {}
    assert kit.store.feeds.outstanding(FEED).next_due == kit.now + HOUR
    here.page(60, "Plat", version="v3")
    assert here.wants()["Plat"].attempts == 0


def test_reading_a_record_again_has_failed_objects_tried_and_stored_ones_looked_at(kit: Kit, here: Objects) -> None:
    here.page(10, "Plat", "Video")
    here.fetch("Plat", 1)
    here.fail(here.wants()["Video"], kit.now + HOUR)
    kit.apply(RetryPhotos("1"))
    assert [*here.wants()] == ["Video"]
    here.fail(here.wants()["Video"], kit.now + HOUR)
    kit.apply(RecheckPhotos("1"))
    assert [*here.wants()] == ["Plat"]


def test_a_type_that_is_not_chosen_any_more_goes(kit: Kit, here: Objects) -> None:
    here.page(10, "Plat", "Audio")
    plat, audio = here.fetch("Plat", 1), here.fetch("Audio", 1)
    here.page(20, "Plat", price=200)
    assert here.rows() == {("Plat", 1): plat[1]}
    assert kit.dead("1") == [audio[1]]
    assert kit.rows("SELECT object_type FROM record_object_set") == [("Plat",)]


def test_they_go_with_their_record_and_leave_others_alone(kit: Kit, here: Objects) -> None:
    other = replace(here, key="2")
    for each in (here, other):
        each.page(10, "Plat")
    gone, stays = here.fetch("Plat", 1), other.fetch("Plat", 1)
    kit.remove(20, "1")
    assert kit.objects() == {gone[1]: "dead", stays[1]: "live"}
    assert kit.pending("1", "2") == ["1"]
    assert kit.rows("SELECT resource_record_key FROM record_object_set") == [("2",)]


def test_what_the_audit_finds_lost_is_wanted_again(kit: Kit, here: Objects) -> None:
    here.page(10, "Plat")
    names = here.fetch("Plat", 1, 2)
    assert kit.store.objects.lost([names[2]]) == 1
    assert here.wants()["Plat"].stored == {1: "sha1"}
    assert kit.objects() == {names[1]: "live"}


def test_keys_with_objects_to_fetch_are_found_by_range(kit: Kit, here: Objects) -> None:
    here.page(10, "Plat")
    replace(here, key="2").page(10)
    replace(here, key="3").page(10, "Plat")
    with kit.store.write() as tx:
        assert tx.media.pending_between(FEED, "property", None, None, kit.now) == ["1", "3"]
        assert tx.media.pending_between(FEED, "property", "1", "3", kit.now) == ["3"]


def test_figures_of_feed_and_census_agree(kit: Kit, here: Objects) -> None:
    here.page(10, "Plat", "Video")
    here.fetch("Plat", 1, 2)
    status = kit.store.feeds.status(FEED)
    assert (status.objects_stored, status.photos_pending, status.photos_stored) == (2, 1, 0)
    assert kit.store.census.take().photos_pending == {FEED: 1}
