"""The DDF source: what it asks, and what it believes."""

from __future__ import annotations

from pathlib import Path

import pytest

from shared.rets.errors import RetsReplyError
from shared.sources.base import Inventory, Page, SourceRefusedError, SourceUnavailableError
from shared.sources.ddf import DdfSettings, DdfSource
from tests.unit.rets_server import Asked, Say, ScriptedServer

SAMPLES = Path(__file__).parents[1] / "samples" / "rets"
DATED = [("Date", "Tue, 05 Mar 2024 14:00:00 GMT")]


def listed(rows: str, *, count: str = "", total: str = "", code: str = "0") -> str:
    head = f'<COUNT Records="{count}"></COUNT>' if count else ""
    paging = f"<Pagination><TotalRecords>{total}</TotalRecords></Pagination>" if total else ""
    inner = f'<RETS-RESPONSE xmlns="urn:CREA.Search.Property">{paging}{rows}</RETS-RESPONSE>'
    return f'<RETS ReplyCode="{code}" ReplyText="x">{head}{inner}</RETS>'


ONE, TWO = '<Property ID="1" LastUpdated="a"/>', '<Property ID="2" LastUpdated="b"/>'


def inventory_of(body: str) -> Inventory:
    with ScriptedServer(lambda asked: Say(body) if asked.path == "/search" else None) as server:
        return DdfSource(server.session(retry_attempts=1)).inventory("property")


@pytest.mark.parametrize(
    ("body", "keys"),
    [
        (listed(ONE + TWO, count="2", total="2"), 2),
        (listed(ONE + TWO, count="2"), 2),
        (listed(ONE + TWO, total="2"), 2),
        (listed(ONE + TWO + ONE, count="2"), 2),
        (listed("", count="0"), 0),
        (listed("", code="20201"), 0),
        ('<RETS ReplyCode="0" ReplyText="x"><RETS-STATUS ReplyCode="20201" ReplyText="None"/></RETS>', 0),
    ],
)
def test_inventory_is_proven_when_distinct_keys_equal_what_was_announced(body: str, keys: int) -> None:
    found = inventory_of(body)
    assert (len(found.packed), found.proven, found.doubt) == (keys, True, "")


@pytest.mark.parametrize(
    ("body", "doubt"),
    [
        (listed(ONE + TWO), "no count was announced"),
        (listed(""), "no count was announced"),
        (listed(ONE + TWO, count="3"), "COUNT announced 3"),
        (listed(ONE + TWO, count="2", total="3"), "TotalRecords announced 3"),
        (listed(ONE + TWO + ONE, count="3"), "2 distinct keys in 3 rows"),
        (listed("", count="5"), "COUNT announced 5"),
        (listed("", count="5", code="20201"), "COUNT announced 5"),
        (listed(ONE, code="20201"), "reply 20201 announced 0"),
        (listed(ONE + "<MAXROWS/>", count="1"), "MAXROWS"),
        (listed(ONE + "<Property/>", count="1"), "1 rows have no key"),
        (listed(ONE, count="1", code="20208"), "20208"),
        (listed(ONE + TWO, count="-2"), "no count was announced"),
    ],
)
def test_inventory_in_doubt_is_not_proven_and_says_why(body: str, doubt: str) -> None:
    found = inventory_of(body)
    assert not found.proven
    assert doubt in found.doubt


def test_cut_inventory_is_never_a_short_one() -> None:
    whole = listed(ONE + TWO, count="2")
    for stop in (len(whole) - 1, len(whole) // 2):
        with pytest.raises(SourceUnavailableError):
            inventory_of(whole[:stop])


def test_what_is_asked_for_an_inventory() -> None:
    answer = Say((SAMPLES / "master_list.xml").read_bytes())
    with ScriptedServer(lambda asked: answer if asked.path == "/search" else None) as server:
        found = DdfSource(server.session(), DdfSettings(culture="fr-CA")).inventory("property")
        assert server.asked[-1].arguments == {
            "SearchType": "Property",
            "Class": "Property",
            "QueryType": "DMQL2",
            "Query": "(ID=*)",
            "Format": "STANDARD-XML",
            "Count": "1",
            "Culture": "fr-CA",
        }
    assert [entry for block in found.ranges(2) for entry in block.entries] == [
        ("10", "Mon, 04 Mar 2024 09:12:44 GMT"),
        ("100", "Mon, 04 Mar 2024 09:12:45 GMT"),
        ("9", "Tue, 05 Mar 2024 14:00:00 GMT"),
    ]
    assert found.proven
    assert found.server_date is not None


@pytest.mark.parametrize(
    ("resource", "search_type", "master", "detail"),
    [
        ("property", "Property", "Property", "PropertyDetails"),
        ("member", "Agent", "Agent", "AgentDetails"),
        ("office", "Office", "Office", "OfficeDetails"),
    ],
)
def test_each_resource(resource: str, search_type: str, master: str, detail: str) -> None:
    def answer(asked: Asked) -> Say | None:
        if asked.path != "/search":
            return None
        assert asked.arguments["SearchType"] == asked.arguments["Class"] == search_type
        name = master if asked.arguments["Query"] == "(ID=*)" else detail
        return Say(listed(f'<{name} ID="5" LastUpdated="s"><Name>n</Name></{name}>', count="1"))

    with ScriptedServer(answer) as server:
        source = DdfSource(server.session())
        assert source.inventory(resource).packed == [b"5\0s"]
        (record,) = source.records(resource, ["5"]).records
        assert (record.key, record.stamp, record.fields["Name"]) == ("5", "s", "n")


def test_unknown_resource_is_refused() -> None:
    with (
        ScriptedServer(lambda _: None) as server,
        pytest.raises(SourceRefusedError, match="property, member, office"),
    ):
        DdfSource(server.session()).inventory("open_house")


def test_records_by_key() -> None:
    sample = Say((SAMPLES / "search_nested_and_repeated.xml").read_bytes())
    with ScriptedServer(lambda asked: sample if asked.path == "/search" else None) as server:
        source = DdfSource(server.session())
        page = source.records("property", ["20000001", "7)|(ID=*", "20000003"])
        assert server.asked[-1].arguments["Query"] == "(ID=20000001,20000003)"
        assert [record.key for record in page.records] == ["20000001", "20000002"]
        assert page.unaskable == ["7)|(ID=*"]
        asked = len(server.asked)
        assert source.records("property", []).records == []
        assert source.records("property", ["a,b", "", "1\n"]) == Page([], None, unaskable=["a,b", "", "1\n"])
        assert len(server.asked) == asked
        with pytest.raises(ValueError, match="101 keys"):
            source.records("property", [str(number) for number in range(101)])


def test_no_records_is_an_empty_page_and_too_many_a_refusal() -> None:
    for code in ("20201", "20208"):
        body = f'<RETS ReplyCode="{code}" ReplyText="x"/>'
        with ScriptedServer(lambda asked, body=body: Say(body) if asked.path == "/search" else None) as server:  # type: ignore[misc]
            source = DdfSource(server.session())
            if code == "20201":
                assert source.records("property", ["1"]).records == []
            else:
                with pytest.raises(RetsReplyError, match="refuses"):
                    source.records("property", ["1"])


def test_records_the_server_stopped_half_way_through_are_a_partial_page() -> None:
    one = '<PropertyDetails ID="5" LastUpdated="s"/>'
    for code, partial in (("0", False), ("20208", True)):
        body = listed(one, count="1", code=code)
        with ScriptedServer(lambda asked, body=body: Say(body) if asked.path == "/search" else None) as server:  # type: ignore[misc]
            page = DdfSource(server.session()).records("property", ["5", "6"])
            assert ([record.key for record in page.records], page.partial) == (["5"], partial)


JPEG = b"\xff\xd8" + bytes(range(256)) * 3


def test_photos_by_size_and_resource() -> None:
    def answer(asked: Asked) -> Say | None:
        return Say(JPEG, content_type="image/jpeg") if asked.path == "/object" else None

    with ScriptedServer(answer) as server:
        source = DdfSource(server.session(), DdfSettings(photo_size="Photo"))
        for resource, location in (("property", True), ("member", False), ("office", False)):
            (photo,) = source.photos(resource, "9", location=location)
            assert photo.data == JPEG
        asked = [each.arguments for each in server.asked if each.path == "/object"]
    assert asked == [
        {"Resource": "Property", "Type": "Photo", "ID": "9:*", "Location": "1"},
        {"Resource": "Agent", "Type": "LargePhoto", "ID": "9", "Location": "0"},
        {"Resource": "Office", "Type": "ThumbnailPhoto", "ID": "9", "Location": "0"},
    ]


def test_bytes_where_addresses_are_not_offered() -> None:
    def answer(asked: Asked) -> Say | None:
        if asked.path != "/object":
            return None
        if asked.arguments["Location"] == "1":
            return Say('<RETS ReplyCode="20414" ReplyText="no"/>')
        return Say(JPEG, content_type="image/jpeg")

    with ScriptedServer(answer) as server:
        (photo,) = DdfSource(server.session()).photos("property", "9", location=True)
    assert photo.data == JPEG


def test_a_key_that_would_ask_for_more_is_not_asked() -> None:
    with ScriptedServer(lambda _: None) as server:
        (photo,) = DdfSource(server.session()).photos("property", "9,10:*", location=False)
        assert photo.error
        assert server.asked == []


def test_photos_left_in_the_middle_do_not_harm_the_next_request() -> None:
    parts = b"".join(b"--b\r\nContent-ID: 9\r\nObject-ID: %d\r\n\r\n%b\r\n" % (n, JPEG * 500) for n in (1, 2, 3))

    def answer(asked: Asked) -> Say | None:
        if asked.path == "/object":
            return Say(parts + b"--b--\r\n", content_type="multipart/parallel; boundary=b")
        return Say(listed(ONE, count="1")) if asked.path == "/search" else None

    with ScriptedServer(answer) as server:
        source = DdfSource(server.session())
        photos = source.photos("property", "9", location=False)
        assert next(photos).order == 1
        assert source.inventory("property").proven
        assert server.paths().count("/login") == 1


def test_closing_logs_out_and_the_source_may_be_used_again() -> None:
    with ScriptedServer(lambda asked: Say(listed(ONE, count="1")) if asked.path == "/search" else None) as server:
        source = DdfSource(server.session())
        source.close()
        source.login()
        source.close()
        source.inventory("property")
        assert server.paths() == ["/login", "/logout", "/login", "/search"]
