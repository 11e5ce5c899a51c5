"""Records, inventories and tables out of answers: whole, in any shape servers give them, or an error."""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from shared.messages import SourceRecord
from shared.rets.compact import CompactReader
from shared.rets.errors import RetsParseError, RetsTruncatedError
from shared.rets.frame import Reply, peek_reply
from shared.rets.inventory import InventoryReader, distinct
from shared.rets.mend import Mender
from shared.rets.records import RecordReader

SAMPLES = Path(__file__).parents[1] / "samples" / "rets"


def sample(name: str) -> bytes:
    return (SAMPLES / name).read_bytes()


def chunked(data: bytes, size: int) -> list[bytes]:
    return [data[i : i + size] for i in range(0, len(data), size)]


def read(data: bytes, size: int = 65536, element: str = "PropertyDetails") -> tuple[list[SourceRecord], RecordReader]:
    reader = RecordReader(element)
    return list(reader.read(chunked(data, size), Mender())), reader


def wrap(inner: str) -> bytes:
    return f'<RETS ReplyCode="0"><RETS-RESPONSE xmlns="urn:x">{inner}</RETS-RESPONSE></RETS>'.encode()


def one(inner: str) -> dict[str, object]:
    (record,), _ = read(wrap(f'<PropertyDetails ID="1">{inner}</PropertyDetails>'))
    return {name: value for name, value in record.fields.items() if name != "@ID"}


@pytest.mark.parametrize("size", [1, 3, 17, 100, 65536])
def test_record_keeps_the_shape_of_the_xml(size: int) -> None:
    (first, second), reader = read(sample("search_nested_and_repeated.xml"), size)
    assert first.key == "20000001"
    assert first.stamp == "Tue, 05 Mar 2024 14:00:00 GMT"
    assert first.fields == {
        "@ID": "20000001",
        "@LastUpdated": "Tue, 05 Mar 2024 14:00:00 GMT",
        "ListingID": "X1234567",
        "Franchise": "",
        "FenceTotal": "",
        "AgentDetails": {
            "@ID": "1500001",
            "Name": "DANA",
            "Phones": {
                "Phone": {"@ContactType": "Business", "@PhoneType": "Telephone", "#text": "(905) 555-0100"},
            },
        },
        "Building": {"Rooms": {"Room": [{"Type": "Kitchen"}, {"Type": "Den", "Width": ""}]}},
        "PublicRemarks": "Café & more 😊",
        "AnalyticsClick": "<![CDATA[<script>",
    }
    assert second.fields == {"@ID": "20000002", "@LastUpdated": "Mon, 04 Mar 2024 09:12:44 GMT"}
    assert reader.reply == Reply("0", "Operation successful")
    assert reader.count == 2
    assert reader.pagination == {"TotalRecords": 2, "Limit": 100, "Offset": 1, "TotalPages": 1, "RecordsReturned": 2}
    assert not reader.maxrows


@pytest.mark.parametrize("size", [1, 65536])
def test_any_namespace_and_prefix(size: int) -> None:
    (record,), _ = read(sample("search_prefixed_namespace.xml"), size)
    assert record.fields == {"@ID": "7", "@LastUpdated": "s", "@Extra": "1", "Name": "n", "other": {"deep": "d"}}


def test_reply_attributes_in_any_case_and_status_overrides() -> None:
    records, reader = read(sample("search_status_overrides.xml"))
    assert records == []
    assert reader.reply == Reply("20201", "No Records Found")
    assert peek_reply(b'<rets replyText="x" replycode="00020">') == Reply("20", "x")
    assert peek_reply(b'hello\r\n<RETS ReplyCode="20036" ReplyText="Missing"/>') == Reply("20036", "Missing")
    assert peek_reply(b"<html><body>RETS</body></html>") is None
    assert peek_reply(b"\xff\xd8\xff\xe0 not xml") is None


@pytest.mark.parametrize("size", [5, 65536])
def test_truncated_answer_is_an_error(size: int) -> None:
    reader = RecordReader("PropertyDetails")
    records = reader.read(chunked(sample("search_truncated.xml"), size), Mender())
    assert next(records).key == "20000001"
    with pytest.raises(RetsTruncatedError):
        next(records)


@given(st.integers(0, 900))
def test_an_answer_cut_anywhere_is_an_error(place: int) -> None:
    data = sample("search_nested_and_repeated.xml").rstrip()
    cut = data[: max(0, len(data) - 1 - place)]
    with pytest.raises(RetsTruncatedError):
        read(cut)


@pytest.mark.parametrize(
    "data",
    [
        b"<html><head></head></html>",
        b'<RETS ReplyCode="0"><a></b></RETS>',
        b'<RETS ReplyCode="0"/><RETS/>',
        b'<!DOCTYPE RETS [<!ENTITY x "y">]><RETS ReplyCode="0"><PropertyDetails>&x;</PropertyDetails></RETS>',
        b'<RETS ReplyCode="0" xmlns:x="u"><PropertyDetails/><x:PropertyDetails></x:PropertyDetails></RETS>',
        b'<RETS ReplyCode="0">' + b"<a>" * 1000 + b"</a>" * 1000 + b"</RETS>",
    ],
)
def test_what_is_no_rets_answer_is_an_error(data: bytes) -> None:
    with pytest.raises(RetsParseError):
        read(data)


def test_an_unknown_entity_stays_text() -> None:
    assert one("<a>&xxe;</a>") == {"a": "&xxe;"}


@pytest.mark.parametrize(
    ("inner", "fields"),
    [
        ("<a>1</a><b/><a> 2 </a><a>3</a>", {"a": ["1", "2", "3"], "b": ""}),
        ('<a x="1">t</a><a>u</a>', {"a": [{"@x": "1", "#text": "t"}, "u"]}),
        ('<a x="1"/>', {"a": {"@x": "1"}}),
        ("<a> before <b>1</b> between <b/> after </a>", {"a": {"#text": "before between after", "b": ["1", ""]}}),
        ("own<a/>text", {"#text": "own text", "a": ""}),
        ("<a><b><c/></b></a>", {"a": {"b": {"c": ""}}}),
        ("<a><![CDATA[x</PropertyDetails>y]]></a>", {"a": "x</PropertyDetails>y"}),
        ('<a t="1 > 2">b</a>', {"a": {"@t": "1 > 2", "#text": "b"}}),
        ("<PropertyDetailsX>1</PropertyDetailsX>", {"PropertyDetailsX": "1"}),
    ],
)
def test_shapes(inner: str, fields: dict[str, object]) -> None:
    assert one(inner) == fields


TREES = st.recursive(
    st.text("ab &<é😊]>", max_size=6).map(str.strip),
    lambda children: (
        st.dictionaries(st.sampled_from(["A", "Bb", "C-1", "d.2"]), children, max_size=4).filter(bool)
        | st.lists(children, min_size=2, max_size=3)
    ),
    max_leaves=20,
)


def build(parent: etree._Element, name: str, value: object) -> None:
    if isinstance(value, list):
        for each in value:
            build(parent, name, each)
        return
    element = etree.SubElement(parent, name)
    if isinstance(value, dict):
        for key, each in value.items():
            build(element, key, each)
    else:
        element.text = str(value)


def plain(value: object) -> object:
    """Lists of lists cannot be said in XML: they become one."""
    if isinstance(value, dict):
        return {key: plain(each) for key, each in value.items()}
    if isinstance(value, list):
        flat: list[object] = []
        for each in map(plain, value):
            flat.extend(each if isinstance(each, list) else [each])
        return flat
    return value


@given(st.dictionaries(st.sampled_from(["A", "Bb", "E"]), TREES, min_size=1, max_size=3), st.integers(1, 50))
def test_reading_inverts_writing(tree: dict[str, object], size: int) -> None:
    root = etree.Element("RETS", ReplyCode="0")
    element = etree.SubElement(root, "PropertyDetails", ID="1")
    for name, value in tree.items():
        build(element, name, value)
    (record,), _ = read(etree.tostring(root, encoding="utf-8"), size)
    assert record.fields == {"@ID": "1", **plain(tree)}  # type: ignore[dict-item]


def inventory(data: bytes, size: int = 65536) -> InventoryReader:
    reader = InventoryReader("Property")
    reader.read(chunked(data, size), Mender())
    return reader


@pytest.mark.parametrize("size", [1, 10, 65536])
def test_inventory_is_packed_and_sorted_by_bytes(size: int) -> None:
    reader = inventory(sample("master_list.xml"), size)
    assert reader.packed == [
        b"10\0Mon, 04 Mar 2024 09:12:44 GMT",
        b"100\0Mon, 04 Mar 2024 09:12:45 GMT",
        b"9\0Tue, 05 Mar 2024 14:00:00 GMT",
    ]
    assert (reader.count, reader.pagination["TotalRecords"], reader.rows, reader.keyless) == (3, 3, 3, 0)


def test_truncated_inventory_is_an_error_never_a_short_list() -> None:
    data = sample("master_list.xml").rstrip()
    for stop in range(0, len(data) - 1, 13):
        with pytest.raises(RetsTruncatedError):
            inventory(data[:stop])


def test_rows_without_key_are_counted() -> None:
    reader = inventory(b'<RETS ReplyCode="0"><Property/><Property ID="" LastUpdated="x"/><Property ID="1"/></RETS>')
    assert (reader.packed, reader.rows, reader.keyless) == ([b"1\0"], 3, 2)


def test_an_inventory_costs_little_more_than_its_bytes() -> None:
    head = b'<RETS ReplyCode="0"><RETS-RESPONSE>'
    entry = b'<Property ID="%d" LastUpdated="Tue, 05 Mar 2024 14:00:00 GMT"/>'

    def chunks() -> Iterator[bytes]:
        yield head
        for start in range(0, 50_000, 1000):
            yield b"".join(entry % (20_000_000 + number * 7919 % 50_000) for number in range(start, start + 1000))
        yield b"</RETS-RESPONSE></RETS>"

    tracemalloc.start()
    reader = InventoryReader("Property")
    reader.read(chunks(), Mender())
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(reader.packed) == 50_000
    assert peak / 50_000 < 130  # bytes an entry, all told


@given(st.lists(st.tuples(st.text("ab-é", min_size=1, max_size=3), st.text("xyz", max_size=2))))
def test_of_equal_keys_the_last_wins_and_order_is_by_bytes(pairs: list[tuple[str, str]]) -> None:
    packed = [f"{key}\0{stamp}".encode() for key, stamp in pairs]
    expected = sorted(dict(pairs).items(), key=lambda pair: pair[0].encode())
    assert distinct(packed) == [f"{key}\0{stamp}".encode() for key, stamp in expected]


def table(data: bytes) -> CompactReader:
    reader = CompactReader()
    reader.read([data], Mender())
    return reader


def test_delimiter_is_hexadecimal() -> None:
    assert table(sample("compact_delimiter_2c.xml")).rows == [
        {"ResourceRecordID": "9", "Order": "1", "MediaUrl": "https://cdn.example/1.jpg"},
        {"ResourceRecordID": "9", "Order": "2", "MediaUrl": ""},
    ]


def test_edge_delimiters_may_be_missing_but_a_short_row_is_an_error() -> None:
    rows = table(sample("compact_edges_missing.xml")).rows
    assert rows == [
        {"A": "1", "B": "", "C": "3"},
        {"A": "1", "B": "2", "C": "3"},
        {"A": "1", "B": "2", "C": "3"},
        {"A": "", "B": "", "C": ""},
    ]
    with pytest.raises(RetsParseError):
        table(b'<RETS ReplyCode="0"><COLUMNS>\tA\tB\tC\t</COLUMNS><DATA>\t1\t2\t</DATA></RETS>')


def test_clean_input_is_mended_at_a_speed_that_does_not_matter() -> None:
    piece = b"<PublicRemarks>Bright bungalow, near the park &amp; school.</PublicRemarks>\n" * 860
    mender = Mender()
    began = time.process_time()
    for _ in range(300):
        mender.feed(piece)
    assert 300 * len(piece) / (time.process_time() - began) > 60e6  # 300 MB/s and more on an idle machine


def test_a_record_that_is_only_a_text_has_no_key() -> None:
    answer = (
        b'<RETS ReplyCode="0" ReplyText="ok"><RETS-RESPONSE><PropertyDetails>No details</PropertyDetails>'
        b'<PropertyDetails/><PropertyDetails ID="1">beside</PropertyDetails></RETS-RESPONSE></RETS>'
    )
    read = list(RecordReader("PropertyDetails").read([answer], Mender()))
    assert [(record.key, record.fields) for record in read] == [
        ("", {"#text": "No details"}),
        ("", {}),
        ("1", {"@ID": "1", "#text": "beside"}),
    ]
