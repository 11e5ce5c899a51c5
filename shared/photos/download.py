"""Fetch a photo by its URL: within bounds of size and time, only from where photos may come, without credentials."""

from __future__ import annotations

import re
import ssl
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import urljoin

from requests.utils import DEFAULT_CA_BUNDLE_PATH
from urllib3 import exceptions
from urllib3.response import BaseHTTPResponse
from urllib3.util import Timeout, Url, make_headers, parse_url

from shared.photos.addresses import AddressGuard, RefusedAddressError
from shared.photos.answers import (
    MAX_HEADER,
    PRINTABLE,
    announced,
    failure_reason,
    retry_after,
    status_reason,
    validator,
)
from shared.photos.connections import Deadline, make_manager
from shared.photos.errors import DownloadError, DownloadReason
from shared.photos.hosts import HostPauses

_MAX_URL = 8_192
_MAX_REDIRECTS = 5
_MAX_ERROR_BODY = 16_384
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_CONTROL = re.compile(r"[\x00-\x20\x7f]")


@dataclass(frozen=True, slots=True)
class DownloadSettings:
    """How photos are fetched. ``stall_seconds`` bounds a connection attempt and the wait for the next bytes,
    ``total_seconds`` the whole download with its redirects. ``allowed_private_hosts`` are hosts or ``host:port``.
    ``ca_file`` adds certificates to the system's and Mozilla's; ``proxy`` is a URL, the environment's is never used.
    """

    threads: int = 16
    max_bytes: int = 25 * 1024 * 1024
    stall_seconds: float = 15.0
    total_seconds: float = 60.0
    user_agent: str = "mlsync"
    allowed_private_hosts: frozenset[str] = frozenset()
    ca_file: str | None = None
    proxy: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Download:
    """What came. ``data`` is empty when "not_modified"; the validators serve the next conditional fetch."""

    status: Literal["fetched", "not_modified"]
    data: bytes = field(repr=False)
    content_type: str
    etag: str | None
    last_modified: str | None


class Downloader:
    """Fetches photos over kept-alive connections; safe to use from many threads. Opens nothing before the first fetch.

    Only http and https, and only public addresses unless a host is listed: the address checked is the address connected
    to, at every redirect. A host that wants to be left alone (429, or 503 with Retry-After) is left alone by all who
    share ``hosts``: its photos end as ``paused`` errors at once. Cookies and Authorization are never sent. Redirects
    from https to http are followed, as the photo is public and verified by decoding it.
    """

    def __init__(self, settings: DownloadSettings, hosts: HostPauses | None = None) -> None:
        self._settings = settings
        self._hosts = HostPauses() if hosts is None else hosts
        self._guard = AddressGuard.of(settings.allowed_private_hosts)
        self._deadline = Deadline()
        context = ssl.create_default_context()
        context.load_verify_locations(DEFAULT_CA_BUNDLE_PATH)
        if settings.ca_file:
            context.load_verify_locations(settings.ca_file)
        self._manager = make_manager(
            self._guard,
            self._deadline,
            context,
            threads=settings.threads,
            stall=settings.stall_seconds,
            proxy=settings.proxy,
        )
        self._headers = {"Accept": "*/*", "User-Agent": settings.user_agent}
        self._headers |= make_headers(accept_encoding="identity", keep_alive=True)
        self._timeout = Timeout(connect=settings.stall_seconds, read=settings.stall_seconds)

    def fetch(self, url: str, *, etag: str | None = None, last_modified: str | None = None) -> Download:
        """GET ``url``, following at most 5 redirects. With a validator of an earlier fetch it may be "not_modified".

        Raises DownloadError; its text never has the URL's path, query or credentials.
        """
        headers = dict(self._headers)
        if etag and PRINTABLE.fullmatch(etag):
            headers["If-None-Match"] = etag
        if last_modified and PRINTABLE.fullmatch(last_modified):
            headers["If-Modified-Since"] = last_modified
        self._deadline.start(self._settings.total_seconds)
        for _ in range(_MAX_REDIRECTS + 1):
            target = self._checked(url)
            host = target.host or ""
            if (left := self._hosts.left(host)) > 0:
                raise DownloadError(DownloadReason.PAUSED, host, left, paused=True)
            try:
                response = self._get(target, headers)
                location = response.headers.get("Location") if response.status in _REDIRECTS else None
                if location is None:
                    return self._finish(response, host)
                _discard(response)
                url = urljoin(target.url, location)
            except DownloadError:
                raise
            except (exceptions.HTTPError, RefusedAddressError, OSError, ValueError) as error:
                # Not chained: the cause's text may have the whole URL, and that may be signed.
                raise DownloadError(failure_reason(error), host) from None
        raise DownloadError(DownloadReason.TOO_MANY_REDIRECTS, host)

    def close(self) -> None:
        """Close the kept-alive connections."""
        self._manager.clear()

    def _checked(self, url: str) -> Url:
        """The one parse of ``url``: what is checked here is what is connected to."""
        if len(url) > _MAX_URL or _CONTROL.search(url.strip(" ").replace(" ", "")):
            raise DownloadError(DownloadReason.BAD_URL)
        try:
            target = parse_url(url.strip(" "))
        except exceptions.LocationParseError:
            raise DownloadError(DownloadReason.BAD_URL) from None
        host = target.host or ""
        if target.scheme not in ("http", "https") or not host or target.auth is not None or "%" in host:
            raise DownloadError(DownloadReason.BAD_URL)
        try:
            self._guard.check_literal(host, target.port or (443 if target.scheme == "https" else 80))
        except RefusedAddressError:
            raise DownloadError(DownloadReason.REFUSED_ADDRESS, host) from None
        return target

    def _get(self, target: Url, headers: Mapping[str, str]) -> BaseHTTPResponse:
        self._deadline.left()
        return self._manager.urlopen(
            "GET",
            target._replace(fragment=None).url,
            headers=headers,
            redirect=False,
            retries=False,
            timeout=self._timeout,
            preload_content=False,
        )

    def _finish(self, response: BaseHTTPResponse, host: str) -> Download:
        if response.status == 304:
            _discard(response)
            self._hosts.answered(host)
            return self._download("not_modified", b"", response)
        if response.status != 200:
            with suppress(exceptions.HTTPError, OSError):  # the status says more than a body that breaks off
                _discard(response)
            said = retry_after(response.headers)
            if response.status == 429 or (response.status == 503 and said is not None):
                seconds = self._hosts.refused(host, said)
                raise DownloadError(status_reason(response.status), host, seconds, paused=True)
            raise DownloadError(status_reason(response.status), host, said)
        self._hosts.answered(host)
        limit = self._settings.max_bytes
        length = announced(response.headers)
        if length > limit:
            _drop(response)
            raise DownloadError(DownloadReason.TOO_LARGE, host)
        data = _read(response, limit + 1)
        if len(data) > limit:
            _drop(response)
            raise DownloadError(DownloadReason.TOO_LARGE if length else DownloadReason.ENDLESS, host)
        response.release_conn()
        return self._download("fetched", data, response)

    @staticmethod
    def _download(status: Literal["fetched", "not_modified"], data: bytes, response: BaseHTTPResponse) -> Download:
        return Download(
            status,
            data,
            response.headers.get("Content-Type", "")[:MAX_HEADER],
            validator(response.headers.get("ETag")),
            validator(response.headers.get("Last-Modified")),
        )


def _read(response: BaseHTTPResponse, limit: int) -> bytes:
    """Up to ``limit`` bytes of the body. A connection that ends early raises, as does the deadline in the socket."""
    try:
        parts = [response.read(limit)]
        size = len(parts[0])
        while parts[-1] and size < limit:
            parts.append(response.read(limit - size))
            size += len(parts[-1])
    except BaseException:
        _drop(response)
        raise
    return parts[0] if len(parts) <= 2 else b"".join(parts)


def _discard(response: BaseHTTPResponse) -> None:
    """Read a small rest so that the connection can be used again; a larger one is not worth it."""
    if len(_read(response, _MAX_ERROR_BODY + 1)) > _MAX_ERROR_BODY:
        _drop(response)
    else:
        response.release_conn()


def _drop(response: BaseHTTPResponse) -> None:
    response.close()
    response.release_conn()
