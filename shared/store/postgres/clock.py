"""The database server's clock, known without asking it each time."""

from __future__ import annotations

import time
from typing import Any

import psycopg

EVERY = 60.0
"""Seconds after which the clocks are compared again: either may have been set."""


class ServerClock:
    """Seconds since 1970 by the server's clock, which all machines share; this machine's only counts on from there.

    Whoever has a connection in hand calls ``compare`` when it is ``due``.
    """

    def __init__(self) -> None:
        self._compared: tuple[float, float] | None = None

    def __call__(self) -> float:
        """Not before the first comparison."""
        assert self._compared is not None
        server, here = self._compared
        return server + (time.monotonic() - here)

    @property
    def unknown(self) -> bool:
        """Whether the clocks were never compared."""
        return self._compared is None

    @property
    def due(self) -> bool:
        return self._compared is None or time.monotonic() - self._compared[1] > EVERY

    def compare(self, connection: psycopg.Connection[Any]) -> None:
        """One question; the answer is taken to be of the instant half way between question and answer."""
        asked = time.monotonic()
        row = connection.execute("SELECT extract(epoch FROM clock_timestamp())::float8").fetchone()
        answered = time.monotonic()
        assert row is not None
        self._compared = row[0], (asked + answered) / 2
