"""One connection over HTTP/1.1: bodies whole or in chunks, gzip, conditional photos, and the faults of the wire."""

from __future__ import annotations

import contextlib
import logging
import re
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, unquote, urlsplit

from . import geocoder, places
from .answers import Answer, Call
from .control import admitted
from .formats import rfc1123
from .objects import photo
from .wire import endless, halved, packed

if TYPE_CHECKING:
    from .server import Server

log = logging.getLogger("simulator")
_MOST_BODY = 1024 * 1024
_HOST = re.compile(r"(?:[A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:]{2,45}\])(?::\d{1,5})?")
_ZIPPABLE = ("text/", "application/")
_SMALL = 512  # bytes; less is not compressed
_TICKS = 10  # a second, at which a slow body gets its next bytes
_GONE = (BrokenPipeError, ConnectionResetError, ConnectionAbortedError, TimeoutError)


class CutError(Exception):
    """A fault has closed the connection in the middle of an answer."""


class Handler(BaseHTTPRequestHandler):
    """One connection of a client."""

    server: Server
    protocol_version = "HTTP/1.1"
    server_version = "MLS-Simulator/1.0"
    disable_nagle_algorithm = True
    wbufsize = 64 * 1024
    timeout = 300

    def handle(self) -> None:
        """Serve the connection until the client has gone."""
        with contextlib.suppress(CutError, *_GONE):
            super().handle()

    def finish(self) -> None:
        """Close the connection's files, also when the client has gone first."""
        with contextlib.suppress(ValueError, *_GONE):
            super().finish()

    def do_GET(self) -> None:
        """Answer a GET."""
        self._serve({})

    def do_HEAD(self) -> None:
        """Answer a HEAD: as GET, without the body."""
        self._serve({})

    def do_POST(self) -> None:
        """Answer a POST, whose form is read before anything else so that the connection stays in step."""
        length = self.headers.get("Content-Length", "0")  # missing: an empty form
        if not length.isdigit() or "Transfer-Encoding" in self.headers:
            self.close_connection = True
            return self._send(Answer(b"", "text/plain", 411))
        if int(length) > _MOST_BODY:
            self.close_connection = True
            return self._send(Answer(b"", "text/plain", 413))
        body = self.rfile.read(int(length)).decode("utf-8", "replace")
        return self._serve(_form(body))

    def date_time_string(self, timestamp: float | None = None) -> str:
        """The Date header: the simulated MLS's clock, as everything else it says."""
        now = self.server.world.clock.now() if timestamp is None else timestamp
        wrong = self.server.faults.on("wrong-date") or "0"
        return rfc1123(int(now) + (int(wrong) if wrong.lstrip("-").isdigit() else 0))

    def version_string(self) -> str:
        """The Server header."""
        return self.server_version

    def log_message(self, format: str, *args: object) -> None:
        """Requests are logged for debugging only; what a client sent is shown escaped."""
        log.debug("%s %r", self.client_address[0], format % args)

    def _serve(self, form: dict[str, str]) -> None:
        if self.path.startswith("http://"):  # as proxies are asked (RFC 9112 §3.2.2)
            self.path = re.sub("^http://[^/]*", "", self.path) or "/"
        try:
            split = urlsplit(self.path)
        except ValueError:
            return self._send(Answer(b"Bad Request", "text/plain", 400))
        arguments = _form(split.query) | form
        host = self.headers.get("Host", "")
        base = f"http://{host}" if _HOST.fullmatch(host) else self.server.base
        if split.path.startswith("/control/"):
            return self._control(split.path.removeprefix("/control/"), arguments, base)
        if split.path.startswith(geocoder.PREFIX):
            return self._send(geocoder.answer(split.path.removeprefix(geocoder.PREFIX), arguments))
        server = self.server
        server.pause(server.options.latency_ms + int(server.faults.on("slow") or 0))
        place, path = places.split(split.path)
        name = server.transactions.paths.get(path)
        server.sessions.count(name or ("Photo" if split.path.startswith("/listings/") else "Unknown"))
        method = self.command if self.command == "POST" else "GET"
        refusal = server.gates.refusal(method, name, self.path, self.headers)  # type: ignore[arg-type]  # is a mapping in all but name
        if refusal is not None:
            return self._send(refusal)
        if name is not None:
            call = Call(arguments, base, self.headers.get("RETS-Version", ""), place)
            return self._send(server.transactions.answer(name, method, self.path, _plain(self.headers), call))
        return self._photo(unquote(split.path))

    def _photo(self, path: str) -> None:
        found = photo(self.server.world, path, self.server.faults)
        if found is None:
            return self._send(Answer(b"Not Found", "text/plain", 404))
        answer, tag, modified = found
        if answer.status != 200:
            return self._send(answer)
        headers = {"ETag": tag, "Last-Modified": modified, "Cache-Control": "public, max-age=300"}
        match = self.headers.get("If-None-Match")
        unchanged = self.headers.get("If-Modified-Since") == modified
        if match is not None:
            unchanged = match.strip() == "*" or tag in [item.strip().removeprefix("W/") for item in match.split(",")]
        if unchanged:
            return self._send(Answer(b"", "image/jpeg", 304, headers))
        return self._send(replace(answer, headers=headers))

    def _control(self, name: str, arguments: dict[str, str], base: str) -> None:
        headers = self.headers
        if not self.server.options.control:
            return self._send(Answer(b"Not Found", "text/plain", 404))
        if not admitted(self.client_address[0], headers.get("Host"), headers.get("Origin")):
            return self._send(Answer(b"Forbidden", "text/plain", 403))
        return self._send(self.server.control.answer(self.command, name, arguments, base))

    def _send(self, answer: Answer) -> None:
        faults, body = self.server.faults, answer.body
        cut = answer.fragile and faults.strikes("cut")
        if answer.fragile and faults.strikes("truncated"):
            body = halved(body)
        if answer.fragile and faults.kind("endless") == "text" and faults.strikes("endless"):
            body = endless(body)
        zipped, defect = self._compression(answer, body)
        if zipped:
            body = b"".join(packed([body], defect)) if isinstance(body, bytes) else packed(body, defect)
        chunked = not isinstance(body, bytes) and self.request_version >= "HTTP/1.1"
        self._status(answer.status)
        self._headers(answer, zipped)
        if isinstance(body, bytes):
            if answer.status != 304:
                self.send_header("Content-Length", str(len(body)))
        elif chunked:
            self.send_header("Transfer-Encoding", "chunked")
        else:
            self.close_connection = True
        if self.close_connection or cut:
            self.send_header("Connection", "close")
        self.end_headers()
        slow = faults.kind("drip") if answer.fragile and faults.strikes("drip") else None
        if self.command != "HEAD" and answer.status != 304:
            self._body(body, chunked, cut, int(slow or 0))
        self.wfile.flush()

    def _compression(self, answer: Answer, body: bytes | Iterator[bytes]) -> tuple[bool, str]:
        """Whether the answer goes out as gzip, and with which defect."""
        asked = "gzip" in self.headers.get("Accept-Encoding", "") and answer.content_type.startswith(_ZIPPABLE)
        defect = self.server.faults.kind("broken-gzip") if answer.fragile else None
        possible = asked or (defect == "unasked" and answer.content_type.startswith(_ZIPPABLE))
        if possible and defect is not None and self.server.faults.strikes("broken-gzip"):
            return defect != "off", defect
        return asked and (not isinstance(body, bytes) or len(body) > _SMALL), ""

    def _status(self, status: int) -> None:
        """The status line, the Server header and, unless a fault keeps it back, the Date header."""
        self.log_request(status)
        self.send_response_only(status)
        self.send_header("Server", self.version_string())
        if (wrong := self.server.faults.on("wrong-date")) != "none":
            date = "yesterday at noon" if wrong == "garbage" else self.date_time_string()
            self.send_header("Date", date)

    def _headers(self, answer: Answer, zipped: bool) -> None:
        own = {"Content-Type": answer.content_type, "Cache-Control": "private"} | dict(answer.headers)
        if places.split(self.path.split("?")[0])[1] in self.server.transactions.paths:
            own["RETS-Version"] = _safe(self.headers.get("RETS-Version") or "RETS/1.7.2")
            if request := self.headers.get("RETS-Request-ID"):
                own["RETS-Request-ID"] = _safe(request)
        if zipped:
            own["Content-Encoding"] = "gzip"
        for name, value in own.items():
            for line in value.split("\n"):  # a header that is there several times
                self.send_header(name, line)

    def _body(self, body: bytes | Iterator[bytes], chunked: bool, cut: bool, slow: int) -> None:
        if isinstance(body, bytes):
            self._write(body[: len(body) // 2] if cut else body, slow)
        else:
            for number, piece in enumerate(piece for piece in body if piece):  # an empty chunk would end the body
                if chunked:
                    self._write(f"{len(piece):x}\r\n".encode() + piece[: len(piece) // 2 if cut else None], slow)
                    if cut:
                        break
                    self._write(b"\r\n", slow)
                else:
                    self._write(piece, slow)
                    if cut and number:
                        break
            if chunked and not cut:
                self._write(b"0\r\n\r\n", slow)
        if cut:
            self.wfile.flush()
            raise CutError

    def _write(self, data: bytes, slow: int) -> None:
        """Write, all at once or ``slow`` bytes a second."""
        if not slow:
            self.wfile.write(data)
            return
        step = max(1, slow // _TICKS)
        for at in range(0, len(data), step):
            self.wfile.write(data[at : at + step])
            self.wfile.flush()
            self.server.pause(1000 * step // slow)


def _form(text: str) -> dict[str, str]:
    """Arguments under lower-case names; the last of equal ones counts (RETS 1.7.2 §3.1.2: names in any case)."""
    try:
        return {name.lower(): value for name, value in parse_qsl(text, keep_blank_values=True, max_num_fields=100)}
    except ValueError:
        return {}


def _plain(headers: object) -> dict[str, str]:
    wanted = ("User-Agent", "Authorization", "Cookie", "RETS-UA-Authorization", "RETS-Request-ID", "RETS-Version")
    return {name: value for name in wanted if (value := headers.get(name))}  # type: ignore[attr-defined]


def _safe(text: str) -> str:
    return re.sub(r"[^\x21-\x7e]", "", text)[:64]
