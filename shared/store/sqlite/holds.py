"""Removals held, for the operator, on SQLite."""

from __future__ import annotations

from collections.abc import Iterable

from shared.store.base import Hold
from shared.store.sqlite.database import Database, chunks, marks


class SqliteHolds:
    """See ``shared.store.base.Holds``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def list(self, feed: str | None = None) -> list[Hold]:
        rows = self._database.read(
            "SELECT feed, resource, key, since, by, state FROM removal_candidate "
            "WHERE state IN ('held', 'approved') AND (?1 IS NULL OR feed = ?1) ORDER BY feed, resource, key",
            (feed,),
        )
        return [Hold(*row) for row in rows]

    def approve(self, feed: str, keys: Iterable[str] | None = None) -> int:
        return self._change("UPDATE removal_candidate SET state = 'approved'", feed, keys, "state = 'held'")

    def discard(self, feed: str, keys: Iterable[str] | None = None) -> int:
        return self._change("DELETE FROM removal_candidate", feed, keys, "state IN ('held', 'approved')")

    def _change(self, what: str, feed: str, keys: Iterable[str] | None, which: str) -> int:
        with self._database.write() as connection:
            if keys is None:
                return connection.execute(f"{what} WHERE feed = ? AND {which}", (feed,)).rowcount
            return sum(
                connection.execute(
                    f"{what} WHERE feed = ? AND {which} AND key IN ({marks(len(part))})", (feed, *part)
                ).rowcount
                for part in chunks(keys)
            )
