"""Values become what their column holds, exactly, or a reason why they cannot."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.mapping.convert import (
    Misfit,
    boolean,
    code,
    exact,
    integer,
    key,
    listed,
    measure,
    measure_range,
    remarks,
    text,
)

money = exact(14, 2)
coordinate = exact(18, 15)


@pytest.mark.parametrize(
    ("value", "number"), [("0", 0), ("3", 3), ("007", 7), ("-2", -2), ("+2", 2), ("2.0", 2), ("2147483647", 2**31 - 1)]
)
def test_integers(value: str, number: int) -> None:
    assert integer(value) == number


@pytest.mark.parametrize(
    ("value", "reason"),
    [("3.5", "number"), ("three", "number"), ("1_000", "number"), ("1,000", "number"), ("٣", "number"),
     ("3 ", "number"), ("2147483648", "range"), ("-2147483649", "range"), ("9" * 5000, "range")],
)  # fmt: skip
def test_integers_that_do_not_fit(value: str, reason: str) -> None:
    with pytest.raises(Misfit, match=reason):
        integer(value)


@pytest.mark.parametrize("value", ["649900.00", "0", ".5", "1.", "-12.5", "999999999999.99", "1.500000", "0000001.10"])
def test_decimals_are_kept_as_written(value: str) -> None:
    assert money(value) == Decimal(value)


@pytest.mark.parametrize(
    ("value", "reason"),
    [("1000000000000", "range"), ("1.005", "range"), ("NaN", "number"), ("Infinity", "number"), ("1e3", "number"),
     ("$5", "number"), ("1_0", "number"), ("649,900.00", "number"), ("9" * 65, "length"), ("1" * 64 + "x", "length")],
)  # fmt: skip
def test_decimals_a_column_cannot_hold_exactly_do_not_fit(value: str, reason: str) -> None:
    with pytest.raises(Misfit, match=reason):
        money(value)


@given(st.decimals(min_value=-180, max_value=180, places=15))
def test_coordinates_keep_every_digit(value: Decimal) -> None:
    assert coordinate(f"{value:f}") == value


@pytest.mark.parametrize(("value", "truth"), [("True", True), ("true", True), ("False", False), ("false", False),
                                              ("1", True), ("0", False), ("Y", True), ("Non", False)])  # fmt: skip
def test_booleans(value: str, truth: bool) -> None:
    assert boolean(value) is truth


def test_what_is_no_boolean_does_not_fit() -> None:
    with pytest.raises(Misfit, match="boolean"):
        boolean("maybe")


@pytest.mark.parametrize(
    ("value", "items"),
    [
        ("Park", ["Park"]),
        ("Park, Public Transit", ["Park", "Public Transit"]),
        ("Walk out - yes, Full/partial", ["Walk out - yes", "Full/partial"]),
        ("1,5 storey, Loft", ["1,5 storey", "Loft"]),
        ("a, , b", ["a", "b"]),
        (", ", [", "]),
    ],
)
def test_lists_are_separated_by_comma_and_blank(value: str, items: list[str]) -> None:
    assert listed(value) == items


@pytest.mark.parametrize(
    ("value", "number", "unit"),
    [
        ("0.25 ac", "0.25", "ac"),
        ("1850 sqft", "1850", "sqft"),
        ("1,850 sq. ft", "1850", "sq. ft"),
        ("4000 m2", "4000", "m2"),
        ("9ft", "9", "ft"),
        ("2 %", "2", "%"),
        ("24", "24", None),
        ("12'", "12", "'"),
        ("221 pi", "221", "pi"),
        ("3,66 m", None, None),
        ("under 1/2 acre", None, None),
        ("6' 0''", None, None),
        ("50 x 120", None, None),
        ("9" * 13 + " ac", None, None),
        ("1" * 5000, None, None),
    ],
)
def test_a_measure_is_number_unit_and_always_the_text(value: str, number: str | None, unit: str | None) -> None:
    assert measure(value) == (None if number is None else Decimal(number), unit, value)


def test_a_range_has_two_ends() -> None:
    low, high = Decimal(1100), Decimal(1500)
    assert measure_range("1100 - 1500 sqft") == (None, "sqft", "1100 - 1500 sqft", low, high)
    assert measure_range("1,100-1,500 sqft") == (None, "sqft", "1,100-1,500 sqft", low, high)
    assert measure_range("1850 sqft") == (Decimal(1850), "sqft", "1850 sqft", None, None)
    assert measure_range("1500 - 1100 sqft") == (None, None, "1500 - 1100 sqft", None, None)


def test_remarks_lose_the_feeds_mark_and_nothing_else() -> None:
    assert remarks("Bright bungalow … (id:1234)") == "Bright bungalow …"
    assert remarks("Bright (id:1) bungalow") == "Bright (id:1) bungalow"
    assert remarks("Bright (really)") == "Bright (really)"
    assert remarks(" (id:1234)") is None


@pytest.mark.parametrize("function", [text, code, key, remarks, listed, measure, measure_range])
def test_nul_fits_no_text(function: object) -> None:
    with pytest.raises(Misfit, match="characters"):
        function("a\0b")  # type: ignore[operator]


def test_codes_and_keys_are_short_enough_for_an_index() -> None:
    assert code("é" * 255) == "é" * 255
    with pytest.raises(Misfit, match="length"):
        code("é" * 256)
    assert key("é" * 127) == "é" * 127
    with pytest.raises(Misfit, match="length"):
        key("é" * 128)
