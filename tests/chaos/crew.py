"""Processes of mlsync that are started again whenever they end, as a platform does."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path

from tests.pipeline.simulated import MLSYNC

AGAIN_SECONDS = 0.2
MOST_SECONDS = 3.0
"""Between two starts: after a kill, and at most when a process keeps ending by itself."""
UP_SECONDS = 60.0
"""How long a kill waits for its process to be there."""


class Member:
    """One process: ``mlsync run <service>``."""

    def __init__(self, name: str, env: Mapping[str, str], folder: Path) -> None:
        self.name = name
        self.service = name.partition("-")[0]
        self.kills = 0
        self.ends: Counter[int] = Counter()
        """How often it ended by itself, by exit code."""
        self._env = env
        self._folder = folder
        self._lock = threading.Condition()
        self._process: subprocess.Popen[bytes] | None = None
        self._killed = False
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._keep, name=name, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def kill(self) -> None:
        """SIGKILL the process that is there, or the one that is about to be."""
        with self._lock:
            assert self._lock.wait_for(lambda: self._process is not None, UP_SECONDS), f"{self.name} is not started"
            assert self._process is not None
            self._process.kill()
            self._process = None
            self._killed = True
            self.kills += 1

    def stall(self) -> Callable[[], None]:
        """SIGSTOP; returns what sends SIGCONT to the same process."""
        with self._lock:
            assert self._lock.wait_for(lambda: self._process is not None, UP_SECONDS), f"{self.name} is not started"
            stalled = self._process
            assert stalled is not None
            stalled.send_signal(signal.SIGSTOP)
        return lambda: stalled.send_signal(signal.SIGCONT)

    def tell_to_stop(self) -> None:
        """SIGTERM; it is not started again."""
        with self._lock:
            self._ending.set()
            if self._process is not None:
                self._process.terminate()

    def ended(self, seconds: float) -> int | None:
        """The exit code of the last one, once it has ended; None when it does not end."""
        self._thread.join(seconds)
        return None if self._thread.is_alive() or self._last is None else self._last.returncode

    def end(self) -> None:
        """Leave nothing behind."""
        self._ending.set()
        if self._last is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._last.pid, signal.SIGKILL)
        if self._thread.is_alive():
            self._thread.join(10)

    _last: subprocess.Popen[bytes] | None = None

    def _keep(self) -> None:
        pause = AGAIN_SECONDS
        while not self._ending.is_set():
            started = time.monotonic()
            with (self._folder / f"log-{self.name}").open("ab") as log:
                running = subprocess.Popen(
                    [str(MLSYNC), "run", self.service], env=dict(self._env), cwd=self._folder,
                    stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=log, start_new_session=True,
                )  # fmt: skip
            with self._lock:
                self._process = self._last = running
                self._killed = False
                if self._ending.is_set():
                    running.terminate()
                self._lock.notify_all()
            code = running.wait()
            with self._lock:
                killed, self._process = self._killed, None
            if not killed and not self._ending.is_set():
                self.ends[code] += 1
            quick = not killed and time.monotonic() - started < 10
            pause = min(MOST_SECONDS, 2 * pause) if quick else AGAIN_SECONDS
            self._ending.wait(pause)
