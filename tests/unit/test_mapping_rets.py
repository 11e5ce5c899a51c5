"""Records of any MLS by StandardName, in the tables that the DDF's records fill."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from shared.mapping.columns import MappingError
from shared.mapping.mapping import Mapping, load
from shared.mapping.record import Mapped
from shared.mapping.spec import columns_by_element, load_spec
from shared.messages import SourceRecord


def mapped(fields: dict[str, Any], stamp: str = "2024-03-05T14:00:00Z", name: str = "rets") -> Mapped:
    return load(name).map("board", "property", SourceRecord("7", stamp, fields))


def row(record: Mapped, table: str = "property_record", name: str = "rets") -> dict[str, Any]:
    (values,) = record.rows[table]
    return {key: value for key, value in zip(load(name).columns[table], values, strict=True) if value is not None}


def changed(folder: Path, text: str) -> str:
    file = folder / "board.yaml"
    file.write_text(text)
    return f"rets {file}"


def test_the_tables_are_those_of_the_ddf() -> None:
    assert load("rets").columns == load("ddf").columns
    assert set(load("rets").resources) == {"property", "member", "office"}


def test_standard_names_go_to_their_columns_and_the_rest_to_extra() -> None:
    found = mapped({"#class": "RES", "ListPrice": "100.50", "LotFeatures": ["a", "b"], "StoriesTotal": "1.5",
                    "BEDS_X": "3", "YearBuilt": "old", "#restricted": ["SOLD"]})  # fmt: skip
    assert row(found) == {
        "feed": "board", "listing_key": "7", "list_price": Decimal("100.50"), "lot_features": ["a", "b"],
        "stories": Decimal("1.5"), "photos_count": 0, "extra": found.extra,
    }  # fmt: skip
    assert found.extra == {
        "#class": "RES", "BEDS_X": "3", "YearBuilt": "old", "#restricted": ["SOLD"], "#unfit": {"YearBuilt": "number"},
    }  # fmt: skip
    assert found.unknown == ["BEDS_X"]


def test_columns_that_only_other_mlss_fill() -> None:
    found = mapped({"StandardStatus": "Active", "MlsStatus": "A", "PropertyType": "RES", "OriginalListPrice": "9.99",
                    "ClosePrice": "8", "CloseDate": "2024-03-05", "OnMarketDate": "2024-01-05", "BathroomsFull": "2",
                    "CountyOrParish": "Kent", "GarageSpaces": "1.5"})  # fmt: skip
    assert found.extra == {}
    assert row(found) == {
        "feed": "board", "listing_key": "7", "photos_count": 0, "standard_status": "Active", "mls_status": "A",
        "property_type": "RES", "original_list_price": Decimal("9.99"), "close_price": Decimal(8),
        "close_date": date(2024, 3, 5), "on_market_date": date(2024, 1, 5), "bathrooms_full": 2,
        "county_or_parish": "Kent", "garage_spaces": Decimal("1.5"),
    }  # fmt: skip
    assert not {column for name, column in columns_by_element("ddf").items() if column.endswith("standard_status")}


def test_the_record_is_as_old_as_its_own_timestamp_whatever_else_the_stamp_says() -> None:
    at = datetime(2024, 3, 5, 14, tzinfo=UTC)
    for stamp in ("2024-03-05T14:00:00Z", "2024-03-05T14:00:00Z|2025-01-01T00:00:00Z|abc"):
        found = mapped({}, stamp)
        assert (found.modified, found.problems) == (at, [])


def test_open_houses_have_the_keys_of_the_mls() -> None:
    shows = [
        {"OpenHouseKey": "90", "OpenHouseRemarks": "one", "ModificationTimestamp": "2024-01-01T00:00:00Z"},
        {"OpenHouseKey": "90", "OpenHouseRemarks": "again"},
        {"OpenHouseKey": "7-4", "OpenHouseRemarks": "as if made here"},
        {"OpenHouseRemarks": "no key"},
    ]
    found = mapped({"OpenHouse": shows})
    assert [values[2] for values in found.rows["open_house"]] == ["90", "7-2", "7-4", "7-4'"]
    assert found.unknown == []


def test_a_feeds_own_file_adds_lines_and_takes_columns_over(tmp_path: Path) -> None:
    name = changed(
        tmp_path, "property:\n  ASKING: [list_price, money, Asking price]\n  AREA: [city_region, text, Area]\n"
    )
    found = mapped({"ASKING": "5", "ListPrice": "6", "AREA": "North", "City": "Moncton"}, name=name)
    assert row(found, name=name) == {
        "feed": "board", "listing_key": "7", "list_price": Decimal(5), "city_region": "North", "city": "Moncton",
        "photos_count": 0, "extra": {"ListPrice": "6"},
    }  # fmt: skip
    assert Mapping(load_spec(name)).version != load("rets").version
    assert columns_by_element(name)["property", "ASKING"] == "property_record.list_price"
    assert columns_by_element("rets")["property", "OpenHouse/OpenHouseRemarks"] == "open_house.open_house_remarks"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("property: 5", "Expected `object`"),
        ("houses:\n  A: [city, code, x]", "houses is no resource"),
        ("property:\n  A: [nowhere, code, x]", "has no column nowhere to fill"),
        ("property:\n  A: [list_price, text, x]", "holds money, not text"),
        ("property:\n  A: [extra, json, x]", "Invalid enum value"),
        ("property:\n  A: [listing_key, key, x]", "has no column listing_key to fill"),
        ("property:\n  A: [photos_count, integer, x]", "has no column photos_count to fill"),
        ("property: [", "did not find"),
    ],
)
def test_a_file_that_is_wrong_says_where(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(MappingError, match=r"board\.yaml") as caught:
        load_spec(changed(tmp_path, text))
    assert said in str(caught.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(MappingError, match="cannot be read"):
        load_spec(f"rets {tmp_path / 'none.yaml'}")
