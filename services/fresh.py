"""A value that others may ask for as often as they like, and that is made anew only so often."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Fresh(Generic[T]):
    """What ``make`` returns, made at most every ``every`` seconds, by one thread at a time, when somebody asks.

    Safe to use from many threads, none of which waits longer than ``patience`` seconds, whatever ``make`` does. One
    that takes too long goes on in its thread, and is not begun a second time; meanwhile a value is given out that is
    no older than ``good_for`` seconds. After a value it rests ``rest`` times as long as making it took, so that what is
    slow is made less often. ``clock`` is in seconds and never steps back.
    """

    def __init__(
        self,
        make: Callable[[], T],
        *,
        every: float,
        patience: float,
        good_for: float = 0.0,
        rest: float = 0.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._make = make
        self._every = every
        self._patience = patience
        self._good_for = good_for
        self._rest = rest
        self._clock = clock
        self._lock = threading.Lock()
        self._done = threading.Event()
        self._done.set()
        self._due_at: float | None = None
        self._found: tuple[float, T] | None = None
        self._error: Exception | None = None

    def get(self) -> T:
        """The value. Raises what ``make`` raised, or TimeoutError."""
        with self._lock:
            if self._done.is_set() and (self._due_at is None or self._clock() >= self._due_at):
                self._done.clear()
                threading.Thread(target=self._work, name="fresh", daemon=True).start()
        in_time = self._done.wait(self._patience)
        with self._lock:
            if in_time and self._error is not None:
                raise self._error
            if self._found is None or (not in_time and self._clock() - self._found[0] > self._good_for):
                raise TimeoutError(f"no answer within {self._patience:g} seconds")
            return self._found[1]

    def _work(self) -> None:
        began = self._clock()
        found: tuple[float, T] | None = None
        error: Exception | None = None
        try:
            found = (began, self._make())
        except Exception as raised:
            error = raised
        now = self._clock()
        with self._lock:
            self._found, self._error = found or self._found, error
            self._due_at = max(began + self._every, now + (now - began) * self._rest if error is None else 0.0)
            self._done.set()
