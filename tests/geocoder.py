"""A geocoder over real HTTP for tests: Nominatim's search, by the simulator's map, strict about how often it is asked.

It remembers every question, can be told to fail in any of the ways servers do, and answers 429 to whoever asks sooner
than was agreed, as public servers do.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from urllib.parse import parse_qsl, urlsplit

from services.simulator.geocoder import answer


@dataclass(frozen=True)
class Question:
    """One request: when it arrived (seconds that never step back), what it asked, with which headers."""

    at: float
    path: str
    parameters: dict[str, str]
    headers: dict[str, str]

    @property
    def asked(self) -> str:
        """What of it names a place."""
        return self.parameters.get("q") or "|".join(self.parameters.get(name, "") for name in ("street", "city"))


@dataclass
class Geocoder:
    """The hand on the server. ``rate``: questions a second it bears; None: any. It chokes on places of this name."""

    url: str = ""
    rate: float | None = None
    questions: list[Question] = field(default_factory=list)
    too_soon: int = 0
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes | None = None
    choke: str = "\0"
    drip: float = 0.0
    answering: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def host(self) -> str:
        return urlsplit(self.url).netloc

    def fail(self, status: int, body: bytes = b"no", **headers: str) -> None:
        """From now on answer so, whatever is asked."""
        self.status, self.body = status, body
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}

    def recover(self) -> None:
        """From now on answer as it should."""
        self.status, self.body, self.headers, self.drip = 200, None, {}, 0.0

    def gaps(self) -> list[float]:
        """Seconds between one question and the next."""
        arrivals = [question.at for question in self.questions]
        return [after - before for before, after in pairwise(arrivals)]


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_GET(self) -> None:
        at = time.monotonic()
        hand = self.server.hand
        split = urlsplit(self.path)
        headers = {name.lower(): value for name, value in self.headers.items()}
        question = Question(at, split.path, dict(parse_qsl(split.query)), headers)
        with hand.lock:
            soon = bool(hand.rate and hand.questions and at - hand.questions[-1].at < 1 / hand.rate)
            hand.too_soon += soon
            hand.questions.append(question)
        hand.answering.wait(60)
        status, body = hand.status, hand.body
        if soon:
            status, body = 429, b"Too many requests"
        elif hand.choke in question.asked:
            body = b"<html>"
        elif body is None:
            told = answer(split.path.rpartition("/")[2], question.parameters)
            assert isinstance(told.body, bytes)
            status, body = told.status, told.body
        with contextlib.suppress(OSError):
            self.send_response(status)
            for name, value in hand.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if hand.drip:
                for byte in body:
                    self.wfile.write(bytes([byte]))
                    time.sleep(hand.drip)
            else:
                self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: tests look at ``questions``."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, hand: Geocoder) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.hand = hand
        hand.url = f"http://127.0.0.1:{self.server_address[1]}/geocoder/"


@contextmanager
def geocoder(rate: float | None = None) -> Iterator[Geocoder]:
    """A running geocoder."""
    hand = Geocoder(rate=rate)
    hand.answering.set()
    with _Server(hand) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield hand
        finally:
            hand.answering.set()
            server.shutdown()
            thread.join()
