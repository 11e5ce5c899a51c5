"""A TCP proxy between a client and a server, that cuts, resets, stalls, slows and refuses on demand."""

from __future__ import annotations

import contextlib
import selectors
import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

_CHUNK = 65536
_TURN = 0.05


class _Link:
    """One connection being passed on, both ways."""

    def __init__(self, client: socket.socket, server: socket.socket) -> None:
        self.ends = (client, server)
        self.closed = False

    def end(self, *, reset: bool = False) -> None:
        """Close both sides; with ``reset`` by RST rather than FIN."""
        self.closed = True
        for end in self.ends:
            with contextlib.suppress(OSError):
                if reset:
                    end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                else:
                    end.shutdown(socket.SHUT_RDWR)
            end.close()


class Proxy:
    """Listens on a port of loopback. Safe to drive from any thread.

    ``delay``: seconds that every piece waits. ``rate``: bytes a second, None for no limit. ``stalled``: connections
    stay open and nothing passes (half-open). ``refusing``: new connections are reset.
    """

    def __init__(self, target: tuple[str, int]) -> None:
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.delay = 0.0
        self.rate: float | None = None
        self.stalled = False
        self.refusing = False
        self.connections = 0
        self._links: set[_Link] = set()
        self._lock = threading.Lock()
        self._closed = threading.Event()
        threading.Thread(target=self._accept, name=f"proxy-{self.port}", daemon=True).start()

    def cut(self, *, reset: bool = False) -> int:
        """End every connection now; returns how many there were."""
        with self._lock:
            links, self._links = self._links, set()
        for link in links:
            link.end(reset=reset)
        return len(links)

    def close(self) -> None:
        """Stop for good."""
        self._closed.set()
        self._listener.close()
        self.cut()

    def _accept(self) -> None:
        while not self._closed.is_set():
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            if self.refusing:
                _Link(client, client).end(reset=True)
                continue
            try:
                server = socket.create_connection(self._target, timeout=5)
            except OSError:
                _Link(client, client).end(reset=True)
                continue
            server.settimeout(None)
            for end in (client, server):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            link = _Link(client, server)
            with self._lock:
                self.connections += 1
                self._links.add(link)
            threading.Thread(target=self._pass, args=(link,), daemon=True).start()

    def _pass(self, link: _Link) -> None:
        client, server = link.ends
        other = {client.fileno(): (client, server), server.fileno(): (server, client)}
        with selectors.DefaultSelector() as waiting:
            for end in link.ends:
                waiting.register(end, selectors.EVENT_READ)
            try:
                while not (link.closed or self._closed.is_set()):
                    if self.stalled:
                        time.sleep(_TURN)
                        continue
                    for key, _ in waiting.select(_TURN):
                        end, beyond = other[key.fd]
                        data = end.recv(_CHUNK)
                        if not data:
                            return
                        if self.delay:
                            time.sleep(self.delay)
                        if self.rate:
                            time.sleep(len(data) / self.rate)
                        beyond.sendall(data)
            except (OSError, ValueError):
                return
            finally:
                link.end()
                with self._lock:
                    self._links.discard(link)


@contextmanager
def proxied(host: str, port: int) -> Iterator[Proxy]:
    """A proxy in front of a server."""
    proxy = Proxy((host, port))
    try:
        yield proxy
    finally:
        proxy.close()
