"""Removals held, for the operator."""

from __future__ import annotations

from collections.abc import Iterable

from shared.store.base import Hold
from shared.store.sql.connection import Connection, Database, transaction


class SqlHolds:
    """See ``shared.store.base.Holds``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def list(self, feed: str | None = None) -> list[Hold]:
        one, values = ("", ()) if feed is None else ("AND feed = ?", (feed,))
        rows = self._database.read(
            "SELECT feed, resource, key, since, by, state FROM removal_candidate "
            f"WHERE state IN ('held', 'approved') {one} ORDER BY feed, resource, key",
            values,
        )
        return [Hold(*row) for row in rows]

    def approve(self, feed: str, keys: Iterable[str] | None = None) -> int:
        return self._change("UPDATE removal_candidate SET state = 'approved'", feed, keys, "state = 'held'")

    def discard(self, feed: str, keys: Iterable[str] | None = None) -> int:
        return self._change("DELETE FROM removal_candidate", feed, keys, "state IN ('held', 'approved')")

    @transaction
    def _change(self, connection: Connection, what: str, feed: str, keys: Iterable[str] | None, which: str) -> int:
        connection.lock(feed)
        if keys is None:
            return connection.execute(f"{what} WHERE feed = ? AND {which}", (feed,)).rowcount
        return sum(
            connection.execute(f"{what} WHERE feed = ? AND {which} AND {these}", (feed, *values)).rowcount
            for these, values in connection.among("key", keys)
        )
