"""Processes of mlsync that are started again whenever they end, as a platform does."""

from __future__ import annotations

import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path

from tests.chaos.nursery import Child, Nursery

AGAIN_SECONDS = 0.2
MOST_SECONDS = 3.0
"""Between two starts: after a kill, and at most when a process keeps ending by itself."""
UP_SECONDS = 60.0
"""How long a kill waits for its process to be there."""


class Member:
    """One process: ``mlsync run <service>``."""

    def __init__(self, name: str, env: Mapping[str, str], folder: Path, nursery: Nursery) -> None:
        self.name = name
        self.service = name.partition("-")[0]
        self.kills = 0
        self.ends: Counter[int] = Counter()
        """How often it ended by itself, by exit code."""
        self._env = env
        self._folder = folder
        self._nursery = nursery
        self._lock = threading.Condition()
        self._process: Child | None = None
        self._last: Child | None = None
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._keep, name=name, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def kill(self) -> None:
        """SIGKILL the process that is there, or the one that is about to be."""
        with self._lock:
            self._there().send(signal.SIGKILL)
            self._process = None
            self.kills += 1

    def stall(self) -> Callable[[], None]:
        """SIGSTOP; returns what sends SIGCONT to the same process."""
        with self._lock:
            stalled = self._there()
            stalled.send(signal.SIGSTOP)
        return lambda: stalled.send(signal.SIGCONT)

    def tell_to_stop(self) -> None:
        """SIGTERM; it is not started again."""
        with self._lock:
            self._ending.set()
            if self._process is not None:
                self._process.send(signal.SIGTERM)

    def ended(self, seconds: float) -> int | None:
        """The exit code of the last one, once it has ended; None when it does not end."""
        self._thread.join(seconds)
        return None if self._thread.is_alive() or self._last is None else self._last.code

    def _there(self) -> Child:
        assert self._lock.wait_for(lambda: self._process is not None, UP_SECONDS), f"{self.name} is not started"
        assert self._process is not None
        return self._process

    def _keep(self) -> None:
        pause = AGAIN_SECONDS
        while not self._ending.is_set():
            started = time.monotonic()
            running = self._nursery.start(self.service, self._env, self._folder, self._folder / f"log-{self.name}")
            with self._lock:
                self._process = self._last = running
                if self._ending.is_set():
                    running.send(signal.SIGTERM)
                self._lock.notify_all()
            running.ended.wait()
            with self._lock:
                killed, self._process = self._process is None, None
            if not killed and not self._ending.is_set():
                self.ends[running.code or 0] += 1
            quick = not killed and time.monotonic() - started < 10
            pause = min(MOST_SECONDS, 2 * pause) if quick else AGAIN_SECONDS
            self._ending.wait(pause)
