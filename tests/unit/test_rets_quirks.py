"""What known servers get wrong, and the client bears: each by itself, over real sockets."""

from __future__ import annotations

import gzip

import pytest

from shared.messages import SourceRecord
from shared.rets.errors import RetsParseError, RetsTruncatedError
from shared.sources.base import PhotoObject
from shared.sources.ddf import MAX_SINGLES, DdfSource
from tests.unit.rets_server import LOGIN, Asked, Say, ScriptedServer
from tests.unit.test_ddf_source import JPEG, ONE, TWO, listed
from tests.unit.test_rets_records import one, read, wrap
from tests.unit.test_rets_session import FOUND, search, serving

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
def test_a_length_is_sent_with_every_request_to_a_server_that_demands_it(method: str) -> None:
    def answer(asked: Asked) -> Say | None:
        if "Content-Length" not in asked.headers:
            return Say("Length Required", status=411, content_type="text/plain")
        return Say(FOUND) if asked.path == "/search" else None

    with ScriptedServer(answer) as server:
        session = server.session(methods={"Search": method})
        assert [search(session), search(session)] == [7, 7]
        session.logout()
        assert server.paths() == ["/login", "/login", "/search", "/search", "/logout"]


def test_every_request_accepts_whatever_comes() -> None:
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
def test_a_login_reply_in_another_form_is_understood(form: str) -> None:
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
