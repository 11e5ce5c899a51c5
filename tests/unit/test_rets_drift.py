"""Metadata that drift: the four cases, told in words, and when kept ones must be read anew."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from shared.rets.schema.currency import Currency, currency, instant
from shared.rets.schema.difference import differences
from shared.rets.schema.types import Field, Lookup, LookupType, ObjectKind, Resource, ResourceClass, System


def system(
    *fields: Field, values: tuple[LookupType, ...] = (), classes: tuple[str, ...] = ("RES",), **more: Any
) -> System:
    made = tuple(ResourceClass(class_name=name, fields=fields) for name in classes)
    lookup = Lookup(lookup_name="Status", values=values)
    return System(resources=(Resource(resource_id="Property", classes=made, lookups=(lookup,), **more),))


def field(entry: str, name: str, **more: Any) -> Field:
    return Field(metadata_entry_id=entry, system_name=name, **more)


def value(entry: str, code: str, text: str) -> LookupType:
    return LookupType(metadata_entry_id=entry, value=code, long_value=text)


def told(old: System, new: System) -> list[str]:
    return [str(each) for each in differences(old, new)]


KEY, BEDS = field("1", "Key"), field("2", "Beds", maximum_length=2)
ACTIVE, SOLD = value("7", "A", "Active"), value("8", "S", "Sold")


def test_nothing_differs_from_itself() -> None:
    assert told(system(KEY, BEDS, values=(ACTIVE,)), system(BEDS, KEY, values=(ACTIVE,))) == []


def test_a_field_added() -> None:
    assert told(system(KEY), system(KEY, BEDS)) == ["Property RES: field Beds added"]


def test_a_field_renamed_is_the_one_of_the_same_entry() -> None:
    renamed = field("2", "Bedrooms", maximum_length=3)
    assert told(system(KEY, BEDS), system(KEY, renamed)) == [
        "Property RES: field Beds is now Bedrooms (maximum_length: 2 → 3)"
    ]


def test_a_field_removed() -> None:
    assert told(system(KEY, BEDS), system(KEY)) == ["Property RES: field Beds removed"]


def test_values_of_a_lookup_changed() -> None:
    old = system(KEY, values=(ACTIVE, SOLD, value("9", "P", "Pending")))
    new = system(KEY, values=(value("7", "A", "For sale"), value("8", "SLD", "Sold"), value("", "W", "Withdrawn")))
    assert told(old, new) == [
        "Property Status: lookup value A changed (long_value: Active → For sale)",
        "Property Status: lookup value S is now SLD",
        "Property Status: lookup value W added",
        "Property Status: lookup value P removed",
    ]


def test_a_field_that_changed_its_type_says_from_what_to_what() -> None:
    new = field("2", "Beds", maximum_length=2, data_type="Int", searchable=True)
    assert told(system(BEDS), system(new)) == [
        "Property RES: field Beds changed (data_type: none → Int; searchable: False → True)"
    ]


@pytest.mark.parametrize("entry", ["", "1"])
def test_an_entry_id_that_is_blank_or_shared_renames_nothing(entry: str) -> None:
    old, new = system(KEY, field(entry, "Beds")), system(KEY, field(entry, "Rooms"))
    assert told(old, new) == ["Property RES: field Rooms added", "Property RES: field Beds removed"]


def test_two_fields_that_swap_names_keep_them() -> None:
    assert told(system(field("1", "A"), field("2", "B")), system(field("1", "B"), field("2", "A"))) == []


def test_classes_objects_resources_and_the_key_field() -> None:
    old = system(KEY, key_field="Key", objects=(ObjectKind(object_type="Photo"),))
    new = system(KEY, key_field="Id", classes=("RES", "LND"))
    new = msgspec.structs.replace(new, resources=(*new.resources, Resource(resource_id="Agent")))
    assert told(old, new) == [
        "resource Property changed (key_field: Key → Id)",
        "resource Agent added",
        "Property: class LND added",
        "Property: object type Photo removed",
    ]


def test_versions_and_dates_of_tables_are_no_differences() -> None:
    assert told(system(KEY), system(KEY, lookup_version="2", class_date="d", class_count=4)) == []


def test_no_text_of_a_server_breaks_the_line() -> None:
    (line,) = told(system(BEDS), system(field("2", "Beds", maximum_length=2, long_name="a\nb" + "x" * 1000)))
    assert "\n" not in line
    assert len(line) < 200


# --- currency

ISO, RFC = "2024-03-05T14:00:00Z", "Tue, 05 Mar 2024 14:00:00 GMT"


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({}, Currency.CURRENT),
        ({"timestamp": ISO}, Currency.CURRENT),
        ({"timestamp": RFC}, Currency.CURRENT),
        ({"timestamp": "2024-03-05T09:00:00-05:00", "version": "9.9.9"}, Currency.CURRENT),
        ({"timestamp": "2024-03-05T14:00:01Z"}, Currency.CHANGED),
        ({"timestamp": "yesterday"}, Currency.CHANGED),
        ({"timestamp": ISO, "min_timestamp": "2024-01-01T00:00:00Z"}, Currency.CURRENT),
        ({"timestamp": ISO, "min_timestamp": "2024-03-05T14:00:01Z"}, Currency.EXPIRED),
        ({"min_timestamp": "nonsense"}, Currency.EXPIRED),
        ({"version": "1.04.12"}, Currency.CURRENT),
        ({"version": "1.10.0"}, Currency.CHANGED),
        ({"version": "1.10.0", "min_version": "1.9.0"}, Currency.EXPIRED),
        ({"version": "1.10.0", "min_version": "1.04.00012"}, Currency.CHANGED),
    ],
)
def test_whether_kept_metadata_are_still_good(said: dict[str, str], expected: Currency) -> None:
    assert currency(kept_version="1.04.00012", kept_date=ISO, **said) is expected


def test_metadata_without_a_date_are_not_known_to_be_new_enough() -> None:
    assert currency(kept_version="", kept_date="", min_timestamp=ISO) is Currency.EXPIRED


@pytest.mark.parametrize("text", ["", "x", "2024-13-01", "Tue, 99 Foo", "9" * 400, "0001-01-01T00:00:00+23:00"])
def test_what_is_no_date_is_none(text: str) -> None:
    assert instant(text) is None
