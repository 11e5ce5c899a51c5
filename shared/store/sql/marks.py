"""Runs that asked for changes, and the mark."""

from __future__ import annotations

from shared.store.base import KEEP_MARKS, Mark
from shared.store.sql.connection import Connection
from shared.store.sql.ledger import DUE

NEWEST = "ORDER BY begun DESC LIMIT 1"


class SqlMarks:
    """See ``shared.store.base.Marks``."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def mark(self, feed: str, resource: str) -> Mark | None:
        self._connection.lock(feed)
        row = self._connection.execute(
            "SELECT reached, begun FROM mark WHERE feed = ? AND resource = ? AND settled_at IS NOT NULL " + NEWEST,
            (feed, resource),
        ).fetchone()
        if row is None:
            return None
        later = self._connection.execute(
            "SELECT EXISTS (SELECT 1 FROM mark WHERE feed = ? AND resource = ? AND begun > ?)",
            (feed, resource, row[1]),
        ).fetchone()[0]
        return Mark(row[0], row[1], unfinished=bool(later))

    def begin(self, feed: str, resource: str, run_id: str, begun: int) -> None:
        self._connection.lock(feed)
        self._connection.execute(
            "DELETE FROM mark WHERE feed = ? AND resource = ? AND settled_at IS NULL AND begun < ?",
            (feed, resource, begun - KEEP_MARKS),
        )
        self._connection.execute(
            "INSERT INTO mark (feed, resource, run_id, begun) VALUES (?, ?, ?, ?)", (feed, resource, run_id, begun)
        )
        self._forget_pages(feed, resource)

    def _forget_pages(self, feed: str, resource: str) -> None:
        self._connection.execute(
            "DELETE FROM mark_page WHERE feed = ? AND resource = ? AND run_id NOT IN "
            "(SELECT run_id FROM mark m WHERE m.feed = mark_page.feed AND m.resource = mark_page.resource "
            "AND m.settled_at IS NULL)",
            (feed, resource),
        )

    def handled(self, feed: str, resource: str, run_id: str, message: str) -> None:
        self._connection.lock(feed)
        self._connection.execute(
            "INSERT INTO mark_page SELECT feed, resource, run_id, ? FROM mark "
            "WHERE feed = ? AND resource = ? AND run_id = ? AND settled_at IS NULL ON CONFLICT DO NOTHING",
            (message, feed, resource, run_id),
        )

    def complete(
        self, feed: str, resource: str, run_id: str, reached: int | None, pages: int, inventory: int | None
    ) -> None:
        self._connection.lock(feed)
        self._connection.execute(
            "UPDATE mark SET reached = ?, pages = ?, inventory = ? "
            "WHERE feed = ? AND resource = ? AND run_id = ? AND settled_at IS NULL",
            (reached, pages, inventory, feed, resource, run_id),
        )

    def unhandled(self, feed: str, resource: str, run_id: str, pages: int) -> int:
        self._connection.lock(feed)
        row = self._connection.execute(
            "SELECT (SELECT count(*) FROM mark_page p WHERE p.feed = m.feed AND p.resource = m.resource "
            "AND p.run_id = m.run_id) FROM mark m WHERE feed = ? AND resource = ? AND run_id = ? "
            "AND settled_at IS NULL",
            (feed, resource, run_id),
        ).fetchone()
        return 0 if row is None else max(0, pages - row[0])

    def settle(self, feed: str, resource: str, now: int) -> bool:
        self._connection.lock(feed)
        whole = self._quiet(feed, resource, now)
        if whole is None:
            return False
        run = self._connection.execute(
            "SELECT run_id, begun FROM mark m WHERE feed = ? AND resource = ? AND settled_at IS NULL "
            "AND coalesce(inventory, 0) <= ? AND pages = (SELECT count(*) FROM mark_page p "
            "WHERE p.feed = m.feed AND p.resource = m.resource AND p.run_id = m.run_id) " + NEWEST,
            (feed, resource, whole),
        ).fetchone()
        if run is None:
            return False
        self._connection.execute(
            "UPDATE mark SET settled_at = ? WHERE feed = ? AND resource = ? AND run_id = ?",
            (now, feed, resource, run[0]),
        )
        self._connection.execute(
            "DELETE FROM mark WHERE feed = ? AND resource = ? AND begun < ?", (feed, resource, run[1])
        )
        self._forget_pages(feed, resource)
        return True

    def _quiet(self, feed: str, resource: str, now: int) -> int | None:
        """The newest inventory handled whole; None while one is half handled, or records wanted may still be asked for.

        A page older than a half-handled inventory may have been dropped for its sake before its range wanted the key.
        """
        row = self._connection.execute(
            "SELECT whole FROM inventory WHERE feed = ? AND resource = ? AND complete_at IS NOT NULL", (feed, resource)
        ).fetchone()
        if row is None:
            return None
        (due,) = self._connection.execute(
            f"SELECT EXISTS (SELECT 1 FROM ledger WHERE feed = ? AND resource = ? AND {DUE})", (feed, resource, now)
        ).fetchone()
        return None if due else int(row[0])
