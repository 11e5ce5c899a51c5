"""What simulated worlds share: one clock, one scheduler, one database and photo store that are emptied between them.

Inside ``Machine.on`` whatever reads the time, sleeps or draws an identifier gets the world's.
"""

from __future__ import annotations

import itertools
import logging
import secrets
import threading
import time
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol, TypeVar, cast

import structlog

from services.media import service as media_service
from tests.simulation.effects import SteppedBlobs, SteppedDatabase, template
from tests.simulation.scheduler import Owner, Scheduler

T = TypeVar("T")
BEGINNING = 1_800_000_000.0


class Clocked(Owner, Protocol):
    """A process with a clock of its own, so many seconds off."""

    skew: float


class InPlace:
    """Takes the place of ``services.media.pools.Pool``: one after the other, so that the scheduler sees each."""

    def __init__(self, threads: int, name: str) -> None:
        """The threads are the scheduler's."""

    def each(self, tasks: Iterable[Callable[[], T]]) -> Generator[T, None, None]:
        for task in tasks:
            yield task()

    def close(self) -> None:
        """Nothing to do."""


class Stop(threading.Event):
    """An event whose waiting is simulated."""

    def __init__(self, machine: Machine) -> None:
        super().__init__()
        self._machine = machine

    def wait(self, timeout: float | None = None) -> bool:
        if not self.is_set() and timeout != 0:
            until = None if timeout is None else self._machine.now + timeout
            self._machine.scheduler.wait(self.is_set, until)
        return self.is_set()


class Machine:
    """See the module."""

    def __init__(self, folder: Path) -> None:
        self.now = BEGINNING
        self.scheduler = Scheduler()
        self.database = SteppedDatabase(template(folder), self.scheduler)
        self.blobs = SteppedBlobs(folder / "media", self.scheduler)
        self.blobs.prepare()
        self._numbers = itertools.count(1)

    def clear(self) -> None:
        """As it was at first."""
        self.now = BEGINNING
        self.database.clear()
        self.blobs.clear()
        self._numbers = itertools.count(1)

    def close(self) -> None:
        self.database.close()

    def time(self) -> float:
        """As the process that runs now has it, which may be wrong."""
        task = self.scheduler.current
        return self.now + (cast(Clocked, task.owner).skew if task else 0.0)

    def monotonic(self) -> float:
        """Of any process: no two can be compared, and none steps."""
        return self.now

    def _sleep(self, seconds: float) -> None:
        if self.scheduler.current is not None:
            self.scheduler.wait(until=self.now + seconds)

    def _token(self, size: int = 8) -> str:
        return f"{next(self._numbers):0{2 * size}x}"

    @contextmanager
    def on(self) -> Iterator[None]:
        """Time, identifiers and threads for photos are the world's; nothing is logged."""
        ours: list[tuple[object, str, Any]] = [
            (time, "time", self.time),
            (time, "monotonic", self.monotonic),
            (time, "sleep", self._sleep),
            (secrets, "token_hex", self._token),
            (media_service, "Pool", InPlace),
        ]
        theirs = [(where, name, getattr(where, name)) for where, name, _ in ours]
        logs = structlog.get_config()
        try:
            structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
            for where, name, value in ours:
                setattr(where, name, value)
            yield
        finally:
            for where, name, value in theirs:
                setattr(where, name, value)
            structlog.configure(**logs)
