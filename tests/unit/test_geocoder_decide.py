"""What to ask a geocoder, what to believe of its answer, and when to ask again."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.geocoder.decide import (
    DAY,
    HOUR,
    MINUTE,
    MISS,
    MOST_MISS,
    MOST_PAUSE,
    PAUSE,
    SECOND,
    THROTTLED,
    Failure,
    answered,
    failed,
    judge,
    pace,
    precision,
    questions,
)
from shared.geocoding.address import Address
from shared.geocoding.places import Place
from shared.store.base import AddressWant, GeocoderPace, Located, NotLocated

NOW = 1_800_000_000 * SECOND
HOME = Address("123 main street", "", "hamilton", "ca-on", "l8p1a1", "ca")
DETAILS = {
    "house_number": "123", "road": "Main Street", "city": "Hamilton", "state": "Ontario", "ISO3166-2-lvl4": "CA-ON",
    "postcode": "L8P 1A1", "country": "Canada", "country_code": "ca",
}  # fmt: skip
HOUSE = Place(43.2557, -79.8711, 30, "building", "yes", "building", "way", DETAILS)
WANT = AddressWant(HOME.text)


def place(rank: int | None = 30, *, iso: str = "CA-ON", **details: str) -> Place:
    """The house, with other details; "" takes one away."""
    told = {label: text for label, text in (DETAILS | {"ISO3166-2-lvl4": iso} | details).items() if text}
    return replace(HOUSE, rank=rank, address=told)


# --- questions


def test_the_structured_question_comes_first_then_free_text_without_the_postal_code() -> None:
    assert questions(HOME) == [
        {"street": "123 main street", "city": "hamilton", "state": "Ontario", "postalcode": "L8P 1A1",
         "countrycodes": "ca"},
        {"q": "123 main street, hamilton, Ontario", "countrycodes": "ca"},
    ]  # fmt: skip


def test_free_text_names_the_part_of_the_city() -> None:
    assert questions(replace(HOME, locality="ancaster"))[1]["q"] == "123 main street, ancaster, hamilton, Ontario"


def test_a_country_that_is_not_known_is_named_and_the_search_limited_as_configured() -> None:
    abroad = Address("1 high street", "", "oban", "argyll", "", "scotland")
    structured, free = questions(abroad, "gb,ie")
    assert (structured["country"], structured["state"], structured["countrycodes"]) == ("scotland", "argyll", "gb,ie")
    assert free == {"q": "1 high street, oban, argyll, scotland", "countrycodes": "gb,ie"}
    assert "countrycodes" not in questions(abroad)[0]


def test_what_the_address_says_goes_before_what_is_configured() -> None:
    assert {question["countrycodes"] for question in questions(HOME, "us")} == {"ca"}


def test_nothing_is_asked_twice_when_there_is_nothing_to_leave_out() -> None:
    assert len(questions(replace(HOME, street="", postal_code=""))) == 1
    assert len(questions(replace(HOME, city=""))) == 1


PARTS = st.text("abc 1", max_size=8).map(str.strip)
ADDRESSES = st.builds(Address, PARTS, PARTS, PARTS, PARTS, PARTS, st.sampled_from(["", "ca", "france"]))


@given(ADDRESSES)
def test_no_question_is_empty_mixed_or_asked_twice(address: Address) -> None:
    asked = questions(address)
    assert 1 <= len(asked) <= 2
    for question in asked:
        assert all(question.values())
        assert "q" not in question or question.keys() <= {"q", "countrycodes"}
    assert "q" not in asked[0]


# --- how near


@pytest.mark.parametrize(
    ("found", "near"),
    [
        (place(), "rooftop"),
        (place(28), "interpolated"),
        (replace(place(), category="place", type="house", osm_type="way"), "interpolated"),
        (replace(place(), category="place", type="house", osm_type="node"), "rooftop"),
        (place(30, house_number=""), "street"),
        (place(30, house_number="125"), "street"),
        (place(27, house_number=""), "street"),
        (place(26, house_number=""), "street"),
        (place(25), "neighbourhood"),
        (place(20), "neighbourhood"),
        (place(19), "city"),
        (place(13), "city"),
        (place(12), None),
        (place(8), None),
        (place(4), None),
        (place(0), None),
        (replace(place(21), kind="postcode"), "postcode"),
        (replace(place(5), type="postcode"), "postcode"),
        (replace(place(None), kind="house"), "rooftop"),
        (replace(place(None), kind="road"), "street"),
        (replace(place(None), kind="state"), None),
        (replace(place(None), kind=""), None),
    ],
)
def test_how_near_a_place_is(found: Place, near: str | None) -> None:
    assert precision(found, HOME) == near


# --- what to believe


def test_the_house_itself_is_believed() -> None:
    assert judge([HOUSE], HOME) == (HOUSE, "rooftop")


def test_nothing_is_nothing() -> None:
    assert judge([], HOME) == "nothing"


def test_a_province_or_a_country_is_no_answer() -> None:
    assert judge([place(8), place(4)], HOME) == "too_coarse"


@pytest.mark.parametrize(
    "found",
    [
        place(country_code="us"),
        place(country_code=""),
        place(iso="CA-NS"),
        place(iso="", state="Nova Scotia"),
        place(city="Toronto", postcode="M5V 1A1"),
        place(city="Toronto", postcode=""),
        place(city="", postcode=""),
        replace(HOUSE, address={}),
    ],
)
def test_a_place_elsewhere_is_not_believed(found: Place) -> None:
    assert judge([found], HOME) == "elsewhere"


@pytest.mark.parametrize(
    "found",
    [
        place(postcode=""),
        place(postcode="L9G 3K9"),
        place(city="", town="Hamilton", postcode=""),
        place(city="City of Hamilton", postcode=""),
        place(city="Ancaster", postcode="L8P 9Z9"),
        place(iso="", state=""),
        place(iso=""),
        place(country_code="CA"),
    ],
)
def test_a_place_that_agrees_in_city_or_postal_area_is_believed(found: Place) -> None:
    assert judge([found], HOME) == (found, "rooftop")


def test_accents_case_and_saints_make_no_other_city() -> None:
    home = replace(HOME, city="st john's", province="ca-nl")
    assert judge([place(iso="CA-NL", city="Saint John's", postcode="")], home) != "elsewhere"
    assert judge([place(iso="CA-NL", city="Saint-Johns", postcode="")], home) != "elsewhere"
    assert judge([place(iso="CA-NL", city="Saint John", postcode="")], home) == "elsewhere"


def test_a_part_of_the_city_is_the_city() -> None:
    assert judge([place(city="", suburb="Ancaster", postcode="")], replace(HOME, locality="ancaster")) != "elsewhere"


def test_the_house_number_or_road_is_no_city() -> None:
    home = replace(HOME, city="main street", postal_code="")
    assert judge([place(postcode="")], home) == "elsewhere"


def test_the_same_postal_code_goes_before_the_servers_order() -> None:
    other = replace(place(postcode="L9G 3K9"), latitude=43.9)
    assert judge([other, HOUSE], HOME) == (HOUSE, "rooftop")


def test_two_far_apart_are_none_when_nothing_says_which() -> None:
    one, other = place(postcode=""), replace(place(postcode="L9G 3K9"), latitude=43.9)
    assert judge([one, other], HOME) == "ambiguous"
    near = replace(other, latitude=one.latitude + 0.01)
    assert judge([one, near], HOME) == (one, "rooftop")


def test_a_street_far_away_makes_no_house_ambiguous() -> None:
    street = replace(place(26, house_number="", postcode=""), latitude=43.9)
    assert judge([place(postcode=""), street], HOME) == (place(postcode=""), "rooftop")


def test_where_the_listing_says_less_less_is_asked() -> None:
    assert judge([HOUSE], Address("123 main street", "", "hamilton", "", "", "")) == (HOUSE, "rooftop")
    abroad = Address("123 main street", "", "hamilton", "ontario", "", "kanada")
    assert judge([HOUSE], abroad) == (HOUSE, "rooftop")


DETAIL = st.dictionaries(st.sampled_from([*DETAILS, "town", "suburb"]), st.sampled_from([*DETAILS.values(), "", "x"]))
PLACES = st.builds(
    Place, st.floats(-90, 90), st.floats(-180, 180), st.none() | st.integers(0, 30),
    kind=st.sampled_from(["", "house", "road", "postcode", "state"]), address=DETAIL,
)  # fmt: skip


@given(st.lists(PLACES, max_size=6), ADDRESSES | st.just(HOME))
def test_what_is_believed_is_one_of_the_places_and_in_the_country(found: list[Place], address: Address) -> None:
    verdict = judge(found, address)
    if isinstance(verdict, str):
        assert verdict in ("nothing", "too_coarse", "elsewhere", "ambiguous")
    else:
        assert verdict[0] in found
        assert address.country != "ca" or verdict[0].address["country_code"].lower() == "ca"


# --- when again


def test_an_answer_locates_the_address() -> None:
    assert answered((HOUSE, "rooftop"), WANT, 2, NOW) == Located(43.2557, -79.8711, "rooftop")


def test_after_the_first_question_the_second_is_due_at_once() -> None:
    assert answered("nothing", WANT, 2, NOW) == NotLocated("nothing", NOW, asked=1)


def test_a_miss_is_remembered_for_long_and_longer_each_time() -> None:
    asked = replace(WANT, asked=1)
    waits = [answered("nothing", replace(asked, misses=n), 2, NOW) for n in range(6)]
    assert [item.next_attempt_at - NOW for item in waits if isinstance(item, NotLocated)] == [
        MISS, 2 * MISS, 4 * MISS, 8 * MISS, MOST_MISS, MOST_MISS
    ]  # fmt: skip
    assert waits[0] == NotLocated("nothing", NOW + MISS, misses=1)


def test_an_address_that_brought_no_answer_goes_behind_the_others() -> None:
    outcome = failed(Failure("timeout"), replace(WANT, asked=1, misses=2), 2, NOW)
    assert outcome == NotLocated("timeout", NOW + PAUSE, asked=1, misses=2, failures=1)
    assert failed(Failure("malformed"), replace(WANT, failures=20), 2, NOW).next_attempt_at == NOW + DAY


@pytest.mark.parametrize("reason", sorted(THROTTLED))
def test_being_throttled_is_no_addresss_fault(reason: str) -> None:
    want = replace(WANT, asked=1, misses=2, failures=3)
    assert failed(Failure(reason), want, 2, NOW) == NotLocated(reason, NOW, asked=1, misses=2, failures=3)


def test_a_question_refused_is_as_good_as_answered_with_nothing() -> None:
    refused = Failure("http_400", refused=True)
    assert failed(refused, WANT, 2, NOW) == NotLocated("http_400", NOW, asked=1)
    assert failed(refused, replace(WANT, asked=1), 2, NOW) == NotLocated("http_400", NOW + MISS, misses=1)
    assert pace(refused, 3, SECOND, NOW) == GeocoderPace(NOW + SECOND)


def test_between_two_questions_lies_the_interval() -> None:
    assert pace(None, 7, SECOND // 10, NOW) == GeocoderPace(NOW + SECOND // 10)


def test_a_server_that_fails_is_left_alone_for_longer_each_time() -> None:
    pauses = [pace(Failure("broken"), n, SECOND, NOW) for n in range(9)]
    assert [item.not_before - NOW for item in pauses][:3] == [PAUSE, 2 * PAUSE, 4 * PAUSE]
    assert pauses[-1] == GeocoderPace(NOW + MOST_PAUSE, 9, "broken")


def test_what_the_server_asks_for_is_honoured_but_no_less_than_is_decent() -> None:
    assert pace(Failure("http_429", 600.0), 0, SECOND, NOW).not_before == NOW + 10 * MINUTE
    assert pace(Failure("http_429", 0.0), 0, SECOND, NOW).not_before == NOW + MINUTE
    assert pace(Failure("http_5xx", 7_200.0), 5, SECOND, NOW).not_before == NOW + 2 * HOUR
    assert pace(Failure("http_403"), 0, SECOND, NOW).not_before == NOW + HOUR


REASONS = st.sampled_from(["timeout", "http_429", "http_403", "http_5xx", "malformed"])


@given(REASONS, st.none() | st.floats(0, 86_400), st.integers(0, 10_000), st.integers(1, 10 * SECOND))
def test_no_pause_is_shorter_than_the_interval_or_longer_than_asked(
    reason: str, retry_after: float | None, failures: int, interval: int
) -> None:
    after = pace(Failure(reason, retry_after), failures, interval, NOW)
    assert after.not_before >= NOW + interval
    assert after.not_before <= NOW + max(MOST_PAUSE, int((retry_after or 0) * SECOND))
    assert after.failures == failures + 1
