"""The listening socket, a thread per connection, and everything that stands behind it."""

from __future__ import annotations

import contextlib
import logging
import socket
import socketserver
import sys
import threading
import time

from .control import Control
from .faults import Faults
from .gates import Gates
from .handler import Handler
from .options import Options
from .sessions import Sessions
from .transactions import LOGIN_PATH, Transactions
from .world import World

log = logging.getLogger("simulator")


class Server(socketserver.TCPServer):
    """The listening socket, a thread per connection, and everything behind it."""

    allow_reuse_address = True
    request_queue_size = 256

    def __init__(self, options: Options) -> None:
        self.options = options
        self.world = World(options)
        self.faults = Faults(options.seed, options.faults)
        self.sessions = Sessions(self.faults)
        self.gates = Gates(self.faults, self.sessions)
        self.transactions = Transactions(self.world, self.faults, self.sessions)
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._connections: dict[socket.socket, threading.Thread] = {}
        self.address_family = socket.AF_INET6 if ":" in options.host else socket.AF_INET
        super().__init__((options.host, options.port), Handler)
        host = f"[{options.host}]" if ":" in options.host else options.host
        reachable = {"0.0.0.0": "127.0.0.1", "[::]": "[::1]"}.get(host, host)  # noqa: S104 (named, not bound)
        self.base = f"http://{reachable}:{self.server_address[1]}"
        self.login_url = self.base + LOGIN_PATH
        self.control = Control(self.world, self.faults, self.sessions, self.base)

    def pause(self, milliseconds: int) -> None:
        """Wait, unless the server is being stopped."""
        if milliseconds:
            self._stopping.wait(milliseconds / 1000)

    def process_request(self, request: socket.socket, client_address: object) -> None:  # type: ignore[override]
        """Give a connection its thread."""
        thread = threading.Thread(target=self._connection, args=(request, client_address), daemon=True)
        with self._lock:
            self._connections[request] = thread
        thread.start()

    def handle_error(self, request: object, client_address: object) -> None:  # noqa: ARG002 (socketserver's)
        """Log what went wrong with a connection; the others go on."""
        log.error("a connection failed", exc_info=sys.exc_info())

    def stop(self) -> None:
        """End every connection, then the socket. Answers being sent are cut."""
        self._stopping.set()
        self.shutdown()
        with self._lock:
            open_now = list(self._connections.items())
        for connection, _ in open_now:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        deadline = time.monotonic() + 5
        for _, thread in open_now:
            thread.join(max(0.0, deadline - time.monotonic()))
        self.server_close()

    def _connection(self, request: socket.socket, client_address: object) -> None:
        try:
            self.finish_request(request, client_address)
        except Exception:
            self.handle_error(request, client_address)
        finally:
            with self._lock:
                self._connections.pop(request, None)
            self.shutdown_request(request)
