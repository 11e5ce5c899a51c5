"""Which addresses are public, in every way of writing them."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from shared.photos.addresses import AddressGuard, RefusedAddressError, is_public, literal

PRIVATE_4 = ["0.0.0.0", "10.0.0.1", "100.64.0.1", "100.100.100.200", "127.0.0.1", "127.255.255.254", "172.16.0.1"]
PRIVATE_4 += ["169.254.169.254", "172.31.255.255", "192.0.0.1", "192.0.2.1", "192.88.99.1", "192.168.1.1", "198.18.0.1"]
PRIVATE_4 += ["198.51.100.1", "203.0.113.1", "224.0.0.1", "240.0.0.1", "255.255.255.255"]
PRIVATE_6 = ["::", "::1", "100::1", "2001::1", "2001:db8::1", "fc00::1", "fd00:ec2::254", "fe80::1", "fe80::1%eth0"]
PRIVATE_6 += ["fec0::1", "ff02::1", "ff0e::1", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b:1::1"]
PRIVATE_6 += ["::ffff:169.254.169.254", "64:ff9b::127.0.0.1", "64:ff9b::a00:1", "2002:7f00:1::1", "2002:808:808::1"]
PUBLIC = ["8.8.8.8", "1.1.1.1", "172.32.0.1", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"]


@pytest.mark.parametrize("address", [*PRIVATE_4, *PRIVATE_6])
def test_private_addresses_are_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_are_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.1", "0x7f000001", "2130706433", "017700000001", "0x7f.1", "[::1]", "::ffff:7f00:1"]
)
def test_a_loopback_address_is_refused_in_every_notation(host: str) -> None:
    with pytest.raises(RefusedAddressError):
        AddressGuard.of([]).check_literal(host, 80)


def test_a_name_is_no_literal() -> None:
    assert literal("photos.example") is None
    assert literal("1 evil") is None


def test_a_host_is_allowed_by_name_or_with_its_port() -> None:
    guard = AddressGuard.of(["Intern.example", "127.0.0.1:8080", "[::1]:80"])
    assert guard.is_allowed("intern.EXAMPLE", 1)
    assert guard.is_allowed("127.0.0.1", 8080)
    assert guard.is_allowed("[::1]", 80)
    assert guard.is_allowed("::1", 80)
    assert not guard.is_allowed("127.0.0.1", 80)
    assert not guard.is_allowed("::1", 81)
    assert not guard.is_allowed("evil.intern.example", 80)


def test_one_private_address_among_many_refuses_the_host(monkeypatch: pytest.MonkeyPatch) -> None:
    def resolve(*_: Any, **__: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 80)) for address in ("8.8.8.8", "10.0.0.1")]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    with pytest.raises(RefusedAddressError):
        AddressGuard.of([]).resolve("photos.example", 80)
    assert len(AddressGuard.of(["photos.example"]).resolve("photos.example", 80)) == 2


def test_a_label_that_no_resolver_takes_is_an_unknown_name() -> None:
    with pytest.raises(socket.gaierror):
        AddressGuard.of([]).resolve("x" * 70 + ".example", 80)
