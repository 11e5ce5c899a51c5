"""Connections that go only where the guard says, and that end when their time is up.

The name is resolved once, what it resolves to is checked, and the connection is made to that very address: a name that
resolves differently a moment later (DNS rebinding) changes nothing. TLS still names and verifies the host.
"""

from __future__ import annotations

import socket
import ssl
import threading
import time
from typing import Any
from urllib.parse import unquote

from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager, ProxyManager
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError
from urllib3.util import make_headers, parse_url

from shared.photos.addresses import Address, AddressGuard, resolve


class Deadline(threading.local):
    """When the request of this thread must be over. It holds for whole requests: head, body, redirects, handshakes.

    A server that sends one byte now and then never runs into a timeout per read, so sockets look here at every read.
    """

    at: float = float("inf")

    def start(self, seconds: float) -> None:
        """The request of this thread begins now and may take ``seconds``."""
        self.at = time.monotonic() + seconds

    def left(self) -> float:
        """The seconds that are left. Raises TimeoutError when none are."""
        left = self.at - time.monotonic()
        if left <= 0:
            raise TimeoutError("the deadline has passed")
        return left


class _TimedReads:
    """What the two kinds of socket share: a read takes no longer than the stall timeout or what the deadline leaves."""

    deadline: Deadline
    stall: float

    def limit(self) -> float:
        return min(self.stall, self.deadline.left())


class _PlainSocket(_TimedReads, socket.socket):
    def recv_into(self, *args: Any, **kwargs: Any) -> int:
        self.settimeout(self.limit())
        return super().recv_into(*args, **kwargs)


def _tls_socket_class(deadline: Deadline, stall: float) -> type[ssl.SSLSocket]:
    class TlsSocket(_TimedReads, ssl.SSLSocket):
        def recv_into(self, *args: Any, **kwargs: Any) -> int:
            self.settimeout(self.limit())
            return super().recv_into(*args, **kwargs)

        def do_handshake(self, block: bool = False) -> None:
            self.settimeout(self.limit())
            super().do_handshake(block)

    TlsSocket.deadline = deadline
    TlsSocket.stall = stall
    return TlsSocket


def make_manager(
    guard: AddressGuard, deadline: Deadline, context: ssl.SSLContext, *, threads: int, stall: float, proxy: str | None
) -> PoolManager:
    """A pool of kept-alive connections, ``threads`` per host, that obey ``guard`` and ``deadline``.

    ``context`` is changed: its sockets obey the deadline too. Through a ``proxy`` the operator chose the addresses are
    the proxy's to resolve and to guard.
    """

    class PlainSocket(_PlainSocket):
        pass

    PlainSocket.deadline = deadline
    PlainSocket.stall = stall
    context.sslsocket_class = _tls_socket_class(deadline, stall)

    def open_socket(connection: HTTPConnection) -> socket.socket:
        host, port = connection._dns_host, connection.port
        try:
            addresses = resolve(host, port) if connection.proxy else guard.resolve(host, port)
            return _connect(addresses, PlainSocket, deadline, stall)
        except socket.gaierror as error:
            raise NameResolutionError(host, connection, error) from error
        except TimeoutError as error:
            raise ConnectTimeoutError(connection, f"connecting to {host} took too long") from error
        except OSError as error:
            raise NewConnectionError(connection, f"cannot connect to {host}") from error

    class Plain(HTTPConnection):
        def _new_conn(self) -> socket.socket:
            return open_socket(self)

    class Tls(HTTPSConnection):
        def _new_conn(self) -> socket.socket:
            return open_socket(self)

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = Plain

    class TlsPool(HTTPSConnectionPool):
        ConnectionCls = Tls

    options: dict[str, Any] = {"num_pools": 32, "maxsize": threads, "ssl_context": context, "retries": False}
    manager = _proxy_manager(proxy, options) if proxy else PoolManager(**options)
    manager.pool_classes_by_scheme = {"http": PlainPool, "https": TlsPool}
    return manager


def _proxy_manager(proxy: str, options: dict[str, Any]) -> ProxyManager:
    """User and password in the proxy's URL go to the proxy alone."""
    url = parse_url(proxy)
    headers = make_headers(proxy_basic_auth=unquote(url.auth)) if url.auth else None
    return ProxyManager(url._replace(auth=None).url, proxy_headers=headers, **options)


def _connect(
    addresses: list[Address], socket_class: type[_PlainSocket], deadline: Deadline, stall: float
) -> socket.socket:
    """Connect to the first address that answers."""
    failure: OSError = OSError("the name has no address")
    for family, address, port in addresses:
        connected = socket_class(family, socket.SOCK_STREAM)
        try:
            connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connected.settimeout(min(stall, deadline.left()))
            connected.connect((address, port))
            return connected
        except OSError as error:
            connected.close()
            failure = error
    raise failure
