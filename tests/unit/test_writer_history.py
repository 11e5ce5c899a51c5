"""What of two versions of a record becomes history, and how it reads."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from services.writer.history import Historian, as_text
from shared.effects import AddHistory
from shared.history import NOISE, entry_key, fields, first_key
from shared.mapping.mapping import load
from shared.mapping.record import Mapped
from shared.messages import SourceRecord

MAPPING = load("ddf")
LISTINGS = Historian("ddf", "property", MAPPING, NOISE)
STAMP = "Tue, 05 Mar 2024 14:00:00 GMT"
LATER = "Wed, 06 Mar 2024 14:00:00 GMT"
AT = 1_709_733_600_000_000
"""2024-03-06 14:00:00 UTC in microseconds."""


def record(stamp: str = STAMP, /, **fields: Any) -> SourceRecord:
    return SourceRecord("1", stamp, {"@ID": "1", "@LastUpdated": stamp, "ListingID": "A1"} | fields)


def mapped(source: SourceRecord, resource: str = "property") -> Mapped:
    return MAPPING.map("ddf", resource, source)


def differences(
    before: SourceRecord, after: SourceRecord, exclude: frozenset[str] = frozenset(NOISE), resource: str = "property"
) -> list[AddHistory]:
    return Historian("ddf", resource, MAPPING, exclude).changed(before, after, mapped(after, resource), AT)


def values(entries: list[AddHistory]) -> dict[str | None, tuple[str | None, str | None]]:
    found = {entry.field: (entry.previous, entry.new) for entry in entries}
    assert len(found) == len(entries)
    return found


def photo(number: int, day: int = 1, caption: str = "") -> dict[str, str]:
    return {
        "SequenceId": str(number),
        "PhotoLastUpdated": f"Fri, {day:02} Mar 2024 09:00:00 GMT",
        "LargePhotoURL": f"http://photos.example/1/{number}.jpg",
        "Description": caption,
    }


def with_photos(*photos: dict[str, str]) -> SourceRecord:
    return record(Photo={"PropertyPhoto": list(photos)})


# --- fields


def test_a_changed_price_is_one_entry_with_all_that_resos_shape_wants() -> None:
    (entry,) = differences(record(Price="450000.00"), record(LATER, Price="425000.00"))
    assert entry == AddHistory(
        "1", "list_price", "450000", "425000", "Price Change", datetime(2024, 3, 6, 14, tzinfo=UTC), AT, "A1"
    )


def test_a_change_without_a_timestamp_of_its_own_is_dated_by_its_observation() -> None:
    (entry,) = differences(record(Price="1"), record("no date", Price="2"))
    assert entry.modified == datetime(2024, 3, 6, 14, tzinfo=UTC)


def test_a_touched_record_has_no_entry() -> None:
    full = {"Price": "1", "Building": {"Rooms": {"Room": [{"Type": "Den"}]}}, "Photo": {"PropertyPhoto": photo(1)}}
    assert differences(record(**full), record(LATER, **full)) == []


@pytest.mark.parametrize(("one", "other"), [("450000", "450000.00"), ("1.50", "1.5")])
def test_the_same_number_written_otherwise_is_no_change(one: str, other: str) -> None:
    assert differences(record(Price=one), record(Price=other)) == []


def test_what_appears_and_what_vanishes_has_null_on_one_side() -> None:
    found = values(differences(record(PublicRemarks="Bright"), record(Price="5")))
    assert found == {"public_remarks": ("Bright", None), "list_price": (None, "5")}


def test_every_kind_of_value_reads_as_sql_would_show_it() -> None:
    after = record(
        Price="450000.50",
        ListingContractDate="05/03/2024",
        ParkingSpaceTotal="3",
        ViewType="Lake view, City view",
        Building={"FireplacePresent": "True", "StoriesTotal": "1.50", "SizeInterior": "1100 - 1500 sqft"},
        Address={"Latitude": "45.4215", "City": "Ottawa"},
    )
    assert values(differences(record(), after)) == {
        "list_price": (None, "450000.5"),
        "listing_contract_date": (None, "2024-03-05"),
        "parking_total": (None, "3"),
        "view": (None, '["Lake view","City view"]'),
        "fireplace_yn": (None, "true"),
        "stories": (None, "1.5"),
        "living_area_units": (None, "sqft"),
        "living_area_text": (None, "1100 - 1500 sqft"),
        "living_area_minimum": (None, "1100"),
        "living_area_maximum": (None, "1500"),
        "latitude": (None, "45.4215"),
        "city": (None, "Ottawa"),
    }


def test_excluded_fields_have_no_entry() -> None:
    before = record(Price="1", AnalyticsView="a", Strange="x", Building={"Rooms": {"Room": {"Type": "Den"}}})
    after = record(LATER, Price="2", AnalyticsView="b", Strange="y", PublicRemarks="New")
    assert values(differences(before, after, frozenset({*NOISE, "property_room"}))).keys() == {
        "list_price", "public_remarks"
    }  # fmt: skip
    assert values(differences(before, after, frozenset())).keys() == {
        "list_price", "public_remarks", "property_room", "analytics_view", "extra"
    }  # fmt: skip


def test_of_what_no_column_holds_only_the_part_that_differs_is_told() -> None:
    before = record(Strange="x", Address={"Odd": "1", "Other": "1"})
    after = record(LATER, Strange="x", Address={"Odd": "1", "Other": "2"}, Price="2")
    assert values(differences(before, after, frozenset())) == {
        "list_price": (None, "2"), "extra": ('{"Address/Other":"1"}', '{"Address/Other":"2"}')
    }  # fmt: skip


def test_a_member_touched_at_the_mls_has_no_entry_and_a_renamed_one_has_one() -> None:
    before = SourceRecord("7", STAMP, {"@ID": "7", "@LastUpdated": STAMP, "Name": "Ann"})
    touched = SourceRecord("7", LATER, {"@ID": "7", "@LastUpdated": LATER, "Name": "Ann"})
    renamed = SourceRecord("7", LATER, {"@ID": "7", "@LastUpdated": LATER, "Name": "Anne"})
    assert differences(before, touched, resource="member") == []
    (entry,) = differences(before, renamed, resource="member")
    assert (entry.key, entry.field, entry.previous, entry.new, entry.record_id) == (
        "7", "member_full_name", "Ann", "Anne", None
    )  # fmt: skip


# --- parts and photos


def test_a_changed_set_of_parts_is_one_entry_with_both_sets() -> None:
    one = {"Type": "Den", "Level": "Main", "Width": "3.35 m"}
    before = record(Building={"Rooms": {"Room": [one]}})
    after = record(Building={"Rooms": {"Room": [one, {"Type": "Attic"}]}})
    ((previous, new),) = values(differences(before, after)).values()
    assert previous == (
        '[{"room_level":"Main","room_type":"Den",'
        '"room_width":"3.35","room_width_text":"3.35 m","room_width_units":"m"}]'
    )
    assert json.loads(str(new)) == [*json.loads(previous), {"room_type": "Attic"}]
    assert values(differences(after, record()))["property_room"] == (new, None)


def test_open_houses_parking_utilities_and_agents_are_sets_as_well() -> None:
    after = record(
        OpenHouse={"Event": {"StartDateTime": "09/03/2024 2:00:00 PM", "EndDateTime": "09/03/2024 4:00:00 PM"}},
        ParkingSpaces={"Parking": [{"Name": "Garage", "Spaces": "2"}]},
        UtilitiesAvailable={"Utility": {"Type": "Water", "Description": "At lot line"}},
        AgentDetails={"@ID": "7", "Name": "Ann", "Office": {"@ID": "9", "Name": "Example"}},
    )
    assert {name: json.loads(str(new)) for name, (_, new) in values(differences(record(), after)).items() if
            not str(name).startswith("list_")} == {
        "open_house": [
            {
                "open_house_date": "2024-03-09",
                "open_house_end_time": "2024-03-09T21:00:00Z",
                "open_house_start_time": "2024-03-09T19:00:00Z",
            }
        ],
        "property_parking": [{"parking_name": "Garage", "parking_spaces": 2}],
        "property_utility": [{"utility_description": "At lot line", "utility_type": "Water"}],
        "property_agent": [{"member_key": "7", "office_key": "9"}],
    }  # fmt: skip


def test_what_only_an_embedded_copy_says_is_no_change_of_the_listing() -> None:
    before = record(AgentDetails={"@ID": "7", "Name": "Ann"})
    assert differences(before, record(AgentDetails={"@ID": "7", "Name": "Anne"})) == []


def test_photos_added_replaced_removed_and_captioned_are_told_by_media_key() -> None:
    before = with_photos(photo(1), photo(2), photo(3), photo(4, caption="Yard"))
    after = with_photos(photo(1), photo(2, day=2), photo(4, caption="Garden"), photo(5))
    assert values(differences(before, after, frozenset({*NOISE, "photos_count"}))) == {
        "media": (
            '{"captions":{"4":"Yard"},"removed":["3"],"replaced":["2"]}',
            '{"added":["5"],"captions":{"4":"Garden"},"replaced":["2"]}',
        )
    }


def test_a_photo_more_changes_the_count_as_well() -> None:
    assert values(differences(with_photos(photo(1)), with_photos(photo(1), photo(2)))) == {
        "photos_count": ("1", "2"),
        "media": (None, '{"added":["2"]}'),
    }


# --- elements that share a column


def test_a_second_spelling_of_an_element_that_stays_is_no_change() -> None:
    """What is alike on both sides is not mapped: the column's value may come from there."""
    assert differences(record(MunicipalId="5", MunicipalID="5"), record(MunicipalID="5")) == []
    assert differences(record(MunicipalId="5"), record(MunicipalID="5")) == []
    assert values(differences(record(MunicipalId="4", MunicipalID="4"), record(MunicipalID="5"))) == {
        "municipal_id": ("4", "5")
    }


ELEMENTS: dict[str, st.SearchStrategy[Any]] = {
    "Price": st.sampled_from(["1", "1.00", "2", "two"]),
    "PublicRemarks": st.sampled_from(["", "Bright", "Bright (id:5)"]),
    "MunicipalId": st.sampled_from(["5", "6"]),
    "MunicipalID": st.sampled_from(["5", "6"]),
    "Strange": st.sampled_from(["x", "y"]),
    "Address": st.sampled_from(["", {"City": "Ottawa"}, {"City": "Ottawa", "Country": "Canada"}]),
    "Building": st.sampled_from(
        [
            "",
            {"Rooms": {"Room": {"Type": "Den"}}},
            {"Rooms": {"Room": [{"Type": "Den"}, {"Type": "Loft"}]}, "Age": "old"},
            {"Age": "old", "BedroomsTotal": "2"},
            {"BedroomsTotal": "two"},
            [{"Age": "old"}, {"BedroomsTotal": "2"}],
        ]
    ),
    "Photo": st.sampled_from([{"PropertyPhoto": photo(1)}, {"PropertyPhoto": [photo(1, day=2), photo(2)]}]),
    "AgentDetails": st.sampled_from([{"@ID": "7", "Name": "Ann"}, [{"@ID": "8"}, {"@ID": "7", "Name": "Ann"}]]),
}
RECORDS = st.fixed_dictionaries({}, optional=ELEMENTS)


@given(before=RECORDS, after=RECORDS)
@hypothesis_settings(max_examples=300)
def test_entries_are_exactly_the_columns_and_parts_that_differ(before: dict[str, Any], after: dict[str, Any]) -> None:
    """Compared with whole rows, whatever was left out of the mapping because it is alike."""
    entries = values(differences(record(**before), record(LATER, **after), frozenset({"extra"})))
    one, other = mapped(record(**before)), mapped(record(LATER, **after))
    expected = {name for name in other.rows if name != "property_record" and one.rows[name] != other.rows[name]}
    for name, was, now in zip(
        MAPPING.columns["property_record"], one.rows["property_record"][0], other.rows["property_record"][0],
        strict=True,
    ):  # fmt: skip
        if was != now and name != "extra":
            expected.add(name)
            assert entries[name] == (as_text(was), as_text(now))
    if [(item.media_key, item.version) for item in one.media] != [
        (item.media_key, item.version) for item in other.media
    ]:
        expected.add("media")
    assert entries.keys() == expected


# --- going and coming


@pytest.mark.parametrize(
    ("fields", "field", "price"),
    [
        ({"Price": "450000.00"}, "list_price", "450000"),
        ({"Lease": "1800"}, "lease_amount", "1800"),
        ({"Price": "1", "Lease": "2"}, "list_price", "1"),
        ({}, None, None),
    ],
)
def test_going_and_coming_back_keep_what_a_listing_asked(
    fields: dict[str, str], field: str | None, price: str | None
) -> None:
    last = mapped(record(**fields))
    gone = LISTINGS.removed("1", record(**fields), AT)
    at = datetime(2024, 3, 6, 14, tzinfo=UTC)
    assert gone == AddHistory("1", field, price, None, "Deleted", at, AT, "A1")
    back = LISTINGS.returned(last, AT)
    assert back == AddHistory("1", field, None, price, "Back On Market", last.modified or at, AT, "A1")


def test_an_excluded_price_is_not_kept_on_going_either() -> None:
    gone = Historian("ddf", "property", MAPPING, {"list_price"}).removed("1", record(Price="1"), AT)
    assert (gone.field, gone.previous, gone.change_type) == (None, None, "Deleted")


def test_a_record_whose_past_cannot_be_read_still_goes() -> None:
    for past in (None, SourceRecord("", STAMP, {})):
        gone = LISTINGS.removed("1", past, AT)
        assert (gone.key, gone.field, gone.change_type, gone.record_id) == ("1", None, "Deleted", None)


def test_a_member_there_again_is_active() -> None:
    member = mapped(SourceRecord("7", STAMP, {"@ID": "7", "Name": "Ann"}), "member")
    back = Historian("ddf", "member", MAPPING, NOISE).returned(member, AT)
    assert (back.field, back.new, back.change_type) == (None, None, "Active")


# --- keys and texts


def test_keys_sort_as_time_does_and_tell_changes_apart() -> None:
    keys = [entry_key("property", "1", at, "list_price") for at in (0, 5, AT - 1, AT, AT * 20)]
    assert keys == sorted(keys)
    assert keys[2] < first_key(AT) < keys[3]
    here = (("property", "1", "a"), ("property", "1", "b"), ("property", "2", "a"), ("member", "1", "a"))
    assert len({entry_key(resource, key, AT, field) for resource, key, field in here}) == 4
    assert entry_key("property", "1", AT, "a") == entry_key("property", "1", AT, "a")


@given(st.decimals(allow_nan=False, allow_infinity=False, places=8, min_value=-(10**12), max_value=10**12))
def test_a_number_as_text_is_exact_and_plain(number: Decimal) -> None:
    text = as_text(number)
    assert text is not None
    assert Decimal(text) == number
    assert set(text) <= set("-0123456789.")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, None),
        ("", ""),
        (True, "true"),
        (0, "0"),
        (Decimal("100"), "100"),
        (date(2024, 3, 5), "2024-03-05"),
        (datetime(2024, 3, 5, 14, 0, 0, 250_000, tzinfo=UTC), "2024-03-05T14:00:00.250000Z"),
        (["b", "a", "é"], '["b","a","é"]'),
        ({"b": {"#text": "1"}, "a": None}, '{"a":null,"b":{"#text":"1"}}'),
    ],
)
def test_values_as_text(value: Any, text: str | None) -> None:
    assert as_text(value) == text


def test_every_field_there_is_can_be_named() -> None:
    known = fields("ddf")
    assert set(NOISE) <= known
    assert {"list_price", "property_room", "open_house", "media", "member_full_name", "office_phone"} <= known
    assert not {"feed", "listing_key", "room_type"} & known
