"""What the personality ``mls`` can be made to do, each met by our client as the specification or practice has it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from html import unescape
from urllib.parse import urlsplit

import pytest
import requests
from pydantic import SecretStr

from services.simulator.main import Options, Simulator
from shared.rets.answer import Answer
from shared.rets.compact import CompactReader
from shared.rets.dmql.grammar import parse
from shared.rets.errors import RetsReplyError
from shared.rets.login import User
from shared.rets.objects import ObjectRequest, read_all
from shared.rets.rows import RowsReader
from shared.rets.schema.fetch import fetch_metadata
from shared.rets.schema.values import ValueReader
from shared.rets.search import Ending, Search, ending
from shared.rets.server_information import server_information
from shared.rets.session import RetsSession
from shared.rets.settings import RetsSettings

LISTINGS = 30


@pytest.fixture(scope="module")
def sim() -> Iterator[Simulator]:
    with Simulator(Options(personality="mls", listings=LISTINGS, photos=3)) as running:
        yield running


@pytest.fixture
def session(sim: Simulator) -> Iterator[RetsSession]:
    with opened(sim) as found:
        yield found
    for name in sim.control.fault("slow", "off"):
        sim.control.fault(name, "off")


@contextmanager
def opened(sim: Simulator, **more: object) -> Iterator[RetsSession]:
    settings = RetsSettings(sim.login_url, "demo", SecretStr("demo"), **more)  # type: ignore[arg-type]
    found = RetsSession(settings, sleep=lambda _: None)
    try:
        yield found
    finally:
        found.logout()


def ask(session: RetsSession, query: str = "(LIST_KEY=0+)", **more: object) -> tuple[list[dict[str, str]], Ending]:
    asked = {"select": ("LIST_KEY", "PRICE", "REMARKS"), **more}
    search = Search("Property", "RES", parse(query), **asked)  # type: ignore[arg-type]

    def read(answer: Answer) -> tuple[list[dict[str, str]], Ending]:
        reader = CompactReader()
        rows = list(reader.stream(answer.chunks(), session.mender()))
        answer.reply = reader.reply
        return rows, ending(reader, len(rows), search)

    return session.ask("Search", search.arguments(), read)


@pytest.mark.parametrize(
    ("name", "value"),
    [("delimiter", "7C"), ("delimiter", "23"), ("edge-delimiters", "first"), ("edge-delimiters", "last"),
     ("edge-delimiters", "both")],
)  # fmt: skip
def test_rows_however_they_are_cut(sim: Simulator, session: RetsSession, name: str, value: str) -> None:
    expected, _ = ask(session)
    sim.control.fault(name, value)
    assert ask(session)[0] == [
        {field: text.replace("#" if value == "23" else "\0", "    ") for field, text in row.items()} for row in expected
    ]


@pytest.mark.parametrize("way", ["20201", "status", "rows", "count"])
def test_nothing_found_in_every_way(sim: Simulator, session: RetsSession, way: str) -> None:
    sim.control.fault("nothing-found", way)
    rows, ended = ask(session, "(CITY=Atlantis)")
    assert (rows, ended.more, ended.doubt) == ([], False, "")


def test_counts_and_more(sim: Simulator, session: RetsSession) -> None:
    everything, ended = ask(session)
    assert (ended.total, ended.more) == (len(everything), False)
    sim.control.fault("maxrows-always")
    assert ask(session)[1].more
    sim.control.fault("no-count")
    assert ask(session)[1].total is None


def test_offsets(sim: Simulator, session: RetsSession) -> None:
    everything, _ = ask(session)
    assert ask(session, offset=3, limit=2)[0] == everything[2:4]
    sim.control.fault("offset-from-zero")
    assert ask(session, offset=3, limit=2)[0] == everything[3:5]
    sim.control.fault("offset-ignored")
    assert ask(session, offset=3, limit=2)[0] == everything[:2]
    sim.control.fault("offset-refused")
    with pytest.raises(RetsReplyError, match="Offset") as refused:
        ask(session, offset=1)
    assert refused.value.code == "20203"


def test_one_format_alone(sim: Simulator, session: RetsSession) -> None:
    sim.control.fault("one-format", "COMPACT-DECODED")
    assert ask(session, format="COMPACT-DECODED")[0]
    with pytest.raises(RetsReplyError, match="COMPACT-DECODED"):
        ask(session)
    assert metadata_in(session, "COMPACT") == "0"
    assert metadata_in(session, "STANDARD-XML") == "20513"
    sim.control.fault("one-format", "STANDARD-XML")
    assert metadata_in(session, "STANDARD-XML") == "0"
    assert metadata_in(session, "COMPACT") == "20513"
    assert fetch_metadata(session).format == "STANDARD-XML"


def metadata_in(session: RetsSession, form: str) -> str:
    try:
        with session.get_metadata({"Type": "METADATA-RESOURCE", "ID": "0", "Format": form}) as answer:
            answer.look_for_reply()
            assert answer.reply is not None
            return answer.reply.code
    except RetsReplyError as error:
        return error.code


@pytest.mark.parametrize("shape", [None, "names", "groups", "attributes", "items"])
def test_records_in_standard_xml_whatever_their_shape(sim: Simulator, session: RetsSession, shape: str | None) -> None:
    """Each says what a row in COMPACT says."""
    resource = fetch_metadata(session).system.resources[0]
    described = resource.classes[0]
    fields = tuple(each.system_name for each in described.fields)
    codes = [ValueReader(described, resource.lookups).read(row) for row in ask(session, select=fields)[0]]
    sim.control.fault("format-ignored")
    if shape is not None:
        sim.control.fault("xml-shape", shape)
    search = Search("Property", described.name, parse("(LIST_KEY=0+)"), fields, "STANDARD-XML")
    reader = RowsReader(search, "LIST_KEY", described.fields)
    with session.search(search.arguments()) as answer:
        rows = list(reader.stream(answer, session.mender))
    assert [ValueReader(described, resource.lookups, decoded=True).read(row) for row in rows] == codes
    assert reader.ended == Ending(len(rows), len(rows), more=False)
    found, _ = ask(session)
    assert found == []  # no table comes


def test_what_a_login_may_not_see(sim: Simulator, session: RetsSession) -> None:
    open_rows, _ = ask(session)
    sim.control.fault("withheld", "0.5")
    rows, _ = ask(session, restricted="****")
    hidden = [row for row in rows if row["PRICE"] == "****"]
    assert 0 < len(hidden) < len(rows)
    assert all(row["REMARKS"] == "****" for row in hidden)
    assert [row for row in rows if row not in hidden] == [
        row for row in open_rows if row["LIST_KEY"] not in {each["LIST_KEY"] for each in hidden}
    ]
    assert sum(row["PRICE"] == "" for row in ask(session)[0]) >= len(hidden)


def test_logins_refused_for_a_while(sim: Simulator) -> None:
    sim.control.fault("login-refused", "20050:first:1")
    with opened(sim) as session:
        session.login()
        assert session.capabilities is not None
    sim.control.fault("login-refused", "20003")
    with opened(sim) as session, pytest.raises(RetsReplyError) as refused:
        session.login()
    assert refused.value.code == "20003"
    sim.control.fault("login-refused", "off")


def test_the_notice_is_read_before_anything_else_and_by_get(sim: Simulator) -> None:
    with opened(sim) as session:
        session.login()
        assert "Maintenance is on Sundays at 03:00" in session.action
    stats = sim.control.stats()
    assert stats["requests"]["Action"] == stats["logins"]
    refused = requests.get(f"{sim.base}/Action.svc/Action", timeout=10)
    assert refused.status_code == 401


def test_server_information_of_all_and_of_one(sim: Simulator, session: RetsSession) -> None:
    sim.control.fault("row-cap", "50:maxrows")
    everything = server_information(session)
    assert everything[0].name == "CurrentTimeStamp"
    found = {(each.resource, each.class_name) for each in everything if each.name == "MinimumLimit"}
    assert ("Property", "LND") in found
    assert len(found) == 6
    one = server_information(session, "Property", "RES")
    assert {each.name: each.value for each in one}["MinimumLimit"] == "50"
    with pytest.raises(RetsReplyError) as refused:
        server_information(session, "Tax")
    assert refused.value.code == "20602"


def test_other_personalities_offer_neither() -> None:
    with Simulator(Options(listings=1, photos=0)) as ddf, opened(ddf) as session:
        session.login()
        assert session.capabilities is not None
        assert {"Action", "ServerInformation"}.isdisjoint(session.capabilities.offered())
        assert session.action == ""


@pytest.mark.parametrize("name", ["no-location", "location-ignored"])
def test_photos_without_addresses(sim: Simulator, session: RetsSession, name: str) -> None:
    rows = [row for row in sim.control.rows("Property", "RES") if int(row.get("PHOTO_CNT", 0)) > 1]
    request = ObjectRequest("Property", "Photo", {str(rows[0]["LIST_KEY"]): ()}, location=True)
    with session.get_object(request.arguments()) as answer:
        assert all(item.url for item in read_all(answer, request.objects))
    sim.control.fault(name)
    with session.get_object(request.arguments()) as answer:
        assert all(item.data for item in read_all(answer, request.objects))


@pytest.mark.parametrize("version", ["RETS/1.5", "RETS/1.7.2", "RETS/1.8"])
@pytest.mark.parametrize("request_ids", [False, True])
def test_a_user_agent_proves_itself(version: str, request_ids: bool) -> None:
    options = Options(personality="mls", listings=5, photos=0, user_agents=["mlsync"], user_agent_password="agreed",
                      faults=["cookie-name=RETS-Session-ID"])  # fmt: skip
    with Simulator(options) as own:
        more = {"rets_version": version, "request_ids": request_ids}
        with opened(own, user_agent_password=SecretStr("agreed"), **more) as session:
            assert server_information(session)
        for given, code in ((None, "20041"), (SecretStr("guessed"), "20037")):
            with opened(own, user_agent_password=given, **more) as session, pytest.raises(RetsReplyError) as refused:
                session.login()
            assert refused.value.code == code
        with opened(own, user_agent="Other/1", **more) as session, pytest.raises(RetsReplyError) as refused:
            session.login()
        assert refused.value.code == "20036"


def test_a_proof_that_nobody_asked_for(sim: Simulator, session: RetsSession) -> None:
    sim.control.fault("proof-unasked")
    session.login()
    with opened(sim, user_agent_password=SecretStr("agreed")) as proving, pytest.raises(RetsReplyError) as refused:
        proving.login()
    assert refused.value.code == "20037"


def _is_utf_8(raw: bytes) -> bool:
    try:
        return bool(raw.decode())
    except UnicodeDecodeError:
        return False


ROW_FAULTS: dict[str, Callable[[bytes], bool]] = {
    "illegal-characters": lambda raw: b"\x0b" in raw and b"&#x1F;" in raw,
    "wrong-encoding": lambda raw: not _is_utf_8(raw),
    "double-escaping": lambda raw: b"&amp;amp;" in raw,
    "surrogate-references": lambda raw: b"&#55" in raw,
}


@pytest.mark.parametrize("name", ROW_FAULTS)
@pytest.mark.parametrize("form", ["COMPACT", "STANDARD-XML"])
def test_texts_of_rows_are_spoiled_on_their_way_alone(
    sim: Simulator, session: RetsSession, name: str, form: str
) -> None:
    """What a client that mends reads is what it reads else; escaped twice it is, once unescaped."""

    def raw() -> bytes:
        asked = Search("Agent", "AGT", parse("(AGENT_KEY=0+)"), ("NAME", "POSITION"), form)  # type: ignore[arg-type]
        rows = Search("Property", "RES", parse("(LIST_KEY=0+)"), ("STREET", "CITY", "REMARKS"), form)  # type: ignore[arg-type]
        found = b""
        for each in (asked, rows):
            with session.search(each.arguments()) as answer:
                found += b"".join(answer.chunks())
        return found

    expected, _ = ask(session)
    assert not ROW_FAULTS[name](raw())
    sim.control.fault(name, "1")
    assert ROW_FAULTS[name](raw())
    rows, ended = ask(session)
    if name == "double-escaping":
        rows = [{field: unescape(text) for field, text in row.items()} for row in rows]
    assert (rows, ended.doubt) == (expected, "")


def test_an_address_may_be_too_long_and_a_post_not_taken(sim: Simulator, session: RetsSession) -> None:
    expected, _ = ask(session)
    sim.control.fault("long-address", "100")
    assert ask(session)[0] == expected
    sim.control.fault("no-post", "404")
    with pytest.raises(RetsReplyError, match="address too long"):
        ask(session)
    sim.control.fault("long-address", "off")
    assert ask(session)[0] == expected


@pytest.mark.parametrize("way", ["redirect", "sessions"])
def test_a_login_that_moved(sim: Simulator, way: str) -> None:
    sim.control.fault("moved-login", way)
    with opened(sim) as session, opened(sim) as other:
        assert ask(session) == ask(other)
        mine, others = (each.capabilities.url("Search") for each in (session, other) if each.capabilities)
        assert mine
        assert others
        assert urlsplit(mine).path not in {"/Search.svc/Search", ""}
        assert (mine == others) is (way == "redirect")
    sim.control.fault("moved-login", "off")


@pytest.mark.parametrize("way", ["renewed:1", "refused:2"])
def test_a_cookie_that_changes_in_the_midst_of_a_session(sim: Simulator, way: str) -> None:
    before = sim.control.stats()["logins"]
    sim.control.fault("cookie-changes", way)
    with opened(sim) as session:
        assert ask(session) == ask(session)
        sim.control.fault("cookie-changes", "off")
        assert ask(session)[0]
    logins = sim.control.stats()["logins"] - before
    assert logins == 1 if way == "renewed:1" else logins > 1
    assert sim.control.stats()["sessions_open"] == 0


@pytest.mark.parametrize("version", ["RETS/1.5", "RETS/1.7.2", "RETS/1.8"])
def test_quirk_13_the_user_in_either_order_and_with_words_for_nothing(sim: Simulator, version: str) -> None:
    for switches, expected in (
        ((), User("demo", "4", "AGENT", "A-77")),
        (("user-order",), User("demo", "4", "AGENT", "A-77")),
        (("user-order", "login-form=null"), User("demo", "4", "", "")),
        (("login-form=null",), User("demo", "4", "", "")),
    ):
        for switch in switches:
            name, _, value = switch.partition("=")
            sim.control.fault(name, value or None)
        with opened(sim, rets_version=version) as session:
            session.login()
            assert session.capabilities is not None
            assert session.capabilities.user == expected, switches
        for name in ("user-order", "login-form"):
            sim.control.fault(name, "off")
