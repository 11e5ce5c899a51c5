"""Digest and Basic: the published vectors, lax challenges, and who may be given credentials."""

from __future__ import annotations

import re
from typing import Any

import pytest
from pydantic import SecretStr

from shared.rets.auth import Authenticator
from shared.rets.digest import digest_response, parse_challenges
from shared.rets.origins import TrustedOrigins, is_loopback

MRIS: dict[str, Any] = {
    "username": "user",
    "password": "passwd",
    "realm": "users@mris.com",
    "nonce": "31333739363738363932323632201e00230a639db77779b354d601ee5d2e",
    "method": "GET",
    "uri": "/platinum/login",
}
DEMO: dict[str, Any] = {
    "username": "demo",
    "password": "pass1",
    "realm": "RETS Server",
    "nonce": "abc123",
    "method": "POST",
    "uri": "/rets/login",
    "qop": "auth",
    "nc": "00000001",
    "cnonce": "0a4f113b",
}


def test_vector_without_qop() -> None:
    assert digest_response(algorithm="MD5", **MRIS) == "5f8d366fb430e9b395a84dba52247a35"


def test_vector_with_qop_auth() -> None:
    found = digest_response(algorithm="MD5", **MRIS, qop="auth", nc="00000001", cnonce="6ac2c2eee85f5c33")
    assert found == "28552064c4cde9a3af7610e7ae286d50"


@pytest.mark.parametrize(
    ("algorithm", "expected"),
    [
        ("MD5", "69da592585f56bb05d5dc8c8264d1925"),
        ("SHA-256", "5ed1a74cfc78d4d22c244e4a3962b2606db7728664533915b504b0e524bad912"),
        ("MD5-sess", "f560c1627dde8b681ec2f203f380a165"),
    ],
)
def test_vector_of_each_algorithm(algorithm: str, expected: str) -> None:
    assert digest_response(algorithm=algorithm, **DEMO) == expected


def test_vectors_of_rfc_7616() -> None:
    inputs: dict[str, Any] = {
        "username": "Mufasa",
        "password": "Circle of Life",
        "realm": "http-auth@example.org",
        "nonce": "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v",
        "method": "GET",
        "uri": "/dir/index.html",
        "qop": "auth",
        "nc": "00000001",
        "cnonce": "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
    }
    assert digest_response(algorithm="MD5", **inputs) == "8ca523f5e9506fed4657c9700eebdbec"
    assert (
        digest_response(algorithm="SHA-256", **inputs)
        == "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"
    )


def test_auth_int_covers_the_body() -> None:
    first = digest_response(algorithm="MD5", **DEMO | {"qop": "auth-int"}, body=b"a=1")
    second = digest_response(algorithm="MD5", **DEMO | {"qop": "auth-int"}, body=b"a=2")
    assert first != second


@pytest.mark.parametrize(
    "header",
    [
        'Digest realm="R S", nonce="n=1,2", qop="auth", opaque="o"',
        'Digest realm="R S" nonce="n=1,2" qop="auth" opaque="o"',
        'digest realm="R S",nonce="n=1,2",,qop=auth,opaque=o',
        'Digest  REALM = "R S" , Nonce="n=1,2", QOP="auth", opaque="o",',
    ],
)
def test_irregular_challenges_are_read(header: str) -> None:
    (challenge,) = parse_challenges([header])
    assert challenge.scheme == "digest"
    assert challenge.parameters == {"realm": "R S", "nonce": "n=1,2", "qop": "auth", "opaque": "o"}


def test_several_challenges_in_one_header_and_in_several() -> None:
    joined = parse_challenges(['Basic realm="a", Digest realm="b", nonce="c"'])
    apart = parse_challenges(['Basic realm="a"', 'Digest realm="b", nonce="c"'])
    assert joined == apart
    assert [challenge.scheme for challenge in joined] == ["basic", "digest"]


def make(*, basic_allowed: bool = False, username: str = "demo", password: str = "pass1") -> Authenticator:
    return Authenticator(username, SecretStr(password), basic_allowed=basic_allowed, make_cnonce=lambda: "0a4f113b")


def value(header: str | None, name: str) -> str | None:
    found = re.search(rf'\b{name}="?([^",]*)"?', header or "")
    return found[1] if found else None


def test_nothing_is_sent_before_the_server_asks() -> None:
    assert make().authorization("GET", "/", b"") is None


def test_count_grows_with_a_nonce_and_restarts_with_the_next() -> None:
    auth = make()
    assert auth.take(['Digest realm="RETS Server", nonce="abc123", qop="auth"'])
    headers = [auth.authorization("POST", "/rets/login", b"") for _ in range(3)]
    assert [value(header, "nc") for header in headers] == ["00000001", "00000002", "00000003"]
    assert value(headers[0], "response") == "69da592585f56bb05d5dc8c8264d1925"
    auth.note('nextnonce="def456", qop=auth, rspauth="x", cnonce="0a4f113b", nc=00000003')
    header = auth.authorization("POST", "/rets/login", b"")
    assert (value(header, "nonce"), value(header, "nc")) == ("def456", "00000001")


def test_nc_qop_and_algorithm_are_unquoted_and_opaque_comes_back() -> None:
    auth = make()
    auth.take(['Digest realm="r", nonce="n", qop="auth-int,auth", opaque="o\\"p", algorithm=MD5'])
    header = auth.authorization("GET", "/x?y=1", b"") or ""
    assert "qop=auth," in header
    assert "nc=00000001" in header
    assert "algorithm=MD5" in header
    assert 'opaque="o\\"p"' in header
    assert 'uri="/x?y=1"' in header


def test_challenge_without_qop_gets_the_old_form() -> None:
    auth = make(username="user", password="passwd")
    auth.take([f'Digest realm="{MRIS["realm"]}", nonce="{MRIS["nonce"]}"'])
    header = auth.authorization("GET", "/platinum/login", b"") or ""
    assert 'response="5f8d366fb430e9b395a84dba52247a35"' in header
    assert "cnonce" not in header
    assert "qop" not in header


def test_the_strongest_offer_is_taken_and_unknown_ones_are_not() -> None:
    auth = make(basic_allowed=True)
    assert auth.take(
        [
            'Basic realm="r"',
            'Digest realm="r", nonce="1", algorithm=MD5, qop="auth"',
            'Digest realm="r", nonce="2", algorithm=SHA-256, qop="auth"',
            'Digest realm="r", nonce="3", algorithm=TIGER, qop="auth"',
            'Digest realm="r", nonce="4", qop="secret-handshake"',
        ]
    )
    assert value(auth.authorization("GET", "/", b""), "nonce") == "2"


@pytest.mark.parametrize("algorithm", ["MD5", "MD5-sess", "SHA", "SHA-1", "SHA-256", "SHA-256-sess", "SHA-512-256"])
def test_every_named_algorithm_can_be_answered(algorithm: str) -> None:
    auth = make()
    assert auth.take([f'Digest realm="r", nonce="n", qop="auth", algorithm={algorithm}'])
    assert value(auth.authorization("GET", "/", b""), "algorithm") == algorithm


def test_basic_only_where_allowed() -> None:
    refused = make()
    assert not refused.take(['Basic realm="r"'])
    assert refused.refused_basic
    allowed = make(basic_allowed=True)
    assert allowed.take(['Basic realm="r"'])
    assert allowed.authorization("GET", "/", b"") == "Basic ZGVtbzpwYXNzMQ=="


def test_names_beyond_latin_1_are_utf_8_on_the_wire() -> None:
    auth = make(username="žofie")
    auth.take(['Digest realm="r", nonce="n"'])
    header = auth.authorization("GET", "/", b"") or ""
    assert "žofie".encode() in header.encode("latin-1")


def test_credentials_go_to_the_same_origin_only() -> None:
    trusted = TrustedOrigins("https://mls.example/Login")
    assert "https://mls.example/Search" in trusted
    assert "https://MLS.example:443/Search" in trusted
    for url in (
        "http://mls.example/Search",
        "https://mls.example:8443/Search",
        "https://sub.mls.example/Search",
        "https://mls.example.evil/Search",
        "https://mls.example@evil.example/",
        "ftp://mls.example/",
        "https://mls.example:99999/",
        "nonsense",
    ):
        assert url not in trusted


def test_listed_hosts_are_trusted_but_never_down_from_https() -> None:
    trusted = TrustedOrigins("https://mls.example/Login", ["media.example", "other.example:8443"])
    assert "https://media.example/x" in trusted
    assert "https://other.example:8443/x" in trusted
    assert "https://other.example/x" not in trusted
    assert "http://media.example/x" not in trusted


def test_loopback_is_known_by_name_and_address_only() -> None:
    assert all(map(is_loopback, ("localhost", "127.0.0.1", "127.9.9.9", "::1")))
    assert not any(map(is_loopback, ("127.0.0.1.evil.example", "localhost.evil.example", "10.0.0.1", "128.0.0.1")))
