"""Counters of a run: rows that every transaction of a feed adds to, hence written last."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from shared.store.sql.connection import Connection

COLUMNS = ("run_id", "feed", "resource", "name", "value")
ADD = "ON CONFLICT (run_id, feed, resource, name) DO UPDATE SET value = run_count.value + excluded.value"


class Counts:
    """What a transaction counts, kept until its end so that nobody waits for these rows longer than a commit takes."""

    def __init__(self) -> None:
        self._counted: Counter[tuple[str, str, str, str]] = Counter()

    def add(self, feed: str, run_id: str, resource: str, counts: Mapping[str, int]) -> None:
        """Add to a run's counters."""
        for name, n in counts.items():
            self._counted[run_id, feed, resource, name] += n

    def write(self, connection: Connection) -> None:
        """Write them, in the order of their keys, so that two transactions never wait for each other; no zeros."""
        connection.insert("run_count", COLUMNS, [(*key, n) for key, n in sorted(self._counted.items()) if n], ADD)
        self._counted.clear()
