"""Rows out of STANDARD-XML, however a server shapes its records, and which format a server is asked in."""

from __future__ import annotations

import pytest

from shared.rets.compact import Row
from shared.rets.errors import RetsParseError, RetsReplyError, RetsTruncatedError
from shared.rets.mend import Mender
from shared.rets.schema.types import Field
from shared.rets.standard import StandardReader
from shared.sources.base import SourceRefusedError
from shared.sources.rets.settings import RetsSourceSettings
from shared.sources.rets.source import RetsSource
from shared.sources.rets.state import RetsState
from tests.unit.rets_server import Asked, Say, ScriptedServer
from tests.unit.test_rets_quirks import TABLE
from tests.unit.test_rets_quirks import board as metadata_of_a_board

FIELDS = (
    Field(system_name="KEY_1", standard_name="ListingKey"),
    Field(system_name="TOWN", standard_name="City"),
    Field(system_name="EXTRAS", standard_name="LotFeatures", interpretation="LookupMulti"),
    Field(system_name="City", standard_name="PostalCity"),
)
ONE, TWO = {"KEY_1": "7", "TOWN": "Ayr"}, {"KEY_1": "8", "TOWN": "Bath & Wells"}


def rets(body: str, head: str = "", count: int | None = None) -> str:
    counted = "" if count is None else f'<COUNT Records="{count}"/>'
    return f'<?xml version="1.0"?>{head}<RETS ReplyCode="0" ReplyText="OK">{counted}{body}</RETS>'


def read(text: str, size: int = 65536) -> tuple[list[Row], StandardReader]:
    reader = StandardReader("KEY_1", FIELDS)
    data = text.encode()
    return list(reader.stream((data[at : at + size] for at in range(0, len(data), size)), Mender)), reader


def leaves(key: str, town: str, key_name: str = "KEY_1", town_name: str = "TOWN") -> str:
    return f"<{key_name}>{key}</{key_name}><{town_name}>{town}</{town_name}>"


WELLS = "Bath &amp; Wells"
SHAPES = {
    "straight in the answer": f"<L>{leaves('7', 'Ayr')}</L>\n<L>{leaves('8', WELLS)}</L>",
    "in a list": f"<REData><List><L>{leaves('7', 'Ayr')}</L><L>{leaves('8', WELLS)}</L></List></REData>",
    "by SystemNames in other letters": f"<A><L>{leaves('7', 'Ayr', 'Key_1', 'Town')}</L>"
    f"<L>{leaves('8', WELLS, 'Key_1', 'Town')}</L></A>",
    "by StandardNames": f"<A><L>{leaves('7', 'Ayr', 'ListingKey', 'TOWN')}</L>"
    f"<L>{leaves('8', WELLS, 'ListingKey', 'TOWN')}</L></A>",
    "in groups": "<A><RES><Listing><ID><ListingKey>7</ListingKey></ID></Listing><Place><TOWN>Ayr</TOWN></Place></RES>"
    f"<RES><Listing><ID><ListingKey>8</ListingKey></ID></Listing><Place><TOWN>{WELLS}</TOWN></Place></RES></A>",
    "as attributes": f'<A><L KEY_1="7" TOWN="Ayr"/><L KEY_1="8" TOWN="{WELLS}"/></A>',
    "with namespaces": f'<a:A xmlns:a="urn:a"><a:L><a:KEY_1>7</a:KEY_1><a:TOWN>Ayr</a:TOWN></a:L><a:L>'
    f"<a:KEY_1>8</a:KEY_1><a:TOWN>{WELLS}</a:TOWN></a:L></a:A>",
    "with what they refer to": "<A><L><KEY_1>7</KEY_1><Near><KEY_1>8</KEY_1></Near><TOWN>Ayr</TOWN></L>"
    f"<L><KEY_1>8</KEY_1><TOWN>{WELLS}</TOWN></L></A>",
    "in lists of their own": f"<A><List><L>{leaves('7', 'Ayr')}</L></List></A>"
    f"<A><List><L>{leaves('8', WELLS)}</L></List></A>",
    "with a key that is there twice": "<A><L><KEY_1>7</KEY_1><KEY_1>9</KEY_1><TOWN>Ayr</TOWN></L>"
    f"<L>{leaves('8', WELLS)}</L></A>",
    "with text that is CDATA": f"<A><L>{leaves('7', 'Ayr')}</L><L>{leaves('8', '<![CDATA[Bath & Wells]]>')}</L></A>",
    "in elements of several names": f"<A><L>{leaves('7', 'Ayr')}</L></A><A><L>{leaves('8', WELLS)}</L></A>",
}


@pytest.mark.parametrize("size", [1, 50, 65536])
@pytest.mark.parametrize("shape", SHAPES)
def test_quirk_33_records_are_known_by_their_keys_whatever_their_tree(shape: str, size: int) -> None:
    declared = '<!DOCTYPE RETS SYSTEM "RETS-20041001.dtd">'
    rows, reader = read(rets(SHAPES[shape], declared, 2), size)
    assert rows == [ONE, TWO]
    assert (reader.frame.count, reader.broken) == (2, [])


@pytest.mark.parametrize("body", ["<A><L>{}</L></A>", "<L>{}</L>", "<A><A><L>{}</L></A></A>", "<City><L>{}</L></City>"])
def test_a_record_that_is_alone_is_all_there_is(body: str) -> None:
    rows, _ = read(rets(body.format(leaves("7", "Ayr")) + "<MAXROWS/>", count=1))
    assert rows == [ONE]


def test_hundreds_of_records() -> None:
    body = "".join(f"<L>{leaves(str(number), 'Ayr')}</L>\n" for number in range(500))
    rows, reader = read(rets(f"<A>{body}</A><MAXROWS/>", count=900), 1000)
    assert [row["KEY_1"] for row in rows] == [str(number) for number in range(500)]
    assert reader.frame.maxrows


def test_several_values_are_one_text_and_a_field_is_never_a_group() -> None:
    rows, _ = read(
        rets(
            "<A><L><KEY_1>1</KEY_1><EXTRAS n='2'><V>Pool</V><V>Shed, \"old\"</V></EXTRAS>"
            "<City><TOWN>Ayr</TOWN></City></L>"
            "<L><KEY_1>2</KEY_1><EXTRAS>Pool</EXTRAS><EXTRAS>Barn</EXTRAS><TOWN>a</TOWN><TOWN>b</TOWN></L>"
            "<L><KEY_1>3</KEY_1><EXTRAS>Pool,Barn</EXTRAS><TOWN/><x><TOWN kind='y'>c</TOWN></x><City>d</City></L></A>"
        )
    )
    assert rows == [
        {"KEY_1": "1", "EXTRAS": 'Pool,"Shed, ""old"""', "TOWN": "Ayr"},
        {"KEY_1": "2", "EXTRAS": "Pool,Barn", "TOWN": "a"},
        {"KEY_1": "3", "EXTRAS": "Pool,Barn", "TOWN": "c", "City": "d"},
    ]


@pytest.mark.parametrize("body", ["", "<REData/>", "<A><List></List></A>", '<RETS-STATUS ReplyCode="20201"/>'])
def test_quirk_15_nothing_is_nothing(body: str) -> None:
    rows, reader = read(rets(body, count=0))
    assert rows == []
    assert reader.frame.reply is not None


def test_records_without_a_key_are_refused_in_words() -> None:
    with pytest.raises(RetsParseError, match=r"field KEY_1.*the first element is RETS/A/L/TOWN"):
        read(rets("<A><L><TOWN>Ayr</TOWN></L></A>", count=1))
    with pytest.raises(RetsParseError, match="KEY_1"):
        read(rets("<KEY_1>7</KEY_1>", count=1))
    with pytest.raises(RetsParseError, match="are all called L"):
        read(rets(f"<L><L>{leaves('7', 'Ayr')}</L><L>{leaves('8', 'Ayr')}</L></L>"))


def test_a_record_that_is_broken_harms_no_other() -> None:
    good = "".join(f"<L>{leaves(str(number), 'Ayr')}</L>" for number in (1, 2))
    rows, reader = read(rets(f"<A>{good}<L><KEY_1>3</KEY_1><TOWN></L><L>{leaves('4', 'Ayr')}</L></A>"))
    assert [row["KEY_1"] for row in rows] == ["1", "2", "4"]
    assert b"<KEY_1>3" in reader.broken[0].body


@pytest.mark.parametrize("body", ["<A><L><KEY_1>7</KEY_1></L>", "<A><L><KEY_1>7</KEY_1></L><L><KEY_1>8</KEY_1>"])
def test_quirk_19_an_answer_that_was_cut_is_none(body: str) -> None:
    with pytest.raises(RetsTruncatedError):
        read(rets(body).removesuffix("</RETS>"))


def test_entities_are_refused() -> None:
    with pytest.raises(RetsParseError, match="entities"):
        read(rets("<A/>", '<!DOCTYPE RETS [<!ENTITY a SYSTEM "file:///etc/passwd">]>'))


# --- which format a server is asked in

ALONE = (
    '<RETS ReplyCode="0"><COUNT Records="1"/><Row><SYSID>77</SYSID><ListingId>R-1</ListingId>'
    "<MODIFIED>2024-03-05T14:00:00</MODIFIED><PICS>1</PICS></Row></RETS>"
)


def source(server: ScriptedServer, **settings: str) -> RetsSource:
    state = RetsState(RetsSourceSettings(**settings), metadata_of_a_board())  # type: ignore[arg-type]
    return RetsSource(server.session(), state)


def formats(server: ScriptedServer) -> list[str]:
    return [asked.arguments["Format"] for asked in server.asked if asked.path == "/search"]


@pytest.mark.parametrize(
    ("code", "text"),
    [("20203", "Format must be STANDARD-XML"), ("20514", "Unknown DTD"), ("20513", "unsupported format")],
)
def test_quirk_33_a_server_that_refuses_a_format_is_asked_in_another_and_not_again(code: str, text: str) -> None:
    def answer(asked: Asked) -> Say | None:
        if asked.path != "/search":
            return None
        refused = f'<RETS ReplyCode="{code}" ReplyText="{text}"/>'
        return Say(ALONE if asked.arguments["Format"] == "STANDARD-XML" else refused)

    with ScriptedServer(answer) as server:
        reading = source(server)
        for _ in range(2):
            (record,) = reading.records("property", ["77"]).records
            assert (record.key, record.stamp) == ("77", "2024-03-05T14:00:00Z")
            assert record.fields["ListingId"] == "R-1"
        assert formats(server) == ["COMPACT", "COMPACT-DECODED", "STANDARD-XML", "STANDARD-XML"]


def test_quirk_33_a_server_that_answers_in_its_own_format_alone_is_understood() -> None:
    with ScriptedServer(lambda asked: Say(ALONE) if asked.path == "/search" else None) as server:
        (record,) = source(server).records("property", ["77"]).records
        assert record.fields["ListingId"] == "R-1"
        (record,) = source(server, search_format="STANDARD-XML").records("property", ["77"]).records
        assert record.fields["ListingId"] == "R-1"
        assert formats(server)[-2:] == ["STANDARD-XML", "STANDARD-XML"]


def test_a_format_that_is_set_is_asked_for_first_and_compact_serves_as_well() -> None:
    def answer(asked: Asked) -> Say | None:
        if asked.path != "/search":
            return None
        given = asked.arguments["Format"] == "COMPACT"
        return Say(TABLE if given else '<RETS ReplyCode="20203" ReplyText="Only the format COMPACT"/>')

    with ScriptedServer(answer) as server:
        (record,) = source(server, search_format="STANDARD-XML").records("property", ["77"]).records
        assert record.fields["ListingId"] == "R-1"
        assert formats(server) == ["STANDARD-XML", "COMPACT"]


@pytest.mark.parametrize(
    ("text", "tried", "said"),
    [("No format for you", 3, "set search_format"), ("Go away", 2, "mlsync probe tells what the server takes")],
)
def test_a_refusal_names_the_remedy(text: str, tried: int, said: str) -> None:
    """One that says nothing of formats is an error like any, repeated once."""
    refused = Say(f'<RETS ReplyCode="20203" ReplyText="{text}"/>')
    with ScriptedServer(lambda asked: refused if asked.path == "/search" else None) as server:
        with pytest.raises(RetsReplyError, match=said) as caught:
            source(server).inventory("property")
        assert isinstance(caught.value, SourceRefusedError)
        assert len(formats(server)) == tried
        assert formats(server)[0] == "COMPACT"
