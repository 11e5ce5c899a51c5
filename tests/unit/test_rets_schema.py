"""Metadata of every type, in both formats, from whatever a server lets one ask, become the same tree."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.rets.errors import RetsParseError, RetsReplyError, RetsTruncatedError
from shared.rets.mend import Mender
from shared.rets.metadata import MetadataReader
from shared.rets.schema.assemble import Assembler
from shared.rets.schema.document import document_of, system_of
from shared.rets.schema.fetch import fetch_metadata
from shared.rets.schema.tables import ESSENTIAL, KINDS, TABLES
from shared.rets.schema.types import Field, Lookup, Resource, System
from shared.sources.base import SourceError
from tests.conftest import SCALE
from tests.unit.mls_metadata import MLS, STAMPS, compact, rets, serving, standard
from tests.unit.rets_server import Asked, Say, ScriptedServer


def read(body: str, asked: tuple[str, ...] = ()) -> Assembler:
    assembler = Assembler()
    assembler.add(MetadataReader(KINDS).read([rets(body).encode()], Mender()), asked)
    return assembler


def test_every_type_in_compact() -> None:
    assert read(compact(MLS)).system() == MLS


@pytest.mark.parametrize("named", [True, False])
def test_every_type_in_standard_xml(named: bool) -> None:
    found = read(standard(MLS, named=named)).system()
    if not named:  # nothing says what the containers' own version is
        assert found.resources[0].classes[0].table_version == STAMPS["version"]
    assert found == MLS


def test_the_names_of_rets_1_5() -> None:
    found = read(standard(MLS, old=True)).system()
    assert found == msgspec.structs.replace(MLS, time_zone_offset="")


def test_the_tree_survives_being_stored() -> None:
    assert msgspec.json.decode(msgspec.json.encode(MLS), type=System) == MLS
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(MLS), type=System) == MLS


PARENTS = 'Resource="Property"'


def test_names_of_columns_in_any_spelling_and_order() -> None:
    body = (
        f"<METADATA-LOOKUP {PARENTS}><COLUMNS>\tX-Own\tLookupTypeVersion\tLookup_Name\tVISIBLE_NAME\t</COLUMNS>"
        "<DATA>\tx\t1.2\tStatus\tState\t</DATA></METADATA-LOOKUP>"
        "<METADATA-FOREIGNKEYS><COLUMNS>\tFOREIGN_KEY_ID\tPARENT_RESOURCE_ID\t</COLUMNS><DATA>\tK\tProperty\t</DATA>"
        '</METADATA-FOREIGNKEYS><METADATA-EDIT_MASK Resource="Property"><COLUMNS>\tEditMaskID\tValue\t</COLUMNS>'
        "<DATA>\tM\t[0-9]*\t</DATA></METADATA-EDIT_MASK>"
        '<METADATA-UPDATE Resource="Property" Class="RES"><COLUMNS>\tUpdateAction\tUpdateTypeVersion\t</COLUMNS>'
        "<DATA>\tAdd\t7\t</DATA></METADATA-UPDATE>"
        '<METADATA-VALIDATION_EXTERNAL_TYPE Resource="Property" ValidationExternalName="Tax">'
        "<COLUMNS>\tSearchField\tResultsFields\t</COLUMNS><DATA>\tRoll\tA=B, C=D\t</DATA>"
        "</METADATA-VALIDATION_EXTERNAL_TYPE>"
    )
    found = read(body).system()
    (resource,) = found.resources
    assert resource.lookups == (Lookup(lookup_name="Status", visible_name="State", version="1.2"),)
    assert resource.edit_masks[0].value == "[0-9]*"
    assert resource.classes[0].updates[0].name == "Add"
    assert resource.classes[0].updates[0].version == "7"
    assert resource.validation_externals[0].types[0].result_fields == ("A=B", "C=D")
    assert found.foreign_keys[0].parent_resource_id == "Property"


TABLE = '<METADATA-TABLE Resource="Property" Class="RES"><COLUMNS>\tSystemName\tMaximumlength\tUnique\t</COLUMNS>'


@pytest.mark.parametrize(
    "odd", ["<DATA></DATA>", "<DATA>\t\t\t\t</DATA>", "<DATA>\t\t9\t1\t</DATA>", "<METADATA-X><A/></METADATA-X>"]
)
def test_quirk_34_blank_lines_unknown_tables_and_missing_columns_are_passed_over(odd: str) -> None:
    line = "<DATA>\tBeds\tmany\tY</DATA>"
    found = read(f"<METADATA></METADATA>{TABLE}{odd}{line}</METADATA-TABLE><METADATA-NEW><A>b</A></METADATA-NEW>")
    assert found.system().resources[0].classes[0].fields == (Field(system_name="Beds", unique=True),)
    assert found.oddities == ([] if "9" not in odd else ["a line of METADATA-TABLE has no system_name"])


def test_a_line_that_ends_early_lacks_its_last_values() -> None:
    assert read(f"{TABLE}<DATA>\tBeds</DATA></METADATA-TABLE>").system().resources[0].classes[0].fields[0] == Field(
        system_name="Beds"
    )


def test_a_table_that_names_no_parents_is_of_those_asked_for() -> None:
    bare = TABLE.replace(' Resource="Property" Class="RES"', "")
    line = "<DATA>\tBeds\t3\t</DATA></METADATA-TABLE>"
    assert read(bare + line, ("Property", "RES")).system() == read(TABLE + line).system()
    assert read(bare + line).oddities == ["a METADATA-TABLE does not say what it belongs to"]


@pytest.mark.parametrize("comments", ["<COMMENTS/>", "<COMMENTS></COMMENTS>", ""])
def test_a_system_without_comments(comments: str) -> None:
    system = '<SYSTEM SystemID="S" SystemDescription="x"/>'
    body = f'<METADATA-SYSTEM Version="1" Date="d">{system}{comments}</METADATA-SYSTEM>'
    assert read(body).system() == System(system_id="S", system_description="x", version="1", date="d")


# --- asking


def asked_of(server: ScriptedServer) -> list[str]:
    found = [each.arguments for each in server.asked if each.path == "/metadata"]
    return [f"{each['Type'].removeprefix('METADATA-')} {each['ID']}" for each in found]


def essential(system: System) -> System:
    """Without what is not read unless asked for."""

    def bare(resource: Resource) -> Resource:
        return msgspec.structs.replace(
            resource, search_helps=(), validation_lookups=(), validation_externals=(),
            classes=tuple(msgspec.structs.replace(each, updates=()) for each in resource.classes),
        )  # fmt: skip

    return msgspec.structs.replace(system, resources=tuple(map(bare, system.resources)))


def test_all_in_one_request_where_the_server_gives_it() -> None:
    with ScriptedServer(serving(MLS)) as server:
        found = fetch_metadata(server.session(), kinds=tuple(TABLES))
        assert found.system == MLS
        assert found.format == "COMPACT"
        # Agent does not say that it has no objects and lookups.
        assert asked_of(server) == ["SYSTEM *", "OBJECT Agent", "LOOKUP Agent", "FILTER 0"]


def only_shallow(arguments: dict[str, str]) -> str | None:
    return "20510" if arguments["ID"].endswith("*") else None


def only_by_name(arguments: dict[str, str]) -> str | None:
    top = {"METADATA-SYSTEM", "METADATA-RESOURCE", "METADATA-FOREIGN_KEYS"}
    shallow = arguments["ID"] == "0" and arguments["Type"] not in top
    return "20502" if shallow or arguments["ID"].endswith(("*", ":0")) else None


@pytest.mark.parametrize("refuse", [only_shallow, only_by_name])
def test_what_is_refused_whole_is_asked_for_in_parts(refuse: Callable[[dict[str, str]], str | None]) -> None:
    with ScriptedServer(serving(MLS, refuse)) as server:
        found = fetch_metadata(server.session())
        assert found.system == essential(MLS)
        assert found.oddities
        asked = asked_of(server)
    if refuse is only_shallow:
        assert asked == [
            "SYSTEM *", "SYSTEM 0", "RESOURCE 0", "CLASS 0", "TABLE 0", "OBJECT 0", "OBJECT Agent", "LOOKUP 0",
            "LOOKUP Agent", "LOOKUP_TYPE 0", "FOREIGN_KEYS 0",
        ]  # fmt: skip
    else:
        assert asked[-6:] == [
            "LOOKUP Property", "LOOKUP Agent", "LOOKUP_TYPE 0", "LOOKUP_TYPE Property:Status",
            "LOOKUP_TYPE Property:Extras",
            "FOREIGN_KEYS 0",
        ]  # fmt: skip
        assert "TABLE Property:RES" in asked


def test_an_answer_too_large_to_be_read_is_asked_for_in_parts() -> None:
    honest = serving(MLS)

    def answer(asked: Asked) -> Say | None:
        if asked.path == "/metadata" and asked.arguments["ID"] == "*":
            return Say(rets("<METADATA-X>" + "<a>" * 300))
        return honest(asked)

    with ScriptedServer(answer) as server:
        assert fetch_metadata(server.session()).system == essential(MLS)


def test_the_other_format_where_one_is_refused() -> None:
    def answer(asked: Asked) -> Say | None:
        if asked.path != "/metadata":
            return None
        return Say(rets("", "20514") if asked.arguments["Format"] == "COMPACT" else rets(standard(MLS)))

    with ScriptedServer(answer) as server:
        found = fetch_metadata(server.session())
        assert (found.system, found.format) == (MLS, "STANDARD-XML")


@pytest.mark.parametrize("code", ["20501", "20503", "20507"])
def test_types_that_the_server_does_not_offer_are_empty(code: str) -> None:
    optional = {"METADATA-FOREIGN_KEYS", "METADATA-OBJECT"}

    def refuse(arguments: dict[str, str]) -> str | None:
        return code if arguments["Type"] in optional else only_shallow(arguments)

    with ScriptedServer(serving(MLS, refuse)) as server:
        system = fetch_metadata(server.session()).system
    assert system.foreign_keys == ()
    assert system.resources[0].objects == ()
    assert system.resources[0].lookups == MLS.resources[0].lookups


def test_quirk_15_a_late_status_says_that_there_are_none() -> None:
    def answer(asked: Asked) -> Say | None:
        if asked.path == "/metadata" and asked.arguments["Type"] == "METADATA-FOREIGN_KEYS":
            return Say(rets('<RETS-STATUS ReplyCode="20503" ReplyText="none"/>'))
        return serving(MLS, only_shallow)(asked)

    with ScriptedServer(answer) as server:
        assert fetch_metadata(server.session()).system.foreign_keys == ()


def test_no_resources_are_no_metadata() -> None:
    with ScriptedServer(serving(System(system_id="S"))) as server, pytest.raises(RetsParseError, match="no resource"):
        fetch_metadata(server.session())


def test_a_table_that_is_needed_and_refused_is_an_error() -> None:
    def refuse(arguments: dict[str, str]) -> str | None:
        return "20500" if arguments["Type"] == "METADATA-TABLE" else only_shallow(arguments)

    refusing = serving(MLS, refuse)
    with ScriptedServer(refusing) as server, pytest.raises(RetsReplyError):
        fetch_metadata(server.session())


def test_essential_is_what_reading_takes() -> None:
    assert set(ESSENTIAL) <= set(TABLES)
    assert {"table", "lookuptype", "object"} <= set(ESSENTIAL)


# --- hostile

MARKUP = st.lists(
    st.one_of(
        st.sampled_from(
            ["<METADATA-SYSTEM>", "</METADATA-SYSTEM>", "<METADATA-TABLE Resource='P' Class='C'>", "</METADATA-TABLE>",
             "<METADATA-RESOURCE>", "</METADATA-RESOURCE>", "<Resource>", "</Resource>", "<ResourceID>P</ResourceID>",
             "<COLUMNS>\tSystemName\tUnique\t</COLUMNS>", "<DATA>\ta\t1\t</DATA>", "<DATA>", "</DATA>", "<COLUMNS>",
             "</COLUMNS>", "<COMMENTS>", "</COMMENTS>", "<SYSTEM SystemID='x'/>", "<ResultFields>", "</ResultFields>",
             "<Source>", "</Source>", "<METADATA-VALIDATION_EXTERNAL_TYPE>", "</METADATA-VALIDATION_EXTERNAL_TYPE>",
             "<METADATA-CLASS>", "</METADATA-CLASS>", "<Class>", "</Class>", "<x a='1'/>", "\t", "9" * 30]
        ),
        st.text("<>&;ab\t\x00", max_size=3),
    ),
    max_size=25,
)  # fmt: skip


@settings(max_examples=100 * SCALE)
@given(MARKUP)
def test_whatever_comes_ends_in_a_tree_or_a_documented_error(parts: list[str]) -> None:
    try:
        found = read("".join(parts)).system()
    except SourceError:
        return
    assert msgspec.json.decode(msgspec.json.encode(found), type=System) == found


WHOLE = rets(compact(MLS)).encode()


@settings(max_examples=60 * SCALE)
@given(st.integers(0, len(WHOLE) - 1))
def test_an_answer_cut_anywhere_is_never_a_short_one(stop: int) -> None:
    with pytest.raises((RetsTruncatedError, RetsParseError)):
        MetadataReader(KINDS).read([WHOLE[:stop]], Mender())


# --- as a document that is kept


def test_a_document_holds_every_type() -> None:
    assert system_of(document_of(MLS).document) == MLS


def test_documents_differ_when_anything_but_version_and_date_does() -> None:
    digest = document_of(MLS).digest
    assert document_of(msgspec.structs.replace(MLS, version="9.9", date="later")).digest == digest
    assert document_of(msgspec.structs.replace(MLS, system_description="another")).digest != digest


@pytest.mark.parametrize("broken", [b"", b"{", b"[]", b'{"resources": 7}'])
def test_what_is_no_document_is_an_error(broken: bytes) -> None:
    with pytest.raises(ValueError, match=r".+"):
        system_of(broken)
