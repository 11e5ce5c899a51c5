"""What known servers get wrong, and the client bears: each by itself, over real sockets."""

from __future__ import annotations

import gzip
import re
from pathlib import Path
from typing import Any

import msgspec
import pytest
from pydantic import SecretStr

from shared.messages import SourceRecord
from shared.rets.errors import RetsParseError, RetsTruncatedError
from shared.rets.schema.types import Field, ObjectKind, Resource, ResourceClass, System
from shared.sources.base import PhotoObject, SourceRefusedError
from shared.sources.ddf import MAX_SINGLES, DdfSource
from shared.sources.rets.plan import make_plan
from shared.sources.rets.settings import RetsSourceSettings
from shared.sources.rets.source import RetsSource
from shared.sources.rets.state import RetsState
from tests.unit.rets_server import LOGIN, Asked, Say, ScriptedServer
from tests.unit.test_ddf_source import JPEG, ONE, TWO, listed
from tests.unit.test_rets_records import one, read, wrap
from tests.unit.test_rets_session import FOUND, Digest, search, serving

# --- compression that fails

WHOLE = gzip.compress(FOUND.encode())
SPOILED = {
    "corrupt": WHOLE[:-8] + b"\0\0\0\0" + WHOLE[-4:],
    "cut": WHOLE[:-12],
    "only claimed": FOUND.encode(),
}


def packed(body: bytes, encoding: str = "gzip") -> Say:
    return Say(body, headers=[("Content-Encoding", encoding)])


def encodings(server: ScriptedServer) -> list[str]:
    return [asked.headers["Accept-Encoding"] for asked in server.asked if asked.path == "/search"]


@pytest.mark.parametrize("how", SPOILED)
def test_compression_that_keeps_failing_is_done_without_for_the_session(how: str) -> None:
    def answer(asked: Asked) -> Say:
        return packed(SPOILED[how]) if asked.headers["Accept-Encoding"] == "gzip" else Say(FOUND)

    with serving(answer) as server:
        session = server.session()
        assert [search(session), search(session)] == [7, 7]
        assert encodings(server) == ["gzip", "gzip", "identity", "identity"]
        session.logout()
        assert search(session) == 7
        assert encodings(server)[4:] == ["gzip", "gzip", "identity"]


def test_compression_that_failed_once_is_used_on() -> None:
    with serving(packed(SPOILED["cut"]), packed(WHOLE), packed(SPOILED["corrupt"]), packed(WHOLE)) as server:
        session = server.session()
        assert [search(session), search(session)] == [7, 7]
        assert encodings(server) == ["gzip"] * 4


def test_an_answer_compressed_in_a_way_nobody_asked_for_is_asked_for_plain() -> None:
    def answer(asked: Asked) -> Say:
        return packed(b"?", "br") if asked.headers["Accept-Encoding"] == "gzip" else Say(FOUND)

    with serving(answer) as server:
        assert search(server.session()) == 7
        assert encodings(server) == ["gzip", "gzip", "identity"]


def test_what_is_spoiled_without_compression_too_is_an_error() -> None:
    with serving(packed(SPOILED["corrupt"])) as server, pytest.raises(RetsParseError, match="compressed wrongly"):
        search(server.session())


# --- requests and logins


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_quirk_10_a_length_is_sent_with_every_request_to_a_server_that_demands_it(method: str) -> None:
    def answer(asked: Asked) -> Say | None:
        if "Content-Length" not in asked.headers:
            return Say("Length Required", status=411, content_type="text/plain")
        return Say(FOUND) if asked.path == "/search" else None

    with ScriptedServer(answer) as server:
        session = server.session(methods={"Search": method})
        assert [search(session), search(session)] == [7, 7]
        session.logout()
        assert server.paths() == ["/login", "/login", "/search", "/search", "/logout"]


def test_quirk_9_every_request_accepts_whatever_comes() -> None:
    with serving(jpeg(1), path="/object") as server:
        session = server.session()
        list(DdfSource(session).photos("property", "9", location=True))
        session.logout()
        assert [asked.headers["Accept"] for asked in server.asked] == ["*/*"] * 3


def test_no_proof_of_the_user_agent_is_sent_unasked() -> None:
    with serving(Say(FOUND)) as server:
        search(server.session())
        assert not [name for asked in server.asked for name in asked.headers if name.lower().startswith("rets-ua")]


@pytest.mark.parametrize(
    "form",
    [
        LOGIN.replace("=/", " = /"),
        LOGIN.replace("<RETS-RESPONSE>", "").replace("</RETS-RESPONSE>", ""),
        LOGIN.replace("MemberName=", "User=NULL,NULL,3,NULL\n  MemberName="),
    ],
    ids=["blanks", "no wrapper", "NULL"],
)
def test_quirk_14_a_login_reply_in_another_form_is_understood(form: str) -> None:
    def answer(asked: Asked) -> Say | None:
        if asked.path == "/login":
            return Say(form, content_type="text/plain")
        return Say(FOUND) if asked.path == "/search" else None

    with ScriptedServer(answer) as server:
        assert search(server.session()) == 7


# --- records announced, then denied

DENIED = listed("", count="2").replace("</RETS>", '<RETS-STATUS ReplyCode="20201" ReplyText="none"/></RETS>')


def test_an_inventory_announced_and_then_denied_is_taken_once_more() -> None:
    with serving(Say(DENIED), Say(listed(ONE + TWO, count="2"))) as server:
        found = DdfSource(server.session()).inventory("property")
    assert (len(found.packed), found.proven) == (2, True)


def test_records_announced_and_then_denied_are_asked_for_once_more() -> None:
    record = '<PropertyDetails ID="1" LastUpdated="a"/>'
    half = listed(record, count="2").replace("</RETS>", '<RETS-STATUS ReplyCode="20201" ReplyText="none"/></RETS>')
    for first in (DENIED, half):
        with serving(Say(first), Say(listed(record + record, count="2"))) as server:
            assert len(DdfSource(server.session()).records("property", ["1", "2"]).records) == 2


def test_what_is_denied_twice_is_taken_as_it_is() -> None:
    with serving(Say(DENIED)) as server:
        source = DdfSource(server.session())
        assert source.inventory("property").doubt == "0 distinct keys came, COUNT announced 2"
        assert source.records("property", ["1"]).records == []
        assert server.paths().count("/search") == 4


def test_no_records_at_all_is_not_asked_for_again() -> None:
    with serving(Say('<RETS ReplyCode="20201" ReplyText="none"/>')) as server:
        source = DdfSource(server.session())
        assert source.inventory("property").proven
        assert source.records("property", ["1"]).records == []
        assert server.paths().count("/search") == 2


# --- a record that breaks the parser

GOOD = '<PropertyDetails ID="{}" LastUpdated="s"><a>t</a></PropertyDetails>'


def keys(records: list[SourceRecord]) -> list[str]:
    return [record.key for record in records]


@pytest.mark.parametrize("size", [7, 100, 65536])
@pytest.mark.parametrize(
    "inner",
    [
        "<a></b>",
        "<a>" * 5000 + "</a>" * 5000,
        "<a>" * 100 + "</a>" * 100,
        "<a b=c/>",
        "<a x='1' x='2'/>",
        "<p:a/>",
        "<",
    ],
    ids=["crossed", "deep for lxml", "deep for us", "unquoted", "twice", "no such prefix", "bare <"],
)
def test_a_record_that_breaks_the_parser_is_set_aside_with_its_bytes_and_harms_no_other(inner: str, size: int) -> None:
    bad = f'<PropertyDetails LastUpdated="s" ID="2">{inner}</PropertyDetails>'
    records, reader = read(wrap(GOOD.format(1) + bad + GOOD.format(3)), size)
    assert keys(records) == ["1", "3"]
    (broken,) = reader.broken
    assert (broken.key, broken.body) == ("2", bad.encode())
    assert "a record" in broken.reason


def test_a_record_without_its_end_tag_does_not_take_the_next_one_with_it() -> None:
    open_end = '<PropertyDetails ID="2"><a>t</a>'
    records, reader = read(wrap(GOOD.format(1) + open_end + GOOD.format(3) + GOOD.format(4)))
    assert keys(records) == ["1", "3", "4"]
    assert [(broken.key, broken.body) for broken in reader.broken] == [("2", open_end.encode())]


def test_of_a_huge_broken_record_a_part_is_kept() -> None:
    bad = f'<PropertyDetails ID="2"><a>{"x" * 1_000_000}</b></PropertyDetails>'
    (broken,) = read(wrap(bad))[1].broken
    assert len(broken.body) == 262_144


def test_a_broken_record_whose_start_tag_is_broken_too_has_no_key() -> None:
    (broken,) = read(wrap('<PropertyDetails ID="2" ID="3"></PropertyDetails>'))[1].broken
    assert broken.key == ""


def test_an_answer_that_breaks_off_within_a_record_is_cut_and_no_broken_record() -> None:
    with pytest.raises((RetsTruncatedError, RetsParseError)):
        read(wrap(GOOD.format(1) + '<PropertyDetails ID="2"><a>t</a>'))


def test_text_escaped_twice_is_kept_as_it_was_sent() -> None:
    assert one("<a>caf&amp;eacute; &amp;amp; bar</a>") == {"a": "caf&eacute; &amp; bar"}


# --- one object where several were asked for


def photos_of(server: ScriptedServer, *orders: int) -> list[PhotoObject]:
    return list(DdfSource(server.session()).photos("property", "9", location=False, orders=orders))


def jpeg(number: int, *headers: tuple[str, str]) -> Say:
    return Say(JPEG + bytes([number]), content_type="image/jpeg", headers=list(headers))


def ids(server: ScriptedServer) -> list[str]:
    return [asked.arguments["ID"] for asked in server.asked if asked.path == "/object"]


def test_a_single_image_where_all_were_asked_for_is_followed_by_the_others_one_by_one() -> None:
    def answer(asked: Asked) -> Say:
        number = asked.arguments["ID"].removeprefix("9:")
        return jpeg(1, ("Object-ID", "1")) if number == "*" else jpeg(int(number))

    with serving(answer, path="/object") as server:
        found = photos_of(server, 3, 1, 2)
        assert [(photo.order, photo.data) for photo in found] == [(n, JPEG + bytes([n])) for n in (1, 2, 3)]
        assert ids(server) == ["9:*", "9:2", "9:3"]


def test_a_single_image_without_a_number_is_nobodys() -> None:
    def answer(asked: Asked) -> Say:
        number = asked.arguments["ID"].removeprefix("9:")
        return jpeg(7 if number == "*" else int(number))

    with serving(answer, path="/object") as server:
        assert [(photo.order, photo.data) for photo in photos_of(server, 1, 2)] == [
            (1, JPEG + b"\1"),
            (2, JPEG + b"\2"),
        ]


def test_the_one_photo_wanted_is_asked_for_by_its_number() -> None:
    with serving(jpeg(3), path="/object") as server:
        assert [photo.order for photo in photos_of(server, 3)] == [3]
        assert ids(server) == ["9:3"]


@pytest.mark.parametrize("body", ["No photos at this time", ""])
def test_a_text_or_nothing_in_place_of_all_photos_is_the_reason_after_one_more_try(body: str) -> None:
    with serving(Say(body, content_type="text/plain"), path="/object") as server:
        first, of_all = photos_of(server, 1, 2, 3)
        assert ids(server) == ["9:*", "9:1"]
    assert (first.order, of_all.order) == (1, 0)
    assert first.error == of_all.error
    assert (body or "neither an image nor an address") in (of_all.error or "")


def test_a_text_in_place_of_all_photos_though_there_are_some_is_overruled_by_the_first() -> None:
    def answer(asked: Asked) -> Say:
        number = asked.arguments["ID"].removeprefix("9:")
        if number == "*":
            return Say("No photos at this time", content_type="text/plain")
        return jpeg(1) if number != "2" else Say('<RETS ReplyCode="20403" ReplyText="none"/>')

    with serving(answer, path="/object") as server:
        assert [photo.order for photo in photos_of(server, 1, 2, 3) if photo.data] == [1, 3]
        assert ids(server) == ["9:*", "9:1", "9:2", "9:3"]


def test_objects_of_a_list_without_their_numbers_are_asked_for_one_by_one() -> None:
    part = b"--b\r\nContent-Type: image/jpeg\r\n\r\n%b\r\n" % JPEG

    def answer(asked: Asked) -> Say:
        number = asked.arguments["ID"].removeprefix("9:")
        return Say(part * 2 + b"--b--\r\n", content_type="multipart/x; boundary=b") if number == "*" else jpeg(1)

    with serving(answer, path="/object") as server:
        assert [photo.order for photo in photos_of(server, 1, 2)] == [1, 2]


def test_several_objects_without_numbers_are_not_the_one_asked_for() -> None:
    part = b"--b\r\nContent-Type: image/jpeg\r\n\r\n%b\r\n" % JPEG
    with serving(Say(part * 2 + b"--b--\r\n", content_type="multipart/x; boundary=b"), path="/object") as server:
        (photo,) = photos_of(server, 4)
    assert photo.order == 4
    assert "without their numbers" in (photo.error or "")


def test_a_list_that_lacks_a_number_is_believed() -> None:
    part = b"--b\r\nContent-Type: image/jpeg\r\nObject-ID: 1\r\n\r\n%b\r\n--b--\r\n" % JPEG
    with serving(Say(part, content_type="multipart/x; boundary=b"), path="/object") as server:
        assert [photo.order for photo in photos_of(server, 1, 2)] == [1]
        assert ids(server) == ["9:*"]


def test_one_by_one_has_a_bound() -> None:
    with serving(jpeg(1, ("Object-ID", "1")), path="/object") as server:
        photos_of(server, *range(1, 300))
        assert len(ids(server)) == 1 + MAX_SINGLES


# --- every quirk that docs/servers.md lists has a test named for it

TESTS = Path(__file__).parents[1]


def test_every_quirk_of_the_docs_has_a_test_named_for_it() -> None:
    page = (TESTS.parent / "docs" / "servers.md").read_text()
    listed = [int(number) for number in re.findall(r"^\| (\d+) \|", page, re.MULTILINE)]
    named = {
        int(number)
        for path in TESTS.rglob("test_*.py")
        for number in re.findall(r"^def test_quirk_(\d+)_", path.read_text(), re.MULTILINE)
    }
    assert listed == list(range(1, len(listed) + 1))
    assert named == set(listed)


# --- logging in


@pytest.mark.parametrize("stale", [True, False])
def test_quirk_3_a_nonce_that_is_good_for_one_request_is_answered_each_time(stale: bool) -> None:
    digest = Digest(uses=1, stale=stale)
    with ScriptedServer(digest) as server:
        session = server.session(methods={"Search": "GET"})
        assert [search(session) for _ in range(3)] == [7] * 3
        assert server.paths().count("/login") == 2  # once challenged, and never because of a search
        assert digest.challenges == 4


def test_quirk_6_a_version_that_the_server_refuses_without_a_word_is_set_for_the_feed() -> None:
    def answer(asked: Asked) -> Say | None:
        if asked.headers["RETS-Version"] == "RETS/1.5":
            return Say(FOUND) if asked.path == "/search" else None
        return Say('<RETS ReplyCode="20036" ReplyText="Login failed"/>')

    with ScriptedServer(answer) as server:
        with pytest.raises(SourceRefusedError, match="User-Agent and RETS version"):
            server.session().login()
        assert len(server.asked) == 1
        assert search(server.session(rets_version="RETS/1.5")) == 7


def two_ways(asked: Asked) -> Say | None:
    """A server that offers digest and Basic, and takes Basic alone."""
    if asked.headers.get("Authorization", "").startswith("Basic "):
        return Say(FOUND) if asked.path == "/search" else None
    offers = [("WWW-Authenticate", 'Digest realm="r", nonce="n"'), ("WWW-Authenticate", 'Basic realm="r"')]
    return Say("no", status=401, headers=offers, content_type="text/plain")


def test_quirk_7_where_digest_is_refused_and_basic_offered_basic_is_used() -> None:
    with ScriptedServer(two_ways) as server:
        session = server.session()
        assert search(session) == 7
        assert server.paths() == ["/login", "/login", "/login", "/search"]
        session.logout()
        server.asked.clear()
        assert search(session) == 7
        assert server.paths() == ["/login", "/login", "/search"]  # the digest is not tried again


def test_quirk_7_a_password_refused_in_both_ways_is_refused() -> None:
    def answer(asked: Asked) -> Say | None:
        found = two_ways(asked)
        return found or Say("no", status=401, headers=[("WWW-Authenticate", 'Basic realm="r"')])

    with ScriptedServer(answer) as server:
        session = server.session()
        for _ in range(2):
            with pytest.raises(SourceRefusedError, match="check user name and password"):
                session.login()
        assert server.paths() == ["/login"] * 6


def test_quirk_7_the_proof_of_the_user_agent_goes_beside_that_of_the_user() -> None:
    def answer(asked: Asked) -> Say | None:
        if asked.headers.get("RETS-UA-Authorization") is None:
            return Say('<RETS ReplyCode="20041" ReplyText="User-Agent authentication required"/>')
        return two_ways(asked)

    with ScriptedServer(answer) as server:
        assert search(server.session(user_agent_password=SecretStr("agreed"))) == 7
        with pytest.raises(SourceRefusedError, match="ask the MLS for a user-agent password"):
            server.session().login()


def test_quirk_12_addresses_without_host_ports_and_cookies_of_any_name() -> None:
    login = LOGIN.replace("Search=/search", "Search=../find/search?site=7").replace("Logout=/logout", "Logout=out")

    def answer(asked: Asked) -> Say | None:
        if asked.path == "/rets/in/login":
            return Say(login, headers=[("Set-Cookie", "ASP.NET_SessionId=abc; HttpOnly")])
        if asked.path in {"/rets/find/search", "/rets/in/out"} and "ASP.NET_SessionId=abc" in asked.headers["Cookie"]:
            return Say(FOUND)
        return None

    with ScriptedServer(answer) as server:
        session = server.session(login_url=f"{server.base}/rets/in/login")
        assert search(session) == 7
        session.logout()
        assert [asked.target for asked in server.asked] == [
            "/rets/in/login", "/rets/find/search?site=7", "/rets/in/out",
        ]  # fmt: skip


# --- searching

FIELDS = tuple(Field(system_name=f"LONG_NAME_OF_A_FIELD_{number}", data_type="Character") for number in range(400))


def board(*more: Field) -> System:
    """The metadata of an MLS whose key is not what people call a listing by."""
    fields = (
        Field(system_name="SYSID", data_type="Int"),
        Field(system_name="MLSNUM", standard_name="ListingId", data_type="Character"),
        Field(system_name="MODIFIED", data_type="DateTime"),
        Field(system_name="PICS", data_type="Int"),
    )
    described = ResourceClass(class_name="1", class_time_stamp="MODIFIED", fields=(*fields, *more))
    photo = ObjectKind(object_type="Photo", mime_type="image/jpeg", object_count="PICS")
    return System(
        resources=(Resource(resource_id="Property", key_field="SYSID", classes=(described,), objects=(photo,)),)
    )


def source_at(server: ScriptedServer, system: System, **settings: Any) -> RetsSource:
    return RetsSource(server.session(**settings), RetsState(RetsSourceSettings(), system))


TABLE = (
    '<RETS ReplyCode="0"><COUNT Records="1"/><DELIMITER value="09"/>'
    "<COLUMNS>\tSYSID\tMLSNUM\tMODIFIED\tPICS\t</COLUMNS>"
    "<DATA>\t77\tR-1\t2024-03-05T14:00:00\t1\t</DATA></RETS>"
)


def test_quirk_11_hundreds_of_fields_are_named_in_the_body_of_a_request() -> None:
    def answer(asked: Asked) -> Say | None:
        if len(asked.target) > 2_000:
            return Say("too long", status=414)
        return Say(TABLE) if asked.path == "/search" else None

    with ScriptedServer(answer) as server:
        (record,) = source_at(server, board(*FIELDS)).records("property", ["77"]).records
        assert (record.key, record.fields["ListingId"]) == ("77", "R-1")
        assert server.asked[-1].method == "POST"
        assert server.asked[-1].arguments["Select"].count(",") == 403


def test_quirk_32_objects_are_asked_for_by_the_key_field() -> None:
    def answer(asked: Asked) -> Say | None:
        if asked.path == "/object":
            return jpeg(1) if asked.arguments["ID"].startswith("77:") else Say('<RETS ReplyCode="20402"/>')
        return Say(TABLE) if asked.path == "/search" else None

    with ScriptedServer(answer) as server:
        source = source_at(server, board())
        (record,) = source.records("property", ["77"]).records
        (photo,) = source.photos("property", record.key, location=False, orders=[1])
        assert photo.data == JPEG + b"\1"


def test_quirk_31_photos_that_only_a_search_gives() -> None:
    names = ("MediaKey", "ResourceRecordKey", "Order", "MediaURL", "Blob")
    described = ResourceClass(class_name="M", fields=tuple(Field(system_name=name) for name in names))
    media = Resource(resource_id="Media", key_field="MediaKey", classes=(described,))
    listing = board().resources[0]
    table = (
        '<RETS ReplyCode="0"><COUNT Records="3"/><COLUMNS>\tMediaKey\tResourceRecordKey\tOrder\tMediaURL\t</COLUMNS>'
        "<DATA>\ta\t77\t10\thttp://c/10.jpg\t</DATA><DATA>\tb\t77\t2\thttp://c/2.jpg\t</DATA>"
        "<DATA>\tc\t77\t3\t\t</DATA></RETS>"
    )
    refused = Say('<RETS ReplyCode="20401" ReplyText="no such type"/>')

    def answer(asked: Asked) -> Say | None:
        return refused if asked.path == "/object" else Say(table) if asked.path == "/search" else None

    with ScriptedServer(answer) as server:
        source = source_at(server, System(resources=(listing, media)))
        for _ in range(2):
            found = source.photos("property", "77", location=True, orders=[1, 2])
            assert list(found) == [PhotoObject(1, url="http://c/2.jpg"), PhotoObject(2, url="http://c/10.jpg")]
        assert server.paths() == ["/login", "/object", "/search", "/search"]
        assert server.asked[-1].arguments["Query"] == "(ResourceRecordKey=77)"
        assert server.asked[-1].arguments["Select"] == "MediaKey,ResourceRecordKey,Order,MediaURL"
        with pytest.raises(SourceRefusedError, match="unknown object type"):
            list(source_at(server, System(resources=(listing,))).photos("property", "77", location=True))


def test_quirk_31_photos_of_which_the_metadata_name_no_type_are_counted_all_the_same() -> None:
    fields = tuple(Field(system_name=name) for name in ("MediaKey", "ResourceRecordID", "MediaURL"))
    media = Resource(resource_id="Media", classes=(ResourceClass(class_name="M", fields=fields),))
    counted = Field(system_name="PICS_", standard_name="PhotosCount", data_type="Int")
    listing = msgspec.structs.replace(board(counted).resources[0], objects=())
    for resources, said in (
        ((listing, media), "photos by searches, counted by PICS_, changed by MODIFIED"),
        ((listing,), "no photos: the metadata name no field that counts them"),
    ):
        (line,) = make_plan(System(resources=resources), RetsSourceSettings()).in_words()
        assert line.endswith(said)


def test_quirk_36_what_changed_is_asked_for_by_the_servers_own_clock_and_with_a_margin() -> None:
    date = ("Date", "Tue, 05 Mar 2024 14:00:00 GMT")

    def answer(asked: Asked) -> Say | None:
        if asked.path != "/search":
            return None
        head = f"HTTP/1.1 200 OK\r\n{date[0]}: {date[1]}\r\nContent-Length: {len(TABLE)}\r\n\r\n"
        return Say(write=lambda stream: stream.write((head + TABLE).encode()))

    first, *_ = board().resources
    two = (first.classes[0], msgspec.structs.replace(first.classes[0], class_name="2"))
    system = System(resources=(msgspec.structs.replace(first, classes=two),))
    with ScriptedServer(answer) as server:
        source_at(server, system).inventory("property")
        queries = [asked.arguments["Query"] for asked in server.asked if asked.path == "/search"]
    assert queries == ["(SYSID=0+)"] * 2 + ["(MODIFIED=2024-03-05T13:59:00Z+)"] * 2


# --- objects

PART = "Content-Type: image/jpeg\r\nContent-ID: 9\r\nObject-ID: {}\r\n\r\n"


def album(body: bytes, content_type: str = "multipart/parallel; boundary=xyz") -> list[PhotoObject]:
    """What is made of the answer when photos 1 and 2 of record 9 are asked for."""
    with serving(Say(body, content_type=content_type), path="/object") as server:
        found = photos_of(server, 1, 2)
        assert ids(server) == ["9:*"]
        return found


def parts(*numbers: int, boundary: str = "xyz", head: str = PART, end: str = "--") -> bytes:
    """An answer of photos, without the line end before its first boundary."""
    body = b"".join(
        f"--{boundary}\r\n{head.format(number)}".encode() + JPEG + bytes([number]) + b"\r\n" for number in numbers
    )
    return body + (f"--{boundary}{end}\r\n".encode() if end else b"")


BOTH = [PhotoObject(number, "image/jpeg", data=JPEG + bytes([number])) for number in (1, 2)]


@pytest.mark.parametrize("before", [b"", b"\r\n", b"\n", b"This is a multipart answer.\r\n"])
def test_quirk_24_the_first_photo_is_not_lost_for_want_of_a_line_end_before_it(before: bytes) -> None:
    assert album(before + parts(1, 2)) == BOTH


@pytest.mark.parametrize(
    ("header", "boundary"),
    [
        ('boundary="xyz"', "xyz"),
        ("boundary=xyz;charset=utf-8", "xyz"),
        ('charset=utf-8; Boundary = "xyz"', "xyz"),
        ("boundary=simple boundary", "simple boundary"),
        ('boundary="simple boundary"', "simple boundary"),
        ("type=x", "xyz"),
    ],
)
def test_quirk_25_a_boundary_is_understood_however_it_is_written(header: str, boundary: str) -> None:
    assert album(parts(1, 2, boundary=boundary), f"multipart/parallel; {header}") == BOTH


@pytest.mark.parametrize(
    "head",
    [
        PART.replace(": ", ":"),
        PART.replace("\r\n\r\n", "\r\nDescription: In front\r\nof the house\r\n\r\n"),
        PART.replace("\r\n\r\n", "\r\nContent-Description: two\r\n  lines\r\nno header at all\r\n\r\n"),
    ],
)
@pytest.mark.parametrize("end", ["--", ""], ids=["closed", "open"])
def test_quirk_26_headers_as_they_come_and_no_closing_boundary(head: str, end: str) -> None:
    assert album(parts(1, 2, head=head, end=end)) == BOTH


def test_quirk_27_parts_of_headers_alone_are_all_read() -> None:
    head = "Content-ID: 9\r\nObject-ID: {}\r\nLocation: http://c/{}.jpg\r\n"
    for blank in ("", "\r\n", "\r\n\r\n"):
        body = "".join(f"--xyz\r\n{head.format(number, number)}{blank}" for number in (1, 2, 3)) + "--xyz--\r\n"
        found = album(body.encode())
        assert [(photo.order, photo.url) for photo in found] == [(n, f"http://c/{n}.jpg") for n in (1, 2, 3)]
