"""What stands in ``extra`` is named and counted, whatever an MLS calls it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.mapping.columns import MappingError
from shared.mapping.extra import NAME_LENGTH, NAMES, UNFIT, count, element_of, elements
from shared.mapping.mapping import load
from shared.mapping.spec import ResourceSpec, columns_by_element, load_spec
from shared.messages import SourceRecord


def extra_of(fields: dict[str, Any], resource: str = "property") -> str:
    mapped = load("ddf").map("ddf", resource, SourceRecord("1", "Tue, 05 Mar 2024 14:00:00 GMT", fields))
    return json.dumps(mapped.extra, ensure_ascii=False)


def test_unknown_elements_and_values_that_do_not_fit_are_told_apart() -> None:
    fields = {"Price": "call us", "Beacon": "on", "Building": {"@Style": "new", "BedroomsTotal": "9" * 20}}
    assert elements(extra_of(fields)) == {
        ("Beacon", ""), ("Building/@Style", ""), ("Price", "number"), ("Building/BedroomsTotal", "range"),
    }  # fmt: skip


def test_an_element_counts_once_in_a_record_however_often_it_stands_there() -> None:
    rooms = [{"Type": "Den", "Ceiling": "9 ft", "Length": [["x"]]}] * 3
    found = elements(extra_of({"Building": {"Rooms": {"Room": rooms}}}))
    assert found == {("Building/Rooms/Room/Ceiling", ""), ("Building/Rooms/Room/Length", "duplicate")}


def test_records_are_counted_by_element_and_reason() -> None:
    some = [extra_of({"Price": "call us"}), extra_of({"Price": "1" * 20}), extra_of({"Price": "soon", "New": "1"})]
    assert count(some) == ({("Price", "number"): 2, ("Price", "range"): 1, ("New", ""): 1}, 0)


def test_a_long_name_is_cut_and_still_told_from_others() -> None:
    one, other = element_of("x" * 5000), element_of("x" * 5001)
    assert len(one) == len(other) == NAME_LENGTH
    assert one != other
    assert one == element_of("x" * 5000)
    assert element_of("x" * NAME_LENGTH) == "x" * NAME_LENGTH


def test_names_without_end_are_not_all_counted_and_that_is_said() -> None:
    counts, others = count(json.dumps({f"E{number}": "", "Same": ""}) for number in range(NAMES + 500))
    assert NAMES <= len(counts) <= NAMES + 2
    assert counts["Same", ""] == NAMES + 500
    assert others == 500


@given(st.dictionaries(st.text(max_size=8), st.one_of(st.text(max_size=4), st.integers(0, 9)), max_size=6))
def test_every_element_of_extra_has_a_name(fields: dict[str, Any]) -> None:
    for resource in ("property", "member"):
        try:
            text = extra_of(fields, resource)
            text.encode()
        except ValueError:
            continue  # no record at all
        extra = json.loads(text)
        found = elements(text)
        paths = set(extra) - {UNFIT}
        assert {element for element, _ in found} == {element_of(path) for path in paths}
        assert {(element_of(path), reason) for path, reason in extra.get(UNFIT, {}).items()} <= found


def test_the_reason_of_a_value_stands_under_the_path_the_value_has() -> None:
    """Element names that hold slashes can collide, and one can be called as the reasons are."""
    extra = json.loads(extra_of({"Price": "soon", UNFIT: {"a": 1}}))
    assert extra == {"Price": "soon", f"{UNFIT}'": {"a": 1}, UNFIT: {"Price": "number"}}


def test_the_column_of_every_mapped_element_is_known() -> None:
    columns = columns_by_element("ddf")
    assert columns["property", "Price"] == "property_record.list_price"
    assert columns["property", "MunicipalID"] == "property_record.municipal_id"
    assert columns["property", "Building/Rooms/Room/Width"] == "property_room.room_width"
    assert columns["property", "Photo/PropertyPhoto/Description"] == "media.long_description"
    assert columns["office", "LogoLastUpdated"] == "office.logo_last_updated"
    for resource, described in load_spec("ddf").resources.items():
        assert {path for path in described.fields if (resource, path) not in columns} == set()


SPEC: dict[str, Any] = {
    "table": "t", "about": "", "key": ("@ID", "k", ""), "modified": ("@At", None, ""),
    "fields": {"Board": ("board_key", "code", ""), "Price": ("price", "money", "")},
}  # fmt: skip


def test_a_lookup_decodes_a_code_into_a_column_of_the_view() -> None:
    (decoded,) = ResourceSpec(**SPEC, lookups={"Board": ("board", "Boards", "Name")}).decoded
    assert (decoded.column.name, decoded.code, decoded.lookup) == ("board", "board_key", "Boards")


@pytest.mark.parametrize(
    ("lookups", "more", "reason"),
    [
        ({"Nothing": ("x", "L", "")}, {}, "Nothing.*type code"),
        ({"Price": ("x", "L", "")}, {}, "Price.*type code"),
        ({"Board": ("x", "L", "")}, {"modified": ("@At", "modification_timestamp", "")}, "Board.*view"),
    ],
)
def test_a_lookup_that_cannot_be_decoded_is_a_wrong_mapping(
    lookups: dict[str, tuple[str, str, str]], more: dict[str, Any], reason: str
) -> None:
    with pytest.raises(MappingError, match=reason):
        _ = ResourceSpec(**(SPEC | more), lookups=lookups).decoded
