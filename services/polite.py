"""A feed's manners: every request to its MLS takes its share of the budget, at the hours it may, and waits its turn.

What was used, and until when the MLS wants to be left alone, is in the store: all sessions and processes of the feed
share it, and a new one does not start afresh. Photos by URL are no requests to the MLS's login and take no share.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import structlog
from prometheus_client import Counter, Gauge, Histogram

from shared.budget import SECOND, Limits, Share, Use, Wait
from shared.hours import parse_hours
from shared.instants import instant
from shared.rets.codes import known_code
from shared.settings import FeedSettings
from shared.sources.base import SourcePausedError
from shared.store.base import Store

REQUESTS = Counter(
    "mlsync_rets_requests_total",
    "Requests under the MLS's login, by feed, transaction and reply code (or HTTP status, or failed).",
    ["feed", "transaction", "code"],
)
REQUEST_SECONDS = Histogram(
    "mlsync_rets_request_seconds",
    "Seconds from sending a request under the MLS's login until its answer was read, by feed and transaction.",
    ["feed", "transaction"],
    buckets=(0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 900),
)
SESSIONS = Gauge(
    "mlsync_sessions_open",
    "Sessions of the feed that this process holds at the MLS, in use or waiting for use.",
    ["feed"],
)
LOGINS = Counter(
    "mlsync_logins_total",
    "Logins at the MLS, each with all the requests it took, by feed and outcome: ok, failed.",
    ["feed", "outcome"],
)

PATIENCE = 10.0
"""Seconds that a request waits in its place; whoever would wait for longer gives up thread and session meanwhile."""
LOGOUT_SECONDS = 2.0
LOOK_SECONDS = 900.0
"""Nobody relies for longer on what was true of a pause: clocks are set, settings change."""
_WELL = frozenset({"0", "20201"})

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Standing:
    """How much of each limit is used, and until when no request may be sent; None: it may now.

    ``fetcher`` is the process that fetches for the feed, where several may.
    """

    uses: tuple[Use, ...] = ()
    wait: Wait | None = None
    fetcher: str | None = None

    def lines(self) -> list[str]:
        """In words."""
        lines = [f"{use.used:,} of {use.setting} {use.limit:,} used" for use in self.uses]
        if self.fetcher is not None:
            lines.append(f"fetched by {self.fetcher}")
        return lines if self.wait is None else [*lines, in_words(self.wait)]

    def as_json(self) -> dict[str, Any]:
        """The shape scripts rely on."""
        wait = self.wait
        return {
            "budget": {use.setting: {"limit": use.limit, "used": use.used} for use in self.uses},
            "paused_until": None if wait is None else _next(wait),
            "paused_because": None if wait is None else wait.reason,
            "fetcher": self.fetcher,
        }


class Manners:
    """The hooks of one session. Not safe for use from two threads at once, as the session is not."""

    def __init__(self, polite: Polite) -> None:
        self._polite = polite
        self._share = Share(0)
        self._sent = 0.0

    def before_request(self, transaction: str) -> None:
        """Wait for leave. Raises SourcePausedError when that takes too long."""
        self._share = self._polite.take(transaction)
        self._sent = time.monotonic()

    def after_response(self, transaction: str, code: str, byte_size: int) -> None:
        """Note the answer."""
        REQUEST_SECONDS.labels(self._polite.name, transaction).observe(time.monotonic() - self._sent)
        self._polite.answered(self._share, transaction, code, byte_size)

    def after_login(self, well: bool) -> None:
        """Note how a login ended."""
        LOGINS.labels(self._polite.name, "ok" if well else "failed").inc()

    def told_to_wait(self, transaction: str, reason: str, said: float | None, usual: float) -> float:
        """Note that the MLS asked to be left alone; for how many seconds it is."""
        return self._polite.refused(self._share, transaction, reason, said, usual)


class Polite:
    """One feed's manners in this process. Safe to use from many threads.

    ``pause`` waits so many seconds, and raises SourcePausedError when the process is to end. ``counted`` is called for
    every request that has leave.
    """

    def __init__(
        self,
        name: str,
        feed: FeedSettings,
        store: Store,
        pause: Callable[[float], None],
        counted: Callable[[], None] = lambda: None,
    ) -> None:
        self.name = name
        self._store = store
        self._pause = pause
        self._counted = counted
        self._quiet = parse_hours(feed.quiet_hours) if feed.quiet_hours else None
        self._limits = Limits(
            feed.requests_per_second, feed.requests_per_hour, feed.requests_per_day, feed.bytes_per_hour
        )
        # A login is several requests: giving up between them would begin it anew for ever.
        second = sum(window.length for window in self._limits.windows() if window.kind == "second")
        self._patience = PATIENCE + second / SECOND
        self._lock = threading.Lock()
        self._until = 0
        for outcome in ("ok", "failed"):
            LOGINS.labels(name, outcome)  # 0 from the start: the first failure is then seen as a rise
        self._look_at = 0.0

    def manners(self) -> Manners:
        """The hooks for a new session."""
        return Manners(self)

    def take(self, transaction: str) -> Share:
        """Leave for one request. Raises SourcePausedError when there is none for longer than is worth waiting for.

        Logging out counts, but waits for no longer than a moment: a session left open would keep the next login out.
        """
        leaving = transaction == "Logout"
        at_last = time.monotonic() + LOGOUT_SECONDS
        while True:
            found = self._leave(forced=leaving and time.monotonic() >= at_last)
            if isinstance(found, Share):
                self._counted()
                return found
            seconds = (found.until - self._store.feeds.now()) / SECOND
            if leaving:
                if seconds > at_last - time.monotonic():
                    at_last = 0.0
                else:
                    time.sleep(max(0.0, seconds))
                continue
            if seconds > self._patience:
                self._remember(found, seconds)
                raise SourcePausedError(in_words(found), seconds)
            self._pause(max(0.0, seconds))

    def answered(self, share: Share, transaction: str, code: str, byte_size: int) -> None:
        """The request was answered with a reply code (or ``http-<status>``, or ``failed``) and so many bytes."""
        REQUESTS.labels(self.name, transaction, known_code(transaction, code)).inc()
        self._store.budget.answered(self.name, self._limits, share, transaction, byte_size, well=code in _WELL)

    def refused(self, share: Share, transaction: str, reason: str, said: float | None, usual: float) -> float:
        """The MLS asked to be left alone, for ``said`` seconds or without saying for how long; the seconds it is."""
        until = self._store.budget.refused(self.name, share, transaction, reason, said, usual)
        log.warning("the MLS asks to be left alone", feed=self.name, reason=reason, until=instant(until))
        return (until - self._store.feeds.now()) / SECOND

    def standing(self) -> Standing:
        """Where the feed stands now."""
        uses, wait = self._store.budget.look(self.name, self._limits)
        waits = [found for found in (wait, self._quiet_until()) if found is not None]
        return Standing(uses, max(waits, key=lambda found: found.until, default=None))

    def paused(self) -> float:
        """For how many seconds nobody need ask for leave, as far as this process knows; 0 when one may."""
        return max(0.0, self._look_at - time.monotonic())

    def _leave(self, *, forced: bool) -> Share | Wait:
        quiet = None if forced else self._quiet_until()
        return quiet or self._store.budget.take(self.name, self._limits, forced=forced)

    def _quiet_until(self) -> Wait | None:
        if self._quiet is None:
            return None
        now = self._store.feeds.now()
        until = self._quiet.following(now, within=False)
        return Wait(until, f"quiet hours ({self._quiet.text})") if until > now else None

    def _remember(self, wait: Wait, seconds: float) -> None:
        with self._lock:
            news = wait.until != self._until
            self._until = wait.until
            self._look_at = time.monotonic() + min(seconds, LOOK_SECONDS)
        if news:
            log.info("the MLS is left alone", feed=self.name, reason=wait.reason, until=instant(wait.until))


def in_words(wait: Wait) -> str:
    """Why, and from when on the MLS may be asked again."""
    return f"{wait.reason}; next request at {_next(wait)}"


def _next(wait: Wait) -> str:
    return instant(wait.until + SECOND - 1)
