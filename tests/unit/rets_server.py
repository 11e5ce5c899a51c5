"""A RETS server on a real socket that says exactly what a test tells it to."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from pydantic import SecretStr

from shared.rets.session import RetsSession
from shared.rets.settings import RetsSettings

PASSWORD = "s3cret-Pass"
USERNAME = "feeduser77"

LOGIN = """<RETS ReplyText="Operation Successful" ReplyCode="0"><RETS-RESPONSE>
  MemberName=Example Feed
  Search=/search
  GetObject=/object
  GetMetadata=/metadata
  Logout=/logout
</RETS-RESPONSE></RETS>"""


@dataclass
class Asked:
    """One request as it arrived."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    @property
    def arguments(self) -> dict[str, str]:
        text = self.body.decode() if self.method == "POST" else urlsplit(self.target).query
        return dict(parse_qsl(text))


@dataclass
class Say:
    """One answer. ``length`` False leaves Content-Length out; ``write`` replaces all of it by writing itself."""

    body: bytes | str = b""
    status: int = 200
    headers: list[tuple[str, str]] = field(default_factory=list)
    content_type: str = "text/xml"
    length: bool = True
    write: Callable[[Any], None] | None = None


class ScriptedServer:
    """``answer(asked)`` makes each answer; Login and Logout are answered here unless it does (not None)."""

    def __init__(self, answer: Callable[[Asked], Say | None]) -> None:
        self.asked: list[Asked] = []
        self._sessions: list[RetsSession] = []
        self._leaving = False
        owner = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_GET(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                asked = Asked(self.command, self.path, dict(self.headers.items()), self.rfile.read(length))
                if not owner._leaving:
                    owner.asked.append(asked)
                said = answer(asked) or owner.otherwise(asked)
                try:
                    self.say(said)
                except (ConnectionError, TimeoutError):
                    self.close_connection = True

            do_POST = do_GET

            def say(self, said: Say) -> None:
                if said.write is not None:
                    self.close_connection = True
                    said.write(self.wfile)
                    return
                body = said.body.encode() if isinstance(said.body, str) else said.body
                self.send_response(said.status)
                self.send_header("Content-Type", said.content_type)
                for name, value in said.headers:
                    self.send_header(name, value)
                if said.length and not any(name == "Content-Length" for name, _ in said.headers):
                    self.send_header("Content-Length", str(len(body)))
                if not said.length or any(name == "Content-Length" for name, _ in said.headers):
                    self.close_connection = True
                    self.send_header("Connection", "close")
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Tests are quiet."""

        class Server(ThreadingHTTPServer):
            def handle_error(self, request: object, client_address: object) -> None:
                """Clients that go away in the middle are what these tests are about."""

        self._server = Server(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._server.block_on_close = False
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)

    @staticmethod
    def otherwise(asked: Asked) -> Say:
        if asked.path == "/login":
            return Say(LOGIN)
        if asked.path == "/logout":
            return Say('<RETS ReplyCode="0" ReplyText="bye"/>')
        return Say("nothing here", status=404, content_type="text/plain")

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def paths(self) -> list[str]:
        return [asked.path for asked in self.asked]

    def session(self, *, slept: list[float] | None = None, **settings: Any) -> RetsSession:
        """A session at this server that does not really sleep."""
        options: dict[str, Any] = {
            "login_url": f"{self.base}/login",
            "username": USERNAME,
            "password": SecretStr(PASSWORD),
            "read_seconds": 5.0,
        }
        naps = slept if slept is not None else []
        session = RetsSession(RetsSettings(**options | settings), sleep=naps.append, jitter=lambda: 0.0)
        self._sessions.append(session)
        return session

    def __enter__(self) -> ScriptedServer:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._leaving = True
        for session in self._sessions:
            session.logout()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
