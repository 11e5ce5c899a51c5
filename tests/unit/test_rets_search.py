"""Answers of Search in every form, and the texts of their rows as values."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.rets.answer import Answer
from shared.rets.compact import CompactReader, split_row
from shared.rets.dmql import build
from shared.rets.dmql.binding import Kind, bind
from shared.rets.dmql.errors import DmqlFieldError
from shared.rets.dmql.evaluate import predicate
from shared.rets.dmql.grammar import parse
from shared.rets.errors import RetsParseError, RetsTruncatedError
from shared.rets.mend import Mender
from shared.rets.records import RecordReader
from shared.rets.schema.kinds import askable, kind_of, zone_of
from shared.rets.schema.types import Field, Lookup, LookupType, ResourceClass, System
from shared.rets.schema.values import ValueReader, split_items
from shared.rets.search import Ending, Search, ending
from tests.unit.rets_server import Asked, Say, ScriptedServer

ALL = Search("Property", "RES", build.at_least("Key", "0"), ("Key", "City"))


def rows_of(*lines: str, head: str = "", columns: str = "\tKey\tCity\t", tail: str = "", code: str = "0") -> str:
    data = "".join(f"<DATA>{line}</DATA>\n" for line in lines)
    named = f"<COLUMNS>{columns}</COLUMNS>\n" if columns else ""
    return f'<RETS ReplyCode="{code}" ReplyText="x">\n{head}{named}{data}{tail}</RETS>'


def read(text: str | bytes, size: int = 65536) -> tuple[list[dict[str, str]], CompactReader]:
    reader = CompactReader()
    data = text.encode() if isinstance(text, str) else text
    pieces = [data[at : at + size] for at in range(0, len(data), size)]
    return list(reader.stream(pieces, Mender())), reader


def found(text: str, asked: Search = ALL) -> Ending:
    rows, reader = read(text)
    return ending(reader, len(rows), asked)


A, B = {"Key": "1", "City": "ACT"}, {"Key": "2", "City": ""}


# --- COMPACT


@pytest.mark.parametrize("size", [1, 7, 65536])
@pytest.mark.parametrize(
    ("value", "sign"), [("09", "\t"), ("7C", "|"), ("7c", "|"), ("23", "#"), ("40", "@"), ("2C", ",")]
)
def test_delimiters_are_two_hex_digits(value: str, sign: str, size: int) -> None:
    text = rows_of(*("\t1\tACT\t", "\t2\t\t"), head=f'<DELIMITER value="{value}"/>').replace("\t", sign)
    assert read(text, size)[0] == [A, B]


@pytest.mark.parametrize(
    ("columns", "lines"),
    [
        ("\tKey\tCity\t", ("\t1\tACT\t", "\t2\t\t")),
        ("Key\tCity", ("1\tACT", "2\t")),
        ("\tKey\tCity", ("\t1\tACT", "\t2\t")),
        ("Key\tCity\t", ("1\tACT\t", "2\t\t")),
        ("\tKey\tCity\t", ("1\tACT\t", "2\t")),
    ],
)
def test_quirk_20_edge_delimiters_may_be_missing(columns: str, lines: tuple[str, ...]) -> None:
    assert read(rows_of(*lines, columns=columns))[0] == [A, B]


def test_an_empty_first_or_last_value_is_told_from_an_edge_by_the_columns() -> None:
    assert read(rows_of("\t\tx\t", columns="\tA\tB\tC"))[0] == [{"A": "", "B": "x", "C": ""}]
    assert read(rows_of("\tx\t\t", columns="A\tB\tC\t"))[0] == [{"A": "", "B": "x", "C": ""}]
    with pytest.raises(RetsParseError):
        split_row("\t\tx\t", "\t", 3)


def test_a_single_column_and_no_delimiter_element() -> None:
    assert read(rows_of("\t1\t", "2", "\t\t", columns="\tKey\t"))[0] == [{"Key": "1"}, {"Key": "2"}, {"Key": ""}]


def test_a_row_that_does_not_fit_harms_no_other() -> None:
    rows, reader = read(rows_of("\t1\tACT\t", "\t1\t2\t3\t4\t", "\t2\t\t"))
    assert rows == [A, B]
    assert [item.body for item in reader.broken] == [b"\t1\t2\t3\t4\t"]
    with pytest.raises(RetsParseError, match="6 values for 2 columns"):
        CompactReader().read([rows_of("\t1\t2\t3\t4\t").encode()], Mender())


def test_quirk_16_illegal_characters_and_halves_of_emoji() -> None:
    rows, _ = read(rows_of("\t1\ta\x0bb&#x1F;c&#55357;&#56842;&bogus;\t"))
    assert rows == [{"Key": "1", "City": "abc\U0001f60a&bogus;"}]


def test_quirk_17_a_code_page_under_a_declaration_of_utf_8() -> None:
    text = b'<?xml version="1.0" encoding="utf-8"?>' + rows_of("\t1\tMontr@al\t").encode().replace(b"@", b"\xe9")
    assert read(text)[0] == [{"Key": "1", "City": "Montréal"}]


def test_quirk_19_a_stream_that_is_cut_is_never_whole() -> None:
    whole = rows_of("\t1\tACT\t", "\t2\t\t", tail="<MAXROWS/>").encode()
    for stop in range(len(whole)):
        with pytest.raises((RetsTruncatedError, RetsParseError)):
            read(whole[:stop])


def test_rows_are_given_as_they_come_in_bounded_memory() -> None:
    line = "<DATA>\t1\t" + "x" * 200 + "\t</DATA>\n"
    given: list[int] = []

    def chunks() -> Iterator[bytes]:
        yield rows_of().removesuffix("</RETS>").encode()
        for number in range(80):
            given.append(number)
            yield (line * 250).encode()
        yield b"</RETS>"

    reader = CompactReader()
    tracemalloc.start()
    behind = count = 0
    for count, _ in enumerate(reader.stream(chunks(), Mender()), 1):
        behind = max(behind, len(given) - (count - 1) // 250)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == 20_000
    assert behind <= 2
    assert peak < 4 << 20


def test_a_search_is_read_off_the_socket() -> None:
    def answer(asked: Asked) -> Say | None:
        if asked.path != "/search":
            return None
        assert asked.arguments == ALL.arguments()
        return Say(rows_of("\t1\tACT\t", head='<COUNT Records="9"/><DELIMITER value="09"/>', tail="<MAXROWS/>"))

    def take(answer: Answer) -> tuple[list[dict[str, str]], Ending]:
        reader = CompactReader()
        rows = list(reader.stream(answer.chunks(), Mender()))
        answer.reply = reader.reply
        return rows, ending(reader, len(rows), ALL)

    with ScriptedServer(answer) as server:
        assert server.session().ask("Search", ALL.arguments(), take) == ([A], Ending(1, 9, more=True))


# --- STANDARD-XML


def test_quirk_33_records_of_any_shape_by_their_paths() -> None:
    body = (
        "<RETS ReplyCode='0'><COUNT Records='2'/><REData><REProperties><ResidentialProperty><Listing>"
        "<ListingID>7</ListingID></Listing><Beds>3</Beds></ResidentialProperty><ResidentialProperty><Listing><ListingID>8</ListingID>"
        "<ListingID>9</ListingID></Listing></ResidentialProperty></REProperties></REData><MAXROWS/></RETS>"
    )
    reader = RecordReader("ResidentialProperty", key="Listing/ListingID", stamp="Modified/@At")
    records = list(reader.read([body.encode()], Mender()))
    assert [(each.key, each.stamp) for each in records] == [("7", ""), ("8", "")]
    assert records[0].fields == {"Listing": {"ListingID": "7"}, "Beds": "3"}
    assert ending(reader, 2, ALL) == Ending(2, 2, more=True)


# --- how it ended


@pytest.mark.parametrize(
    "text",
    [
        rows_of(columns="", code="20201"),
        rows_of(),
        rows_of(columns="", tail='<RETS-STATUS ReplyCode="20201" ReplyText="none"/>'),
        rows_of(columns="", head='<COUNT Records="0"/>'),
        rows_of(columns="", head='<DELIMITER value="09"/>'),
    ],
)
def test_quirk_15_five_ways_to_say_that_there_is_nothing(text: str) -> None:
    assert found(text) in (Ending(0, 0, more=False), Ending(0, None, more=False))


LINES = ("\t1\tACT\t", "\t2\t\t")


@pytest.mark.parametrize(
    ("text", "more"),
    [
        (rows_of(*LINES, tail="<MAXROWS/>"), True),
        (rows_of(*LINES, code="20208"), True),
        (rows_of(*LINES, tail='<RETS-STATUS ReplyCode="20208"/>'), True),
        (rows_of(*LINES, head='<COUNT Records="3"/>'), True),
        (rows_of(*LINES, head='<COUNT Records="2"/>'), False),
        (rows_of(*LINES), False),
    ],
)
def test_quirk_22_more_than_came_is_known_by_count_or_sign(text: str, more: bool) -> None:
    assert found(text).more is more
    assert found(text).doubt == ""


def test_quirk_21_the_last_page_has_no_more_however_often_maxrows_came() -> None:
    page = Search("P", "R", ALL.query, ("Key",), limit=2, offset=3)
    assert found(rows_of(*LINES, head='<COUNT Records="4"/>'), page) == Ending(2, 4, more=False)
    assert found(rows_of(*LINES, head='<COUNT Records="5"/>'), page) == Ending(2, 5, more=True)
    beyond = Search("P", "R", ALL.query, ("Key",), limit=2, offset=5)
    assert found(rows_of(head='<COUNT Records="4"/>'), beyond) == Ending(0, 4, more=False)


@pytest.mark.parametrize(
    ("text", "doubt"),
    [
        (rows_of(head='<COUNT Records="7"/>'), "counts 7 and gives none"),
        (rows_of(*LINES, code="20201"), "says that there are none"),
        (rows_of(*LINES, head='<COUNT Records="1"/>'), "gives 2 rows and counts 1"),
    ],
)
def test_answers_that_contradict_themselves_are_doubted(text: str, doubt: str) -> None:
    assert doubt in found(text).doubt


def test_counting_alone() -> None:
    only = Search("P", "R", ALL.query, count_only=True)
    assert only.arguments()["Count"] == "2"
    assert "Limit" not in only.arguments()
    assert found(rows_of(columns="", head='<COUNT Records="7"/>'), only) == Ending(0, 7, more=False)
    assert found(rows_of(columns=""), only).doubt


def test_a_search_as_it_is_sent() -> None:
    whole = Search("Property", "RES", build.any_of("Status", ["A", "P P"]), ("Key",), offset=1, restricted="****")
    assert whole.arguments() == {
        "SearchType": "Property", "Class": "RES", "QueryType": "DMQL2", "Query": '(Status=|A,"P P")', "Select": "Key",
        "Format": "COMPACT", "Count": "1", "StandardNames": "0", "Limit": "NONE", "Offset": "1",
        "RestrictedIndicator": "****",
    }  # fmt: skip


@pytest.mark.parametrize("odd", [{"select": ()}, {"offset": 0}, {"limit": 0}])
def test_a_search_that_no_server_understands_is_not_made(odd: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        Search(**{"resource": "P", "class_name": "R", "query": ALL.query, "select": ("Key",)} | odd)


# --- values

STATUS = Lookup(
    lookup_name="Status",
    values=(
        LookupType(value="A", long_value="Active"),
        LookupType(value="P", long_value="Pending, with offer"),
        LookupType(value="X", long_value="Same"),
        LookupType(value="Y", long_value="Same"),
    ),
)
CLASS = ResourceClass(
    fields=(
        Field(system_name="Key", data_type="Character", standard_name="ListingID"),
        Field(system_name="Beds", data_type="Tiny"),
        Field(system_name="Big", data_type="Long"),
        Field(system_name="Price", data_type="Decimal"),
        Field(system_name="Sold", data_type="Boolean"),
        Field(system_name="Listed", data_type="Date"),
        Field(system_name="Modified", data_type="DateTime"),
        Field(system_name="Open", data_type="Time"),
        Field(system_name="Status", data_type="Character", interpretation="Lookup", lookup_name="Status"),
        Field(system_name="Many", data_type="Character", interpretation="LookupMulti", lookup_name="Status"),
        Field(system_name="Free", data_type="Character", interpretation="LookupMulti"),
        Field(system_name="Bits", data_type="Int", interpretation="LookupBitmask"),
    )
)
ZONE = timezone(timedelta(hours=-5))
PLAIN = ValueReader(CLASS, [STATUS], zone=ZONE, indicator="****")
DECODED = ValueReader(CLASS, [STATUS], zone=ZONE, decoded=True)
NOON = datetime(2024, 3, 5, 17, tzinfo=UTC)


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("Key", " 007", " 007"),
        ("Beds", "3", 3),
        ("Beds", "-03.0", -3),
        ("Big", "9007199254740993", 9007199254740993),
        ("Price", "0250000.50", Decimal("250000.50")),
        ("Price", ".5", Decimal("0.5")),
        ("Sold", "1", True),
        ("Sold", "N", False),
        ("Sold", "TRUE", True),
        ("Listed", "2024-03-05", date(2024, 3, 5)),
        ("Listed", "2024-03-05T00:00:00", date(2024, 3, 5)),
        ("Listed", "2024-03-06T02:00:00Z", date(2024, 3, 5)),
        ("Modified", "2024-03-05T12:00:00", NOON),
        ("Modified", "2024-03-05 12:00:00.000000", NOON),
        ("Modified", "2024-03-05T17:00:00.0Z", NOON),
        ("Modified", "2024-03-05T17:00:00-00:00", NOON),
        ("Modified", "Tue, 05 Mar 2024 17:00:00 GMT", NOON),
        ("Open", "09:30", time(9, 30)),
        ("Open", "09:30:15.5", time(9, 30, 15, 500_000)),
        ("Open", "2024-03-05T17:00:00Z", time(12)),
        ("Status", "A", "A"),
        ("Many", 'P, "A",', ("P", "A")),
        ("Free", '"a, ""b""",c', ('a, "b"', "c")),
        ("Bits", "5", 5),
        ("Unheard", "x", "x"),
    ],
)
def test_texts_become_values_of_their_types(name: str, text: str, value: Any) -> None:
    typed = PLAIN.read({name: text})
    assert typed.values == {name: value}
    assert type(typed.values[name]) is type(value)
    assert not typed.misfits
    assert not typed.unknown


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("Beds", "three"), ("Beds", "2.5"), ("Beds", "1" * 30), ("Price", "1e5"), ("Price", "$5"), ("Price", "NaN"),
        ("Price", "9" * 65), ("Sold", "maybe"), ("Listed", "05/03/2024"), ("Listed", "2024-02-30"),
        ("Modified", "soon"),
        ("Modified", "05/03/2024 09:00:00 AM"), ("Open", "25:00"), ("Open", "noon"),
    ],
)  # fmt: skip
def test_what_is_not_of_its_type_is_kept_as_it_came(name: str, text: str) -> None:
    typed = PLAIN.read({name: text})
    assert typed.values == {}
    assert typed.misfits == {name: text}


def test_values_withheld_are_null_and_marked() -> None:
    typed = PLAIN.read({"Key": "1", "Price": "****", "Status": "****", "Beds": ""})
    assert typed.values == {"Key": "1"}
    assert typed.restricted == {"Price", "Status"}
    assert ValueReader(CLASS).read({"Key": "****"}).values == {"Key": "****"}


@pytest.mark.parametrize(
    ("name", "text", "value", "known"),
    [
        ("Status", "Pending, with offer", "P", True),
        ("Status", "A", "A", True),
        ("Status", "Same", "Same", False),
        ("Status", "Gone", "Gone", False),
        ("Many", "Active,Pending, with offer", ("A", "P"), True),
        ("Many", "Pending, with offer, Active", ("P", "A"), True),
        ("Many", "Active,Gone, away", ("A", "Gone", "away"), False),
    ],
)
def test_decoded_texts_are_turned_back_into_codes(name: str, text: str, value: Any, known: bool) -> None:
    typed = DECODED.read({name: text})
    assert typed.values == {name: value}
    assert typed.unknown == (frozenset() if known else {name})


def test_fields_by_their_standard_names() -> None:
    reader = ValueReader(CLASS, standard_names=True)
    assert reader.read({"ListingID": "7"}).values == {"ListingID": "7"}
    assert set(askable(CLASS, standard_names=True)) == {"ListingID"}


def test_typed_rows_can_be_asked() -> None:
    fields = askable(CLASS, [STATUS])
    query = parse("(Beds=3+),(Status=|A,P),(Many=P),(Modified=2024-03-05)")
    holds = predicate(bind(query, fields, now=NOON, zone=ZONE))
    row = {"Beds": "3", "Status": "A", "Many": "P,A", "Modified": "2024-03-05T23:00:00"}
    assert holds(PLAIN.read(row).values)
    assert not holds(PLAIN.read(row | {"Modified": "2024-03-06T00:00:00"}).values)
    with pytest.raises(DmqlFieldError):
        bind(parse("(Status=Q)"), fields, now=NOON)


def test_kinds_of_words_that_servers_make_up() -> None:
    assert kind_of(Field(data_type="URL", interpretation="Secret")) is Kind.CHARACTER
    assert kind_of(Field(data_type="DATETIME")) is Kind.DATETIME


@pytest.mark.parametrize(("said", "hours"), [("-05:00", -5), ("+0530", 5.5), ("", 0), ("EST", 0), ("-99:00", 0)])
def test_the_zone_of_a_server(said: str, hours: float) -> None:
    assert zone_of(System(time_zone_offset=said)).utcoffset(None) == timedelta(hours=hours)


@settings(max_examples=150)
@given(st.lists(st.text(st.characters(exclude_categories=["Cc", "Cs"])).map(str.strip).filter(bool), max_size=5))
def test_items_quoted_by_the_rules_come_back(items: list[str]) -> None:
    quoted = ", ".join('"' + item.replace('"', '""') + '"' for item in items)
    assert split_items(quoted) == items


@pytest.mark.parametrize("text", ['"' * 5001, '",' * 5000, "," * 50_000, " " * 50_000, '"a' * 5000])
def test_lists_that_are_none_take_little_time(text: str) -> None:
    assert len(split_items(text)) <= 10_000
