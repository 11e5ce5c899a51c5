"""What holds for every record, however odd: nothing raises, nothing is lost, the hash is that of the content."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.mapping.mapping import load
from shared.mapping.record import Mapped, UnmappableError
from shared.mapping.spec import load_spec
from shared.messages import SourceRecord

DDF = load("ddf")
STAMP = "Tue, 05 Mar 2024 14:00:00 GMT"


def known_paths() -> list[str]:
    """Every path of every resource, those of agents and offices also as they stand within a listing."""
    paths: list[str] = []
    for prefixes, resource in zip(
        ([""], ["", "AgentDetails/"], ["", "Office/", "AgentDetails/Office/"]),
        load_spec("ddf").resources.values(),
        strict=True,
    ):
        own = [*resource.fields, "@ID"]
        parts: dict[str, Any] = dict(resource.children)
        if resource.media is not None:
            parts[resource.media.path] = resource.media
        for path, part in parts.items():
            own += [path, *(f"{path}/{name}" for name in part.fields)]
        paths += [prefix + path for prefix in prefixes for path in own]
    return sorted(paths)


PATHS = known_paths()
NAMES = st.one_of(
    st.sampled_from(sorted({name for path in PATHS for name in path.split("/")} | {"#text", "@LastUpdated"})),
    st.text("abc/[]1\0", min_size=1, max_size=4),
)
# No digits and no "y" or "n" alone: a text that is a number or a boolean would be found in its typed form only.
TEXTS = st.text("abéF ,|-'\0", max_size=12)
VALUES = st.recursive(
    st.one_of(TEXTS, st.just(STAMP), st.none(), st.integers(), st.floats(), st.booleans()),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(NAMES, inner, max_size=5)),
    max_leaves=25,
)


def merged(placed: list[tuple[str, Any]]) -> dict[str, Any]:
    """A record with each value at its path, as far as the values before it left room."""
    record: dict[str, Any] = {}
    for path, value in placed:
        at = record
        *groups, name = path.split("/")
        for group in groups:
            inner = at.setdefault(group, {})
            if not isinstance(inner, dict):
                break
            at = inner
        else:
            at[name] = value
    return record


RECORDS = st.one_of(
    st.dictionaries(NAMES, VALUES, max_size=8),
    st.lists(st.tuples(st.sampled_from(PATHS), VALUES), max_size=10).map(merged),
)


def leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        for item in value.values():
            yield from leaves(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from leaves(item)
    else:
        yield value


def stored_texts(record: Mapped) -> set[str]:
    """Every text the rows hold, items of lists one by one, text with NUL as it was."""
    found: set[str] = set()
    parts = [record.rows, [msgspec.structs.astuple(item) for item in record.media]]
    for value in leaves([*parts, *(copied.rows for copied in record.embedded)]):
        text = value if isinstance(value, str) else repr(value)
        found.add(text)
        if text.startswith('"'):
            found.add(json.loads(text))
    return found


def without_stamp(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if name != "@LastUpdated"}


@settings(max_examples=400, deadline=None)
@given(RECORDS, st.sampled_from(["property", "member", "office"]))
def test_any_record_is_mapped_and_every_text_of_it_is_stored(fields: dict[str, Any], resource: str) -> None:
    fields = without_stamp(fields)
    record = DDF.map("ddf", resource, SourceRecord("1", STAMP, fields))
    stored = stored_texts(record)
    for value in leaves(fields):
        if isinstance(value, str) and value and value != STAMP:
            assert value in stored or {item for item in value.split(", ") if item} <= stored, value
        elif isinstance(value, int) and not isinstance(value, bool):
            assert repr(value) in stored
    assert len(record.rows["property_record" if resource == "property" else resource]) == 1


@settings(max_examples=100, deadline=None)
@given(RECORDS)
def test_a_record_without_a_key_is_mapped_or_refused(fields: dict[str, Any]) -> None:
    try:
        record = DDF.map("ddf", "property", SourceRecord("", "", fields))
    except UnmappableError:
        assert not isinstance(fields.get("@ID"), str) or not fields["@ID"] or "\0" in fields["@ID"]
    else:
        assert record.key == fields["@ID"]


@settings(max_examples=100, deadline=None)
@given(RECORDS)
def test_mapping_twice_and_after_a_trip_through_a_message_gives_the_same(fields: dict[str, Any]) -> None:
    source = SourceRecord("1", STAMP, fields)
    record = DDF.map("ddf", "property", source)
    assert DDF.map("ddf", "property", copy.deepcopy(source)) == record
    small = all(not isinstance(value, int) or -(2**63) <= value < 2**63 for value in leaves(fields))
    if small:
        sent = msgspec.msgpack.decode(msgspec.msgpack.encode(source), type=SourceRecord)
        assert DDF.map("ddf", "property", sent).hash == record.hash


@settings(max_examples=100, deadline=None)
@given(RECORDS, st.text(max_size=30))
def test_the_listings_own_timestamp_does_not_change_the_hash(fields: dict[str, Any], stamp: str) -> None:
    fields = without_stamp(fields)
    first = DDF.map("ddf", "property", SourceRecord("1", STAMP, fields | {"@LastUpdated": STAMP}))
    second = DDF.map("ddf", "property", SourceRecord("1", stamp, fields | {"@LastUpdated": stamp}))
    assert first.hash == second.hash


@given(st.permutations(["Plan", "Price", "New", "Newer", "Board", "Land"]))
def test_the_order_of_elements_does_not_change_the_hash(names: list[str]) -> None:
    fields = {name: {"Sewer": "Septic", "Odd": "1"} if name == "Land" else "1" for name in names}
    record = DDF.map("ddf", "property", SourceRecord("1", STAMP, fields))
    ordered = DDF.map("ddf", "property", SourceRecord("1", STAMP, dict(sorted(fields.items()))))
    assert record.hash == ordered.hash


FULL: dict[str, Any] = {
    "ListingID": "X1",
    "Price": "1.00",
    "New": {"Deep": ["1", "2"]},
    "Board": {"#text": "82", "@Odd": "x"},
    "Building": {"Rooms": {"Room": [{"Type": "Den", "Level": "Main"}, {"Type": "Attic"}]}, "BedroomsTotal": "3"},
    "Photo": {"PropertyPhoto": [{"SequenceId": "1", "PhotoLastUpdated": STAMP, "LastUpdated": "05/03/2024 09:00:00 AM",
                                 "LargePhotoURL": "https://cdn.example/1.jpg", "Description": "Front"}]},
    "AgentDetails": [{"@ID": "1", "Name": "A", "Languages": {"Language": ["French", "English"]},
                      "Office": {"@ID": "2", "@LastUpdated": STAMP, "Name": "O"}}],
}  # fmt: skip
CHANGED = {STAMP: "Wed, 06 Mar 2024 14:00:00 GMT", "05/03/2024 09:00:00 AM": "06/03/2024 09:00:00 AM"}


def changes(value: Any) -> Iterator[Any]:
    """Copies of ``value`` with one text changed, added or gone."""
    if isinstance(value, str):
        yield (
            CHANGED.get(value) or f"{int(float(value)) + 5}" if value[0].isdigit() or value in CHANGED else value + "x"
        )
    elif isinstance(value, list):
        for place, item in enumerate(value):
            for other in changes(item):
                yield [*value[:place], other, *value[place + 1 :]]
            yield [*value[:place], *value[place + 1 :]]
    else:
        for name, item in value.items():
            for other in changes(item):
                yield value | {name: other}
            yield {key: kept for key, kept in value.items() if key != name}


def test_any_other_change_changes_the_hash() -> None:
    first = DDF.map("ddf", "property", SourceRecord("1", STAMP, FULL)).hash
    hashes = [DDF.map("ddf", "property", SourceRecord("1", STAMP, fields)).hash for fields in changes(FULL)]
    assert len(hashes) > 40
    assert first not in hashes


def test_an_agent_or_office_that_changed_is_not_taken_for_the_copy_seen_before() -> None:
    for name in ("O", "P", "O"):
        fields = {"AgentDetails": {"@ID": "1", "Office": {"@ID": "2", "Name": name}}}
        record = DDF.map("ddf", "property", SourceRecord("1", STAMP, fields))
        columns = DDF.columns["office"]
        assert record.embedded[1].rows["office"][0][columns.index("office_name")] == name
