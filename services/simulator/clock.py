"""The simulator's own time: a start that never varies, whole days advanced, and the seconds that really passed."""

from __future__ import annotations

import time
from datetime import UTC, datetime

DAY = 86_400
START = int(datetime(2024, 3, 5, 14, 0, 0, tzinfo=UTC).timestamp())

# CREA processes board updates from 09:00 to 03:00 Eastern; simulated days begin at 14:00 UTC. Changes of people come
# first, so that no listing carries a copy of somebody from its own future.
QUIET = 6 * 3600
PEOPLE_SPAN = 1800
LISTINGS_FROM = QUIET + 2400
LISTINGS_SPAN = 39_000 - 2400


class Clock:
    """Seconds since 1970 at the simulated MLS. Only whole days are ever added to the time that really passes."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self.days = 0

    def elapsed(self) -> float:
        """Real seconds since the simulator was made."""
        return time.monotonic() - self._began

    def now(self) -> float:
        """The present instant."""
        return START + self.days * DAY + self.elapsed()

    def shift(self) -> int:
        """Seconds by which the next day's changes move so that they lie after the present instant.

        A day's changes begin six hours into it. A simulator that has run for less than that needs no shift, and so
        the stamps of its changes depend on the seed alone; one that runs for long moves them in steps of six hours.
        """
        return int(self.elapsed() // QUIET) * QUIET
