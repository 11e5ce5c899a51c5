"""Inventories handled and removal candidates."""

from __future__ import annotations

from typing import Literal

from shared.store.base import DAY, Candidates
from shared.store.sql import quarantine
from shared.store.sql.connection import Connection, between


class SqlRemovals:
    """See ``shared.store.base.Removals``."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def candidates_between(self, feed: str, resource: str, after: str | None, upto: str | None) -> set[str]:
        self._connection.lock(feed)
        limits, values = between(after, upto)
        sql = f"SELECT key FROM removal_candidate WHERE feed = ? AND resource = ? {limits}"
        return {row[0] for row in self._connection.execute(sql, (feed, resource, *values))}

    def mark_part(
        self, feed: str, resource: str, observed_at: int, part: int, parts: int, count: int, server_date: int | None
    ) -> None:
        self._connection.lock(feed)
        self._connection.execute(
            "INSERT INTO inventory (feed, resource, observed_at, count, parts, server_date) VALUES (?, ?, ?, ?, ?, ?) "
            "ON CONFLICT (feed, resource) DO UPDATE SET observed_at = excluded.observed_at, count = excluded.count, "
            "parts = excluded.parts, server_date = excluded.server_date, complete_at = NULL "
            "WHERE excluded.observed_at > inventory.observed_at",
            (feed, resource, observed_at, count, parts, server_date),
        )
        self._connection.execute(
            "DELETE FROM inventory_part WHERE feed = ? AND resource = ? AND observed_at < ?",
            (feed, resource, observed_at),
        )
        quarantine.overtake(self._connection, feed, resource, observed_at)
        self._connection.execute(
            "INSERT INTO inventory_part VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING", (feed, resource, observed_at, part)
        )

    def weighed(
        self, feed: str, resource: str, observed_at: int, *, deletion: bool = False, lacking_since: int = 0
    ) -> Candidates:
        self._connection.lock(feed)
        one = self._connection.execute
        found = one(
            "SELECT observed_at, count, parts, server_date, complete_at, whole FROM inventory "
            "WHERE feed = ? AND resource = ?",
            (feed, resource),
        ).fetchone()
        if deletion:  # one message names them all; the server says more than that there is nothing
            found = (observed_at, 1, 0, None, observed_at, None)
        if found is None or found[0] != observed_at:
            return Candidates(0, 0, 0, 0, 0, 0, parts_missing=1)  # overtaken by a newer inventory: never weighed
        _, count, parts, server_date, complete_at, previous = found
        handled = one(
            "SELECT count(*) FROM inventory_part WHERE feed = ? AND resource = ? AND observed_at = ?",
            (feed, resource, observed_at),
        ).fetchone()[0]
        if parts > handled:  # nothing is weighed yet, so nothing more need be counted
            return Candidates(0, 0, 0, 0, 0, count, parts - handled, complete_at is not None, previous)
        states: dict[str, int] = dict(
            one(
                "SELECT state, count(*) FROM removal_candidate WHERE feed = ? AND resource = ? AND by = ? "
                "GROUP BY state",
                (feed, resource, observed_at),
            ).fetchall()
        )
        stored = one(
            "SELECT count(*) FROM ledger WHERE feed = ? AND resource = ? AND stored", (feed, resource)
        ).fetchone()[0]
        today = one(
            "SELECT coalesce(sum(count), 0) FROM removal WHERE feed = ? AND resource = ? AND by <> ? AND at > ?",
            (feed, resource, observed_at, (server_date or observed_at) - DAY),
        ).fetchone()[0]
        confirmed = one(
            "SELECT count(*) FROM removal_candidate WHERE feed = ? AND resource = ? AND by = ? AND since <= ? "
            "AND state IN ('seen', 'held')",
            (feed, resource, observed_at, lacking_since),
        ).fetchone()[0]
        return Candidates(
            states.get("seen", 0), states.get("held", 0), states.get("released", 0), stored, today, count,
            parts - handled, complete_at is not None, previous, states.get("approved", 0), confirmed,
        )  # fmt: skip

    def decide(
        self,
        feed: str,
        resource: str,
        observed_at: int,
        state: Literal["held", "released"],
        now: int,
        lacking_since: int = 0,
    ) -> None:
        self._connection.lock(feed)
        self._connection.execute(
            "UPDATE removal_candidate SET state = CASE WHEN since <= ? THEN 'released' ELSE ? END "
            "WHERE feed = ? AND resource = ? AND by = ? AND state IN ('seen', 'held')",
            (lacking_since, state, feed, resource, observed_at),
        )
        self._connection.execute(
            "UPDATE inventory SET complete_at = ?, whole = observed_at, whole_count = count "
            "WHERE feed = ? AND resource = ? AND observed_at = ? AND complete_at IS NULL",
            (now, feed, resource, observed_at),
        )

    def released(self, feed: str, resource: str, observed_at: int, limit: int) -> list[str]:
        self._connection.lock(feed)
        rows = self._connection.execute(
            "SELECT key FROM removal_candidate WHERE feed = ? AND resource = ? AND by = ? "
            "AND state IN ('released', 'approved') "
            "ORDER BY key LIMIT ?",
            (feed, resource, observed_at, limit),
        )
        return [row[0] for row in rows]

    def forget(self, feed: str, resource: str, observed_at: int) -> None:
        self._connection.lock(feed)
        for table in ("inventory", "inventory_part", "removal_candidate", "removal", "quarantine"):
            self._connection.execute(f"DELETE FROM {table} WHERE feed = ? AND resource = ?", (feed, resource))
        self._connection.execute(
            "INSERT INTO inventory (feed, resource, observed_at, count, parts) VALUES (?, ?, ?, 0, 0)",
            (feed, resource, observed_at),
        )
