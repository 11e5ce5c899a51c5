"""One connection over HTTP/1.1: bodies whole or in chunks, gzip, conditional photos, and the faults of the wire."""

from __future__ import annotations

import contextlib
import gzip
import logging
import re
import zlib
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, unquote, urlsplit

from .answers import Answer, Call
from .control import admitted
from .formats import rfc1123
from .objects import photo
from .transactions import PATHS

if TYPE_CHECKING:
    from .server import Server

log = logging.getLogger("simulator")
_MOST_BODY = 1024 * 1024
_HOST = re.compile(r"(?:[A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:]{2,45}\])(?::\d{1,5})?")
_ZIPPABLE = ("text/", "application/")
_ZIP_LEVEL = 1
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
        length = self.headers.get("Content-Length", "0")
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
        return rfc1123(int(self.server.world.clock.now() if timestamp is None else timestamp))

    def version_string(self) -> str:
        """The Server header."""
        return self.server_version

    def log_message(self, format: str, *args: object) -> None:
        """Requests are logged for debugging only; what a client sent is shown escaped."""
        log.debug("%s %r", self.client_address[0], format % args)

    def _serve(self, form: dict[str, str]) -> None:
        try:
            split = urlsplit(self.path)
        except ValueError:
            return self._send(Answer(b"Bad Request", "text/plain", 400))
        arguments = _form(split.query) | form
        host = self.headers.get("Host", "")
        base = f"http://{host}" if _HOST.fullmatch(host) else self.server.base
        if split.path.startswith("/control/"):
            return self._control(split.path.removeprefix("/control/"), arguments, base)
        server = self.server
        server.pause(server.options.latency_ms + int(server.faults.on("slow") or 0))
        name = PATHS.get(split.path)
        server.sessions.count(name or ("Photo" if split.path.startswith("/listings/") else "Unknown"))
        if server.faults.strikes("http-503"):
            return self._send(Answer(b"Service Unavailable", "text/plain", 503, {"Retry-After": "1"}))
        if name is not None:
            method = self.command if self.command == "POST" else "GET"
            call = Call(arguments, base)
            return self._send(server.transactions.answer(name, method, self.path, _plain(self.headers), call))
        return self._photo(unquote(split.path))

    def _photo(self, path: str) -> None:
        found = photo(self.server.world, path, self.server.faults)
        if found is None:
            return self._send(Answer(b"Not Found", "text/plain", 404))
        answer, tag, modified = found
        headers = {"ETag": tag, "Last-Modified": modified, "Cache-Control": "public, max-age=300"}
        match = self.headers.get("If-None-Match")
        unchanged = self.headers.get("If-Modified-Since") == modified
        if match is not None:
            unchanged = match.strip() == "*" or tag in [item.strip().removeprefix("W/") for item in match.split(",")]
        if unchanged:
            return self._send(Answer(b"", "image/jpeg", 304, headers))
        return self._send(Answer(answer.body, answer.content_type, headers=headers, fragile=True))

    def _control(self, name: str, arguments: dict[str, str], base: str) -> None:
        headers = self.headers
        if not self.server.options.control:
            return self._send(Answer(b"Not Found", "text/plain", 404))
        if not admitted(self.client_address[0], headers.get("Host"), headers.get("Origin")):
            return self._send(Answer(b"Forbidden", "text/plain", 403))
        return self._send(self.server.control.answer(self.command, name, arguments, base))

    def _send(self, answer: Answer) -> None:
        zipped = "gzip" in self.headers.get("Accept-Encoding", "") and answer.content_type.startswith(_ZIPPABLE)
        faults, body = self.server.faults, answer.body
        cut = answer.fragile and faults.strikes("cut")
        truncated = answer.fragile and faults.strikes("truncated")
        chunked = not isinstance(body, bytes) and self.request_version >= "HTTP/1.1"
        if isinstance(body, bytes):
            body = body[: len(body) // 2] if truncated else body
            zipped = zipped and len(body) > 512
            body = gzip.compress(body, _ZIP_LEVEL, mtime=0) if zipped else body
        elif truncated:
            body = _halved(body)
        self.send_response(answer.status)
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
        if self.command != "HEAD" and answer.status != 304:
            self._body(body, zipped, chunked, cut)
        self.wfile.flush()

    def _headers(self, answer: Answer, zipped: bool) -> None:
        own = {"Content-Type": answer.content_type, "Cache-Control": "private"} | dict(answer.headers)
        if self.path.split("?")[0] in PATHS:
            own["RETS-Version"] = _safe(self.headers.get("RETS-Version") or "RETS/1.7.2")
            if request := self.headers.get("RETS-Request-ID"):
                own["RETS-Request-ID"] = _safe(request)
        if zipped:
            own["Content-Encoding"] = "gzip"
        for name, value in own.items():
            self.send_header(name, value)

    def _body(self, body: bytes | Iterator[bytes], zipped: bool, chunked: bool, cut: bool) -> None:
        if isinstance(body, bytes):
            self.wfile.write(body[: len(body) // 2] if cut else body)
        else:
            pieces = _zipped(body) if zipped else body
            for number, piece in enumerate(piece for piece in pieces if piece):  # an empty chunk would end the body
                if chunked:
                    self.wfile.write(f"{len(piece):x}\r\n".encode() + piece[: len(piece) // 2 if cut else None])
                    if cut:
                        break
                    self.wfile.write(b"\r\n")
                else:
                    self.wfile.write(piece)
                    if cut and number:
                        break
            if chunked and not cut:
                self.wfile.write(b"0\r\n\r\n")
        if cut:
            self.wfile.flush()
            raise CutError


def _form(text: str) -> dict[str, str]:
    """Arguments under lower-case names; the last of equal ones counts (RETS 1.7.2 §3.1.2: names in any case)."""
    try:
        return {name.lower(): value for name, value in parse_qsl(text, keep_blank_values=True, max_num_fields=100)}
    except ValueError:
        return {}


def _plain(headers: object) -> dict[str, str]:
    wanted = ("User-Agent", "Authorization", "Cookie")
    return {name: value for name in wanted if (value := headers.get(name))}  # type: ignore[attr-defined]


def _safe(text: str) -> str:
    return re.sub(r"[^\x21-\x7e]", "", text)[:64]


def _halved(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """The first piece of a stream, and not all of it."""
    for piece in pieces:
        yield piece[: len(piece) // 2]
        return


def _zipped(pieces: Iterator[bytes]) -> Iterator[bytes]:
    packer = zlib.compressobj(_ZIP_LEVEL, zlib.DEFLATED, 31)
    for piece in pieces:
        if packed := packer.compress(piece):
            yield packed
    yield packer.flush()
