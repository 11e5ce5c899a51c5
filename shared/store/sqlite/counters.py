"""Counters of a run, on SQLite."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping


def add_counts(
    connection: sqlite3.Connection, feed: str, run_id: str, resource: str, counts: Mapping[str, int]
) -> None:
    """Add to a run's counters within the caller's transaction; zeros are not written."""
    connection.executemany(
        "INSERT INTO run_count VALUES (?, ?, ?, ?, ?) ON CONFLICT (run_id, feed, resource, name) "
        "DO UPDATE SET value = value + excluded.value",
        [(run_id, feed, resource, name, n) for name, n in counts.items() if n],
    )
