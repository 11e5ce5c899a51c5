"""Where photos may be fetched from: URLs come from the MLS, and must not reach what is behind our own firewall."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterable
from dataclasses import dataclass

_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_REFUSED = [
    ipaddress.ip_network(text)
    for text in (
        "0.0.0.0/8",
        "100.64.0.0/10",  # carrier-grade NAT, and the metadata service of some clouds
        "192.0.0.0/24",
        "192.88.99.0/24",  # 6to4 relays
        "198.18.0.0/15",
        "64:ff9b:1::/48",  # NAT64 of local use
        "2001::/23",  # Teredo and other tunnels
        "2002::/16",  # 6to4
        "fec0::/10",  # site-local of old
        "5f00::/16",  # segment routing
    )
]

Address = tuple[socket.AddressFamily, str, int]


class RefusedAddressError(Exception):
    """The host is, or resolves to, an address that photos are not fetched from. No OSError: urllib3 would wrap it."""


def is_public(text: str) -> bool:
    """Whether ``text`` is an address of the public Internet, looking through IPv4-mapped and NAT64 addresses."""
    address = ipaddress.ip_address(text)
    if isinstance(address, ipaddress.IPv6Address):
        if address.scope_id is not None:
            return False
        embedded = address.ipv4_mapped
        if address in _NAT64:
            embedded = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if embedded is not None:
            return is_public(str(embedded))
    if any(address in network for network in _REFUSED):
        return False
    return address.is_global and not (address.is_multicast or address.is_reserved)


def literal(host: str) -> str | None:
    """The address that ``host`` writes out, in any notation a resolver would take (``0x7f.1``); None for a name."""
    bare = host.removeprefix("[").removesuffix("]")
    try:
        return str(ipaddress.ip_address(bare))
    except ValueError:
        pass
    try:
        # inet_aton alone would take "1 evil"; a name has no space, so nothing of that kind arrives here.
        return socket.inet_ntoa(socket.inet_aton(bare)) if " " not in bare else None
    except OSError:
        return None


def resolve(host: str, port: int) -> list[Address]:
    """Every address of ``host``, unchecked. Raises socket.gaierror when the name is unknown."""
    try:
        found = socket.getaddrinfo(host.removeprefix("[").removesuffix("]"), port, type=socket.SOCK_STREAM)
    except UnicodeError:  # a label that is empty or too long
        raise socket.gaierror(socket.EAI_NONAME, "not a host name") from None
    return [(family, str(where[0]), int(where[1])) for family, _, _, _, where in found]


@dataclass(frozen=True, slots=True)
class AddressGuard:
    """Says where to connect for a host. ``allowed`` are hosts, or ``host:port``, that may be private."""

    allowed: frozenset[str]

    @classmethod
    def of(cls, hosts: Iterable[str]) -> AddressGuard:
        """The guard that lets ``hosts`` through, written in either case, IPv6 in brackets when a port follows."""
        return cls(frozenset(host.strip().lower() for host in hosts))

    def is_allowed(self, host: str, port: int) -> bool:
        """Whether the operator named ``host`` (or it with ``port``) as one that may be private."""
        bare = host.lower().removeprefix("[").removesuffix("]")
        forms = (bare, f"[{bare}]") if ":" in bare else (bare,)
        return any(form in self.allowed or f"{form}:{port}" in self.allowed for form in forms)

    def check_literal(self, host: str, port: int) -> None:
        """Refuse a host that writes out a private address, without resolving. Raises RefusedAddressError."""
        address = literal(host)
        if address is not None and not self.is_allowed(host, port) and not is_public(address):
            raise RefusedAddressError(f"{host} is not a public address")

    def resolve(self, host: str, port: int) -> list[Address]:
        """Every address of ``host``, resolved once. One private address among them refuses the host as a whole.

        Raises RefusedAddressError, or socket.gaierror when the name is unknown.
        """
        addresses = resolve(host, port)
        if not self.is_allowed(host, port):
            for _, address, _ in addresses:
                if not is_public(address):
                    raise RefusedAddressError(f"{host} resolves to a private address")
        return addresses
