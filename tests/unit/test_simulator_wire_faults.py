"""Faults of bodies on their way, and of dates, do what their line says."""

from __future__ import annotations

import gzip
import time
import zlib
from collections.abc import Iterator
from email.utils import parsedate_to_datetime

import pytest
import requests

from services.simulator.main import Options, Simulator
from tests.unit.simulator_client import by_key, faultless, get_object, login

ANSWERS = ["(ID=*)", by_key(5)]


@pytest.fixture(scope="module")
def running() -> Iterator[Simulator]:
    with Simulator(Options(listings=40)) as simulator:
        yield simulator


@pytest.fixture
def sim(running: Simulator) -> Iterator[Simulator]:
    with faultless(running) as simulator:
        yield simulator


def raw(sim: Simulator, session: requests.Session, query: str, accept: str = "gzip") -> tuple[str | None, bytes]:
    """An answer's Content-Encoding and its bytes as they were sent."""
    arguments = {"SearchType": "Property", "Class": "Property", "QueryType": "DMQL2", "Query": query}
    headers = {"Accept-Encoding": accept}
    url = f"{sim.base}/Search.svc/Search"
    with session.post(url, data=arguments, headers=headers, timeout=10, stream=True) as answer:
        return answer.headers.get("Content-Encoding"), answer.raw.read(decode_content=False)


@pytest.mark.parametrize("query", ANSWERS)
def test_gzip_has_its_ways_to_be_broken(sim: Simulator, query: str) -> None:
    session = login(sim)
    encoding, body = raw(sim, session, query, "identity")
    assert encoding is None
    assert gzip.decompress(raw(sim, session, query)[1]) == body
    sim.control.fault("broken-gzip", "off")
    sim.control.fault("broken-gzip", "off:1")
    assert raw(sim, session, query) == (None, body)
    sim.control.fault("broken-gzip", "plain")
    assert raw(sim, session, query) == ("gzip", body)
    assert raw(sim, session, query, "identity") == (None, body)
    sim.control.fault("broken-gzip", "unasked")
    assert gzip.decompress(raw(sim, session, query, "identity")[1]) == body
    sim.control.fault("broken-gzip", "corrupt:2")
    assert gzip.decompress(raw(sim, session, query)[1]) == body
    with pytest.raises(gzip.BadGzipFile, match="CRC"):
        gzip.decompress(raw(sim, session, query)[1])
    sim.control.fault("broken-gzip", "cut")
    part = raw(sim, session, query)[1]
    with pytest.raises(EOFError):
        gzip.decompress(part)
    assert body.startswith(zlib.decompressobj(31).decompress(part))


@pytest.mark.parametrize("query", ANSWERS)
def test_a_dripping_body_is_slow_and_whole(sim: Simulator, query: str) -> None:
    session = login(sim)
    body = raw(sim, session, query)[1]
    sim.control.fault("drip", f"{2 * len(body)}:2")
    began = time.monotonic()
    assert raw(sim, session, query)[1] == body
    assert time.monotonic() - began < 0.4
    assert raw(sim, session, query)[1] == body
    assert time.monotonic() - began > 0.35


@pytest.mark.parametrize("query", ANSWERS)
def test_an_endless_body_does_not_end(sim: Simulator, query: str) -> None:
    session = login(sim)
    honest = raw(sim, session, query, "identity")[1]
    sim.control.fault("endless", "text")
    arguments = {"SearchType": "Property", "Class": "Property", "QueryType": "DMQL2", "Query": query}
    url, headers = f"{sim.base}/Search.svc/Search", {"Accept-Encoding": "identity"}
    with session.post(url, data=arguments, headers=headers, timeout=10, stream=True) as answer:
        text = b"".join(piece for piece, _ in zip(answer.iter_content(65536), range(30), strict=False))
    assert len(text) > 20 * len(honest) or len(text) > 1_000_000
    assert text.startswith(honest[: len(honest) // 2])


def test_an_endless_photo_does_not_end_either(sim: Simulator) -> None:
    record = next(record for record in sim.control.truth(size="LargePhoto") if record["photos"])
    photo, session = record["photos"][0], login(sim)
    sim.control.fault("endless", "text")
    for answer in (
        requests.get(photo["url"], timeout=10, stream=True),
        get_object_streamed(sim, session, record["key"]),
    ):
        with answer:
            size = sum(len(piece) for piece, _ in zip(answer.iter_content(65536), range(10), strict=False))
            assert size > 5 * photo["bytes"]


def get_object_streamed(sim: Simulator, session: requests.Session, key: str) -> requests.Response:
    arguments = {"Resource": "Property", "Type": "LargePhoto", "ID": f"{key}:*"}
    return session.get(f"{sim.base}/Object.svc/GetObject", params=arguments, timeout=10, stream=True)


def test_a_date_can_be_wrong_garbage_or_none(sim: Simulator) -> None:
    def date() -> str | None:
        return requests.get(sim.login_url, timeout=10).headers.get("Date")

    right = parsedate_to_datetime(date() or "")
    sim.control.fault("wrong-date", "-86400")
    wrong = parsedate_to_datetime(date() or "")
    assert abs((right - wrong).total_seconds() - 86400) < 5
    sim.control.fault("wrong-date", "none")
    assert date() is None
    sim.control.fault("wrong-date", "garbage")
    with pytest.raises(ValueError, match="date"):
        parsedate_to_datetime(date() or "")


def test_the_hand_on_the_simulator_never_shakes() -> None:
    faults = ["endless=text", "cut=1", "truncated=1", "drip=1", "broken-gzip=cut", "http-503=1", "throttle-429=1"]
    with Simulator(Options(listings=20, control=True, faults=faults)) as own:
        lines = requests.get(f"{own.base}/control/truth?size=", timeout=10).text.splitlines()
        assert len(lines) == 20


def test_objects_are_untouched_by_all_that(sim: Simulator) -> None:
    record = next(record for record in sim.control.truth() if len(record["photos"]) > 1)
    honest = get_object(sim, login(sim), f"{record['key']}:*").content
    sim.control.fault("broken-gzip", "cut")
    sim.control.fault("wrong-date", "none")
    assert get_object(sim, login(sim), f"{record['key']}:*").content == honest
