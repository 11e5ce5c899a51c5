"""Addresses in one form: the same place, however it is written, is one address."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.geocoding.address import COLUMNS, LENGTH, Address, address_of, plain, read
from shared.geocoding.regions import country_of, fold, region_name, region_of

HOUSE = {
    "street_number": "123", "street_name": "Main", "street_suffix": "Street", "street_dir_suffix": "W",
    "unit_number": "5", "city": "Toronto", "state_or_province": "Ontario", "postal_code": "M5V1A1", "country": "Canada",
}  # fmt: skip


def text(**changes: str | None) -> str:
    found = address_of(HOUSE | changes)
    assert found is not None
    return found.text


def line(unparsed: str) -> str:
    """The street out of a line of text."""
    found = address_of({"unparsed_address": unparsed, "city": "Toronto", "postal_code": "M5V1A1"})
    assert found is not None
    return found.street


# --- what makes no difference


def test_a_house_is_its_street_city_province_postal_code_and_country() -> None:
    assert text() == "123 main street w||toronto|ca-on|m5v1a1|ca"


@pytest.mark.parametrize(
    "changes",
    [
        {"street_name": "MAIN", "city": "TORONTO"},
        {"street_name": "  Main "},
        {"street_name": "Ｍａｉｎ"},
        {"postal_code": "m5v 1a1"},
        {"postal_code": "M5V-1A1"},
        {"state_or_province": "ON"},
        {"state_or_province": "ont."},
        {"country": "CA"},
        {"country": None},
        {"unit_number": None},
        {"unit_number": "2207"},
        {"street_number": "5-123"},
        {"street_number": "123."},
        {"city": "Toronto\u200b"},
        {"city": "Toronto\x00"},
    ],
    ids=str,
)
def test_what_makes_no_difference_to_where_a_house_stands_is_dropped(changes: dict[str, str | None]) -> None:
    assert text(**changes) == text()


def test_composed_and_decomposed_accents_are_one_and_accents_stay() -> None:
    composed = text(city="Montréal")
    assert text(city=unicodedata.normalize("NFD", "Montréal")) == composed
    assert text(city="Montreal") != composed


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Québec", "Quebec"), ("QC", "Québec"), ("Newfoundland & Labrador", "NL"), ("Nouvelle-Écosse", "Nova Scotia"),
        ("Terre-Neuve-et-Labrador", "Newfoundland and Labrador"), ("Colombie-Britannique", "BC"), ("P.E.I.", "PE"),
        ("Yukon Territory", "Yukon"),
    ],
)  # fmt: skip
def test_a_province_is_one_by_any_of_its_names_in_either_language(one: str, other: str) -> None:
    assert text(state_or_province=one) == text(state_or_province=other)


def test_what_does_make_a_difference_stays() -> None:
    changes: list[dict[str, str | None]] = [
        {"street_number": "124"}, {"street_suffix": "Avenue"}, {"street_dir_suffix": "E"}, {"city": "Ottawa"},
        {"state_or_province": "Alberta"}, {"postal_code": "M5V1A2"}, {"country": "United States"},
    ]  # fmt: skip
    assert len({text(**change) for change in changes} | {text()}) == len(changes) + 1


def test_the_part_of_a_city_that_crea_puts_in_brackets_stands_apart() -> None:
    found = address_of(HOUSE | {"city": "Ottawa (Orléans)"})
    assert found is not None
    assert (found.city, found.locality) == ("ottawa", "orléans")


@pytest.mark.parametrize(
    ("unparsed", "street"),
    [
        ("123 Main St", "123 main st"),
        ("5 - 123 Main St", "123 main st"),
        ("#5-123 Main St", "123 main st"),
        ("PH1 - 123 Main St", "123 main st"),
        ("Unit 5, 123 Main St", "123 main st"),
        ("Unit A-12 123 Main St", "123 main st"),
        ("apt. 3 99 rue Sainte-Anne", "99 rue sainte-anne"),
        ("123 Main St, Unit 5", "123 main st"),
        ("123 Main St #4", "123 main st"),
        ("1204 - 33 Bay St|Tower B|Lot 7", "33 bay st"),
        ("123A Main St", "123a main st"),
        ("Ste-Anne 5", "ste-anne 5"),
        ("PT LT 12 CON 3", "pt lt 12 con 3"),
        ("Unit 12", ""),
        ("", ""),
    ],
)
def test_a_street_is_read_out_of_a_line_without_its_unit(unparsed: str, street: str) -> None:
    assert line(unparsed) == street


def test_parts_are_taken_before_the_line() -> None:
    assert text(unparsed_address="Anything else") == text()


def test_us_addresses_lose_the_four_digits_behind_the_zip_code() -> None:
    found = address_of({"street_number": "1", "street_name": "Elm", "city": "Buffalo", "state_or_province": "NY",
                        "postal_code": "14201-1234", "country": "USA"})  # fmt: skip
    assert found is not None
    assert found.text == "1 elm||buffalo|us-ny|14201|us"
    assert found.written_postal_code == "14201"


def test_a_canadian_postal_code_is_written_with_its_space_and_half_of_one_without() -> None:
    assert Address("", "", "", "", "m5v1a1", "ca").written_postal_code == "M5V 1A1"
    assert Address("", "", "", "", "s7j", "ca").written_postal_code == "S7J"


# --- what is none


@pytest.mark.parametrize(
    "parts",
    [
        {},
        {"street_number": "123", "street_name": "Main", "state_or_province": "Ontario", "country": "Canada"},
        {"street_name": "Main", "postal_code": "M5V"},
        {"city": " , ", "street_name": "Main"},
        {"city": "x" * LENGTH},
    ],
    ids=str,
)
def test_a_listing_that_says_too_little_or_too_much_has_no_address(parts: dict[str, str | None]) -> None:
    assert address_of(parts) is None


def test_a_city_alone_is_an_address() -> None:
    assert address_of({"city": "Toronto", "state_or_province": "Ontario"}) is not None


# --- for any text at all

TEXTS = st.none() | st.text(max_size=40)
PARTS = st.fixed_dictionaries(dict.fromkeys(COLUMNS, TEXTS))


@given(PARTS)
def test_any_text_makes_an_address_that_reads_back_or_none(parts: dict[str, str | None]) -> None:
    found = address_of(parts)
    if found is not None:
        assert read(found.text) == found
        assert len(found.text) <= LENGTH
        assert found.text.isprintable()


@given(st.text(max_size=60))
def test_plain_text_is_plain_already(value: str) -> None:
    once = plain(value)
    assert plain(once) == once


@given(PARTS)
def test_case_makes_no_difference(parts: dict[str, str | None]) -> None:
    shouted = {name: value.upper() if value and value.isascii() else value for name, value in parts.items()}
    assert address_of(shouted) == address_of(parts)


def test_other_text_is_no_address() -> None:
    with pytest.raises(ValueError, match="no normalised address"):
        read("123 Main St, Toronto")


# --- regions


def test_codes_and_names_of_regions() -> None:
    assert country_of("Canada") == country_of("CAN") == "ca"
    assert country_of("Atlantis") is None
    assert region_of("CA", "us") == "us-ca"
    assert region_of("Washington", None) == "us-wa"
    assert region_of("Hamburg", "de") is None
    assert region_name("ca-nl") == "Newfoundland and Labrador"
    assert region_name("hamburg") == "hamburg"


def test_folding_joins_what_people_write_differently() -> None:
    assert fold("St. John's") == fold("SAINT JOHNS")
    assert fold("Île-des-Sœurs") != fold("Île-Perrot")
    assert fold("Trois-Rivières") == "trois rivieres"
