"""What could not be handled, on SQLite."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable, Sequence

from shared.store.base import Parked
from shared.store.sqlite.database import Database


def put(
    connection: sqlite3.Connection,
    feed: str,
    resource: str,
    key: str,
    kind: str,
    reason: str,
    body: bytes,
    observed_at: int,
    at: int,
) -> None:
    """Set aside within the caller's transaction; the same thing is kept once, with its newest reason."""
    same = "\0".join((feed, resource, key, kind)).encode() + b"\0" + body
    connection.execute(
        "INSERT INTO quarantine (id, feed, resource, key, kind, reason, observed_at, at, body) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET reason = excluded.reason, "
        "observed_at = excluded.observed_at",
        (hashlib.blake2b(same, digest_size=8).hexdigest(), feed, resource, key, kind, reason, observed_at, at, body),
    )


class SqliteQuarantine:
    """See ``shared.store.base.QuarantineBox``."""

    def __init__(self, database: Database, now: Callable[[], int]) -> None:
        self._database = database
        self._now = now

    def put(self, feed: str, resource: str, key: str, kind: str, reason: str, body: bytes, observed_at: int) -> None:
        with self._database.write() as connection:
            put(connection, feed, resource, key, kind, reason, body, observed_at, self._now())

    def drop(self, ids: Sequence[str]) -> None:
        with self._database.write() as connection:
            connection.executemany("DELETE FROM quarantine WHERE id = ?", [(item,) for item in ids])

    def list(self, feed: str | None = None) -> list[Parked]:
        rows = self._database.read(
            "SELECT id, feed, resource, key, kind, reason, observed_at, at, body FROM quarantine "
            "WHERE ?1 IS NULL OR feed = ?1 ORDER BY at, id",
            (feed,),
        )
        return [Parked(*row) for row in rows]
