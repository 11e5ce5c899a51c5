"""Photos from GetObject: all of a listing in one multipart answer against one request each, and the splitting of it."""

from __future__ import annotations

import random
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser

from pydantic import SecretStr

from bench.figures import Figure
from bench.mls import PASSWORD, USERNAME, simulated
from bench.rounds import interleaved, middle, say, seconds
from shared.rets.multipart import split_parts
from shared.rets.session import RetsSession
from shared.rets.settings import RetsSettings
from shared.sources.base import PhotoObject
from shared.sources.ddf import DdfSource

LATENCY_MS = 50
PHOTOS = 20
LISTINGS = 4
BLOCK = 65_536
BOUNDARY = b"creaboundary"
_HARD = (b"\r\n", b"\n--", b"--creaboundary", b"\r\n--creaboundaryx", b"-\r\n-", b"\0", b"\r\n--creaboundary-\r")


def measure(rounds: int) -> list[Figure]:
    """See the module."""
    return [_requests(rounds), _split(rounds)]


def _requests(rounds: int) -> Figure:
    ratios: list[float] = []
    rates: list[float] = []
    with simulated(200, PHOTOS, latency_ms=LATENCY_MS) as mls:
        settings = RetsSettings(login_url=mls.login_url, username=USERNAME, password=SecretStr(PASSWORD))
        source = DdfSource(RetsSession(settings))
        listings = {key: _all(source, key) for key in mls.keys()[:40]}
        keys = sorted(listings, key=lambda key: -len(listings[key]))[:LISTINGS]
        photos = sum(len(listings[key]) for key in keys)
        for key in keys:
            assert _each(source, key, len(listings[key])) == _all(source, key)
        for _ in range(rounds):
            whole = seconds(lambda: [_all(source, key) for key in keys])
            single = seconds(lambda: [_each(source, key, len(listings[key])) for key in keys])
            ratios.append(single / whole)
            rates.append(photos / whole)
            say(f"{photos / whole:.0f} photos/s by multipart, {photos / single:.1f}/s one by one")
        source.close()
    return Figure(
        "one multipart GetObject, 50 ms, one thread", middle(ratios), 10, True, "x", "a request a photo", ratios,
        {"photos/s": middle(rates), "photos a listing": round(photos / len(keys), 1)},
    )  # fmt: skip


def _all(source: DdfSource, key: str) -> list[PhotoObject]:
    return list(source.photos("property", key, location=False))


def _each(source: DdfSource, key: str, photos: int) -> list[PhotoObject]:
    return [
        item
        for order in range(1, photos + 1)
        for item in source.photos("property", key, location=False, orders=[order])
    ]


def _split(rounds: int) -> Figure:
    draw = random.Random(1)
    photos = [
        draw.randbytes(draw.randrange(100_000, 300_000)) + _HARD[number % len(_HARD)] + draw.randbytes(number % 2 * 9)
        + _HARD[number % len(_HARD)] for number in range(PHOTOS)
    ]  # fmt: skip
    answer = b"".join(
        b"\r\n--%b\r\nContent-Type: image/jpeg\r\nContent-ID: 12345678\r\nObject-ID: %d\r\n\r\n%b"
        % (BOUNDARY, number, photo)
        for number, photo in enumerate(photos, start=1)
    )
    answer += b"\r\n--" + BOUNDARY + b"--\r\n"
    assert _ours(answer) == photos, "not byte-exact"
    times = interleaved(rounds, [lambda: _ours(answer), lambda: _email(answer)])
    ratios = [email / ours for ours, email in times]
    return Figure(
        "multipart split, byte-exact", middle(ratios), 30, True, "x", "Python's email parser", ratios,
        {"MB/s": middle([len(answer) / ours / 1e6 for ours, _ in times])},
    )  # fmt: skip


def _ours(answer: bytes) -> list[bytes | None]:
    blocks = (answer[at : at + BLOCK] for at in range(0, len(answer), BLOCK))
    parts = split_parts(blocks, BOUNDARY, max_part_bytes=1 << 24, is_whole=lambda: True)
    return [part.body for part in parts]


def _email(answer: bytes) -> EmailMessage:
    head = b'Content-Type: multipart/parallel; boundary="' + BOUNDARY + b'"\r\n'
    return BytesParser(policy=policy.HTTP).parsebytes(head + answer)
