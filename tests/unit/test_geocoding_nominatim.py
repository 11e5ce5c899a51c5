"""The client of Nominatim's API, against a server on loopback."""

from __future__ import annotations

import gzip
import time
from collections.abc import Iterator

import pytest

from shared.geocoding.nominatim import MAX_BYTES, GeocoderError, Nominatim, host_of
from tests.geocoder import Geocoder, geocoder

HOUSE = {"street": "100 king street", "city": "toronto", "state": "Ontario", "countrycodes": "ca"}


@pytest.fixture
def server() -> Iterator[Geocoder]:
    with geocoder() as running:
        yield running


@pytest.fixture
def client(server: Geocoder) -> Iterator[Nominatim]:
    made = Nominatim(server.url, user_agent="mlsync-tests/1", email="me@example.org", timeout=1.0)
    yield made
    made.close()


def failure(client: Nominatim) -> GeocoderError:
    with pytest.raises(GeocoderError) as caught:
        client.search(HOUSE)
    return caught.value


def test_a_question_is_asked_as_the_api_wants_it(server: Geocoder, client: Nominatim) -> None:
    places = client.search(HOUSE)
    (question,) = server.questions
    assert question.path == "/geocoder/search"
    assert question.parameters == HOUSE | {
        "format": "jsonv2", "addressdetails": "1", "limit": "10", "accept-language": "en", "email": "me@example.org"
    }  # fmt: skip
    assert question.headers["user-agent"] == "mlsync-tests/1"
    assert question.headers["accept-encoding"] == "identity"
    assert [place.address["city"] for place in places] == ["Toronto"]


def test_what_is_unknown_brings_no_place(client: Nominatim) -> None:
    assert client.search({"q": "nowhere, atlantis"}) == []


def test_a_key_is_sent_and_shown_nowhere(server: Geocoder) -> None:
    client = Nominatim(server.url, user_agent="t", query="api_key=s3cr3t&x=1", timeout=1.0)
    client.search(HOUSE)
    assert server.questions[0].parameters["api_key"] == "s3cr3t"
    assert server.questions[0].path == "/geocoder/search"
    server.fail(500)
    assert "s3cr3t" not in str(failure(client))
    assert client.host == server.host
    client.close()


@pytest.mark.parametrize(
    ("status", "reason"),
    [(400, "http_400"), (401, "http_401"), (403, "http_403"), (404, "http_404"), (429, "http_429"), (500, "http_5xx"),
     (503, "http_5xx"), (204, "http_other"), (418, "http_other")],
)  # fmt: skip
def test_a_status_is_named(server: Geocoder, client: Nominatim, status: int, reason: str) -> None:
    server.fail(status, b"" if status == 204 else b"no")
    error = failure(client)
    assert error.reason == reason
    assert error.refused == (status == 400)
    assert str(error) == f"{reason} ({server.host})"


def test_how_long_to_wait_is_told(server: Geocoder, client: Nominatim) -> None:
    server.fail(429, Retry_After="120")
    assert failure(client).retry_after == 120.0


def test_no_redirect_is_followed(server: Geocoder, client: Nominatim) -> None:
    with geocoder() as other:
        server.fail(302, Location=other.url + "search?q=x")
        assert failure(client).reason == "redirect"
        assert other.questions == []


def test_an_answer_without_end_is_cut_off(server: Geocoder, client: Nominatim) -> None:
    server.fail(200, b"[" + b" " * MAX_BYTES + b"]")
    assert failure(client).reason == "too_large"
    server.recover()
    assert client.search(HOUSE)


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b'{"error": "Unable to geocode"}', gzip.compress(b"[]", mtime=0)], ids=repr
)
def test_an_answer_that_is_no_array_is_malformed(server: Geocoder, client: Nominatim, body: bytes) -> None:
    server.fail(200, body)
    assert failure(client).reason == "malformed"


def test_a_zipped_answer_nobody_asked_for_is_not_unpacked(server: Geocoder, client: Nominatim) -> None:
    server.fail(200, gzip.compress(b"[" + b" " * 50_000_000 + b"]"), Content_Encoding="gzip")
    assert failure(client).reason == "malformed"


def test_an_answer_cut_short_is_broken(server: Geocoder, client: Nominatim) -> None:
    server.fail(200, b"[]", Transfer_Encoding="chunked")
    assert failure(client).reason == "broken"


@pytest.mark.parametrize("how", ["silent", "dripping"])
def test_a_server_that_does_not_come_to_an_end_is_left_in_time(server: Geocoder, client: Nominatim, how: str) -> None:
    if how == "silent":
        server.answering.clear()
    else:
        server.fail(200, b"[" + b" " * 1000 + b"]")
        server.drip = 0.05
    started = time.monotonic()
    assert failure(client).reason == "timeout"
    assert time.monotonic() - started < 3


def test_a_server_that_is_not_there_is_told_apart() -> None:
    with geocoder() as gone:
        url = gone.url
    client = Nominatim(url, user_agent="t", timeout=1.0)
    assert failure(client).reason == "connect"
    client.close()


def test_status_says_whether_it_works(server: Geocoder, client: Nominatim) -> None:
    client.check()
    assert server.questions[0].path == "/geocoder/status"
    server.fail(500)
    with pytest.raises(GeocoderError, match="http_5xx"):
        client.check()


def test_proxies_of_the_environment_are_not_used(
    server: Geocoder, client: Nominatim, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    assert client.search(HOUSE)


def test_the_source_is_host_and_port() -> None:
    assert host_of("https://Geo.Example:8443/nominatim/") == "geo.example:8443"
