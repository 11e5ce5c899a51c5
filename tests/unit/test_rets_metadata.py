"""Metadata in STANDARD-XML: every shape servers give them, and what is no evidence."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.lookups import LookupValue
from shared.rets.errors import RetsParseError, RetsTruncatedError
from shared.rets.lookups import KINDS, lookups_of
from shared.rets.mend import Mender
from shared.rets.metadata import MetadataReader, Segment
from shared.sources.base import SourceError


def answer(body: str, code: str = "0") -> bytes:
    return f'<RETS ReplyCode="{code}" ReplyText="x"><METADATA>{body}</METADATA></RETS>'.encode()


def values(lookup: str, *rows: str, parents: str = 'Resource="Property" ') -> str:
    named = f'Lookup="{lookup}" ' if lookup else ""
    return f'<METADATA-LOOKUP_TYPE {parents}{named}Version="1" Date="d">{"".join(rows)}</METADATA-LOOKUP_TYPE>'


def value(code: str, long: str = "", short: str = "", item: str = "LookupType", entry: str = "") -> str:
    columns = {"MetadataEntryID": entry, "LongValue": long, "ShortValue": short, "Value": code}
    return f"<{item}>{''.join(f'<{name}>{text}</{name}>' for name, text in columns.items())}</{item}>"


def lookups(*rows: str, parents: str = 'Resource="Property"') -> str:
    return f'<METADATA-LOOKUP {parents} Version="1" Date="d">{"".join(rows)}</METADATA-LOOKUP>'


def named(name: str, nested: str = "", item: str = "Lookup") -> str:
    return f"<{item}><MetadataEntryID>L1</MetadataEntryID><LookupName>{name}</LookupName>{nested}</{item}>"


def pieces(data: bytes, size: int) -> Iterator[bytes]:
    return (data[at : at + size] for at in range(0, len(data), size))


def segments(data: bytes, kinds: tuple[str, ...] = KINDS, size: int = 1 << 16) -> list[Segment]:
    return MetadataReader(kinds).read(pieces(data, size), Mender())


def read(data: bytes, size: int = 1 << 16) -> dict[str, list[LookupValue] | None]:
    return lookups_of(segments(data, size=size), "Property")


BOARDS = values("Boards", value("82", "Toronto Board", "TOR", entry="B82"), value("60", "Montréal Board"))
TREE = answer(lookups(named("Boards", BOARDS), named("Crop", values("Crop", value("Hay", short="Hay")))))
FOUND = {
    "Boards": [LookupValue("82", "Toronto Board", "TOR", "B82"), LookupValue("60", "Montréal Board")],
    "Crop": [LookupValue("Hay", "Hay", "Hay")],
}


# --- shapes


def test_values_nested_in_their_lookups() -> None:
    assert read(TREE) == FOUND


def test_values_beside_their_lookups() -> None:
    flat = lookups(named("Boards"), named("Crop")) + BOARDS + values("Crop", value("Hay", short="Hay"))
    assert read(answer(flat)) == FOUND


def test_items_named_as_in_rets_1_5() -> None:
    """There the item of a lookup is LookupType and that of a value is Lookup."""
    nested = values("Crop", value("Hay", "Hay", "Hay", item="Lookup"))
    assert read(answer(lookups(named("Crop", nested, item="LookupType")))) == {"Crop": FOUND["Crop"]}


def test_parents_that_only_the_item_around_names() -> None:
    nested = values("", value("Hay", "Hay", "Hay"), parents="")
    assert read(answer(lookups(named("Crop", nested), parents=""))) == {"Crop": FOUND["Crop"]}


def test_values_that_name_no_lookup_are_of_the_one_asked_for() -> None:
    found = segments(answer(values("", value("Hay", "Hay", "Hay"))))
    assert lookups_of(found, "Property", "Crop") == {"Crop": FOUND["Crop"]}


def test_names_in_another_spelling_attributes_for_elements_and_prefixes() -> None:
    body = (
        '<m:METADATA-LOOKUPTYPE xmlns:m="urn:m" resource="PROPERTY" LOOKUP="Crop">'
        '<m:LookupType VALUE="Hay" long_value=" Hay " ShortValue="Hay"/></m:METADATA-LOOKUPTYPE>'
    )
    assert read(answer(body)) == {"Crop": FOUND["Crop"]}


def test_what_is_not_asked_for_is_skipped() -> None:
    help_ = "<METADATA-UPDATE_HELP><UpdateHelp><Text>?</Text></UpdateHelp></METADATA-UPDATE_HELP>"
    other = values("Crop", value("", "no code"), parents='Resource="Tax" ')
    inside = help_ + "<METADATA-ODD><A><B>c</B></A>" + lookups(named("Boards", help_ + BOARDS)) + "</METADATA-ODD>"
    assert read(answer(inside + other)) == {"Boards": FOUND["Boards"]}


def test_the_whole_tree_of_a_system_has_its_resources_and_classes() -> None:
    classes = '<METADATA-CLASS Resource="Property" Version="1.2" Date="d"><Class><ClassName>Property</ClassName></Class></METADATA-CLASS>'  # noqa: E501
    resources = (
        f"<METADATA-RESOURCE Version='1.2'><Resource><ResourceID>Property</ResourceID>{classes}"
        f"{lookups(named('Boards', BOARDS), parents='')}<KeyField>ID</KeyField></Resource></METADATA-RESOURCE>"
    )
    system = f"<METADATA-SYSTEM Version='1.2'><SYSTEM SystemID='S'><Comments/>{resources}</SYSTEM></METADATA-SYSTEM>"
    found = segments(answer(system), ("system", "resource", "class", *KINDS))
    assert [(item.kind, item.rows) for item in found[:3]] == [
        ("system", [{"systemid": "S", "comments": ""}]),
        ("resource", [{"resourceid": "Property", "keyfield": "ID"}]),
        ("class", [{"classname": "Property"}]),
    ]
    assert found[2].attributes == {"resource": "Property", "version": "1.2", "date": "d"}
    assert found[3].of("resource", "resourceid") == "Property"
    assert lookups_of(found, "Property") == {"Boards": FOUND["Boards"]}
    assert lookups_of(found, "Tax") == {}


def test_markup_within_a_column_is_text_and_the_last_of_two_columns_counts() -> None:
    row = "<LookupType><Value>1</Value><LongValue>a <i>b</i> c</LongValue><Value>2</Value></LookupType>"
    assert read(answer(values("Crop", row))) == {"Crop": [LookupValue("2", "a b c")]}


def test_a_lookup_without_values_is_not_one_whose_values_did_not_come() -> None:
    assert read(answer(lookups(named("Crop"), named("Boards", values("Boards"))))) == {"Crop": None, "Boards": []}


def test_of_two_values_with_one_code_the_last_counts() -> None:
    body = values("Crop", value("Hay", "First"), value("Hay", "Last"))
    assert read(answer(body)) == {"Crop": [LookupValue("Hay", "Last")]}


@settings(max_examples=40)
@given(st.integers(1, 200))
def test_pieces_of_any_size_give_the_same(size: int) -> None:
    assert read(TREE, size) == FOUND


# --- no evidence


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (lookups(named("")), "name is blank"),
        (lookups("<Lookup/>"), "name is blank"),
        (values("", value("1", "one")), "name is blank"),
        (values("Crop", value("1", "one"), value("", "two")), "code .* is blank"),
        (values("Crop", value("1", "one"), "<LookupType/>"), "code .* is blank"),
        (values("Crop", value("1", "one"), value("2")), "no text"),
        (values("Crop", value("1" * 256, "one")), "longer than 255"),
        (values("C" * 256, value("1", "one")), "longer than 255"),
        (values("Crop", value("1", "x" * 4001)), "beyond 4000"),
        (lookups("<COLUMNS>\tVisibleName\t</COLUMNS><DATA>\tCrop\t</DATA>"), "name is blank"),
        (lookups("<DATA>\tCrop\t</DATA>"), "before the names of their columns"),
        (lookups("<COLUMNS>\tLookupName\t</COLUMNS><DATA>\tCrop\tGrain\t</DATA>"), "more values than the 1 columns"),
    ],
)
def test_a_line_that_cannot_be_read_makes_the_answer_unreadable(body: str, reason: str) -> None:
    with pytest.raises(RetsParseError, match=reason):
        read(answer(body))


@pytest.mark.parametrize("body", ["", "<METADATA-LOOKUP/>", lookups(), "<METADATA-OBJECT/>"])
def test_an_empty_answer_names_nothing(body: str) -> None:
    assert read(answer(body)) == {}


def test_an_answer_cut_anywhere_is_never_a_short_one() -> None:
    for stop in range(len(TREE)):
        with pytest.raises((RetsTruncatedError, RetsParseError)):
            read(TREE[:stop])


# --- hostile


@pytest.mark.parametrize(
    "data",
    [
        b"not XML at all",
        b"<html><METADATA-LOOKUP/></html>",
        b'<!DOCTYPE R [<!ENTITY a "x">]><RETS ReplyCode="0">&a;</RETS>',
        answer("<METADATA-LOOKUP><a></b></METADATA-LOOKUP>"),
        answer("<METADATA-LOOKUP>" + "<a>" * 5000 + "</a>" * 5000 + "</METADATA-LOOKUP>"),
        answer(
            "<METADATA-LOOKUP>" + "<METADATA-LOOKUP><x>" * 300 + "</x></METADATA-LOOKUP>" * 300 + "</METADATA-LOOKUP>"
        ),
        answer("<METADATA-LOOKUP>" + "<x/>" * 600_000 + "</METADATA-LOOKUP>"),
        answer("<METADATA-LOOKUP><x><y>" + "t" * (9 << 20) + "</y></x></METADATA-LOOKUP>"),
    ],
    ids=["text", "html", "entity", "broken", "deep", "nested", "many", "long"],
)
def test_what_no_mls_has_is_refused(data: bytes) -> None:
    with pytest.raises(RetsParseError):
        read(data)


MARKUP = st.lists(
    st.one_of(
        st.sampled_from(
            ["<METADATA-LOOKUP>", "</METADATA-LOOKUP>", "<METADATA-LOOKUP_TYPE Lookup='a'>", "</METADATA-LOOKUP_TYPE>",
             "<Lookup>", "</Lookup>", "<LookupName>", "</LookupName>", "<Value>", "</Value>", "<LongValue>",
             "</LongValue>", "<METADATA>", "</METADATA>", "<RETS ReplyCode='0'>", "</RETS>", "a", "&amp;", "<x/>"]
        ),
        st.text("<>&;ab\x00\x0b", max_size=3),
    ),
    max_size=25,
)  # fmt: skip


@settings(max_examples=300)
@given(MARKUP)
def test_whatever_comes_ends_in_lookups_or_a_documented_error(parts: list[str]) -> None:
    for data in ("".join(parts).encode(), b"<RETS ReplyCode='0'>" + "".join(parts).encode() + b"</RETS>"):
        try:
            found = read(data)
        except SourceError:
            continue
        assert all(item.code and item.text for some in found.values() for item in some or ())
