"""What an MLS, or what stands in front of it, refuses before it looks at a request."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping

from .answers import Answer, envelope
from .faults import Faults
from .sessions import Sessions

_WAIT = 1
"""Seconds to stay away, as Retry-After says."""


class Gates:
    """The faults that answer in place of a transaction. Safe for use from several threads."""

    def __init__(self, faults: Faults, sessions: Sessions) -> None:
        self._faults = faults
        self._sessions = sessions
        self._lock = threading.Lock()
        self._closed_until = 0.0

    def refusal(self, method: str, name: str | None, target: str, headers: Mapping[str, str]) -> Answer | None:
        """The answer to a request that goes no further; ``name`` is its transaction, None for a photo by URL."""
        longest = self._faults.on("long-address")
        if longest and method == "GET" and len(target) > int(longest):
            return Answer(b"Request-URI Too Long", "text/plain", 414)
        if name == "Search" and method == "POST" and (status := self._faults.on("no-post")):
            return Answer(b"Not here", "text/plain", int(status))
        if self._faults.strikes("http-503"):
            return Answer(b"Service Unavailable", "text/plain", 503, {"Retry-After": str(_WAIT)})
        if self._throttled(name or "Photo"):
            return Answer(b"Too Many Requests", "text/plain", 429, {"Retry-After": str(_WAIT)})
        photos = name in (None, "GetObject")
        if photos and self._faults.on("needs-accept") and "*/*" not in headers.get("Accept", ""):
            return Answer(b"Not Acceptable", "text/plain", 406)
        if name is None:
            return None
        required = self._faults.on("length-required")
        if required and (method == "POST" or required == "any") and headers.get("Content-Length") is None:
            return Answer(b"Length Required", "text/plain", 411)
        wanted = self._faults.on("version-refused")
        if wanted and headers.get("RETS-Version", "").removeprefix("RETS/") != wanted:
            return Answer(envelope(20036, f"Invalid RETS-Version, use RETS/{wanted}"), "text/plain", 400)
        return None

    def _throttled(self, name: str) -> bool:
        if self._faults.on("throttle-429") is None:
            return False
        with self._lock:
            now = time.monotonic()
            if now < self._closed_until:
                self._sessions.too_early(name)
                return True
            if self._faults.strikes("throttle-429"):
                self._closed_until = now + _WAIT
                return True
            return False
