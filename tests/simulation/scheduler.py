"""Threads of simulated processes: one runs at a time, each stops before every effect it has on the outside.

What happens between two effects cannot be seen from outside, so every interleaving that matters is one of effects.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Protocol

from greenlet import greenlet


class Crash(BaseException):
    """The process dies here."""


class Owner(Protocol):
    """A process: what happens to it happens to all its threads."""

    name: str
    dead: bool


class Task:
    """One thread."""

    def __init__(self, owner: Owner, name: str, act: Callable[[], None]) -> None:
        self.owner = owner
        self.name = name
        self.greenlet = greenlet(act)
        self.ready: Callable[[], bool] | None = None
        """While it waits: whether what it waits for is there."""
        self.wakes_at: float | None = None
        """While it sleeps: until when, on the world's clock."""
        self.busy_since: float | None = None
        """While it has something in hand: since when."""
        self.frozen = False

    @property
    def ended(self) -> bool:
        return self.greenlet.dead

    def runnable(self, now: float) -> bool:
        """Whether it could go on."""
        if self.frozen or self.greenlet.dead:
            return False
        if self.wakes_at is not None and self.wakes_at <= now:
            return True
        return self.wakes_at is None if self.ready is None else self.ready()


class Scheduler:
    """Passes the one baton to tasks and gets it back at their next effect."""

    def __init__(self) -> None:
        self.current: Task | None = None
        self.watch: Callable[[Task, str], None] | None = None
        self._main = greenlet.getcurrent()
        self._whole = 0

    def step(self, task: Task) -> None:
        """Let the task go on, up to its next effect."""
        self._main = greenlet.getcurrent()
        task.greenlet.parent = self._main  # where it goes when it ends; it was made in the thread that started it
        self.current = task
        try:
            task.greenlet.switch()
        finally:
            self.current = None

    def kill(self, task: Task) -> None:
        """Its process died: nothing it does from now on is seen by anybody."""
        if not task.greenlet:  # it has not begun
            return
        task.greenlet.parent = greenlet.getcurrent()
        self.current = task
        try:
            task.greenlet.throw(Crash)
        finally:
            self.current = None

    def point(self, what: str) -> None:
        """An effect is about to happen: others may go first, or the process may die."""
        task = self.current
        if task is None:
            return
        if task.owner.dead:
            raise Crash
        if not self._whole:
            if self.watch is not None:
                self.watch(task, what)
            self._pass()

    def wait(self, ready: Callable[[], bool] | None = None, until: float | None = None) -> None:
        """Go on when ``ready`` says so, or at ``until``."""
        task = self.current
        assert task is not None
        if task.owner.dead:
            raise Crash
        task.ready, task.wakes_at = ready, until
        try:
            self._pass()
        finally:
            task.ready = task.wakes_at = None

    def _pass(self) -> None:
        task = self.current
        assert task is not None
        self._main.switch()
        if task.owner.dead:
            raise Crash

    @contextmanager
    def whole(self) -> Iterator[None]:
        """Nobody else runs meanwhile: for what holds a lock of the process, where others could only wait."""
        self._whole += 1
        try:
            yield
        finally:
            self._whole -= 1


def place() -> str:
    """The method of the product that has the effect which is about to happen."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        path = frame.f_code.co_filename
        if "/services/" in path or "/shared/sources/pool" in path:
            return frame.f_code.co_qualname
        frame = frame.f_back
    return ""
