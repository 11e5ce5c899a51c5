"""The search API of Nominatim, as its documentation has it (nominatim.org, "Search queries" and "Place Output").

One question is one GET of ``<url>/search`` with ``format=jsonv2``; the answer is a JSON array of places, empty when
nothing was found. What comes is data of a stranger: bounded in size and time, and every value is looked at before it
is taken. No redirect is followed: the address goes to the server that was chosen and to no other.
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from requests.utils import DEFAULT_CA_BUNDLE_PATH
from urllib3 import exceptions
from urllib3.util import make_headers

from shared.geocoding.places import MAX_PLACES, Place, places
from shared.photos.addresses import AddressGuard, RefusedAddressError
from shared.photos.answers import failure_reason, retry_after
from shared.photos.connections import Deadline, make_manager

MAX_BYTES = 256 * 1024
"""Ten places with their address details are some ten kilobytes."""


class GeocoderError(Exception):
    """No usable answer came. ``reason`` is one of few fixed words; the text names the host, never the question.

    ``retry_after``: seconds the server asked to wait, or None. ``refused``: it would refuse this question always.
    """

    def __init__(self, reason: str, host: str, retry_after: float | None = None) -> None:
        super().__init__(f"{reason} ({host})")
        self.reason = reason
        self.retry_after = retry_after

    @property
    def refused(self) -> bool:
        """Whether the question itself was refused, so that any other may do."""
        return self.reason in ("http_400", "http_414")


class Nominatim:
    """A client of one server. Opens nothing before the first question. Not safe for use from two threads at once."""

    def __init__(
        self, url: str, *, user_agent: str, email: str | None = None, query: str = "", timeout: float = 10.0
    ) -> None:
        """``url`` is the base of the API. ``query``, such as a key, is sent with every question.

        ``timeout`` is seconds for one question, from the first byte to the last.
        """
        parts = urlsplit(url)
        self.host = host_of(url)
        self._base = urlunsplit((parts.scheme, parts.netloc, parts.path.rstrip("/"), "", ""))
        self._fixed = dict(parse_qsl(query, keep_blank_values=True))
        if email:
            self._fixed["email"] = email
        self._timeout = timeout
        self._deadline = Deadline()
        context = ssl.create_default_context()
        context.load_verify_locations(DEFAULT_CA_BUNDLE_PATH)
        # the operator's own choice, and the only host there is: it may be private
        guard = AddressGuard.of([parts.hostname or ""])
        self._manager = make_manager(guard, self._deadline, context, threads=1, stall=timeout, proxy=None)
        self._headers = {"User-Agent": user_agent, "Accept": "application/json"}
        self._headers |= make_headers(accept_encoding="identity", keep_alive=True)

    def search(self, question: Mapping[str, str]) -> list[Place]:
        """The places that answer ``question`` (parameters of the API), best first. Raises GeocoderError."""
        options = {"format": "jsonv2", "addressdetails": "1", "limit": str(MAX_PLACES), "accept-language": "en"}
        body = self._get("search", {**options, **question})
        try:
            return places(body)
        except ValueError:
            raise GeocoderError("malformed", self.host) from None

    def check(self) -> None:
        """Raise GeocoderError unless the server says that it works ("Status" in Nominatim's documentation)."""
        self._get("status", {})

    def close(self) -> None:
        """Close the connections."""
        self._manager.clear()

    def _get(self, name: str, parameters: dict[str, str]) -> bytes:
        self._deadline.start(self._timeout)
        url = f"{self._base}/{name}?{urlencode(parameters | self._fixed)}"
        try:
            answer = self._manager.urlopen(
                "GET", url, headers=self._headers, redirect=False, retries=False, preload_content=False,
                decode_content=False, timeout=self._timeout,
            )  # fmt: skip
            try:
                if answer.status != 200:
                    raise GeocoderError(_reason(answer.status), self.host, retry_after(answer.headers))
                body = answer.read(MAX_BYTES + 1)
                if len(body) > MAX_BYTES:
                    raise GeocoderError("too_large", self.host)
                answer.read(1)  # nothing, but for the end of a chunked body, without which it is cut
            except BaseException:
                answer.close()
                raise
            finally:
                answer.release_conn()
            return body
        except (exceptions.HTTPError, RefusedAddressError, OSError, ValueError) as error:
            # not chained: the cause's text may have the question
            raise GeocoderError(failure_reason(error).value, self.host) from None


def host_of(url: str) -> str:
    """The host of a geocoder's URL, with its port if it has one: what is recorded as the source of coordinates."""
    return urlsplit(url).netloc.rpartition("@")[2].lower()


def _reason(status: int) -> str:
    if status in (400, 401, 403, 404, 414, 429):
        return f"http_{status}"
    return "http_5xx" if status >= 500 else "redirect" if 300 <= status < 400 else "http_other"
