"""The endpoints over real HTTP: friends are answered, strangers are borne."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest
from prometheus_client import CollectorRegistry, Counter

from services import endpoints, health
from services.endpoints import Endpoints
from services.health import Health
from shared.consumer import Consumer, ConsumerSettings
from shared.messages import Envelope, Message, PhotosPending, encode
from shared.settings import SettingsError
from shared.telemetry import register_secret
from shared.transport.base import Delivery
from shared.transport.memory import MemoryTransport

BODY = encode(PhotosPending(feed="ddf", resource="property", key="K1"), id="m1", run_id="run-1", created_at=1)
QUICK = ConsumerSettings(poll_seconds=0.02)


@dataclass
class Said:
    """An answer."""

    status: int
    body: bytes
    headers: Mapping[str, str]

    def report(self) -> dict[str, str]:
        """What the checks found."""
        found: dict[str, str] = json.loads(self.body)["checks"]
        return found


@dataclass
class Watched:
    """A process that is watched: real loops over a real transport."""

    endpoints: Endpoints
    transport: MemoryTransport
    consumers: list[Consumer]
    helpers: list[threading.Thread]
    stopping: threading.Event
    handled: Callable[[], None] = field(default=lambda: None)
    threads: list[threading.Thread] = field(default_factory=list)

    @property
    def port(self) -> int:
        return int(self.endpoints.server_address[1])

    def ask(self, path: str, method: str = "GET", headers: Mapping[str, str] | None = None) -> Said:
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{path}", method=method, headers=dict(headers or {})
        )
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return Said(answer.status, answer.read(), dict(answer.headers))
        except urllib.error.HTTPError as error:
            with error:
                return Said(error.code, error.read(), dict(error.headers))

    def send(self, data: bytes = b"") -> socket.socket:
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=20)
        connection.sendall(data)
        return connection

    def handle(self, _envelope: Envelope, _message: Message, _delivery: Delivery) -> None:
        self.handled()

    def start(self) -> None:
        consumer = Consumer(self.transport, ["media"], self.handle, QUICK, name="media")
        self.consumers.append(consumer)
        self.threads += consumer.run_in_threads(2, self.stopping)
        self.help(self.stopping.wait)

    def help(self, work: Callable[[], object]) -> None:
        helper = threading.Thread(target=work, name="drain")
        helper.start()
        self.helpers.append(helper)

    def join(self) -> None:
        for thread in [*self.threads, *self.helpers]:
            thread.join(10)


@contextmanager
def watched(
    checks: Mapping[str, Callable[[], object]] | None = None, stuck_after: float = 1.0, **bounds: float
) -> Iterator[Watched]:
    registry = CollectorRegistry()
    Counter("mlsync_example_total", "An example.", registry=registry).inc(3)
    consumers: list[Consumer] = []
    helpers: list[threading.Thread] = []
    stopping = threading.Event()
    looked = Health(lambda: consumers, lambda: helpers, checks or {}, stopping, stuck_after)
    server = Endpoints("127.0.0.1", 0, looked, registry, **bounds)
    made = Watched(server, MemoryTransport(), consumers, helpers, stopping)
    with server.serving():
        try:
            yield made
        finally:
            stopping.set()
            made.join()
            made.transport.close()


def rest_of(connection: socket.socket) -> bytes:
    """All that is still sent, until the other side hangs up."""
    found = b""
    with contextlib.suppress(ConnectionError):
        while part := connection.recv(65_536):
            found += part
    return found


def until(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 15
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.02)


# --- what is asked


def test_metrics_are_in_the_text_format_or_in_open_metrics_as_is_asked() -> None:
    with watched() as here:
        plain = here.ask("/metrics")
        assert (plain.status, plain.headers["Content-Type"]) == (200, "text/plain; version=0.0.4; charset=utf-8")
        assert b"\nmlsync_example_total 3.0\n" in plain.body
        asked = here.ask("/metrics?from=prometheus", headers={"Accept": "application/openmetrics-text; version=1.0.0"})
        assert asked.headers["Content-Type"].startswith("application/openmetrics-text")
        assert asked.body.endswith(b"# EOF\n")


@pytest.mark.parametrize("path", ["/metrics", "/healthz", "/readyz"])
def test_head_has_the_headers_and_no_body(path: str) -> None:
    with watched() as here:
        got, head = here.ask(path), here.ask(path, "HEAD")
        assert (head.status, head.body) == (got.status, b"")
        assert head.headers["Content-Length"] == got.headers["Content-Length"] == str(len(got.body))


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "TRACE", "BREW"])
def test_nothing_else_than_get_and_head_is_allowed(method: str) -> None:
    with watched() as here:
        said = here.ask("/metrics", method)
        assert (said.status, said.headers["Allow"]) == (405, "GET, HEAD")


def test_another_path_is_not_found_and_says_what_there_is() -> None:
    with watched() as here:
        said = here.ask("/metrics/../etc/passwd")
        assert (said.status, said.body) == (404, b"404 there are /metrics, /healthz and /readyz\n")


# --- health


def test_a_process_that_starts_is_alive_and_not_ready_and_then_both() -> None:
    with watched() as here:
        assert here.ask("/healthz").status == 200
        assert (here.ask("/readyz").status, here.ask("/readyz").report()) == (503, {"consumers": "not started yet"})
        here.start()
        assert (here.ask("/healthz").status, here.ask("/readyz").status) == (200, 200)


def test_a_handler_of_an_allowed_length_is_healthy_and_a_longer_one_not_until_it_returns() -> None:
    with watched(stuck_after=1.0) as here:
        entered, leave = threading.Event(), threading.Event()

        def handled() -> None:
            entered.set()
            leave.wait(10)

        here.handled = handled
        here.start()
        here.transport.publish("media", BODY)
        assert entered.wait(5)
        assert here.ask("/healthz").status == 200
        until(lambda: here.ask("/healthz").status == 503)
        assert here.ask("/healthz").report() == {"loops": "1 of media stuck"}
        leave.set()
        until(lambda: here.ask("/healthz").status == 200)


def test_a_loop_that_waits_for_messages_must_come_round_much_sooner(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "LOOP_SECONDS", 0.5)
    with watched(stuck_after=3_600) as here:
        here.start()
        assert here.ask("/healthz").status == 200
        patient = Consumer(here.transport, ["other"], here.handle, ConsumerSettings(poll_seconds=3), name="patient")
        here.consumers.append(patient)
        here.threads += patient.run_in_threads(1, here.stopping)  # nothing comes, and it looks every three seconds
        until(lambda: here.ask("/healthz").report() == {"loops": "1 of patient stuck"})


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_thread_that_has_ended_is_noticed() -> None:
    with watched() as here:

        def handled() -> None:
            raise SystemExit  # ends the thread, whatever the loop catches

        here.handled = handled
        here.start()
        here.transport.publish("media", BODY)
        until(lambda: here.ask("/healthz").status == 503)
        assert here.ask("/healthz").report() == {"loops": "1 of media ended"}
        assert here.ask("/readyz").status == 503


def test_a_helper_that_has_ended_is_noticed() -> None:
    with watched() as here:
        here.start()
        here.help(lambda: None)
        until(lambda: here.ask("/healthz").report() == {"loops": "drain has ended"})


def test_a_process_that_consumes_nothing_for_now_is_ready() -> None:
    with watched() as here:
        here.help(here.stopping.wait)  # a fetcher while another one has the feed
        assert (here.ask("/healthz").status, here.ask("/readyz").status) == (200, 200)


def test_a_process_that_stops_is_alive_and_no_longer_ready() -> None:
    with watched() as here:
        here.start()
        here.stopping.set()
        here.join()
        assert here.ask("/healthz").status == 200
        assert here.ask("/readyz").report() == {"consumers": "the process is stopping"}


def test_what_does_not_answer_is_named_without_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "CHECK_SECONDS", 0.2)
    register_secret("hush-4711-hush")
    leave = threading.Event()

    def away() -> None:
        raise ConnectionError("no server at postgresql://me:hush-4711-hush@db\x1b[31m")

    with watched({"broker": lambda: None, "database": away, "photo_store": lambda: leave.wait(10)}) as here:
        here.start()
        said = here.ask("/readyz")
        leave.set()
        assert said.status == 503
        assert said.report() == {
            "consumers": "ok",
            "broker": "ok",
            "database": "no server at postgresql://me:[redacted]@db\\x1b[31m",
            "photo_store": "no answer within 0.2 seconds",
        }
        assert here.ask("/healthz").status == 200  # a restart would heal none of it


# --- strangers


def test_who_says_nothing_is_left_and_who_drips_too() -> None:
    with watched(silent_seconds=0.5, whole_seconds=1.5) as here:
        began = time.monotonic()
        with here.send() as silent:
            assert rest_of(silent) == b""
        assert 0.3 < time.monotonic() - began < 5
        began = time.monotonic()
        with here.send(b"GET /metrics HTTP/1.0\r\nX: ") as dripping, contextlib.suppress(ConnectionError):
            while time.monotonic() - began < 10:
                dripping.sendall(b"x")
                time.sleep(0.1)
        assert 1 < time.monotonic() - began < 5


def test_more_than_so_many_at_once_are_turned_away_and_others_served_afterwards() -> None:
    before = threading.active_count()  # some tests' threads take a while to end
    with watched(silent_seconds=1.0) as here, contextlib.ExitStack() as stack:
        idle = [stack.enter_context(here.send()) for _ in range(endpoints.CONNECTIONS)]
        time.sleep(0.2)
        with here.send(b"GET /metrics HTTP/1.0\r\n\r\n") as late:
            assert rest_of(late) == b""
        assert threading.active_count() - before < 3 * endpoints.CONNECTIONS
        assert [rest_of(one) for one in idle] == [b""] * len(idle)
        assert here.ask("/metrics").status == 200


@pytest.mark.parametrize(
    "sent",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(range(256)) + b"\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET /metrics HTTP/9.9\r\n\r\n",
        b"GET /" + b"a" * 100_000 + b" HTTP/1.0\r\n\r\n",
        b"GET /metrics HTTP/1.0\r\n" + b"".join(b"X-%d: y\r\n" % n for n in range(200)) + b"\r\n",
        b"GET /metrics HTTP/1.0\r\nX: " + b"y" * 100_000 + b"\r\n\r\n",
        b"GET http://[ HTTP/1.0\r\n\r\n",
        b"GET /\xff\xfe%00%0d%0aSet-Cookie:x HTTP/1.0\r\n\r\n",
        b"POST /metrics HTTP/1.1\r\nContent-Length: 1000000000000\r\n\r\n",
    ],
)
def test_garbage_is_refused_and_the_next_is_served(sent: bytes) -> None:
    with watched(silent_seconds=1.0) as here:
        with contextlib.suppress(ConnectionError), here.send(sent) as connection:
            said = rest_of(connection)
            assert b"200 OK" not in said
            assert b"Set-Cookie:x\r\n" not in said
        assert here.ask("/metrics").status == 200


def test_who_goes_away_in_the_middle_harms_nobody() -> None:
    with watched() as here:
        for _ in range(20):
            here.send(b"GET /metrics HTTP/1.0\r\n\r\n").close()
        assert here.ask("/metrics").status == 200


# --- where


def test_a_port_in_use_is_an_error_of_the_settings() -> None:
    with watched() as here, pytest.raises(SettingsError, match=f"MLSYNC_HTTP_PORT.*127.0.0.1 port {here.port}"):
        Endpoints("127.0.0.1", here.port, here.endpoints.health)


@pytest.mark.parametrize("host", ["203.0.113.7", "no-such-host.invalid", "not an address"])
def test_an_address_that_is_not_ours_is_an_error_of_the_settings(host: str) -> None:
    with watched() as here, pytest.raises(SettingsError, match=r"MLSYNC_HTTP_HOST.*cannot listen on"):
        Endpoints(host, 0, here.endpoints.health)


def test_ipv6_is_served_too() -> None:
    with watched() as here:
        other = Endpoints("::1", 0, here.endpoints.health, here.endpoints.registry)
        with other.serving(), urllib.request.urlopen(f"http://{other.address}/metrics", timeout=10) as answer:
            assert answer.status == 200
