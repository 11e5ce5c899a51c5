"""``/metrics``, ``/healthz`` and ``/readyz`` over HTTP: what Prometheus and Kubernetes ask of a process.

For friends, and bounded for others: GET and HEAD only, so many connections at once, each closed after so many seconds
whatever it is doing. It shows no secret and changes nothing.
"""

from __future__ import annotations

import contextlib
import json
import logging
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import metadata
from typing import Any

import structlog
from prometheus_client import REGISTRY, CollectorRegistry, Info, disable_created_metrics
from prometheus_client.exposition import choose_encoder

from services.health import Health, Report
from shared.settings import SettingsError

BUILD = Info("mlsync_build", "The version of mlsync that this process runs.")

CONNECTIONS = 32
"""At once: Prometheus, the probes, a curious person, and no more."""
SILENT_SECONDS = 5.0
"""Without a byte from the client."""
WHOLE_SECONDS = 20.0
"""For a connection, from the first byte to the last."""

log = structlog.get_logger()


class Endpoints(ThreadingHTTPServer):
    """Listens from construction on, at ``address``; answers from ``serving`` on."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def __init__(
        self, host: str, port: int, health: Health, registry: CollectorRegistry = REGISTRY, *,
        silent_seconds: float = SILENT_SECONDS, whole_seconds: float = WHOLE_SECONDS,
    ) -> None:  # fmt: skip
        """Raises SettingsError when it cannot listen there."""
        self.health = health
        self.registry = registry
        self.silent_seconds = silent_seconds
        self.whole_seconds = whole_seconds
        self._free = threading.BoundedSemaphore(CONNECTIONS)
        try:
            self.address_family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
            super().__init__((host, port), _Handler)
        except OSError as error:
            raise SettingsError(
                f"http_host, http_port (MLSYNC_HTTP_HOST, MLSYNC_HTTP_PORT): cannot listen on {host} port {port}: "
                f"{error.strerror or error}; give an address of this machine and a port that is free"
            ) from error

    @property
    def address(self) -> str:
        """Host and port it listens on."""
        host, port = self.server_address[:2]
        return f"[{host!s}]:{port}" if ":" in str(host) else f"{host!s}:{port}"

    @contextmanager
    def serving(self) -> Iterator[None]:
        """Answer until the end, in threads of its own."""
        thread = threading.Thread(target=self.serve_forever, args=(0.1,), name="endpoints", daemon=True)
        disable_created_metrics()  # type: ignore[no-untyped-call]  # twice the series, and nobody here asks when a counter began
        BUILD.info({"version": metadata.version("mlsync")})
        thread.start()
        log.info("endpoints", address=self.address)
        try:
            yield
        finally:
            self.shutdown()
            thread.join()
            self.server_close()

    def server_bind(self) -> None:
        """Without asking a name server what this machine is called, as the library would."""
        self.allow_reuse_address = True
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if self.address_family == socket.AF_INET6:
            with contextlib.suppress(OSError):
                self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = str(self.server_address[0]), self.server_address[1]

    def process_request(self, request: Any, client_address: Any) -> None:
        """In a thread of its own, or not at all when there are too many."""
        if not self._free.acquire(blocking=False):
            self.shutdown_request(request)
            return
        try:
            super().process_request(request, client_address)
        except BaseException:  # no thread to be had
            self._free.release()
            raise

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Ends in time, whatever the client does."""
        end = threading.Timer(self.whole_seconds, _hang_up, (request,))
        end.daemon = True
        try:
            end.start()
            super().process_request_thread(request, client_address)
        finally:
            end.cancel()
            self._free.release()

    def handle_error(self, _request: Any, _client_address: Any) -> None:
        """A client that went away is no news; anything else is our own fault."""
        gone = isinstance(sys.exception(), ConnectionError | TimeoutError)
        log.log(logging.DEBUG if gone else logging.ERROR, "a request to the endpoints failed", exc_info=True)


def _hang_up(request: socket.socket) -> None:
    with contextlib.suppress(OSError):
        request.shutdown(socket.SHUT_RDWR)


class _Handler(BaseHTTPRequestHandler):
    """One request a connection (HTTP/1.0)."""

    server: Endpoints
    error_content_type = "text/plain; charset=utf-8"
    error_message_format = "%(code)d %(message)s\n"

    def version_string(self) -> str:
        """What we are, not in which version."""
        return "mlsync"

    def setup(self) -> None:
        """Wait for no byte longer than that."""
        self.request.settimeout(self.server.silent_seconds)
        super().setup()

    def parse_request(self) -> bool:
        """False when it is answered already."""
        if not super().parse_request():
            return False
        if self.command not in ("GET", "HEAD"):
            self._answer(HTTPStatus.METHOD_NOT_ALLOWED, "text/plain", b"", Allow="GET, HEAD")
            return False
        return True

    def do_GET(self) -> None:
        """Answer."""
        match self.path.partition("?")[0]:
            case "/metrics":
                encode, content_type = choose_encoder(self.headers.get("Accept", ""))
                self._answer(HTTPStatus.OK, content_type, encode(self.server.registry))
            case "/healthz":
                self._report(self.server.health.alive())
            case "/readyz":
                self._report(self.server.health.ready())
            case _:
                self.send_error(HTTPStatus.NOT_FOUND, "there are /metrics, /healthz and /readyz")

    do_HEAD = do_GET

    def _report(self, report: Report) -> None:
        body = json.dumps({"ok": report.well, "checks": dict(report.checks)}).encode() + b"\n"
        self._answer(HTTPStatus.OK if report.well else HTTPStatus.SERVICE_UNAVAILABLE, "application/json", body)

    def _answer(self, status: HTTPStatus, content_type: str, body: bytes, **headers: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Probes ask every few seconds: they are no news."""
