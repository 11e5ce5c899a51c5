"""The history of records, on SQLite."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence

from shared.effects import AddHistory
from shared.history import DELETED, entry_key, first_key
from shared.store.base import HistoryEntry
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


def removed(connection: sqlite3.Connection, feed: str, resource: str, keys: Iterable[str]) -> set[str]:
    """Those of ``keys`` whose history says that they were removed."""
    found: set[str] = set()
    for part in chunks(keys):
        rows = connection.execute(
            f"SELECT resource_record_key FROM {NAME} WHERE feed = ? AND resource_name = ? AND change_type = ? "
            f"AND resource_record_key IN ({marks(len(part))})",
            (feed, resource, DELETED, *part),
        )
        found.update(key for (key,) in rows)
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
