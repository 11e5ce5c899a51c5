"""Login and what goes with every request: proof of the User-Agent, ids, versions, the server's notice."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import SecretStr

from shared.rets.errors import RetsParseError, RetsReplyError
from shared.rets.mend import Mender
from shared.rets.server_information import Parameter, ServerInformationReader, server_information
from shared.rets.user_agent import user_agent_digest
from shared.sources.base import SourceRefusedError
from tests.unit.rets_server import LOGIN, Asked, Say, ScriptedServer
from tests.unit.test_rets_session import FOUND, search

PROVEN: dict[str, Any] = {"user_agent": "DemoAgent/1.0 (x)", "user_agent_password": SecretStr("agentpw")}


@pytest.mark.parametrize(
    ("agent", "password", "request_id", "session_id", "version", "scheme", "digest"),
    [
        ("MyAgent/1.2.3", "secret", "98765", "1234567", "RETS/1.7", "standard", "71c39e723a334222bc7a1025b9c363e2"),
        ("PHRETS/2.0", "12345", "", "", "RETS/1.7.2", "standard", "123c96e02e514da469db6bc61ab998dc"),
        ("DemoAgent/1.0 x/2", "agentpw", "REQ1", "SESS1", "RETS/1.7.2", "standard", "a39c0dffe4bbcbfdcc63b87e0be0d41b"),
        ("DemoAgent/1.0", "agentpw", "", "", "RETS/1.7.2", "standard", "ffa3ff73c5732ab88f15f24db3cb7e83"),
        ("VieleRETS/1", "NWA", "r", "s", "RETS/1.5", "interealty", "07554bfdcfb2b37e280b6d9c4826bc46"),
    ],
)
def test_published_proofs(
    agent: str, password: str, request_id: str, session_id: str, version: str, scheme: Any, digest: str
) -> None:
    assert digest == user_agent_digest(
        agent, password, request_id=request_id, session_id=session_id, version=version, scheme=scheme
    )


def test_the_proof_is_made_anew_from_the_newest_session_cookie() -> None:
    sessions = iter(["S1", "S2", "S3", "S4"])

    def answer(asked: Asked) -> Say | None:
        cookie = [("Set-Cookie", f"RETS-Session-ID={next(sessions)}")]
        return Say(LOGIN if asked.path == "/login" else FOUND, headers=cookie)

    with ScriptedServer(answer) as server:
        session = server.session(**PROVEN)
        search(session)
        search(session)
        sent = [asked.headers["RETS-UA-Authorization"] for asked in server.asked]
    assert sent == [
        "Digest " + user_agent_digest("DemoAgent/1.0", "agentpw", session_id=session, version="RETS/1.7.2")
        for session in ("", "S1", "S2")
    ]


def test_a_request_id_of_its_own_for_every_request() -> None:
    with ScriptedServer(lambda asked: Say(FOUND) if asked.path == "/search" else None) as server:
        session = server.session(request_ids=True, **PROVEN)
        search(session)
        search(session)
        ids = [asked.headers["RETS-Request-ID"] for asked in server.asked]
        proofs = [asked.headers["RETS-UA-Authorization"] for asked in server.asked]
    assert len(set(ids)) == 3
    assert all(each.isalnum() and len(each) <= 64 for each in ids)
    assert proofs[1] == "Digest " + user_agent_digest(
        "DemoAgent/1.0", "agentpw", request_id=ids[1], version="RETS/1.7.2"
    )


def test_a_request_id_that_the_server_gave_in_a_cookie_is_used() -> None:
    def answer(asked: Asked) -> Say | None:
        return Say(LOGIN, headers=[("Set-Cookie", "RETS-Request-ID=abc")]) if asked.path == "/login" else Say(FOUND)

    with ScriptedServer(answer) as server:
        search(server.session())
        assert [asked.headers.get("RETS-Request-ID") for asked in server.asked] == [None, "abc"]


def test_quirk_8_no_proof_and_no_id_unless_there_is_a_password() -> None:
    with ScriptedServer(lambda asked: Say(FOUND) if asked.path == "/search" else None) as server:
        search(server.session())
        sent = {name.lower() for asked in server.asked for name in asked.headers}
    assert not {"rets-ua-authorization", "rets-request-id"} & sent


def test_the_proof_and_its_password_are_in_no_text() -> None:
    def answer(asked: Asked) -> Say | None:
        proof = asked.headers["RETS-UA-Authorization"].partition(" ")[2]
        return Say(f'<RETS ReplyCode="20037" ReplyText="bad proof {proof} of agentpw"/>')

    with ScriptedServer(answer) as server, pytest.raises(RetsReplyError, match="user-agent") as caught:
        server.session(**PROVEN).login()
    assert "bad proof *** of ***" in str(caught.value)


@pytest.mark.parametrize(
    ("said", "spoken"),
    [
        ("RETS/1.5", "RETS/1.5"),
        ("RETS/1.8.0", "RETS/1.8.0"),
        ("RETS/1.7", "RETS/1.7.2"),
        ("RETS/1.7.2", "RETS/1.7.2"),
        ("", "RETS/1.7.2"),
        ("HTTP/9\t", "RETS/1.7.2"),
    ],
)
def test_the_version_that_the_server_answers_in_is_spoken(said: str, spoken: str) -> None:
    def answer(asked: Asked) -> Say | None:
        return Say(LOGIN, headers=[("RETS-Version", said)]) if asked.path == "/login" else Say(FOUND)

    with ScriptedServer(answer) as server:
        search(server.session())
        assert [asked.headers["RETS-Version"] for asked in server.asked] == ["RETS/1.7.2", spoken]


# --- login answers

ACTION = LOGIN.replace("MemberName=Example Feed", "Action=/notice?day=1&amp;x=2")


def test_the_action_is_fetched_first_by_get_and_its_text_kept() -> None:
    def answer(asked: Asked) -> Say | None:
        if asked.path == "/notice":
            return Say("<h1>Closed on Sunday, caf\xe9</h1>".encode("cp1252"), content_type="text/html")
        return Say(ACTION) if asked.path == "/login" else Say(FOUND)

    with ScriptedServer(answer) as server:
        session = server.session(methods={"Action": "POST", "Login": "POST"})
        search(session)
        assert session.action == "<h1>Closed on Sunday, café</h1>"
        assert [(asked.method, asked.target) for asked in server.asked] == [
            ("POST", "/login"), ("GET", "/notice?day=1&x=2"), ("POST", "/search"),
        ]  # fmt: skip


@pytest.mark.parametrize(
    "said",
    [
        Say("gone", status=404),
        Say("x", headers=[("Content-Length", "9")]),
        Say("", status=302, headers=[("Location", "http://elsewhere.invalid/")]),
    ],
)
def test_a_notice_that_cannot_be_had_keeps_nobody_out(said: Say) -> None:
    def answer(asked: Asked) -> Say | None:
        return {"/notice": said, "/login": Say(ACTION)}.get(asked.path, Say(FOUND))

    with ScriptedServer(answer) as server:
        session = server.session()
        assert search(session) == 7
        assert session.action in {"", "x"}


def test_a_login_answer_without_search_is_no_login() -> None:
    with ScriptedServer(lambda _: Say(LOGIN.replace("Search=", "Find="))) as server:
        session = server.session()
        with pytest.raises(SourceRefusedError, match="names no Search address"):
            session.login()
        assert session.capabilities is None


def test_the_brokers_to_choose_from_are_told() -> None:
    brokers = "<RETS-RESPONSE>Broker=EXB,2\nBroker=EXC</RETS-RESPONSE>"
    body = f'<RETS ReplyCode="20012" ReplyText="Broker code?">{brokers}</RETS>'
    with (
        ScriptedServer(lambda _: Say(body)) as server,
        pytest.raises(RetsReplyError, match=r"one of EXB,2; EXC.*BrokerCode"),
    ):
        server.session().login()


def test_a_broker_code_goes_with_the_login() -> None:
    with ScriptedServer(lambda asked: Say(FOUND) if asked.path == "/search" else None) as server:
        search(server.session(login_arguments={"BrokerCode": "EXB,2"}))
        assert server.asked[0].arguments == {"BrokerCode": "EXB,2"}


# --- ServerInformation

INFORMATION = (
    '<RETS ReplyCode="0"><ServerInformation><Parameter name="CurrentTimeStamp">2024-03-05T14:00:00Z</Parameter>'
    '<Parameter name="MinimumLimit" resource="Property" class="RES"> 500 </Parameter><Other/></ServerInformation>'
    "</RETS>"
)
OFFERED = LOGIN.replace("MemberName=Example Feed", "ServerInformation=/info")


def test_what_the_server_says_of_itself() -> None:
    def answer(asked: Asked) -> Say | None:
        return Say(OFFERED) if asked.path == "/login" else Say(INFORMATION) if asked.path == "/info" else None

    with ScriptedServer(answer) as server:
        session = server.session()
        assert server_information(session, "Property") == (
            Parameter("CurrentTimeStamp", "2024-03-05T14:00:00Z"),
            Parameter("MinimumLimit", "500", "Property", "RES"),
        )
        assert server.asked[-1].arguments == {"Resource": "Property"}


@pytest.mark.parametrize("login", [LOGIN, OFFERED])
def test_a_server_that_says_nothing_of_itself(login: str) -> None:
    def answer(asked: Asked) -> Say | None:
        return Say(login) if asked.path == "/login" else Say('<RETS ReplyCode="20601" ReplyText="no"/>')

    with ScriptedServer(answer) as server:
        assert server_information(server.session()) == ()


def test_endless_information_is_refused() -> None:
    body = '<RETS ReplyCode="0">' + "<Parameter name='x'>y</Parameter>" * 10_001 + "</RETS>"
    with pytest.raises(RetsParseError):
        ServerInformationReader().read([body.encode()], Mender())
