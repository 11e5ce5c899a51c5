"""The messages on the wire: one golden example per type, that is never altered once it was released."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.messages import (
    TYPES,
    AddressesPending,
    InventoryTaken,
    ListingsDeleted,
    ListingsGone,
    Message,
    PageFetched,
    PhotosPending,
    RecordsRequested,
    SourceRecord,
    UndecodableError,
    decode,
    encode,
)

GOLDEN = Path(__file__).parent.parent / "golden" / "messages"
ENVELOPE: dict[str, Any] = {"id": "0f8e6a52", "run_id": "ddf-20240305T140000Z", "created_at": 1_709_647_200_000_000}
RECORD = SourceRecord(
    "26519021",
    "Tue, 05 Mar 2024 14:00:00 GMT",
    {"@ID": "26519021", "Price": "450000.00", "Photo": {"PropertyPhoto": [{"SequenceId": "1"}, {"SequenceId": "2"}]}},
)
EXAMPLES: list[Message] = [
    PageFetched(
        feed="ddf",
        resource="property",
        observed_at=1_709_647_200_000_001,
        server_date=1_709_647_201_000_000,
        asked=["26519021", "26519022"],
        records=[RECORD],
    ),
    InventoryTaken(
        feed="ddf",
        resource="property",
        observed_at=1_709_647_200_000_002,
        server_date=None,
        after=None,
        upto="26519022",
        entries=[("26519021", "Tue, 05 Mar 2024 14:00:00 GMT"), ("26519022", "")],
        count=3,
        part=1,
        parts=2,
        proven=True,
    ),
    RecordsRequested(feed="ddf", resource="property", keys=["26519021", "clé-é"]),
    ListingsDeleted(feed="mls", resource="property", observed_at=1_709_647_200_000_003, keys=["A1"]),
    ListingsGone(feed="ddf", resource="property", observed_at=1_709_647_200_000_004),
    PhotosPending(feed="ddf", resource="property", key="26519021"),
    AddressesPending(feed="ddf"),
]


def by_type(message: Message) -> str:
    return message.TYPE


def test_every_type_has_an_example_and_a_file_and_no_file_is_left_over() -> None:
    assert {example.TYPE for example in EXAMPLES} == set(TYPES)
    assert {path.stem for path in GOLDEN.iterdir()} == set(TYPES)


@pytest.mark.parametrize("example", EXAMPLES, ids=by_type)
def test_golden_bytes_decode_to_the_example_and_encode_to_the_same_bytes(example: Message) -> None:
    golden = bytes.fromhex((GOLDEN / f"{example.TYPE}.hex").read_text())
    envelope, message = decode(golden)
    assert message == example
    assert (envelope.id, envelope.type, envelope.run_id) == (ENVELOPE["id"], example.TYPE, ENVELOPE["run_id"])
    again = encode(message, id=envelope.id, run_id=envelope.run_id, created_at=envelope.created_at)
    assert again == golden


@pytest.mark.parametrize("example", EXAMPLES, ids=by_type)
def test_the_readable_golden_file_says_what_the_bytes_say(example: Message) -> None:
    shown = msgspec.json.decode((GOLDEN / f"{example.TYPE}.json").read_bytes())
    golden = bytes.fromhex((GOLDEN / f"{example.TYPE}.hex").read_text())
    said = msgspec.msgpack.decode(golden)
    assert shown == said


@pytest.mark.parametrize("example", EXAMPLES, ids=by_type)
def test_no_prefix_of_a_message_is_a_message(example: Message) -> None:
    whole = encode(example, **ENVELOPE)
    for length in range(len(whole)):
        with pytest.raises(UndecodableError):
            decode(whole[:length])


def test_an_unknown_type_is_undecodable_and_named() -> None:
    envelope = {**ENVELOPE, "type": "page.fetched.v9", "body": {}}
    with pytest.raises(UndecodableError, match=r"page\.fetched\.v9"):
        decode(msgspec.msgpack.encode(envelope))


def test_a_field_of_another_shape_is_undecodable() -> None:
    envelope = {**ENVELOPE, "type": "photos.pending.v1", "body": {"feed": "ddf", "resource": "property", "key": 7}}
    with pytest.raises(UndecodableError):
        decode(msgspec.msgpack.encode(envelope))


def test_a_field_that_a_later_writer_added_is_passed_over() -> None:
    body = {"feed": "ddf", "resource": "property", "key": "1", "since": 5}
    envelope = {**ENVELOPE, "type": "photos.pending.v1", "body": body}
    assert decode(msgspec.msgpack.encode(envelope))[1] == PhotosPending(feed="ddf", resource="property", key="1")


@given(st.binary(max_size=200))
def test_any_bytes_are_a_message_or_undecodable(body: bytes) -> None:
    try:
        decode(body)
    except UndecodableError:
        return


VALUES = st.recursive(
    st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
RECORDS = st.builds(
    SourceRecord, key=st.text(), stamp=st.text(), fields=st.dictionaries(st.text(max_size=8), VALUES, max_size=4)
)
INSTANTS = st.integers(0, 2**53)


@given(st.lists(RECORDS, max_size=4), st.lists(st.text(), max_size=4), INSTANTS, st.none() | INSTANTS)
def test_decoding_inverts_encoding(
    records: list[SourceRecord], asked: list[str], observed_at: int, server_date: int | None
) -> None:
    page = PageFetched(
        feed="ddf",
        resource="property",
        observed_at=observed_at,
        server_date=server_date,
        asked=asked,
        records=records,
    )
    envelope, message = decode(encode(page, **ENVELOPE))
    assert message == page
    assert envelope.created_at == ENVELOPE["created_at"]
