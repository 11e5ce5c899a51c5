"""Who is logged in, and how much was asked: the memory that the statistics are read from."""

from __future__ import annotations

import secrets
import threading
import time
from collections import Counter, deque

from .faults import Faults

COOKIE = "X-SESSIONID"
IDLE_SECONDS = 1800


class Sessions:
    """The sessions that are open. Safe for use from several threads."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self._lock = threading.Lock()
        self._open: dict[str, float] = {}
        self._lost: set[str] = set()
        self._distrusted: set[str] = set()
        self._counts: Counter[str] = Counter()
        self._most_open = 0
        self._recent: deque[float] = deque()
        self._most_in_second = 0

    def login(self, cookie: str | None) -> str | None:
        """Open a session in place of the caller's own; None when only one may live and another one does."""
        with self._lock:
            self._expire()
            self._open.pop(cookie or "", None)
            if self._open and self._faults.on("one-session"):
                return None
            session = secrets.token_hex(16)
            self._open[session] = time.monotonic()
            self._counts["logins"] += 1
            self._most_open = max(self._most_open, len(self._open))
            return session

    def known(self, cookie: str | None) -> bool:
        """Whether this session is open; using it keeps it so. A fault may have forgotten it."""
        forgotten = self._faults.strikes("session-lost")
        forgotten = self._faults.strikes("status-412") or forgotten
        with self._lock:
            self._expire()
            if cookie is None or cookie not in self._open:
                return False
            if forgotten:
                del self._open[cookie]
                return False
            self._open[cookie] = time.monotonic()
            return True

    def renew(self, cookie: str, *, distrusted: bool) -> str:
        """The session's new cookie, in place of this one; or one whose session is gone, to be refused once."""
        other = secrets.token_hex(16)
        with self._lock:
            used = self._open.pop(cookie, None)
            if distrusted:
                self._distrusted.add(other)
            elif used is not None:
                self._open[other] = used
        return other

    def distrusts(self, cookie: str | None) -> bool:
        """Whether this is such a cookie, brought back for the first time."""
        with self._lock:
            if cookie is None or cookie not in self._distrusted:
                return False
            self._distrusted.remove(cookie)
            return True

    def elsewhere(self, cookie: str | None) -> bool:
        """Whether a request reached a node that does not know its session, as a fault has it, and then all with it."""
        if cookie is None or self._faults.on("lost-node") is None:
            return False
        with self._lock:
            known = cookie in self._open
        struck = known and self._faults.strikes("lost-node")
        with self._lock:
            if struck:
                self._open.pop(cookie, None)
                self._lost.add(cookie)
            return cookie in self._lost

    def logout(self, cookie: str | None) -> bool:
        """Close a session; False when it was not open."""
        with self._lock:
            found = self._open.pop(cookie or "", None) is not None
            self._counts["logouts"] += found
            return found

    def count(self, transaction: str) -> None:
        """Note a request."""
        with self._lock:
            now = time.monotonic()
            self._counts[f"requests.{transaction}"] += 1
            if transaction not in ("Photo", "Unknown"):
                self._recent.append(now)
                while self._recent[0] <= now - 1:
                    self._recent.popleft()
                self._most_in_second = max(self._most_in_second, len(self._recent))

    def too_early(self, transaction: str) -> None:
        """Note a request that came though the client was told to stay away."""
        with self._lock:
            self._counts[f"too_early.{transaction}"] += 1

    def stats(self) -> dict[str, object]:
        """Requests by transaction, those of them that came too early, logins, logouts, sessions now and at most, and
        RETS transactions within the busiest stretch of one second, wherever it begins."""
        with self._lock:
            self._expire()
            return {
                "requests": self._counted("requests."),
                "too_early": self._counted("too_early."),
                "logins": self._counts["logins"],
                "logouts": self._counts["logouts"],
                "sessions_open": len(self._open),
                "sessions_open_max": self._most_open,
                "requests_per_second_max": self._most_in_second,
            }

    def _counted(self, prefix: str) -> dict[str, int]:
        counts = sorted(self._counts.items())
        return {name.removeprefix(prefix): count for name, count in counts if name.startswith(prefix)}

    def _expire(self) -> None:
        limit = time.monotonic() - int(self._faults.on("one-session") or IDLE_SECONDS)
        for session in [session for session, used in self._open.items() if used < limit]:
            del self._open[session]
