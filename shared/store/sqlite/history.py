"""The history of records, on SQLite."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence

from shared.effects import AddHistory
from shared.history import DELETED, entry_key, first_key
from shared.store.base import HistoryEntry, LastEntry
from shared.store.sqlite.database import Database, chunks, marks
from shared.store.sqlite.values import adapted
from shared.store.tables import history_tables

NAME = history_tables.history_transactional.name
COLUMNS = ", ".join(column.name for column in history_tables.history_transactional.columns)


def add(connection: sqlite3.Connection, feed: str, resource: str, entries: Sequence[AddHistory]) -> None:
    """Add entries within the caller's transaction; one that is there already stays as it is."""
    rows = [
        (feed, entry_key(resource, entry.key, entry.observed_at, entry.field), resource, entry.key, entry.record_id,
         entry.field, entry.previous, entry.new, entry.change_type, entry.modified, entry.observed_at)
        for entry in entries
    ]  # fmt: skip
    connection.executemany(
        f"INSERT INTO {NAME} ({COLUMNS}) VALUES ({marks(11)}) ON CONFLICT DO NOTHING", adapted(NAME, rows)
    )


def last(connection: sqlite3.Connection, feed: str, resource: str, keys: Iterable[str]) -> dict[str, LastEntry]:
    """See ``shared.store.base.Records.last_entries``."""
    found: dict[str, LastEntry] = {}
    for part in chunks(keys):
        rows = connection.execute(  # beside max() a column is that of the row which has it
            f"SELECT resource_record_key, max(observed_at), change_type FROM {NAME} WHERE feed = ? "
            f"AND resource_name = ? AND resource_record_key IN ({marks(len(part))}) GROUP BY resource_record_key",
            (feed, resource, *part),
        )
        found.update((key, LastEntry(at, change_type == DELETED)) for key, at, change_type in rows)
    return found


class SqliteHistory:
    """See ``shared.store.base.History``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def feeds(self, resource: str, key: str) -> list[str]:
        rows = self._database.read(
            "SELECT feed FROM feed f WHERE EXISTS (SELECT 1 FROM ledger l WHERE l.feed = f.feed AND l.resource = ?1 "
            f"AND l.key = ?2 AND l.stored) OR EXISTS (SELECT 1 FROM {NAME} h WHERE h.feed = f.feed "
            "AND h.resource_name = ?1 AND h.resource_record_key = ?2) ORDER BY feed",
            (resource, key),
        )
        return [feed for (feed,) in rows]

    def entries(self, feed: str, resource: str, key: str, field: str | None = None) -> Iterator[HistoryEntry]:
        rows = self._database.connection().execute(
            f"SELECT {COLUMNS} FROM {NAME} WHERE feed = ?1 AND resource_name = ?2 AND resource_record_key = ?3 "
            "AND (?4 IS NULL OR field_name = ?4) ORDER BY observed_at, field_name",
            (feed, resource, key, field),
        )
        return (HistoryEntry(*row) for row in rows)

    def expire(self, feed: str, before: int, limit: int) -> int:
        with self._database.write() as connection:
            return connection.execute(
                f"DELETE FROM {NAME} WHERE feed = ?1 AND history_transactional_key IN ("
                f"SELECT history_transactional_key FROM {NAME} WHERE feed = ?1 AND history_transactional_key < ?2 "
                "ORDER BY history_transactional_key LIMIT ?3)",
                (feed, first_key(before), limit),
            ).rowcount
