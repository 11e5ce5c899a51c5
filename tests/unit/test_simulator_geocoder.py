"""The simulator's geocoder: Nominatim's search, answered the same for ever, known and unknown as in life."""

from __future__ import annotations

import json
import urllib.error
import urllib.parse
import urllib.request
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from services.simulator.geocoder import search
from services.simulator.main import Options, Simulator
from services.simulator.vocabulary import CITIES, STREETS, SUFFIXES

HOUSE = {"street": "100 king street", "city": "toronto", "state": "Ontario", "countrycodes": "ca"}
ADDRESSES = [
    {"street": f"{number} {street} {suffix}", "city": city[0], "state": city[1]}
    for number in (7, 100) for street in STREETS for suffix in SUFFIXES for city in CITIES
]  # fmt: skip


@pytest.fixture(scope="module")
def base() -> Iterator[str]:
    with Simulator(Options(listings=1, photos=0)) as simulator:
        yield simulator.base


def ask(base: str, **parameters: str) -> Any:
    url = f"{base}/geocoder/search?{urllib.parse.urlencode({'format': 'jsonv2'} | parameters)}"
    with urllib.request.urlopen(url, timeout=10) as answer:
        assert answer.headers["Content-Type"] == "application/json; charset=utf-8"
        return json.load(answer)


def test_a_house_is_found_by_its_parts_and_by_text_without_logging_in(base: str) -> None:
    (place,) = ask(base, **HOUSE)
    assert place["place_rank"] == 30
    assert place["address"] == {
        "house_number": "100", "road": "King Street", "city": "Toronto", "state": "Ontario", "ISO3166-2-lvl4": "CA-ON",
        "postcode": "M5V", "country": "Canada", "country_code": "ca",
    }  # fmt: skip
    assert ask(base, **HOUSE) == [place]
    assert ask(base, q="100 King Street, Toronto, Ontario") == [place]


@pytest.mark.parametrize(
    "changes",
    [
        {"city": "atlantis"},
        {"street": "1 nowhere"},
        {"state": "Alberta"},
        {"countrycodes": "us,mx"},
        {"postalcode": "K1A0B1"},
    ],
    ids=str,
)
def test_all_that_is_asked_for_must_be_there(base: str, changes: dict[str, str]) -> None:
    assert ask(base, **HOUSE | changes) == []


@pytest.mark.parametrize("parameters", [{}, HOUSE | {"q": "x"}, HOUSE | {"format": "xml"}], ids=["none", "both", "xml"])
def test_what_the_api_does_not_take_is_refused(base: str, parameters: dict[str, str]) -> None:
    with pytest.raises(urllib.error.HTTPError) as caught:
        ask(base, **parameters)
    with caught.value as error:
        assert error.code == 400
        assert "format=jsonv2" in json.load(error)["error"]["message"]


def test_status_says_ok(base: str) -> None:
    with urllib.request.urlopen(f"{base}/geocoder/status", timeout=10) as answer:
        assert answer.read() == b"OK"


def test_some_streets_are_unknown_some_known_only_as_a_whole_and_most_houses_known() -> None:
    kinds = Counter(
        (places[0]["place_rank"], places[0]["type"]) if places else None
        for places in (search(address) for address in ADDRESSES)
    )
    assert kinds.keys() == {None, (26, "residential"), (30, "house"), (30, "yes")}
    assert kinds[30, "yes"] > len(ADDRESSES) / 2
    assert min(kinds.values()) > len(ADDRESSES) / 30


def test_some_postal_codes_are_not_known() -> None:
    codes = [f"M5V{n}A{n}" for n in range(10)]
    found = [bool(search(HOUSE | {"postalcode": code})) for code in codes]
    assert set(found) == {True, False}
