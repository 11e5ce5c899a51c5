"""Syncs asked for, and how far runs have come."""

from __future__ import annotations

from collections.abc import Callable

from shared.store.base import DAY, SyncRequest
from shared.store.sql.connection import Connection, Database, transaction

KEEP_REQUESTS = DAY
KEEP_PARTS = 10 * DAY
COLUMNS = "request_id, feed, most, patience, run_id, report"


class SqlSyncs:
    """See ``shared.store.base.Syncs``."""

    def __init__(self, database: Database, now: Callable[[], int]) -> None:
        self._database = database
        self._now = now

    @transaction
    def ask(self, connection: Connection, request_id: str, feed: str, most: int | None, patience: int) -> None:
        now = self._now()
        connection.execute("DELETE FROM sync_request WHERE requested_at < ?", (now - KEEP_REQUESTS,))
        connection.execute(
            "INSERT INTO sync_request (request_id, feed, most, patience, requested_at) VALUES (?, ?, ?, ?, ?)",
            (request_id, feed, most, patience, now),
        )

    def next(self, feed: str) -> SyncRequest | None:
        rows = self._database.read(
            f"SELECT {COLUMNS} FROM sync_request WHERE feed = ? AND report IS NULL "
            "ORDER BY requested_at, request_id LIMIT 1",
            (feed,),
        )
        return SyncRequest(*rows[0]) if rows else None

    def look(self, request_id: str, feed: str) -> SyncRequest | None:
        rows = self._database.read(
            f"SELECT {COLUMNS} FROM sync_request WHERE request_id = ? AND feed = ?", (request_id, feed)
        )
        return SyncRequest(*rows[0]) if rows else None

    @transaction
    def begin(self, connection: Connection, request_id: str, feed: str, run_id: str) -> bool:
        begun = connection.execute(
            "UPDATE sync_request SET run_id = ? WHERE request_id = ? AND feed = ? AND report IS NULL",
            (run_id, request_id, feed),
        )
        return begun.rowcount > 0

    @transaction
    def answer(self, connection: Connection, request_id: str, feed: str, report: str) -> None:
        connection.execute(
            "UPDATE sync_request SET report = ? WHERE request_id = ? AND feed = ?", (report, request_id, feed)
        )

    @transaction
    def withdraw(self, connection: Connection, request_id: str, feed: str) -> None:
        connection.execute("DELETE FROM sync_request WHERE request_id = ? AND feed = ?", (request_id, feed))

    @transaction
    def handled(self, connection: Connection, run_id: str, feed: str, resource: str, part: int) -> None:
        now = self._now()
        connection.execute("DELETE FROM run_part WHERE at < ?", (now - KEEP_PARTS,))
        connection.execute(
            "INSERT INTO run_part (run_id, feed, resource, part, at) VALUES (?, ?, ?, ?, ?) "
            "ON CONFLICT (run_id, feed, resource, part) DO NOTHING",
            (run_id, feed, resource, part, now),
        )

    def parts(self, run_id: str, feed: str, resource: str) -> int:
        rows = self._database.read(
            "SELECT count(*) FROM run_part WHERE run_id = ? AND feed = ? AND resource = ?", (run_id, feed, resource)
        )
        return int(rows[0][0])
