"""A RETS session: logged in when needed, each answer judged, each fault met with the reaction of ``codes``.

A body that is a RETS answer is judged by its reply code before the HTTP status is looked at: servers send a success
with a 4xx status and an error with 200 (RETS 1.7.2 §3.5, §3.9).
"""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Final, TypeVar

import requests
import structlog

from shared.rets.answer import Answer
from shared.rets.auth import origin
from shared.rets.codes import BROKEN, UNREADABLE, Reaction, Rule, rule_for_code, rule_for_status
from shared.rets.errors import RetsParseError, RetsReplyError, RetsTruncatedError
from shared.rets.http import RetsHttp
from shared.rets.login import Capabilities, read_login
from shared.rets.mend import Mender
from shared.rets.settings import Method, RetsSettings
from shared.sources.base import SourceRefusedError, SourceUnavailableError

T = TypeVar("T")

_log = structlog.get_logger(__name__)
_GO_ON: Final = frozenset({Reaction.OK, Reaction.EMPTY, Reaction.SKIP})
_OPAQUE: Final = ("image/", "multipart/", "video/", "audio/", "application/octet-stream", "application/pdf")
_LOGOUT_SECONDS: Final = (5.0, 10.0)


class RetsSession:
    """One login at one server. Not safe for use from two threads at once; one answer is open at a time.

    ``before_request(transaction)`` is called before every HTTP request, ``after_response(transaction, code, bytes)``
    after every answer with its reply code, ``http-<status>`` or ``failed``. Every method but ``logout`` raises
    SourceUnavailableError when a passing fault outlasted the retries and SourceRefusedError (RetsReplyError with the
    code) when asking again is no use. No text of these holds a credential or cookie.
    """

    def __init__(
        self,
        settings: RetsSettings,
        *,
        before_request: Callable[[str], None] = lambda _: None,
        after_response: Callable[[str, str, int], None] = lambda *_: None,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self.settings = settings
        self._http = RetsHttp(settings, before_request=before_request, after_response=after_response, clock=clock)
        self._sleep = sleep
        self._clock = clock
        self._jitter = jitter
        self._capabilities: Capabilities | None = None
        self._methods: dict[str, Method] = {"Search": "POST", **settings.methods}
        _, host, port = origin(settings.login_url)
        self._where = f"{host}:{port}"

    def __repr__(self) -> str:
        return f"RetsSession({self._where})"

    @property
    def capabilities(self) -> Capabilities | None:
        """What the login gave, None while not logged in."""
        return self._capabilities

    def login(self) -> None:
        """Log in unless that is done already (RETS 1.7.2 §4)."""
        if self._capabilities is not None:
            return
        trial = self._trial()
        versions = [version for version in self.settings.fallback_versions if version != self._http.version]
        while self._capabilities is None:
            try:
                self._capabilities = self._log_in(trial)
            except RetsReplyError as error:
                if error.code != "20036" or "version" not in str(error).lower() or not versions:
                    self._http.forget()
                    raise
                self._http.version = versions.pop(0)

    def logout(self) -> None:
        """End the session at the server and here; never raises. May be called at any time, any number of times."""
        capabilities, self._capabilities = self._capabilities, None
        try:
            url = capabilities.url("Logout") if capabilities else None
            if url is not None:
                answer, _ = self._http.send("Logout", self._method("Logout"), url, {}, timeout=_LOGOUT_SECONDS)
                with answer:
                    answer.peek()
        except Exception as error:  # noqa: BLE001 - the server forgets a session by itself; the caller is leaving
            _log.debug("rets.logout_failed", where=self._where, error=type(error).__name__)
        finally:
            self._http.forget()
            self._http.close()

    def search(self, arguments: Mapping[str, str]) -> AbstractContextManager[Answer]:
        """The open answer of a Search. What its body says at the end is for the reader to judge: rather use ``ask``."""
        return self._open("Search", arguments, self._trial())

    def get_object(self, arguments: Mapping[str, str]) -> AbstractContextManager[Answer]:
        """The open answer of a GetObject."""
        return self._open("GetObject", arguments, self._trial())

    def get_metadata(self, arguments: Mapping[str, str]) -> AbstractContextManager[Answer]:
        """The open answer of a GetMetadata."""
        return self._open("GetMetadata", arguments, self._trial())

    def ask(self, transaction: str, arguments: Mapping[str, str], read: Callable[[Answer], T]) -> T:
        """What ``read`` makes of the answer. A cut or unreadable answer, or a reply code that only its end tells (set
        by ``read`` as ``answer.reply``), is met like any other fault: the whole is asked and read anew."""
        trial = self._trial()
        while True:
            with self._open(transaction, arguments, trial) as answer:
                try:
                    result = read(answer)
                except (RetsTruncatedError, RetsParseError) as error:
                    rule, code, kind = _fault(error), "", type(error)
                    detail, retry_after = str(error), answer.retry_after
                else:
                    reply = answer.reply
                    if reply is None:
                        return result
                    rule, kind = rule_for_code(transaction, reply.code, reply.text), SourceUnavailableError
                    if rule.reaction in _GO_ON:
                        return result
                    code, detail, retry_after = reply.code, reply.text, answer.retry_after
            self._react(trial, transaction, rule, code, detail, retry_after, kind)

    def mender(self) -> Mender:
        """A fresh mender with this feed's encoding and bounds."""
        return Mender(encoding=self.settings.encoding, max_bytes=self.settings.max_body_bytes)

    def _trial(self) -> _Trial:
        return _Trial(self.settings, self._clock, self._sleep, self._jitter)

    def _method(self, transaction: str) -> Method:
        return self._methods.get(transaction, "GET")

    def _log_in(self, trial: _Trial) -> Capabilities:
        while True:
            self._http.forget()
            kind: type[SourceUnavailableError] = SourceUnavailableError
            code = detail = ""
            retry_after = None
            try:
                answer, url = self._http.send(
                    "Login", self._method("Login"), self.settings.login_url, self.settings.login_arguments
                )
                with answer:
                    rule, code, detail = self._judge("Login", answer)
                    retry_after = answer.retry_after
                    if rule.reaction is Reaction.OK:
                        reply, capabilities = read_login(answer.chunks(), self.mender(), url)
                        answer.reply = reply
                        rule, code, detail = rule_for_code("Login", reply.code, reply.text), reply.code, reply.text
                if rule.reaction is Reaction.OK:
                    self._check(capabilities)
                    return capabilities
            except requests.RequestException as error:
                rule, detail = BROKEN, self._reason(error)
            except (RetsTruncatedError, RetsParseError) as error:
                rule, detail, kind = _fault(error), str(error), type(error)
            self._react(trial, "Login", rule, code, detail, retry_after, kind)

    def _check(self, capabilities: Capabilities) -> None:
        if capabilities.url("Search") is None:
            raise SourceRefusedError(
                f"Login at {self._where}: the answer names no Search address; is login_url a RETS login?"
            )
        action = capabilities.url("Action")
        if action is not None and action in self._http.trusted:
            # RETS 1.7.2 §4.10: to be fetched at once after login, before anything else, and by GET.
            answer, _ = self._http.send("Action", "GET", action, {})
            with answer:
                answer.peek()

    def _open(self, transaction: str, arguments: Mapping[str, str], trial: _Trial) -> Answer:
        while True:
            self.login()
            url = self._capabilities.url(transaction) if self._capabilities else None
            if url is None:
                raise SourceRefusedError(f"{transaction} at {self._where}: the server does not offer it")
            method = self._method(transaction)
            kind: type[SourceUnavailableError] = SourceUnavailableError
            code = ""
            retry_after = None
            try:
                answer, _ = self._http.send(transaction, method, url, arguments)
                rule, code, detail = self._judge(transaction, answer)
                if rule.reaction in _GO_ON:
                    return answer
                retry_after = answer.retry_after
                answer.close()
                if method == "POST" and answer.status in {404, 405} and answer.reply is None:
                    self._methods[transaction] = "GET"
                    continue
            except requests.RequestException as error:
                rule, detail = BROKEN, self._reason(error)
            except (RetsTruncatedError, RetsParseError) as error:
                rule, detail, kind = _fault(error), str(error), type(error)
            self._react(trial, transaction, rule, code, detail, retry_after, kind)

    def _judge(self, transaction: str, answer: Answer) -> tuple[Rule, str, str]:
        """Rule, code and the server's text for an answer of which only the head is known."""
        if not (200 <= answer.status < 300 and answer.content_type.startswith(_OPAQUE)):
            reply = answer.look_for_reply()
            if reply is not None:
                return rule_for_code(transaction, reply.code, reply.text), reply.code, reply.text
        rule = rule_for_status(transaction, answer.status)
        return rule, f"http-{answer.status}", f"HTTP status {answer.status}"

    def _react(
        self,
        trial: _Trial,
        transaction: str,
        rule: Rule,
        code: str,
        detail: str,
        retry_after: float | None,
        kind: type[SourceUnavailableError],
    ) -> None:
        """Return when the request is to be sent again; raise when not."""
        said = self._safe(detail)
        message = f"{transaction} at {self._where}: {rule.meaning}" + (f" ({said})" if said else "")
        reaction = rule.reaction
        if reaction is Reaction.RELOGIN:
            if trial.relogged:
                raise SourceUnavailableError(f"{message}, again after a new login")
            trial.relogged = True
            _log.info("rets.relogin", where=self._where, transaction=transaction, code=code)
            self._capabilities = None
            self._http.forget()
            return
        if reaction is Reaction.BACKOFF:
            seconds = trial.pause(rule, retry_after)
            if seconds is None:
                _log.info("rets.retry", where=self._where, transaction=transaction, code=code, meaning=rule.meaning)
                return
            if rule.then is None:
                raise kind(message, retry_after if retry_after is not None else seconds)
        raise RetsReplyError(transaction, code, message + (f"; {rule.remedy}" if rule.remedy else ""))

    def _safe(self, text: str) -> str:
        """The server's words fit for a log: short, without control characters, credentials or cookies."""
        for secret in self._http.secrets():
            text = text.replace(secret, "***")
        text = "".join(character if character.isprintable() else " " for character in text[:1000])
        return " ".join(text.split())[:300]

    def _reason(self, error: requests.RequestException) -> str:
        """Why a request failed, in our words: the exception's own may hold the address with its arguments."""
        settings = self.settings
        for kind, reason in (
            (requests.exceptions.ProxyError, "the proxy failed"),
            (requests.exceptions.SSLError, "TLS failed; check the certificate and ca_bundle"),
            (requests.exceptions.ConnectTimeout, f"no connection within {settings.connect_seconds:g} seconds"),
            (requests.exceptions.ReadTimeout, f"no answer within {settings.read_seconds:g} seconds"),
            (requests.exceptions.ConnectionError, "the connection failed"),
        ):
            if isinstance(error, kind):
                return reason
        return type(error).__name__


class _Trial:
    """How often and how long one request was retried so far."""

    def __init__(
        self,
        settings: RetsSettings,
        clock: Callable[[], float],
        sleep: Callable[[float], None],
        jitter: Callable[[], float],
    ) -> None:
        self.relogged = False
        self._settings = settings
        self._clock = clock
        self._sleep = sleep
        self._jitter = jitter
        self._began = clock()
        self._pauses: Counter[str] = Counter()

    def pause(self, rule: Rule, retry_after: float | None) -> float | None:
        """Wait and return None; or, when count or time is used up, return at once the seconds one would wait."""
        done = self._pauses[rule.meaning]
        limit = self._settings.retry_attempts if rule.limit is None else rule.limit
        seconds = max(rule.wait * 2**done * (1 + self._jitter() / 4), retry_after or 0.0)
        if done >= limit or self._clock() - self._began + seconds > self._settings.retry_seconds:
            return seconds
        self._pauses[rule.meaning] += 1
        self._sleep(seconds)
        return None


def _fault(error: RetsTruncatedError | RetsParseError) -> Rule:
    return BROKEN if isinstance(error, RetsTruncatedError) else UNREADABLE
