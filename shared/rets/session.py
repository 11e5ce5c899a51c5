"""A RETS session: logged in when needed, each answer judged, each fault met with the reaction of ``codes``.

A body that is a RETS answer is judged by its reply code before the HTTP status is looked at: servers send a success
with a 4xx status and an error with 200 (RETS 1.7.2 §3.5, §3.9).
"""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Final, TypeVar

import requests
import structlog

from shared.rets.answer import Answer
from shared.rets.codes import AWAY, BROKEN, UNPACKABLE, Reaction, rule_for_code, rule_for_status
from shared.rets.errors import RetsParseError, RetsReplyError, RetsTruncatedError
from shared.rets.exchange import Exchange
from shared.rets.frame import Reply
from shared.rets.login import Capabilities, read_login
from shared.rets.mend import Mender
from shared.rets.origins import origin
from shared.rets.retry import Patience, Trial, Verdict
from shared.rets.settings import Method, RetsSettings
from shared.rets.stranger import html_page, stranger
from shared.rets.wire import RetsWire
from shared.sources.base import (
    SourceAwayError,
    SourceError,
    SourcePausedError,
    SourceRefusedError,
    SourceUnavailableError,
)

T = TypeVar("T")

_log = structlog.get_logger(__name__)
_GO_ON: Final = frozenset({Reaction.OK, Reaction.EMPTY, Reaction.SKIP})
_OPAQUE: Final = ("image/", "multipart/", "video/", "audio/", "application/octet-stream", "application/pdf")
_LOGOUT_SECONDS: Final = (5.0, 10.0)
_BROKER_REQUIRED: Final = "20012"
_ACTION_BYTES: Final = 65_536


class RetsSession:
    """One login at one server. Not safe for use from two threads at once; one answer is open at a time.

    ``before_request(transaction)`` is called before every HTTP request, ``after_response(transaction, code, bytes)``
    after every answer with its reply code, ``http-<status>`` or ``failed``. Every method but ``logout`` raises
    SourceUnavailableError when a passing fault outlasted the retries and SourceRefusedError (RetsReplyError with the
    code) when asking again is no use. No text of these holds a credential or cookie.

    ``told_to_wait(transaction, reason, said, usual)`` is called when the server asks to be left alone, for ``said``
    seconds or (None) without saying for how long, when ``usual`` would do; it returns for how many it is. Who gives it
    makes ``before_request`` wait, here and in all other sessions of the login: the request is sent again at once, a few
    times, and then ends with SourcePausedError if it was refused for how much we ask. ``after_login(well)`` is called
    when a login ended, but for one that waits its turn. ``observe`` is shown every request with its answer, secrets
    and all.
    """

    def __init__(
        self,
        settings: RetsSettings,
        *,
        before_request: Callable[[str], None] = lambda _: None,
        after_response: Callable[[str, str, int], None] = lambda *_: None,
        told_to_wait: Callable[[str, str, float | None, float], float] | None = None,
        after_login: Callable[[bool], None] = lambda _: None,
        observe: Callable[[Exchange], None] | None = None,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self.settings = settings
        self._wire = RetsWire(
            settings, before_request=before_request, after_response=after_response, observe=observe, clock=clock
        )
        self._told_to_wait = told_to_wait
        self._after_login = after_login
        self._patience = Patience(settings.retry_attempts, settings.retry_seconds, sleep, clock, jitter)
        self._capabilities: Capabilities | None = None
        self._methods: dict[str, Method] = {"Search": "POST", **settings.methods}
        self._no_post: set[str] = set()
        _, host, port = origin(settings.login_url)
        self._where = f"{host}:{port}"
        self.action = ""
        """What the server had to say to whoever logs in (RETS 1.7.2 §4.10), its text or HTML; "" when nothing."""

    def __repr__(self) -> str:
        return f"RetsSession({self._where})"

    @property
    def capabilities(self) -> Capabilities | None:
        """What the login gave, None while not logged in."""
        return self._capabilities

    @property
    def version(self) -> str:
        """The RETS-Version that is spoken, which the server may have chosen."""
        return self._wire.version

    @property
    def scheme(self) -> str:
        """By which way it is proved who we are, ``digest`` or ``basic``; "" while the server has not asked."""
        return self._wire.scheme

    @property
    def digest_refused(self) -> bool:
        """Whether the server refused a digest at a login."""
        return self._wire.digest_refused

    def login(self) -> None:
        """Log in unless that is done already (RETS 1.7.2 §4)."""
        if self._capabilities is not None:
            return
        try:
            self._log_in_somehow()
        except SourcePausedError:
            raise
        except SourceError:
            self._after_login(False)
            raise
        self._after_login(True)

    def _log_in_somehow(self) -> None:
        """In the version asked for, or another the server knows."""
        trial = Trial(self._patience)
        versions = [version for version in self.settings.fallback_versions if version != self._wire.version]
        while self._capabilities is None:
            try:
                self._capabilities = self._log_in(trial)
            except RetsReplyError as error:
                if error.code != "20036" or "version" not in error.said.lower() or not versions:
                    self._wire.forget()
                    raise
                self._wire.version = versions.pop(0)

    def logout(self) -> None:
        """End the session at the server and here; never raises. May be called at any time, any number of times."""
        capabilities, self._capabilities = self._capabilities, None
        try:
            url = capabilities.url("Logout") if capabilities else None
            if url is not None:
                answer, _ = self._wire.send("Logout", self._method("Logout"), url, {}, timeout=_LOGOUT_SECONDS)
                with answer:
                    answer.peek()
        except Exception as error:  # the server forgets a session by itself
            _log.debug("rets.logout_failed", where=self._where, error=type(error).__name__)
        finally:
            self._wire.forget()
            self._wire.close()

    def search(self, arguments: Mapping[str, str]) -> AbstractContextManager[Answer]:
        """The open answer of a Search. What its body says at the end is for the reader to judge: rather use ``ask``."""
        return self._open("Search", arguments, Trial(self._patience))

    def get_object(self, arguments: Mapping[str, str]) -> AbstractContextManager[Answer]:
        """The open answer of a GetObject. Of a server that tells no locations (20414) it has the objects themselves."""
        try:
            return self._open("GetObject", arguments, Trial(self._patience))
        except RetsReplyError as error:
            if error.code != "20414" or arguments.get("Location") != "1":
                raise
            return self._open("GetObject", {**arguments, "Location": "0"}, Trial(self._patience))

    def get_metadata(self, arguments: Mapping[str, str]) -> AbstractContextManager[Answer]:
        """The open answer of a GetMetadata."""
        return self._open("GetMetadata", arguments, Trial(self._patience))

    def ask(
        self,
        transaction: str,
        arguments: Mapping[str, str],
        read: Callable[[Answer], T],
        *,
        seconds: float | None = None,
    ) -> T:
        """What ``read`` makes of the answer. A cut or unreadable answer, or a reply code that only its end tells (set
        by ``read`` as ``answer.reply``), is met like any other fault: the whole is asked and read anew, unless that
        would begin later than ``seconds`` from now (None: as configured)."""
        patience = self._patience if seconds is None else replace(self._patience, seconds=seconds)
        trial = Trial(patience)
        while True:
            with self._open(transaction, arguments, trial) as answer:
                try:
                    result = read(answer)
                    verdict = self._verdict(transaction, answer)
                    if verdict.rule.reaction in _GO_ON:
                        return result
                except (RetsTruncatedError, RetsParseError) as error:
                    verdict = self._unread(error)
            self._react(trial, transaction, verdict)

    def mender(self) -> Mender:
        """A fresh mender with this feed's encoding and bounds."""
        return Mender(encoding=self.settings.encoding, max_bytes=self.settings.max_body_bytes)

    def _method(self, transaction: str) -> Method:
        return self._methods.get(transaction, "GET")

    def _log_in(self, trial: Trial) -> Capabilities:
        while True:
            self._wire.forget()
            try:
                answer, url = self._wire.send(
                    "Login", self._method("Login"), self.settings.login_url, self.settings.login_arguments
                )
                with answer:
                    verdict = self._judge("Login", answer)
                    if verdict.rule.reaction is Reaction.OK or verdict.code == _BROKER_REQUIRED:
                        answer.reply, capabilities = read_login(answer.chunks(), self.mender(), url)
                        verdict = self._verdict("Login", answer)
                        said = answer.header("RETS-Version").strip()
                if verdict.rule.reaction is Reaction.OK:
                    self._check(capabilities)
                    self._agree(said)
                    self._act(capabilities)
                    return capabilities
                if verdict.code == _BROKER_REQUIRED and capabilities.brokers:
                    verdict = replace(verdict, text=f"{verdict.text}; one of {'; '.join(capabilities.brokers)}")
            except requests.RequestException as error:
                verdict = self._failed(error)
            except (RetsTruncatedError, RetsParseError) as error:
                verdict = self._unread(error)
            self._react(trial, "Login", verdict)

    def _check(self, capabilities: Capabilities) -> None:
        if capabilities.url("Search") is None:
            raise SourceRefusedError(
                f"Login at {self._where}: the answer names no Search address; is login_url a RETS login?"
            )

    def _agree(self, said: str) -> None:
        """Speak the version that the server answered in, if it is another than ours."""
        if re.fullmatch(r"RETS/[0-9]\.[0-9]{1,2}(\.[0-9]{1,2})?", said) and _major(said) != _major(self._wire.version):
            _log.info("rets.version", where=self._where, asked=self._wire.version, answered=said)
            self._wire.version = said

    def _act(self, capabilities: Capabilities) -> None:
        """RETS 1.7.2 §4.10: to be fetched at once after login, before anything else, and by GET."""
        self.action = ""
        action = capabilities.url("Action")
        if action is None or action not in self._wire.trusted:
            return
        try:
            answer, _ = self._wire.send("Action", "GET", action, {})
            with answer:
                if 200 <= answer.status < 300:
                    self.action = _text(answer.peek(_ACTION_BYTES)[:_ACTION_BYTES])
        except (requests.RequestException, SourceError) as error:  # a notice is no reason to do without data
            _log.info("rets.action_failed", where=self._where, error=type(error).__name__)

    def _open(self, transaction: str, arguments: Mapping[str, str], trial: Trial) -> Answer:
        while True:
            self.login()
            url = self._capabilities.url(transaction) if self._capabilities else None
            if url is None:
                raise SourceRefusedError(f"{transaction} at {self._where}: the server does not offer it")
            method = self._method(transaction)
            try:
                answer, _ = self._wire.send(transaction, method, url, arguments)
                verdict = self._judge(transaction, answer)
                if verdict.rule.reaction in _GO_ON:
                    return answer
                answer.close()
                other = self._other_method(transaction, method, answer)
                if other is not None:
                    self._methods[transaction] = other
                    continue
            except requests.RequestException as error:
                verdict = self._failed(error)
            except (RetsTruncatedError, RetsParseError) as error:
                verdict = self._unread(error)
            self._react(trial, transaction, verdict)

    def _other_method(self, transaction: str, method: Method, answer: Answer) -> Method | None:
        """The one to go on with: GET where nothing takes a POST, POST for what is too long for an address, unless that
        was refused before. None where this one may stay."""
        if answer.reply is not None:
            return None
        if method == "POST" and answer.status in {404, 405}:
            self._no_post.add(transaction)
            return "GET"
        if method == "GET" and answer.status == 414 and transaction not in self._no_post:
            return "POST"
        return None

    def _judge(self, transaction: str, answer: Answer) -> Verdict:
        """The verdict while only the head of the answer is known."""
        if not (200 <= answer.status < 300 and answer.content_type.startswith(_OPAQUE)):
            answer.look_for_reply()
            if answer.reply is None and 200 <= answer.status < 300:
                # A photo's place may hold a text that says why there is none: only a page is nobody's answer to that.
                instead = (html_page if transaction == "GetObject" else stranger)(answer.peek())
                if instead:
                    return Verdict(AWAY, text=instead, retry_after=answer.retry_after, kind=SourceAwayError)
        return self._verdict(transaction, answer)

    def _unread(self, error: RetsTruncatedError | RetsParseError) -> Verdict:
        """The verdict on an answer that cannot be read."""
        return Verdict(UNPACKABLE) if self._wire.gives_up_compression() else Verdict.on(error)

    def _verdict(self, transaction: str, answer: Answer) -> Verdict:
        reply = answer.reply
        if reply is None:
            rule = rule_for_status(transaction, answer.status)
            reply = Reply(f"http-{answer.status}", f"HTTP status {answer.status}")
        else:
            rule = rule_for_code(transaction, reply.code, reply.text)
        return Verdict(rule, reply.code, reply.text, answer.retry_after)

    def _react(self, trial: Trial, transaction: str, verdict: Verdict) -> None:
        """Return when the request is to be sent again; raise when not."""
        rule = verdict.rule
        said = self._safe(verdict.text)
        message = f"{transaction} at {self._where}: {rule.meaning}" + (f" ({said})" if said else "")
        if rule.reaction is Reaction.RELOGIN:
            if trial.relogged:
                raise SourceUnavailableError(f"{message}, again after a new login")
            trial.relogged = True
            self._capabilities = None
            _log.info("rets.relogin", where=self._where, transaction=transaction, code=verdict.code)
            return
        if rule.reaction is Reaction.BACKOFF:
            told = self._told_to_wait
            asked = told is not None and rule.then is None and (rule.throttle or verdict.retry_after is not None)
            pause = told(transaction, message, verdict.retry_after, rule.wait) if told is not None and asked else 0.0
            seconds = trial.pause(verdict, elsewhere=asked)
            if seconds is None:
                _log.info("rets.retry", where=self._where, transaction=transaction, reason=message)
                return
            if asked and rule.throttle:
                raise SourcePausedError(f"{message}; left alone for {pause:.0f} s", pause)
            if rule.then is None:
                raise verdict.kind(message, verdict.retry_after if verdict.retry_after is not None else seconds)
        raise RetsReplyError(transaction, verdict.code, message + (f"; {rule.remedy}" if rule.remedy else ""), said)

    def _safe(self, text: str) -> str:
        """The server's words fit for a log: short, without control characters, credentials or cookies."""
        for secret in self._wire.secrets():
            text = text.replace(secret, "***")
        text = "".join(character if character.isprintable() else " " for character in text[:1000])
        return " ".join(text.split())[:300]

    def _failed(self, error: requests.RequestException) -> Verdict:
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
                return Verdict(BROKEN, "failed", reason)
        return Verdict(BROKEN, "failed", type(error).__name__)


def _major(version: str) -> list[str]:
    """What makes two versions different protocols: RETS/1.7 and RETS/1.7.2 are one."""
    return version.partition("/")[2].split(".")[:2]


def _text(body: bytes) -> str:
    try:
        return body.decode()
    except UnicodeDecodeError:
        return body.decode("cp1252", "replace")
