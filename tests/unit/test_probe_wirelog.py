"""The wire log of a probe: bounded, and silent about whatever proves who one is."""

from __future__ import annotations

from dataclasses import replace

import pytest

from services.probe.wirelog import MAX_BYTES, WireLog
from shared.rets.exchange import Exchange

SEEN = Exchange(
    "Search", "POST", "http://mls.example/search?ssid=cafe-babe-1&x=1", {"Authorization": "Digest username=\"dana\""},
    "Query=%28LIST_KEY%3D0%2B%29&Limit=2", 200, (("Content-Type", "text/xml"),), b"<RETS ReplyCode=\"0\"/>", 22,
)  # fmt: skip


def logged(*seen: Exchange) -> str:
    log = WireLog()
    for each in seen:
        log.observe(each)
    return log.text()


def test_what_was_asked_is_there() -> None:
    text = logged(SEEN)
    assert "#1 Search: POST http://mls.example/search" in text
    assert "Query=(LIST_KEY=0+)" in text
    assert '<RETS ReplyCode="0"/>' in text
    assert "200, 22 bytes" in text


@pytest.mark.parametrize(
    ("seen", "secret"),
    [
        (SEEN, "cafe-babe-1"),
        (SEEN, "dana"),
        (replace(SEEN, sent={"Cookie": "A=first-cookie; B=second-cookie"}), "second-cookie"),
        (replace(SEEN, headers=(("Set-Cookie", "S=cookie-value; path=/"), *SEEN.headers), head=b"cookie-value"),
         "cookie-value"),
        (replace(SEEN, headers=(("WWW-Authenticate", 'Digest realm="r", nonce="n-o-n-c-e", opaque=o-p-a-q-u-e'),)),
         "n-o-n-c-e"),
        (replace(SEEN, headers=(("WWW-Authenticate", 'Digest realm="r", nonce="n-o-n-c-e", opaque=o-p-a-q-u-e'),)),
         "o-p-a-q-u-e"),
        (replace(SEEN, headers=(("Authentication-Info", 'nextnonce="next-one"'),)), "next-one"),
        (replace(SEEN, sent={"RETS-UA-Authorization": "Digest 0011"}), "0011"),
        (replace(SEEN, head=b"Search=http://h/s?sessionid=in-the-body&a=1"), "in-the-body"),
        (replace(SEEN, head=b"<p>5d41402abc4b2a76b9719d911017c592</p>"), "5d41402abc4b2a76b9719d911017c592"),
        (replace(SEEN, sent={"Authorization": 'Digest cnonce="ab-12-cd"'}, head=b"&quot;ab-12-cd&quot;"), "ab-12-cd"),
        (replace(SEEN, sent={"Authorization": "Basic dTpw"}, head=b"dTpw"), "dTpw"),
        (replace(SEEN, head=b"told you: word", secrets=("told you",)), "told you"),
        (replace(SEEN, head=b"pw xy.", secrets=("xy",)), "xy"),
    ],
)  # fmt: skip
def test_nothing_that_proves_anything(seen: Exchange, secret: str) -> None:
    assert secret not in logged(seen)


def test_what_became_secret_later_is_not_in_what_came_before() -> None:
    assert "tomorrow" not in logged(replace(SEEN, head=b"until tomorrow"), replace(SEEN, secrets=("tomorrow",)))


def test_the_key_of_a_record_is_no_secret() -> None:
    assert "20160824051756837742000000" in logged(replace(SEEN, head=b"20160824051756837742000000"))


def test_it_is_bounded_and_says_so() -> None:
    large = replace(SEEN, headers=SEEN.headers + tuple((f"X-{n}", "y" * 1_000) for n in range(20)))
    text = logged(*[large] * 100)
    assert len(text.encode()) <= MAX_BYTES + 100
    assert "requests more are left out" in text


def test_nothing_drives_the_terminal() -> None:
    assert "\x1b" not in logged(replace(SEEN, head=b"\x1b[31m", headers=(("Content-Type", "text/plain\x1b"),)))


def test_offers_by_scheme_algorithm_and_qop() -> None:
    log = WireLog()
    log.observe(replace(SEEN, headers=(("WWW-Authenticate", 'Digest realm="r", nonce="n", qop="auth", algorithm=MD5'),
                                       ("WWW-Authenticate", 'Basic realm="r"'))))  # fmt: skip
    assert list(log.offered) == ["Digest (MD5, auth)", "Basic"]
