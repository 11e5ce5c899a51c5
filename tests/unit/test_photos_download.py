"""Fetching photos from real servers on this machine: bounds of size and time, addresses, redirects, errors."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from shared.photos.download import Download, Downloader, DownloadSettings
from shared.photos.errors import DownloadError

# Made for these tests alone; it is trusted by nobody else. The name is photos.example.
CERTIFICATE = """\
-----BEGIN CERTIFICATE-----
MIIBpDCCAUqgAwIBAgIUcsItVpCwAj7E7CDvU6LMoQr4xDUwCgYIKoZIzj0EAwIw
GTEXMBUGA1UEAwwOcGhvdG9zLmV4YW1wbGUwIBcNMjYxMTIxMDg1MDM5WhgPMjEy
NjEwMjgwODUwMzlaMBkxFzAVBgNVBAMMDnBob3Rvcy5leGFtcGxlMFkwEwYHKoZI
zj0CAQYIKoZIzj0DAQcDQgAEZh34pRe0bZela3J+6K10izQ5uAsH+ZtpG7js7/HG
ho0NryiO16Gwhf71ICkIEyJ+q6bK31U9DkHQgK1vKc3aVaNuMGwwHQYDVR0OBBYE
FLIvO3MqxTNgQaiBJYOveKQUVG9rMB8GA1UdIwQYMBaAFLIvO3MqxTNgQaiBJYOv
eKQUVG9rMA8GA1UdEwEB/wQFMAMBAf8wGQYDVR0RBBIwEIIOcGhvdG9zLmV4YW1w
bGUwCgYIKoZIzj0EAwIDSAAwRQIhAKcKbhiBbVcVeJsagvw9RsacdiAU+PcPGO2R
Jvx7o/1eAiBFrLAP52hzxreyN2WZnN5fQXBI+kVPBBxVAI+sp3ywYw==
-----END CERTIFICATE-----
"""
KEY = """\
-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQghS2AuJPYW1zf3ilj
EECbwgXPDk+2t7xwxyF1vY9vKG+hRANCAARmHfilF7Rtl6Vrcn7orXSLNDm4Cwf5
m2kbuOzv8caGjQ2vKI7XobCF/vUgKQgTIn6rpsrfVT0OQdCArW8pzdpV
-----END PRIVATE KEY-----
"""

Answer = Callable[[BaseHTTPRequestHandler], None]
PHOTO = bytes(range(256)) * 700


def answer(status: int, body: bytes = b"", **headers: str) -> Answer:
    def write(request: BaseHTTPRequestHandler) -> None:
        request.send_response(status)
        for name, value in headers.items():
            request.send_header(name.replace("_", "-"), value)
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)

    return write


class Server:
    """An HTTP server on 127.0.0.1 that answers each path as it was told, and notes what it was asked."""

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        self.answers: dict[str, Answer] = {"/photo.jpg": answer(200, PHOTO, Content_Type="image/jpeg")}
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.connections = 0
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def setup(self) -> None:
                server.connections += 1
                super().setup()

            def do_GET(self) -> None:
                server.asked.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
                try:
                    server.answers.get(self.path, answer(404))(self)
                except OSError:
                    self.close_connection = True

            def log_message(self, format: str, *args: Any) -> None:
                """Tests look at ``asked`` instead."""

        class Quiet(ThreadingHTTPServer):
            def handle_error(self, request: Any, client_address: Any) -> None:
                """A client that hangs up is what some tests are about."""

        self.http = Quiet(("127.0.0.1", 0), Handler)
        if context:
            self.http.socket = context.wrap_socket(self.http.socket, server_side=True)
        self.port = self.http.server_address[1]
        self.thread = threading.Thread(target=self.http.serve_forever, kwargs={"poll_interval": 0.01})
        self.thread.start()

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    def url(self, path: str = "/photo.jpg") -> str:
        return f"http://{self.host}{path}"

    def close(self) -> None:
        self.http.shutdown()
        self.http.server_close()
        self.thread.join()


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    yield made
    made.close()


@pytest.fixture
def make() -> Iterator[Callable[..., Downloader]]:
    made: list[Downloader] = []

    def build(*hosts: str, **options: Any) -> Downloader:
        options = {"stall_seconds": 5.0, "total_seconds": 10.0} | options
        made.append(Downloader(DownloadSettings(allowed_private_hosts=frozenset(hosts), **options)))
        return made[-1]

    yield build
    for downloader in made:
        downloader.close()


Make = Callable[..., Downloader]


def failure(downloader: Downloader, url: str) -> DownloadError:
    with pytest.raises(DownloadError) as caught:
        downloader.fetch(url)
    return caught.value


def test_a_photo_is_fetched_with_its_validators(server: Server, make: Make) -> None:
    server.answers["/p"] = answer(200, PHOTO, Content_Type="image/jpeg", ETag='"e1"', Last_Modified="Tue, 05 Mar 2024")
    got = make(server.host).fetch(server.url("/p"))
    assert got == Download("fetched", PHOTO, "image/jpeg", '"e1"', "Tue, 05 Mar 2024")


def test_no_credential_and_no_cookie_is_ever_sent(server: Server, make: Make) -> None:
    server.answers["/p"] = answer(200, PHOTO, Set_Cookie="session=1; Path=/")
    downloader = make(server.host, user_agent="mlsync/1")
    for _ in range(2):
        downloader.fetch(server.url("/p"))
    for _, headers in server.asked:
        assert not {"cookie", "authorization", "proxy-authorization"} & headers.keys()
        assert headers["user-agent"] == "mlsync/1"


def test_connections_are_kept_alive(server: Server, make: Make) -> None:
    server.answers["/moved"] = answer(302, b"moved", Location="/photo.jpg")
    downloader = make(server.host)
    for _ in range(5):
        downloader.fetch(server.url("/moved"))
        assert failure(downloader, server.url("/none")).reason == "http_404"
    assert server.connections == 1


def test_an_unchanged_photo_is_not_modified(server: Server, make: Make) -> None:
    server.answers["/p"] = answer(304, ETag='"e1"')
    got = make(server.host).fetch(server.url("/p"), etag='"e1"', last_modified="Tue, 05 Mar 2024 14:00:00 GMT")
    assert (got.status, got.data, got.etag) == ("not_modified", b"", '"e1"')
    headers = server.asked[0][1]
    assert headers["if-none-match"] == '"e1"'
    assert headers["if-modified-since"] == "Tue, 05 Mar 2024 14:00:00 GMT"


def test_a_stored_validator_cannot_inject_a_header(server: Server, make: Make) -> None:
    make(server.host).fetch(server.url(), etag='"a"\r\nAuthorization: x', last_modified="é")
    assert not {"if-none-match", "if-modified-since", "authorization"} & server.asked[0][1].keys()


@pytest.mark.parametrize(
    ("status", "reason", "permanent"),
    [
        (401, "http_401", True),
        (403, "http_403", True),
        (404, "http_404", True),
        (410, "http_410", True),
        (418, "http_4xx", True),
        (500, "http_5xx", False),
        (503, "http_5xx", False),
        (206, "http_unexpected", False),
        (300, "http_unexpected", False),
    ],
)
def test_statuses_become_reasons(server: Server, make: Make, status: int, reason: str, permanent: bool) -> None:
    server.answers["/p"] = answer(status, b"sorry")
    error = failure(make(server.host), server.url("/p"))
    assert (error.reason, error.permanent, error.retry_after) == (reason, permanent, None)


@pytest.mark.parametrize(
    ("value", "low", "high"),
    [("120", 120, 120), ("Wed, 21 Oct 2015 07:28:00 GMT", 1, 1), ("9" * 30, 86_400, 86_400)],
)
def test_retry_after_is_in_seconds_and_bounded(server: Server, make: Make, value: str, low: float, high: float) -> None:
    server.answers["/p"] = answer(429, Retry_After=value)
    after = failure(make(server.host), server.url("/p")).retry_after
    assert after is not None
    assert low <= after <= high


@pytest.mark.parametrize(("status", "headers"), [(429, {}), (429, {"Retry_After": "60"}), (503, {"Retry_After": "60"})])
def test_a_host_that_wants_to_be_left_alone_is_asked_for_no_other_photo(
    server: Server, make: Make, status: int, headers: dict[str, str]
) -> None:
    server.answers["/p"] = answer(status, b"sorry", **headers)
    downloader = make(server.host)
    first = failure(downloader, server.url("/p"))
    assert first.reason == ("http_429" if status == 429 else "http_5xx")
    other = failure(downloader, server.url("/other"))
    assert (first.paused, other.paused, other.reason) == (True, True, "paused")
    assert other.retry_after is not None
    assert 0 < other.retry_after <= (first.retry_after or 0)
    assert [path for path, _ in server.asked] == ["/p"]


def test_a_503_without_a_word_of_when_is_about_that_photo(server: Server, make: Make) -> None:
    server.answers["/p"] = answer(503)
    downloader = make(server.host)
    assert not failure(downloader, server.url("/p")).paused
    assert downloader.fetch(server.url()).data == PHOTO


@pytest.mark.parametrize("value", ["soon", "-5", "Wed, 99 Foo", "²"])
def test_a_retry_after_that_says_nothing_is_none(server: Server, make: Make, value: str) -> None:
    server.answers["/p"] = answer(503, Retry_After=value)
    assert failure(make(server.host), server.url("/p")).retry_after is None


def test_an_announced_oversize_is_refused_without_reading_it(server: Server, make: Make) -> None:
    def huge(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.send_header("Content-Length", str(10**12))
        request.end_headers()

    server.answers["/p"] = huge
    error = failure(make(server.host, max_bytes=1_000), server.url("/p"))
    assert (error.reason, error.permanent) == ("too_large", True)


def test_an_endless_body_is_cut_at_the_cap(server: Server, make: Make) -> None:
    sent = 0

    def endless(request: BaseHTTPRequestHandler) -> None:
        nonlocal sent
        request.send_response(200)
        request.send_header("Transfer-Encoding", "chunked")
        request.end_headers()
        while True:
            request.wfile.write(b"10000\r\n" + bytes(0x10000) + b"\r\n")
            sent += 0x10000

    server.answers["/p"] = endless
    error = failure(make(server.host, max_bytes=1_000_000), server.url("/p"))
    assert (error.reason, error.permanent) == ("endless", False)
    assert sent < 20_000_000


def test_a_body_of_exactly_the_cap_is_fetched(server: Server, make: Make) -> None:
    downloader = make(server.host, max_bytes=len(PHOTO))
    assert downloader.fetch(server.url()).data == PHOTO
    assert failure(make(server.host, max_bytes=len(PHOTO) - 1), server.url()).reason == "too_large"


def test_a_gzip_bomb_is_cut_at_the_cap(server: Server, make: Make) -> None:
    import gzip

    server.answers["/p"] = answer(200, gzip.compress(bytes(50_000_000)), Content_Encoding="gzip")
    assert failure(make(server.host, max_bytes=1_000_000), server.url("/p")).reason == "too_large"


def test_a_body_that_ends_early_is_broken(server: Server, make: Make) -> None:
    def short(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.send_header("Content-Length", str(len(PHOTO)))
        request.end_headers()
        request.wfile.write(PHOTO[:-1])
        request.close_connection = True

    server.answers["/p"] = short
    error = failure(make(server.host), server.url("/p"))
    assert (error.reason, error.permanent) == ("broken", False)


def dripping_body(request: BaseHTTPRequestHandler) -> None:
    request.send_response(200)
    request.send_header("Content-Length", "1000000")
    request.end_headers()
    for _ in range(200):
        request.wfile.write(b"x")
        time.sleep(0.02)


def dripping_head(request: BaseHTTPRequestHandler) -> None:
    request.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    for _ in range(200):
        request.wfile.write(b"x")
        time.sleep(0.02)


def dripping_redirects(request: BaseHTTPRequestHandler) -> None:
    time.sleep(0.2)
    answer(302, Location=request.path)(request)


@pytest.mark.parametrize("drip", [dripping_body, dripping_head, dripping_redirects])
def test_a_slow_drip_ends_at_the_deadline(server: Server, make: Make, drip: Answer) -> None:
    server.answers["/p"] = drip
    started = time.monotonic()
    error = failure(make(server.host, stall_seconds=0.25, total_seconds=0.5), server.url("/p"))
    assert (error.reason, error.permanent) == ("timeout", False)
    assert time.monotonic() - started < 2


def test_a_server_that_says_nothing_stalls_no_longer_than_allowed(server: Server, make: Make) -> None:
    server.answers["/p"] = lambda request: time.sleep(1)
    started = time.monotonic()
    assert failure(make(server.host, stall_seconds=0.1), server.url("/p")).reason == "timeout"
    assert time.monotonic() - started < 0.9


def test_redirects_are_followed_relative_ones_too(server: Server, make: Make) -> None:
    server.answers["/a/1"] = answer(301, Location="../b?size=large photo#top")
    server.answers["/b?size=large%20photo"] = answer(307, Location=server.url())
    assert make(server.host).fetch(server.url("/a/1")).data == PHOTO


def test_a_sixth_redirect_is_refused(server: Server, make: Make) -> None:
    for number in range(7):
        server.answers[f"/{number}"] = answer(302, Location=f"/{number + 1}")
    server.answers["/5"] = answer(200, PHOTO)
    assert make(server.host).fetch(server.url("/0")).data == PHOTO
    server.answers["/5"] = answer(302, Location="/6")
    error = failure(make(server.host), server.url("/0"))
    assert (error.reason, error.permanent) == ("too_many_redirects", True)


@pytest.mark.parametrize(
    ("location", "reason"),
    [
        ("http://127.0.0.1:1/photo.jpg", "refused_address"),
        ("http://localhost/photo.jpg", "refused_address"),
        ("http://169.254.169.254/latest/meta-data/", "refused_address"),
        ("//2130706433/", "refused_address"),
        ("http://[::ffff:127.0.0.1]/", "refused_address"),
        ("file:///etc/passwd", "bad_url"),
        ("ftp://photos.example/a", "bad_url"),
        ("http://user:word@photos.example/", "bad_url"),
        ("http://[::1/", "bad_url"),
    ],
)
def test_every_redirect_is_checked(server: Server, make: Make, location: str, reason: str) -> None:
    server.answers["/p"] = answer(302, Location=location)
    error = failure(make(server.host), server.url("/p"))
    assert (error.reason, error.permanent) == (reason, True)


NO_URLS = ["", "photo.jpg", "//photos.example/a", "http://", "http:///a", "http://[::1", "http://a.example:99999/"]
OTHER_SCHEMES = ["file:///etc/passwd", "ftp://photos.example/", "gopher://photos.example/"]
HOSTILE = ["http://u:p@photos.example/", "http://u@photos.example/", "http://photos.example/\r\nHost: x"]
HOSTILE += ["http://[fe80::1%25eth0]/", "http://photos.example/" + "a" * 9_000]


@pytest.mark.parametrize("url", [*NO_URLS, *OTHER_SCHEMES, *HOSTILE])
def test_what_is_no_url_of_a_photo_is_refused(make: Make, url: str) -> None:
    error = failure(make(), url)
    assert (error.reason, error.permanent) == ("bad_url", True)


def test_a_private_address_is_refused_unless_host_or_port_is_listed(server: Server, make: Make) -> None:
    assert failure(make(), server.url()).reason == "refused_address"
    assert failure(make(f"127.0.0.1:{server.port + 1}"), server.url()).reason == "refused_address"
    assert failure(make(server.host), f"http://localhost:{server.port}/photo.jpg").reason == "refused_address"
    assert server.asked == []
    assert make("127.0.0.1").fetch(server.url()).data == PHOTO


class Resolver:
    """Stands for DNS: each look-up of the name takes the next answer."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *answers: list[str]) -> None:
        self.answers = list(answers)
        self.asked = 0
        monkeypatch.setattr(socket, "getaddrinfo", self)

    def __call__(self, host: str, port: int, *_: Any, **__: Any) -> list[Any]:
        self.asked += 1
        addresses = self.answers.pop(0)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]


def test_the_address_checked_is_the_address_connected_to(
    server: Server, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DNS rebinding: public when checked, private when asked again. It is asked once, and connected to what it said."""
    from shared.photos import connections

    resolver = Resolver(monkeypatch, ["8.8.8.8"], ["127.0.0.1"])
    connected: list[Any] = []

    def connect(self: socket.socket, address: Any) -> None:
        connected.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(connections._PlainSocket, "connect", connect, raising=False)
    assert failure(make(), f"http://photos.example:{server.port}/photo.jpg").reason == "connect"
    assert connected == [("8.8.8.8", server.port)]
    assert resolver.asked == 1
    assert server.asked == []


def test_a_name_that_resolves_to_a_private_address_is_refused(
    server: Server, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    Resolver(monkeypatch, ["8.8.8.8", "127.0.0.1"])
    assert failure(make(), f"http://photos.example:{server.port}/photo.jpg").reason == "refused_address"
    assert server.asked == []


def test_the_next_address_is_tried_when_one_does_not_answer(
    server: Server, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    Resolver(monkeypatch, ["127.0.0.2", "127.0.0.1"])
    assert make("photos.example").fetch(f"http://photos.example:{server.port}/photo.jpg").data == PHOTO
    assert server.asked[0][1]["host"] == f"photos.example:{server.port}"


def test_an_unknown_name_and_a_closed_port_are_passing(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        error = failure(make("127.0.0.1"), f"http://127.0.0.1:{port}/a")
    assert (error.reason, error.permanent) == ("connect", False)

    def unknown(*_: Any, **__: Any) -> list[Any]:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    assert failure(make(), "http://photos.example/a").reason == "connect"


def test_the_environments_proxy_is_not_used(server: Server, make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    assert make(server.host).fetch(server.url()).data == PHOTO


def test_an_explicit_proxy_is_used_and_gets_its_credentials_alone(server: Server, make: Make) -> None:
    server.answers["http://photos.example/p"] = answer(200, PHOTO)
    downloader = make(proxy=f"http://user:pass@{server.host}")
    assert downloader.fetch("http://photos.example/p").data == PHOTO
    path, headers = server.asked[0]
    assert path == "http://photos.example/p"
    assert headers["proxy-authorization"] == "Basic dXNlcjpwYXNz"
    assert "authorization" not in headers
    assert failure(downloader, "http://10.0.0.1/p").reason == "refused_address"


def test_an_error_tells_neither_path_nor_query(server: Server, make: Make) -> None:
    import traceback

    server.answers["/p?signature=abc123"] = lambda request: time.sleep(0.5)
    error = failure(make(server.host, stall_seconds=0.05), server.url("/p?signature=abc123"))
    assert "abc123" not in "".join(traceback.format_exception(error))
    assert "127.0.0.1" in str(error)


def test_settings_do_not_show_the_proxys_password() -> None:
    assert "pass" not in repr(DownloadSettings(proxy="http://user:pass@proxy:1"))


@pytest.fixture
def tls(tmp_path: Path) -> Iterator[tuple[Server, str]]:
    pem = tmp_path / "server.pem"
    pem.write_text(CERTIFICATE + KEY)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    made = Server(context)
    yield made, str(pem)
    made.close()


def test_tls_names_and_verifies_the_host_not_the_address(
    tls: tuple[Server, str], make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    server, pem = tls
    Resolver(monkeypatch, *[["127.0.0.1"]] * 3)
    downloader = make("photos.example", "other.example", ca_file=pem)
    assert downloader.fetch(f"https://photos.example:{server.port}/photo.jpg").data == PHOTO
    error = failure(downloader, f"https://other.example:{server.port}/photo.jpg")
    assert (error.reason, error.permanent) == ("certificate", True)


def test_a_certificate_nobody_vouches_for_is_refused(
    tls: tuple[Server, str], make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    Resolver(monkeypatch, ["127.0.0.1"])
    url = f"https://photos.example:{tls[0].port}/photo.jpg"
    assert failure(make("photos.example"), url).reason == "certificate"


def test_a_drip_over_tls_ends_at_the_deadline(
    tls: tuple[Server, str], make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    server, pem = tls
    Resolver(monkeypatch, ["127.0.0.1"])
    server.answers["/p"] = dripping_body
    started = time.monotonic()
    downloader = make("photos.example", ca_file=pem, stall_seconds=0.25, total_seconds=0.5)
    assert failure(downloader, f"https://photos.example:{server.port}/p").reason == "timeout"
    assert time.monotonic() - started < 2


def test_a_server_without_tls_is_a_tls_error(server: Server, make: Make) -> None:
    error = failure(make(server.host), f"https://{server.host}/photo.jpg")
    assert (error.reason, error.permanent) == ("tls", False)


def test_many_threads_share_one_downloader(server: Server, make: Make) -> None:
    downloader = make(server.host, threads=8)
    results: list[bool] = []

    def work() -> None:
        results.extend(downloader.fetch(server.url()).data == PHOTO for _ in range(20))

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert results == [True] * 160
    assert server.connections <= 8
