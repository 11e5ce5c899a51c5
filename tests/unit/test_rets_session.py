"""The session against servers that misbehave in every way the tables know, over real sockets."""

from __future__ import annotations

import gc
import gzip
import hashlib
import logging
import re
import socket
import time
import traceback
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any

import pytest

from shared.rets.errors import RetsParseError, RetsReplyError, RetsTruncatedError
from shared.rets.frame import Frame, read_frame
from shared.rets.session import RetsSession
from shared.sources.base import SourceRefusedError, SourceUnavailableError
from tests.unit.rets_server import LOGIN, PASSWORD, USERNAME, Asked, Say, ScriptedServer

FOUND = '<RETS ReplyCode="0" ReplyText="OK"><COUNT Records="7"/></RETS>'
ARGUMENTS = {"SearchType": "Property", "Query": "(ID=*)"}


def code(number: int, text: str = "x") -> Say:
    return Say(f'<RETS ReplyCode="{number}" ReplyText="{text}"/>')


def search(session: RetsSession, arguments: dict[str, str] | None = None) -> int | None:
    """The COUNT of a Search's answer, read the way sources read."""

    def read(answer: Any) -> int | None:
        frame = Frame()
        answer.reply = read_frame(answer.chunks(), frame, session.mender())
        return frame.count

    return session.ask("Search", arguments or ARGUMENTS, read)


@contextmanager
def serving(*answers: Say | Callable[[Asked], Say | None], path: str = "/search") -> Iterator[ScriptedServer]:
    """A server that gives the answers at ``path`` in turn, the last one for ever."""
    turn = count()

    def answer(asked: Asked) -> Say | None:
        if asked.path != path:
            return None
        said = answers[min(next(turn), len(answers) - 1)]
        return said(asked) if callable(said) else said

    with ScriptedServer(answer) as server:
        yield server


def test_login_search_logout() -> None:
    with serving(Say(FOUND)) as server:
        session = server.session(user_agent="Example/1.0")
        assert search(session) == 7
        assert search(session) == 7
        session.logout()
        session.logout()
        assert server.paths() == ["/login", "/search", "/search", "/logout"]
        login, first, *_ = server.asked
        assert (login.method, first.method) == ("GET", "POST")
        assert first.arguments == ARGUMENTS
        for asked in server.asked:
            assert asked.headers["RETS-Version"] == "RETS/1.7.2"
            assert asked.headers["User-Agent"] == "Example/1.0"
            assert asked.headers["Accept"] == "*/*"
            assert asked.headers["Accept-Encoding"] == "gzip"
            assert "Expect" not in asked.headers
        assert "Content-Length" in first.headers


def test_hooks_see_every_request_and_answer() -> None:
    before: list[str] = []
    after: list[tuple[str, str, int]] = []
    with serving(Say("busy", status=503), Say(FOUND)) as server:
        options = server.session().settings
        session = RetsSession(
            options,
            before_request=before.append,
            after_response=lambda *seen: after.append(seen),
            sleep=lambda _: None,
        )
        search(session)
        session.logout()
    assert before == ["Login", "Search", "Search", "Logout"]
    assert [seen[:2] for seen in after] == [("Login", "0"), ("Search", "http-503"), ("Search", "0"), ("Logout", "0")]
    assert after[2][2] == len(FOUND)


def test_what_the_budget_raises_passes_through() -> None:
    class BudgetSpentError(Exception):
        pass

    def refuse(_: str) -> None:
        raise BudgetSpentError

    with serving(Say(FOUND)) as server:
        session = RetsSession(server.session().settings, before_request=refuse)
        with pytest.raises(BudgetSpentError):
            search(session)
        session.logout()
        assert server.asked == []


def h(text: str) -> str:
    return hashlib.md5(text.encode()).hexdigest()


class Digest:
    """A strict digest server: nonces are known, counts grow, the address and the response are checked."""

    def __init__(self, *, uses: int = 1000, stale: bool = True, nextnonce: bool = False) -> None:
        self.nonces: dict[str, int] = {}
        self.uses = uses
        self.stale = stale
        self.nextnonce = nextnonce
        self.challenges = 0

    def new(self) -> str:
        nonce = f"nonce{len(self.nonces)}"
        self.nonces[nonce] = 0
        return nonce

    def __call__(self, asked: Asked) -> Say | None:
        given = dict(re.findall(r'(\w+)="?([^",]*)"?', asked.headers.get("Authorization", "")))
        right = h(
            f"{h(f'{USERNAME}:RETS Server:{PASSWORD}')}:{given.get('nonce')}:{given.get('nc')}:{given.get('cnonce')}"
            f":auth:{h(f'{asked.method}:{asked.target}')}"
        )
        known = given.get("nonce", "") in self.nonces
        if given.get("response") == right and given.get("uri") == asked.target and known:
            nonce = given["nonce"]
            if self.nonces[nonce] < self.uses and int(given["nc"], 16) == self.nonces[nonce] + 1:
                self.nonces[nonce] += 1
                said = ScriptedServer.otherwise(asked) if asked.path != "/search" else Say(FOUND)
                if self.nextnonce:
                    said.headers.append(("Authentication-Info", f'nextnonce="{self.new()}", qop=auth'))
                return said
        self.challenges += 1
        stale = ", stale=true" if given.get("response") == right and self.stale else ""
        challenge = f'Digest realm="RETS Server", qop="auth", nonce="{self.new()}", opaque="o"{stale}'
        return Say("no", status=401, headers=[("WWW-Authenticate", challenge)], content_type="text/plain")


def test_digest_is_asked_for_once_and_sent_with_every_request() -> None:
    digest = Digest()
    with ScriptedServer(digest) as server:
        session = server.session(methods={"Search": "GET"})
        assert [search(session, {"Query": "(A=|x y,z),(ID=0+)"}) for _ in range(3)] == [7, 7, 7]
        session.logout()
    assert digest.challenges == 1
    assert all("Authorization" in asked.headers for asked in server.asked[1:])
    assert server.asked[2].arguments == {"Query": "(A=|x y,z),(ID=0+)"}
    assert "+" not in server.asked[2].target


@pytest.mark.parametrize("stale", [True, False])
def test_stale_nonce_is_answered_silently(stale: bool) -> None:
    digest = Digest(uses=2, stale=stale)
    with ScriptedServer(digest) as server:
        session = server.session()
        assert [search(session) for _ in range(5)] == [7] * 5
        assert server.paths().count("/login") == 2
        assert digest.challenges == 3


def test_next_nonce_saves_the_challenge() -> None:
    digest = Digest(uses=1, nextnonce=True)
    with ScriptedServer(digest) as server:
        session = server.session()
        assert [search(session) for _ in range(5)] == [7] * 5
        assert digest.challenges == 1


def test_wrong_password_is_refused_after_one_try() -> None:
    with ScriptedServer(Digest()) as server:
        slept: list[float] = []
        session = server.session(slept=slept, username="someone-else")
        with pytest.raises(SourceRefusedError, match="user name and password"):
            session.login()
        assert server.paths() == ["/login", "/login"]
        assert slept == []


def test_basic_over_clear_text_goes_to_loopback_or_where_configured() -> None:
    challenge = Say("no", status=401, headers=[("WWW-Authenticate", 'Basic realm="r"')])

    def answer(asked: Asked) -> Say | None:
        return None if asked.headers.get("Authorization", "").startswith("Basic ") else challenge

    with ScriptedServer(answer) as server:
        server.session().login()
        # A name that is not loopback, reached through a proxy that is our server.
        elsewhere: dict[str, Any] = {"login_url": "http://mls.example/login", "proxies": {"http": server.base}}
        with pytest.raises(SourceRefusedError, match="basic_over_cleartext"):
            server.session(**elsewhere).login()
        assert all("Authorization" not in asked.headers for asked in server.asked if "mls.example" in asked.target)
        assert server.asked[-1].target == "http://mls.example/login"


def test_environment_proxies_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    with serving(Say(FOUND)) as server:
        assert search(server.session()) == 7


def test_cookies_come_back_everywhere_whatever_their_path() -> None:
    def answer(asked: Asked) -> Say | None:
        if asked.path == "/Login.svc/Login":
            body = LOGIN.replace("/search", "/Search.svc/Search")
            return Say(body, headers=[("Set-Cookie", "X-SESSIONID=abc"), ("Set-Cookie", "lb=1; Path=/")])
        if asked.path == "/Search.svc/Search":
            return Say(FOUND, headers=[("Set-Cookie", "X-SESSIONID=new")])
        return None

    with ScriptedServer(answer) as server:
        session = server.session(login_url=f"{server.base}/Login.svc/Login")
        search(session)
        search(session)
        cookies = [set(asked.headers.get("Cookie", "").split("; ")) for asked in server.asked]
    assert cookies == [{""}, {"X-SESSIONID=abc", "lb=1"}, {"X-SESSIONID=new", "lb=1"}]


@pytest.mark.parametrize(
    "lost",
    [
        code(20701, "Not logged in"),
        code(20037, "UA"),
        Say('<RETS ReplyCode="400" ReplyText="RETS-Session-ID is invalid."/>', status=401),
        Say("who are you", status=401, content_type="text/plain"),
        Say("precondition", status=412, content_type="text/html"),
        Say('<RETS ReplyCode="0"><RETS-STATUS ReplyCode="20701" ReplyText="late"/></RETS>'),
    ],
)
def test_quirk_2_a_lost_session_is_logged_in_again_once_with_a_clean_jar_and_replayed(lost: Say) -> None:
    lost.headers = [("Set-Cookie", "old=1; Path=/")]
    with serving(lost, Say(FOUND)) as server:
        assert search(server.session()) == 7
        assert server.paths() == ["/login", "/search", "/login", "/search"]
        assert "Cookie" not in server.asked[2].headers
        assert server.asked[3].arguments == ARGUMENTS


def test_session_lost_again_and_again_is_unavailable() -> None:
    with serving(code(20701)) as server:
        with pytest.raises(SourceUnavailableError, match="again after a new login"):
            search(server.session())
        assert server.paths() == ["/login", "/search", "/login", "/search"]


@pytest.mark.parametrize(
    "fault",
    [
        Say("busy", status=503, content_type="text/html"),
        Say("slow down", status=429),
        Say("gateway", status=502),
        code(20050),
        code(20210),
        code(10000),
        Say(write=lambda stream: None),
        Say(write=lambda stream: stream.write(b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n<RETS ")),
        Say(write=lambda stream: stream.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n<RETS\r\n")),
        Say('<RETS ReplyCode="0"><COUNT Records="7"/>'),
        Say(gzip.compress(FOUND.encode())[:-9], headers=[("Content-Encoding", "gzip")]),
        Say("<html>maintenance</html>", content_type="text/html"),
    ],
)
def test_passing_fault_is_waited_out(fault: Say) -> None:
    slept: list[float] = []
    with serving(fault, Say(FOUND)) as server:
        assert search(server.session(slept=slept)) == 7
    assert len(slept) == 1


def test_pauses_double_and_end_by_count() -> None:
    slept: list[float] = []
    with serving(Say("busy", status=503)) as server:
        with pytest.raises(SourceUnavailableError):
            search(server.session(slept=slept))
        assert server.paths().count("/search") == 5
    assert slept == [1.0, 2.0, 4.0, 8.0]


def test_pauses_end_by_time() -> None:
    slept: list[float] = []
    with serving(Say("busy", status=503)) as server, pytest.raises(SourceUnavailableError) as caught:
        search(server.session(slept=slept, retry_seconds=3.0))
    assert slept == [1.0, 2.0]
    assert caught.value.retry_after == 4.0


def test_retry_after_is_obeyed_and_handed_on() -> None:
    slept: list[float] = []
    with serving(Say(status=503, headers=[("Retry-After", "17")]), Say(FOUND)) as server:
        search(server.session(slept=slept))
    assert slept == [17.0]
    with serving(Say(status=429, headers=[("Retry-After", "7200")])) as server:
        with pytest.raises(SourceUnavailableError) as caught:
            search(server.session(slept=slept))
        assert caught.value.retry_after == 7200.0
    dated = [("Date", "Tue, 05 Mar 2024 14:00:00 GMT"), ("Retry-After", "Tue, 05 Mar 2024 14:00:42 GMT")]
    raw = b"HTTP/1.1 503 x\r\n" + b"".join(f"{n}: {v}\r\n".encode() for n, v in dated) + b"Content-Length: 0\r\n\r\n"
    with serving(Say(write=lambda stream: stream.write(raw)), Say(FOUND)) as server:
        search(server.session(slept=slept))
    assert slept[-1] == 42.0


def test_quirk_4_a_second_login_not_permitted_is_waited_out() -> None:
    slept: list[float] = []
    with serving(code(20022), Say(LOGIN), path="/login") as server:
        server.session(slept=slept).login()
    assert slept == [30.0]


@pytest.mark.parametrize(
    ("said", "text"),
    [
        (code(20206, "syntax"), "invalid query syntax"),
        (code(20207), "not authorised"),
        (code(20202), "invalid Select"),
        (Say("no", status=403), "forbidden"),
        (Say("no", status=501), "not implemented"),
        (code(31337, "vendor"), "unknown reply code"),
    ],
)
def test_refusal_is_final_at_once(said: Say, text: str) -> None:
    slept: list[float] = []
    with serving(said) as server:
        with pytest.raises(RetsReplyError, match=text):
            search(server.session(slept=slept))
        assert server.paths().count("/search") == 1
    assert slept == []


def test_quirk_1_the_body_counts_before_the_status() -> None:
    with serving(Say(FOUND, status=404)) as server:
        assert search(server.session()) == 7
        assert [asked.method for asked in server.asked] == ["GET", "POST"]
    with serving(Say('hint: <RETS ReplyCode="20206" ReplyText="x"/>', status=400, content_type="text/plain")) as server:
        with pytest.raises(RetsReplyError) as caught:
            search(server.session())
        assert caught.value.code == "20206"


def test_quirk_11_what_is_too_long_for_an_address_is_posted_and_stays_so() -> None:
    def answer(asked: Asked) -> Say | None:
        if asked.path != "/search":
            return None
        return Say("too long", status=414, content_type="text/plain") if asked.method == "GET" else Say(FOUND)

    with ScriptedServer(answer) as server:
        session = server.session(methods={"Search": "GET"})
        assert [search(session) for _ in range(2)] == [7] * 2
        assert [asked.method for asked in server.asked if asked.path == "/search"] == ["GET", "POST", "POST"]


def test_quirk_11_what_is_too_long_for_an_address_and_cannot_be_posted_is_refused() -> None:
    def answer(asked: Asked) -> Say | None:
        status = 414 if asked.method == "GET" else 405
        return Say("no", status=status, content_type="text/plain") if asked.path == "/search" else None

    with ScriptedServer(answer) as server:
        with pytest.raises(RetsReplyError, match=r"address too long .*; ask for fewer keys"):
            search(server.session())
        assert [asked.method for asked in server.asked if asked.path == "/search"] == ["POST", "GET"]


@pytest.mark.parametrize("status", [404, 405])
def test_search_falls_back_to_get_and_stays_there(status: int) -> None:
    def answer(asked: Asked) -> Say:
        return Say(FOUND) if asked.method == "GET" else Say("no", status=status, content_type="text/html")

    with serving(answer) as server:
        session = server.session()
        assert search(session) == search(session) == 7
        assert [asked.method for asked in server.asked] == ["GET", "POST", "GET", "GET"]
        assert server.asked[2].arguments == ARGUMENTS


def test_quirk_5_the_version_is_changed_when_the_server_speaks_of_it() -> None:
    def answer(asked: Asked) -> Say | None:
        if asked.headers["RETS-Version"] == "RETS/1.5":
            return None
        said = '<RETS ReplyCode="20036" ReplyText="Missing or Invalid RETS Version"/>'
        return Say(said, status=400, content_type="text/plain")

    with ScriptedServer(answer) as server:
        server.session().login()
        assert [asked.headers["RETS-Version"] for asked in server.asked] == ["RETS/1.7.2", "RETS/1.7", "RETS/1.5"]


def test_the_length_of_nothing_is_said_once_the_server_wants_to_be_told() -> None:
    def answer(asked: Asked) -> Say | None:
        told = "Content-Length" in asked.headers
        return None if told and asked.path == "/login" else Say(FOUND) if told else Say("no", status=411)

    with ScriptedServer(answer) as server:
        assert search(server.session()) == 7
        assert [asked.headers.get("Content-Length", "none") for asked in server.asked[:2]] == ["none", "0"]
        assert server.paths() == ["/login", "/login", "/search"]


def test_a_length_that_is_never_good_enough_is_a_refusal() -> None:
    with (
        serving(Say("no", status=411), path="/login") as server,
        pytest.raises(SourceRefusedError, match="length required"),
    ):
        server.session().login()


def test_login_without_search_is_a_clear_error() -> None:
    with (
        serving(Say('<RETS ReplyCode="0"><RETS-RESPONSE>Logout=/x</RETS-RESPONSE></RETS>'), path="/login") as server,
        pytest.raises(SourceRefusedError, match="no Search address"),
    ):
        server.session().login()


def test_action_is_fetched_right_after_login() -> None:
    with serving(Say(LOGIN.replace("Search=", "Action=/action\nSearch=")), path="/login") as server:
        server.session().login()
        assert server.paths() == ["/login", "/action"]


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_redirects_stay_at_the_login_host(status: int) -> None:
    with serving(Say(FOUND)) as other:
        elsewhere = Say(status=status, headers=[("Location", f"{other.base}/search")])
        with serving(elsewhere) as server, pytest.raises(SourceRefusedError, match="auth_hosts"):
            search(server.session())
        assert other.asked == []
    with ScriptedServer(
        lambda asked: (
            Say(status=status, headers=[("Location", "/found")])
            if asked.path == "/search"
            else Say(FOUND)
            if asked.path == "/found"
            else None
        )
    ) as server:
        assert search(server.session()) == 7
        assert server.asked[-1].method == "POST"
        assert server.asked[-1].arguments == ARGUMENTS


def test_redirect_without_end_is_refused() -> None:
    with serving(Say(status=302, headers=[("Location", "/search")])) as server:
        with pytest.raises(SourceRefusedError):
            search(server.session())
        assert server.paths().count("/search") == 6


def test_capability_at_another_host_gets_nothing_unless_listed() -> None:
    with serving(Say(FOUND)) as other:
        login = Say(LOGIN.replace("Search=", f"Search={other.base}"))
        with serving(login, path="/login") as server:
            with pytest.raises(SourceRefusedError, match=f"http://127.0.0.1:{other.port}"):
                search(server.session())
            assert other.asked == []
            assert search(server.session(auth_hosts=(f"127.0.0.1:{other.port}",))) == 7


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_compressed_answers(encoding: str) -> None:
    plain = FOUND.encode()
    packed = gzip.compress(plain[:20]) + gzip.compress(plain[20:]) if encoding == "gzip" else zlib.compress(plain)
    with serving(Say(packed, headers=[("Content-Encoding", encoding)])) as server:
        assert search(server.session()) == 7


def test_decompression_is_bounded() -> None:
    bomb = gzip.compress(b'<RETS ReplyCode="0">' + b" " * 50_000_000 + b"</RETS>")
    said = Say(bomb, headers=[("Content-Encoding", "gzip")])
    with serving(said) as server, pytest.raises(RetsParseError, match="larger than"):
        search(server.session(max_body_bytes=1_000_000))


def drip(head: bytes, letter: bytes = b" ") -> Say:
    def write(stream: Any) -> None:
        stream.write(head)
        for _ in range(400):
            stream.write(letter)
            stream.flush()
            time.sleep(0.02)

    return Say(write=write)


@pytest.mark.parametrize(
    "said",
    [
        drip(b'HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\n\r\n<RETS ReplyCode="0">'),
        drip(b"HTTP/1.1 200 OK\r\nX-Slow: ", b"a"),
    ],
)
def test_an_answer_that_drips_is_cut_off(said: Say) -> None:
    with serving(said) as server:
        began = time.monotonic()
        with pytest.raises(SourceUnavailableError):
            search(server.session(answer_seconds=0.3, retry_attempts=0))
        assert time.monotonic() - began < 3


def test_silence_and_nobody_there_are_unavailable() -> None:
    with serving(Say(write=lambda stream: time.sleep(0.6))) as server:
        with pytest.raises(SourceUnavailableError, match="no answer within"):
            search(server.session(read_seconds=0.2, retry_attempts=0))
        gone = server.base
        session = server.session(retry_attempts=1)
    with pytest.raises(SourceUnavailableError, match="connection failed"):
        session.login()
    assert gone.startswith("http://127.0.0.1:")


def test_truncated_answer_ends_as_its_own_error() -> None:
    with serving(Say('<RETS ReplyCode="0"><COUNT Records="7"/>')) as server, pytest.raises(RetsTruncatedError):
        search(server.session(retry_attempts=1))


def test_unread_answer_does_not_harm_the_next_request() -> None:
    with serving(Say(FOUND * 1000)) as server:
        session = server.session()
        forgotten = session.search(ARGUMENTS)
        with session.search(ARGUMENTS) as second:
            assert second.peek(10).startswith(b"<RETS")
        with forgotten as first, pytest.raises(RetsTruncatedError):
            list(first.chunks())


def test_quirk_37_logout_never_raises() -> None:
    for said in (
        Say(write=lambda stream: None),
        Say("gone", status=401),
        Say("bye", content_type="text/plain"),
        Say(status=302, headers=[("Location", "http://127.0.0.1:9/")]),
        code(20702),
    ):
        with serving(said, path="/logout") as server:
            session = server.session()
            session.logout()
            session.login()
            session.logout()
            session.logout()
            assert server.paths() == ["/login", "/logout"]


def test_no_connection_is_left_after_logout() -> None:
    """Not even until the garbage collector comes."""
    gc.disable()
    try:
        with serving(Say(FOUND)) as server:
            session = server.session()
            search(session)
            connected = [
                item for item in gc.get_objects() if isinstance(item, socket.socket) and _leads_to(item, server)
            ]
            session.logout()
            assert connected
            assert [item for item in connected if item.fileno() != -1] == []
    finally:
        gc.enable()


def _leads_to(connection: socket.socket, server: ScriptedServer) -> bool:
    try:
        return bool(connection.getpeername()[1] == server.port)
    except OSError:
        return False


def test_session_can_be_used_again_after_logout() -> None:
    with serving(Say(FOUND)) as server:
        session = server.session()
        search(session)
        session.logout()
        assert search(session) == 7
        assert server.paths() == ["/login", "/search", "/logout", "/login", "/search"]


def test_no_text_holds_a_credential_or_cookie(caplog: pytest.LogCaptureFixture) -> None:
    """The server repeats all it was given, in every field it has; nothing of it comes out."""
    cookie = "cookie-f00dfeed"

    def echo(status: int, number: int) -> Callable[[Asked], Say]:
        def answer(asked: Asked) -> Say:
            given = asked.headers.get("Authorization", "")
            response = re.search(r'response="(\w+)"', given)
            said = f"{PASSWORD} {USERNAME} {response[1] if response else given} {asked.headers.get('Cookie')}"
            return Say(
                f'<RETS ReplyCode="{number}" ReplyText="{said}"/>',
                status=status,
                headers=[("Set-Cookie", f"S={cookie}; Path=/")],
            )

        return answer

    digest = Digest()
    texts: list[str] = []
    secrets = [PASSWORD, USERNAME, cookie, "Authorization"]
    with caplog.at_level(logging.DEBUG):
        for number in (20206, 20701, 20050, 20203, 99):
            for path in ("/search", "/login"):
                replies = echo(200, number)

                def answer(asked: Asked, path: str = path, replies: Callable[[Asked], Say] = replies) -> Say | None:
                    checked = digest(asked)
                    return replies(asked) if checked and checked.status == 200 and asked.path == path else checked

                with ScriptedServer(answer) as server:
                    session = server.session(retry_attempts=1)
                    try:
                        search(session)
                    except Exception as error:
                        texts += [repr(error), str(error), *traceback.format_exception(error)]
                    else:
                        pytest.fail("the server refused, and nothing was raised")
                    texts += [repr(session), repr(session.settings.password)]
                    sent = [asked.headers.get("Authorization", "") for asked in server.asked]
                    secrets += re.findall(r'response="(\w+)"', " ".join(sent))
    texts += [record.getMessage() for record in caplog.records]
    assert len(secrets) > 10
    for text in texts:
        for secret in secrets:
            assert secret not in text
