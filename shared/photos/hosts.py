"""Hosts of photos that want to be left alone: one said so of one photo, and it holds for all."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from shared.budget import SECOND, pause_length

_USUAL = 5.0
"""Seconds, where a host does not say for how long."""
_MOST_HOSTS = 1_024


@dataclass(frozen=True, slots=True)
class _Pause:
    until: float
    refusals: int


class HostPauses:
    """Until when each host is left alone, in this process. Safe to use from many threads; ``clock`` is in seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._pauses: dict[str, _Pause] = {}

    def left(self, host: str) -> float:
        """For how many seconds more the host wants to be left alone; 0 when it may be asked."""
        pause = self._pauses.get(host)
        return max(0.0, pause.until - self._clock()) if pause is not None else 0.0

    def refused(self, host: str, said: float | None) -> float:
        """The host asked to be left alone for ``said`` seconds, or did not say for how long; returns how long it is.

        At least as long as it said (at most a day), and longer with every refusal in a row; requests under way at once
        count as one refusal.
        """
        with self._lock:
            now = self._clock()
            before = self._pauses.get(host, _Pause(now, 0))
            refusals = max(1, before.refusals + (before.until <= now))
            seconds = pause_length(said, _USUAL, refusals) / SECOND
            if host not in self._pauses and len(self._pauses) >= _MOST_HOSTS:
                del self._pauses[min(self._pauses, key=lambda name: self._pauses[name].until)]
            self._pauses[host] = _Pause(max(before.until, now + seconds), refusals)
            return self._pauses[host].until - now

    def answered(self, host: str) -> None:
        """The host gave what it was asked for: if its pause is over, so are its refusals."""
        if host in self._pauses:
            with self._lock:
                if self.left(host) == 0:
                    self._pauses.pop(host, None)

    def all(self) -> dict[str, float]:
        """Every host that is left alone now, with the seconds left."""
        with self._lock:
            return {host: left for host in sorted(self._pauses) if (left := self.left(host)) > 0}
