"""What a geocoder answers is a stranger's: taken where it makes sense, passed over where it does not."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.geocoding.places import MAX_PLACES, Place, places

HOUSE: dict[str, Any] = {
    "place_id": 1, "licence": "ODbL", "osm_type": "way", "osm_id": 7, "lat": "43.6510700", "lon": "-79.3470100",
    "category": "building", "type": "yes", "place_rank": 30, "importance": 0.1, "addresstype": "building",
    "boundingbox": ["1", "2", "3", "4"], "display_name": "5, King Street",
    "address": {"house_number": "5", "road": "King Street", "city": "Toronto", "country_code": "ca"},
}  # fmt: skip


def one(**changes: Any) -> list[Place]:
    return places(json.dumps([HOUSE | changes]).encode())


def test_a_place_as_nominatim_writes_it() -> None:
    assert one() == [
        Place(43.65107, -79.34701, 30, "building", "yes", "building", "way", HOUSE["address"]),
    ]


def test_nothing_found_is_an_empty_array() -> None:
    assert places(b"[]") == []


@pytest.mark.parametrize("value", ["43.65107", 43.65107, " 43.65107 "])
def test_coordinates_may_be_text_or_numbers(value: object) -> None:
    assert one(lat=value)[0].latitude == 43.65107


@pytest.mark.parametrize(
    "value",
    ["", "north", "NaN", "inf", "-inf", "1e400", 91, -90.1, "9" * 60, None, True, [], {}, "43,65", 1e308, "0x10"],
    ids=str,
)
def test_coordinates_that_are_none_make_no_place(value: object) -> None:
    assert one(lat=value) == []


def test_no_place_lies_where_the_equator_crosses_the_prime_meridian() -> None:
    assert one(lat=0, lon="0.00000001") == []
    assert len(one(lat=0, lon=9.5)) == 1


@pytest.mark.parametrize("value", ["30", 31, -1, None, True, 26.5, []], ids=str)
def test_a_rank_that_is_none_is_not_known(value: object) -> None:
    assert one(place_rank=value)[0].rank is None


@pytest.mark.parametrize("value", [None, [], "Toronto", 7], ids=str)
def test_details_of_another_shape_are_none(value: object) -> None:
    assert one(address=value)[0].address == {}


def test_details_that_are_no_short_text_are_left_out() -> None:
    told = {"city": "Toronto", "road": ["King"], "state": None, "suburb": "x" * 500}
    assert one(address=told)[0].address == {"city": "Toronto"}


def test_older_servers_say_class_and_no_addresstype() -> None:
    old = {name: value for name, value in HOUSE.items() if name not in ("category", "addresstype")} | {"class": "place"}
    (place,) = places(json.dumps([old]).encode())
    assert (place.category, place.kind) == ("place", "yes")


def test_one_bad_place_does_not_hide_the_others_and_no_more_are_read_than_were_asked_for() -> None:
    found = places(json.dumps([None, 5, [], {"lat": 1}, *[HOUSE] * 30]).encode())
    assert len(found) == MAX_PLACES - 4


@pytest.mark.parametrize(
    "body",
    [
        b"", b"null", b'{"error": {"code": 400, "message": "no"}}', b"<html>Too many requests</html>", b"[", b"[1,",
        b"\xff\xfe", b"[" * 200_000, b'"' + b"x" * 1000 + b'"', b"\x1f\x8b\x08\x00",
    ],
    ids=lambda body: repr(body[:12]),
)  # fmt: skip
def test_what_is_no_array_is_refused(body: bytes) -> None:
    with pytest.raises(ValueError, match="no "):
        places(body)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@given(st.lists(st.dictionaries(st.sampled_from(sorted(HOUSE)), JSON)))
def test_any_values_give_places_within_bounds(found: list[dict[str, Any]]) -> None:
    for place in places(json.dumps(found, allow_nan=False, default=str).encode()) if _finite(found) else []:
        assert -90 <= place.latitude <= 90
        assert -180 <= place.longitude <= 180
        assert (place.latitude, place.longitude) != (0, 0)
        assert place.rank is None or 0 <= place.rank <= 30


@given(st.binary(max_size=200))
def test_any_bytes_are_places_or_refused(body: bytes) -> None:
    try:
        places(body)
    except ValueError:
        return


def _finite(value: object) -> bool:
    try:
        json.dumps(value, allow_nan=False)
    except ValueError:
        return False
    return True
