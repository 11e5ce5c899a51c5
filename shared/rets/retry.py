"""How often and how long one request is asked again."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from shared.rets.codes import BROKEN, UNREADABLE, Rule
from shared.rets.errors import RetsParseError, RetsTruncatedError
from shared.sources.base import SourceUnavailableError


@dataclass(frozen=True, slots=True)
class Verdict:
    """What an answer, or its absence, comes to. ``text`` is the server's or ours; ``kind`` is raised in the end."""

    rule: Rule
    code: str = ""
    text: str = ""
    retry_after: float | None = None
    kind: type[SourceUnavailableError] = SourceUnavailableError

    @classmethod
    def on(cls, error: RetsTruncatedError | RetsParseError) -> Verdict:
        """The verdict on an answer that was cut (ask again) or is no RETS (ask again once)."""
        rule = BROKEN if isinstance(error, RetsTruncatedError) else UNREADABLE
        return cls(rule, text=str(error), retry_after=error.retry_after, kind=type(error))


@dataclass(frozen=True, slots=True)
class Patience:
    """How much of it there is for one request, and the clock, sleep and randomness (0 to 1) to spend it with."""

    attempts: int
    seconds: float
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic
    jitter: Callable[[], float] = lambda: 0.0


class Trial:
    """One request and its repetitions."""

    def __init__(self, patience: Patience) -> None:
        self.relogged = False
        """Whether the one new login of this request was spent."""
        self._patience = patience
        self._began = patience.clock()
        self._pauses: Counter[str] = Counter()

    def pause(self, verdict: Verdict, *, elsewhere: bool = False) -> float | None:
        """Wait, twice as long each time, and return None; or, when count or time is used up, return at once the
        seconds one would have waited. ``elsewhere``: somebody else does the waiting, so that only the count matters."""
        rule, patience = verdict.rule, self._patience
        done = self._pauses[rule.meaning]
        limit = patience.attempts if rule.limit is None else min(rule.limit, patience.attempts)
        backoff = rule.wait * 2.0**done * (1 + patience.jitter() / 4)
        seconds = max(backoff, verdict.retry_after or 0.0)
        if done >= limit or (not elsewhere and patience.clock() - self._began + seconds > patience.seconds):
            return seconds
        self._pauses[rule.meaning] += 1
        if not elsewhere:
            patience.sleep(seconds)
        return None
