"""Deleting a feed."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from sqlalchemy import Table

from shared.store.base import StoreError
from shared.store.sql.connection import Connection, Database, transaction
from shared.store.sql.views import drop
from shared.store.tables import metadata, state_tables

AT_ONCE = 10_000
OBJECTS = state_tables.media_object.name
LINES = state_tables.feed.name


def _tables() -> Iterator[Table]:
    """Every table with rows of feeds, whoever defined it."""
    return (table for table in metadata.sorted_tables if "feed" in table.columns)


class SqlForgetting:
    """See ``shared.store.base.Forgetting``."""

    def __init__(self, database: Database, now: Callable[[], int]) -> None:
        self._database = database
        self._now = now

    def feeds(self) -> list[str]:
        rows = self._database.read(f"SELECT feed FROM {LINES} UNION SELECT feed FROM run WHERE feed <> '' ORDER BY 1")
        return [feed for (feed,) in rows]

    def held(self, feed: str) -> dict[str, int]:
        counts = {
            table.name: self._database.read(f'SELECT count(*) FROM "{table.name}" WHERE feed = ?', (feed,))[0][0]
            for table in _tables()
        }
        return {name: count for name, count in counts.items() if count}

    def rows(self, feed: str, deleted: Callable[[int], None]) -> None:
        with self._database.write() as connection:
            connection.lock(feed)
            connection.lock("", of="views")
            for (name,) in connection.execute("SELECT name FROM metadata_view WHERE feed = ?", (feed,)).fetchall():
                drop(connection, name)
            for _ in self._bury(connection, feed):
                deleted(0)
            for table in _tables():
                if table.name in (OBJECTS, LINES):
                    continue
                some = f'SELECT {connection.row_id} FROM "{table.name}" WHERE feed = ? LIMIT {AT_ONCE}'
                while gone := connection.execute(
                    f'DELETE FROM "{table.name}" WHERE {connection.row_id} IN ({some})', (feed,)
                ).rowcount:
                    deleted(gone)

    def _bury(self, connection: Connection, feed: str) -> Iterator[None]:
        """Mark the feed's objects dead, some at a time."""
        last = ""
        while names := connection.execute(
            f"SELECT name FROM {OBJECTS} WHERE name > ? AND feed = ? ORDER BY name LIMIT ?", (last, feed, AT_ONCE)
        ).fetchall():
            connection.executemany(
                f"UPDATE {OBJECTS} SET state = 'dead', at = ? WHERE name = ? AND state <> 'dead'",
                [(self._now(), name) for (name,) in names],
            )
            last = names[-1][0]
            yield

    def dead(self, feed: str, limit: int) -> list[str]:
        rows = self._database.read(
            f"SELECT name FROM {OBJECTS} WHERE feed = ? AND state = 'dead' ORDER BY resource, key, name LIMIT ?",
            (feed, limit),
        )
        return [name for (name,) in rows]

    @transaction
    def end(self, connection: Connection, feed: str) -> None:
        connection.lock(feed)
        left = connection.execute(f"SELECT count(*) FROM {OBJECTS} WHERE feed = ?", (feed,)).fetchone()[0]
        if left:
            raise StoreError(f"{left} objects of {feed} are still in the ledger; mlsync forget {feed} goes on")
        connection.execute(f"DELETE FROM {LINES} WHERE feed = ?", (feed,))
