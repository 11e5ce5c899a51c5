"""HTTP as RETS wants it: headers, cookies, challenges answered, redirects by hand (RETS 1.7.2 §2.1-2.4, §4).

What goes where is decided here and nowhere else: credentials and cookies reach trusted origins only, and nothing is
sent to any other.
"""

from __future__ import annotations

import contextlib
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from http.cookiejar import CookieJar
from typing import Final
from urllib.parse import quote, urlencode, urljoin

import requests

from shared.rets.answer import Answer
from shared.rets.auth import Authenticator
from shared.rets.deadline import DeadlineAdapter
from shared.rets.digest import parse_challenges
from shared.rets.exchange import Exchange
from shared.rets.origins import TrustedOrigins, origin
from shared.rets.settings import Method, RetsSettings
from shared.rets.user_agent import user_agent_digest
from shared.sources.base import SourceRefusedError, SourceUnavailableError

_MAX_REDIRECTS: Final = 5
_MAX_CHALLENGES: Final = 3
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})


class RetsWire:
    """Sends requests of one login. Not safe for use from two threads at once.

    ``before_request`` is called before every request that leaves, so that a budget counts what the server counts;
    what it raises passes through. ``observe`` is shown every request with its answer, secrets and all.
    """

    def __init__(
        self,
        settings: RetsSettings,
        *,
        before_request: Callable[[str], None],
        after_response: Callable[[str, str, int], None],
        observe: Callable[[Exchange], None] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = settings
        self._before_request = before_request
        self._after_response = after_response
        self._observe = observe
        self._clock = clock
        self.trusted = TrustedOrigins(settings.login_url, settings.auth_hosts)
        self.version = settings.rets_version
        self._auth = Authenticator(
            settings.username,
            settings.password,
            basic_allowed=settings.basic_is_safe,
            schemes=settings.schemes,
        )
        self._compression = "gzip"
        self._spoiled = 0
        self._lengths = False
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.headers.clear()
        for prefix in ("http://", "https://"):
            self._session.mount(prefix, DeadlineAdapter(settings.answer_seconds))
        self._current: Answer | None = None
        self._proof = ""

    def send(
        self,
        transaction: str,
        method: Method,
        url: str,
        arguments: Mapping[str, str],
        *,
        timeout: tuple[float, float] | None = None,
    ) -> tuple[Answer, str]:
        """The answer, whatever its status, and the address that gave it.

        A challenge is answered once, again only when the server says that the nonce is stale, or, of a login, when it
        offers Basic too. Raises
        SourceRefusedError for a redirect or address that the credentials must not follow, and requests' exceptions.
        """
        if self._current is not None:
            self._current.close()
        challenges = redirects = 0
        body: bytes | None = None
        if method == "POST":
            body = urlencode(arguments).encode()
        elif arguments:
            url += ("&" if "?" in url else "?") + urlencode(arguments, quote_via=quote, safe="")
        while True:
            if url not in self.trusted:
                raise SourceRefusedError(
                    f"{transaction}: the server points to {_origin_of(url)}, which is not the login's own host; "
                    "list it in auth_hosts if its owner may have the credentials"
                )
            answer = self._once(transaction, method, url, body, timeout)
            if (
                answer.status == 401
                and challenges < _MAX_CHALLENGES
                and self._may_answer(transaction, answer, challenges)
            ):
                challenges += 1
            elif answer.status in _REDIRECTS and answer.header("Location") and redirects < _MAX_REDIRECTS:
                redirects += 1
                url = urljoin(url, answer.header("Location"))
                if answer.status == 303:
                    method, body = "GET", None
            elif answer.status == 411 and body is None and not self._lengths:
                self._lengths = True  # servers exist that want a length even of a GET
            else:
                return answer, url
            self._finish(answer)

    @property
    def scheme(self) -> str:
        """By which way it is proved who we are, "" while the server has not asked."""
        return self._auth.scheme

    @property
    def digest_refused(self) -> bool:
        """Whether a digest was refused at a login."""
        return self._auth.digest_refused

    def forget(self) -> None:
        """Drop every cookie and what the server told about authentication: the session is gone."""
        self._session.cookies.clear()
        self._auth.reset()

    def gives_up_compression(self) -> bool:
        """Whether the answer just read is the second in a row that could not be decompressed: from now on, until
        ``close``, plain ones are asked for."""
        if self._current is None or self._current.unpacked is not False or self._compression != "gzip":
            return False
        self._spoiled += 1
        if self._spoiled == 2:
            self._compression = "identity"
        return self._spoiled == 2

    def close(self) -> None:
        """Close every connection; the next request opens new ones."""
        self._compression, self._spoiled = "gzip", 0
        if self._current is not None:
            self._current.close()
        self._session.close()

    def secrets(self) -> list[str]:
        """Every string that must appear in no text: credentials and cookies."""
        values = [self._settings.password.get_secret_value(), self._settings.username, *self._auth.sent, self._proof]
        if self._settings.user_agent_password is not None:
            values.append(self._settings.user_agent_password.get_secret_value())
        jar: CookieJar = self._session.cookies
        values += [cookie.value or "" for cookie in jar]
        return sorted((value for value in values if value), key=len, reverse=True)

    def _once(
        self, transaction: str, method: Method, url: str, body: bytes | None, timeout: tuple[float, float] | None
    ) -> Answer:
        settings = self._settings
        headers = {
            "User-Agent": settings.user_agent,
            "RETS-Version": self.version,
            "Accept": "*/*",
            "Accept-Encoding": self._compression,
            "Connection": "keep-alive",
        }
        headers |= self._of_user_agent()
        if body is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        elif self._lengths:
            headers["Content-Length"] = "0"
        prepared = self._session.prepare_request(requests.Request(method, url, headers=headers, data=body))
        authorization = self._auth.authorization(method, prepared.path_url, body or b"")
        if authorization is not None:
            prepared.headers["Authorization"] = authorization
        said = Exchange(transaction, method, prepared.url or url, dict(prepared.headers), (body or b"").decode())
        self._before_request(transaction)
        try:
            response = self._session.send(
                prepared,
                stream=True,
                allow_redirects=False,
                timeout=timeout or (settings.connect_seconds, settings.read_seconds),
                proxies=dict(settings.proxies),
                verify=settings.ca_bundle or True,
            )
        except requests.RequestException as error:
            self._after_response(transaction, "failed", 0)
            if self._observe is not None:
                self._observe(replace(said, error=type(error).__name__, secrets=tuple(self.secrets())))
            raise
        self._widen_cookies()
        if info := response.headers.get("Authentication-Info"):
            self._auth.note(info)
        self._current = Answer(
            response,
            max_bytes=settings.max_body_bytes,
            seconds=settings.answer_seconds,
            clock=self._clock,
            on_close=lambda answer: self._closed(said, answer),
        )
        return self._current

    def _of_user_agent(self) -> dict[str, str]:
        """The request's id and the proof of the User-Agent (RETS 1.7.2 §3.4). Both depend on the newest cookies."""
        settings = self._settings
        # A server may give the id that requests are to carry in a cookie.
        request_id = self._cookie("RETS-Request-ID") or (secrets.token_hex(16) if settings.request_ids else "")
        headers = {"RETS-Request-ID": request_id} if request_id else {}
        if settings.user_agent_password is not None:
            self._proof = user_agent_digest(
                settings.user_agent,
                settings.user_agent_password.get_secret_value(),
                request_id=request_id,
                session_id=self._cookie("RETS-Session-ID"),
                version=self.version,
                scheme=settings.user_agent_scheme,
            )
            # In quotes by the grammar, without by every client there is.
            headers["RETS-UA-Authorization"] = f"Digest {self._proof}"
        return headers

    def _cookie(self, name: str) -> str:
        jar: CookieJar = self._session.cookies
        return next((cookie.value or "" for cookie in jar if cookie.name == name and not cookie.is_expired()), "")

    def _closed(self, said: Exchange, answer: Answer) -> None:
        if answer.unpacked:
            self._spoiled = 0
        self._after_response(said.transaction, _outcome(answer), answer.wire_bytes)
        if self._observe is not None:
            self._observe(
                replace(
                    said, status=answer.status, headers=answer.all_headers(), head=answer.first,
                    size=answer.wire_bytes, secrets=tuple(self.secrets()),
                )
            )  # fmt: skip

    def _may_answer(self, transaction: str, answer: Answer, answered: int) -> bool:
        offered = answer.headers("WWW-Authenticate")
        if answered and not any(challenge.stale for challenge in parse_challenges(offered)):
            return transaction == "Login" and self._auth.fall_back(offered)
        if self._auth.take(offered):
            return True
        if self._auth.refused_basic:
            raise SourceRefusedError(
                "the server asks for Basic authentication over clear text, where anyone on the way reads the password; "
                "use an https login_url, or set basic_over_cleartext"
            )
        return False

    def _finish(self, answer: Answer) -> None:
        """Read the little body of a challenge or redirect, so that its connection can serve the next request."""
        # What goes wrong here is of no interest: the body says nothing that the status did not.
        with contextlib.suppress(SourceUnavailableError):
            answer.peek(16384)
        answer.close()

    def _widen_cookies(self) -> None:
        """Cookies set without a path go to every capability, as RETS servers expect (RETS 1.7.2 §3.3); by RFC 6265
        one set by /Login.svc/Login would never reach /Search.svc."""
        jar: CookieJar = self._session.cookies
        for cookie in list(jar):
            if not cookie.path_specified and cookie.path != "/":
                jar.clear(cookie.domain, cookie.path, cookie.name)
                cookie.path = "/"
                jar.set_cookie(cookie)


def _outcome(answer: Answer) -> str:
    if answer.reply is not None:
        return answer.reply.code
    return "0" if 200 <= answer.status < 300 else f"http-{answer.status}"


def _origin_of(url: str) -> str:
    try:
        scheme, host, port = origin(url)
    except ValueError:
        return "something that is no http address"
    return f"{scheme}://{host[:255]}:{port}"
