"""Addresses of listings without coordinates: linked in the listing's own transaction, answered once for all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from msgspec.structs import replace as with_changes

from shared.effects import Line, RemoveRecord, StoreRecord
from shared.messages import SourceRecord
from shared.store.base import AddressWant, GeocoderPace, Located, NotLocated
from tests.contract.stores import DAY, FEED, SECOND, Kit, mapped, stamp

GEO = "geo.example"
HOLD = 10 * SECOND
HOUSE = {"StreetNumber": "1", "StreetName": "Elm", "City": "Ottawa", "Province": "Ontario", "Country": "Canada"}
ELM = "1 elm||ottawa|ca-on||ca"
OAK = "2 oak||ottawa|ca-on||ca"
FOUND = Located(45.4215, -75.6972, "rooftop")
OWN = {"Latitude": "45.1", "Longitude": "-75.1"}


def stored(key: str, place: Mapping[str, str], at: int = 1, *, insert: bool = True) -> StoreRecord:
    source = SourceRecord(key, stamp(at), {"@ID": key, "@LastUpdated": stamp(at), "Address": dict(place)})
    made = mapped(source)
    line = Line(key, stored=True, observed_at=at, stamp=source.stamp, hash=made.hash)
    return StoreRecord(made, [], source, line, insert)


def put(kit: Kit, key: str, place: Mapping[str, str] = HOUSE, at: int = 1, *, feed: str = FEED) -> None:
    record = stored(key, place, at, insert=not kit.rows(f"SELECT 1 FROM property_record WHERE listing_key = '{key}'"))
    rows = {table: [(feed, *row[1:]) for row in some] for table, some in record.mapped.rows.items()}
    kit.apply(replace(record, mapped=with_changes(record.mapped, rows=rows)), feed=feed)


def seen(kit: Kit, key: str, feed: str = FEED) -> tuple[Any, ...]:
    """What people read of where a listing is."""
    sql = "SELECT latitude, longitude, coordinates_source, coordinates_precision FROM property"
    (row,) = kit.rows(f"{sql} WHERE feed = '{feed}' AND listing_key = '{key}'")
    return row


def links(kit: Kit) -> dict[str, str | None]:
    return dict(kit.rows("SELECT listing_key, address FROM listing_address"))


def take(kit: Kit, *feeds: str, source: str = GEO) -> AddressWant | int | None:
    return kit.store.geocoding.take(source, feeds or (FEED,), HOLD)


def settle(kit: Kit, where: str, outcome: Located | NotLocated = FOUND, *, pause: int = 0, source: str = GEO) -> None:
    pace = GeocoderPace(kit.now + pause)
    kit.store.geocoding.settle(source, where, outcome, pace)


@pytest.fixture(autouse=True)
def _begun(kit: Kit) -> None:
    kit.store.geocoding.begin(GEO)


# --- links


def test_a_listing_without_coordinates_is_linked_to_its_address_and_one_with_its_own_is_not(kit: Kit) -> None:
    put(kit, "a")
    put(kit, "b", HOUSE | OWN)
    put(kit, "c", {"StreetName": "Elm"})
    put(kit, "d", HOUSE | {"Latitude": "45.1"})
    assert links(kit) == {"a": ELM, "c": None, "d": ELM}


def test_the_mls_s_own_coordinates_win_at_once_when_they_come(kit: Kit) -> None:
    put(kit, "a")
    settle(kit, ELM)
    assert seen(kit, "a") == (45.4215, -75.6972, GEO, "rooftop")
    put(kit, "a", HOUSE | OWN, 2)
    assert seen(kit, "a") == (45.1, -75.1, "mls", None)
    assert links(kit) == {}
    put(kit, "a", HOUSE, 3)
    assert seen(kit, "a") == (45.4215, -75.6972, GEO, "rooftop")


def test_another_address_drops_the_old_coordinates_at_once(kit: Kit) -> None:
    put(kit, "a")
    settle(kit, ELM)
    put(kit, "a", HOUSE | {"StreetNumber": "2", "StreetName": "Oak"}, 2)
    assert seen(kit, "a") == (None, None, None, None)
    assert links(kit) == {"a": OAK}
    assert take(kit) == AddressWant(OAK)


def test_half_a_pair_of_the_mls_s_is_shown_until_there_is_a_whole_one(kit: Kit) -> None:
    put(kit, "a", HOUSE | {"Latitude": "45.1"})
    assert seen(kit, "a") == (45.1, None, None, None)
    settle(kit, ELM)
    assert seen(kit, "a") == (45.4215, -75.6972, GEO, "rooftop")


def test_geocoding_rewrites_no_row_of_a_listing(kit: Kit) -> None:
    put(kit, "a")
    kit.backend.watch("property_record")
    take(kit)
    settle(kit, ELM)
    assert kit.backend.written("property_record") == 0


def test_a_listing_written_again_at_the_same_address_rewrites_no_link(kit: Kit) -> None:
    put(kit, "a")
    settle(kit, ELM)
    kit.backend.watch("listing_address")
    kit.backend.watch("geocode")
    put(kit, "a", HOUSE, 2)
    assert kit.backend.written("listing_address") == kit.backend.written("geocode") == 0


def test_a_removed_listing_leaves_no_link_and_nothing_to_ask(kit: Kit) -> None:
    put(kit, "a")
    kit.apply(RemoveRecord(Line("a", observed_at=2)))
    assert links(kit) == {}
    assert take(kit) is None
    assert kit.rows("SELECT address FROM geocode") == []


def test_links_are_of_the_listing_s_transaction(kit: Kit) -> None:
    def write_and_fail() -> None:
        with kit.store.write() as tx:
            tx.records.apply(FEED, "property", "run", [stored("a", HOUSE)])
            raise RuntimeError

    with pytest.raises(RuntimeError):
        write_and_fail()
    assert links(kit) == {}
    assert kit.rows("SELECT address FROM geocode") == []


# --- one address, one answer


def test_an_address_is_asked_for_once_however_many_listings_and_feeds_have_it(kit: Kit) -> None:
    put(kit, "a")
    put(kit, "b", HOUSE | {"UnitNumber": "12", "StreetName": "ELM"})
    put(kit, "c", feed="other")
    assert take(kit, FEED, "other") == AddressWant(ELM)
    settle(kit, ELM)
    assert take(kit, FEED, "other") is None
    put(kit, "d", feed="other")
    assert take(kit, FEED, "other") is None
    assert {seen(kit, "a"), seen(kit, "b"), seen(kit, "c", "other"), seen(kit, "d", "other")} == {seen(kit, "a")}


def test_addresses_of_feeds_that_are_not_looked_up_are_not_taken(kit: Kit) -> None:
    put(kit, "a", feed="private")
    assert take(kit, FEED) is None
    assert not kit.store.geocoding.tell(GEO, [FEED])
    assert take(kit, FEED, "private") == AddressWant(ELM)


def test_coordinates_outlive_the_last_listing_for_a_season(kit: Kit) -> None:
    put(kit, "a")
    settle(kit, ELM)
    kit.apply(RemoveRecord(Line("a", observed_at=2)))
    kit.seconds += 89 * DAY / SECOND
    kit.store.geocoding.begin(GEO)
    put(kit, "again", HOUSE, 3)
    assert seen(kit, "again")[2] == GEO
    kit.apply(RemoveRecord(Line("again", observed_at=4)))
    kit.seconds += 2 * DAY / SECOND
    kit.store.geocoding.begin(GEO)
    assert kit.rows("SELECT address FROM geocode") == []


def test_coordinates_in_use_stay_for_ever(kit: Kit) -> None:
    put(kit, "a")
    settle(kit, ELM)
    kit.seconds += 5_000 * DAY / SECOND
    kit.store.geocoding.begin(GEO)
    assert seen(kit, "a")[2] == GEO


# --- misses


def test_a_miss_is_remembered_until_its_time(kit: Kit) -> None:
    put(kit, "a")
    settle(kit, ELM, NotLocated("nothing", kit.now + DAY, misses=1))
    assert take(kit) is None
    put(kit, "b")
    assert take(kit) is None
    kit.seconds += 86_401
    assert take(kit) == AddressWant(ELM, misses=1)


def test_another_geocoder_is_asked_at_once_for_what_one_did_not_find(kit: Kit) -> None:
    put(kit, "a")
    put(kit, "b", HOUSE | {"StreetNumber": "2", "StreetName": "Oak"})
    settle(kit, ELM, NotLocated("nothing", kit.now + DAY, misses=4))
    settle(kit, OAK)
    kit.store.geocoding.begin(GEO)
    assert take(kit) is None
    kit.store.geocoding.begin("other.example")
    assert take(kit, source="other.example") == AddressWant(ELM)
    settle(kit, ELM, source="other.example")
    assert (seen(kit, "a")[2], seen(kit, "b")[2]) == ("other.example", GEO)


def test_what_an_address_has_been_through_is_kept(kit: Kit) -> None:
    put(kit, "a")
    settle(kit, ELM, NotLocated("timeout", kit.now, asked=1, misses=2, failures=3))
    assert take(kit) == AddressWant(ELM, asked=1, misses=2, failures=3)


def test_an_answer_for_an_address_that_nobody_has_any_more_is_dropped(kit: Kit) -> None:
    put(kit, "a")
    take(kit)
    kit.apply(RemoveRecord(Line("a", observed_at=2)))
    settle(kit, ELM)
    assert kit.rows("SELECT address FROM geocode") == []


# --- turns


def test_addresses_are_taken_in_the_order_they_became_due(kit: Kit) -> None:
    put(kit, "a", HOUSE | {"StreetName": "Zelkova"})
    kit.seconds += 1
    put(kit, "b")
    taken = []
    while isinstance(want := take(kit), AddressWant):
        taken.append(want.address)
        settle(kit, want.address)
    assert taken == ["1 zelkova||ottawa|ca-on||ca", ELM]


def test_there_is_one_question_at_a_time(kit: Kit) -> None:
    put(kit, "a")
    put(kit, "b", HOUSE | {"StreetNumber": "2", "StreetName": "Oak"})
    assert isinstance(take(kit), AddressWant)
    assert take(kit) == kit.now + HOLD
    assert kit.reopen().geocoding.take(GEO, [FEED], HOLD) == kit.now + HOLD


def test_a_question_whose_process_died_is_asked_again_after_its_time(kit: Kit) -> None:
    put(kit, "a")
    assert take(kit) == AddressWant(ELM)
    kit.reopen()
    kit.seconds += HOLD / SECOND
    assert take(kit) == AddressWant(ELM)


def test_nobody_asks_before_the_agreed_instant(kit: Kit) -> None:
    put(kit, "a")
    put(kit, "b", HOUSE | {"StreetNumber": "2", "StreetName": "Oak"})
    settle(kit, ELM, pause=3 * SECOND)
    assert take(kit) == kit.now + 3 * SECOND
    kit.seconds += 3
    assert take(kit) == AddressWant(OAK)


def test_a_failing_geocoder_is_told_of_until_it_answers(kit: Kit) -> None:
    put(kit, "a")
    assert kit.store.geocoding.due(GEO, [FEED])
    bad = GeocoderPace(kit.now + 60 * SECOND, 2, "http_429")
    kit.store.geocoding.settle(GEO, ELM, NotLocated("http_429", kit.now), bad)
    assert kit.store.geocoding.failing(GEO) == bad
    assert not kit.store.geocoding.due(GEO, [FEED])
    kit.seconds += 60
    assert take(kit) == AddressWant(ELM, geocoder_failures=2)
    settle(kit, ELM)
    assert kit.store.geocoding.failing(GEO) is None


# --- telling


def test_one_message_is_on_its_way_at_a_time(kit: Kit) -> None:
    tell = kit.store.geocoding.tell
    assert not tell(GEO, [FEED])
    put(kit, "a")
    assert tell(GEO, [FEED])
    assert not tell(GEO, [FEED])
    take(kit)
    assert not tell(GEO, [FEED])
    settle(kit, ELM, NotLocated("nothing", kit.now, asked=1), pause=3_600 * SECOND)
    kit.seconds += 3_600
    assert not tell(GEO, [FEED])


def test_when_nothing_was_due_the_next_address_is_told_of_at_once(kit: Kit) -> None:
    put(kit, "a")
    assert kit.store.geocoding.tell(GEO, [FEED])
    take(kit)
    settle(kit, ELM)
    assert take(kit) is None
    put(kit, "b", HOUSE | {"StreetNumber": "2", "StreetName": "Oak"})
    assert kit.store.geocoding.tell(GEO, [FEED])


def test_a_message_that_was_lost_is_sent_again_in_time(kit: Kit) -> None:
    put(kit, "a")
    assert kit.store.geocoding.tell(GEO, [FEED])
    kit.seconds += 61
    assert kit.store.geocoding.tell(GEO, [FEED])


@pytest.mark.parametrize("kit", ["sqlite"], indirect=True)
def test_a_message_that_died_with_its_process_is_sent_again_at_once(kit: Kit) -> None:
    put(kit, "a")
    assert kit.store.geocoding.tell(GEO, [FEED])
    kit.reopen().recover()
    assert kit.store.geocoding.tell(GEO, [FEED])


# --- counting


def test_every_listing_is_counted_once_by_where_its_coordinates_are_from(kit: Kit) -> None:
    put(kit, "mls", HOUSE | OWN)
    put(kit, "found")
    put(kit, "found too", HOUSE | {"UnitNumber": "3"})
    put(kit, "missed", HOUSE | {"StreetName": "Miss"})
    put(kit, "pending", HOUSE | {"StreetName": "Pending"})
    put(kit, "failed", HOUSE | {"StreetName": "Fail"})
    put(kit, "nowhere", {})
    put(kit, "other", HOUSE | {"StreetName": "Pending"}, feed="other")
    settle(kit, ELM)
    settle(kit, "1 miss||ottawa|ca-on||ca", NotLocated("nothing", kit.now + DAY, misses=1))
    settle(kit, "1 fail||ottawa|ca-on||ca", NotLocated("timeout", kit.now + DAY, failures=1))
    assert kit.store.geocoding.located(FEED) == {
        "mls": 1, "geocoder": 2, "pending": 2, "not_found": 1, "no_address": 1
    }  # fmt: skip
    assert kit.store.geocoding.located("none") == {
        "mls": 0, "geocoder": 0, "pending": 0, "not_found": 0, "no_address": 0
    }  # fmt: skip
