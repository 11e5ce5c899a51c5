"""The history of records."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from shared.effects import AddHistory
from shared.history import DELETED, entry_key, first_key
from shared.store.base import HistoryEntry, LastEntry
from shared.store.sql.connection import Connection, Database, transaction
from shared.store.tables import history_tables

NAME = history_tables.history_transactional.name
NAMES = tuple(column.name for column in history_tables.history_transactional.columns)
COLUMNS = ", ".join(NAMES)


def add(connection: Connection, feed: str, resource: str, entries: Sequence[AddHistory]) -> None:
    """Add entries within the caller's transaction; one that is there already stays as it is."""
    connection.insert(
        NAME, NAMES,
        [
            (feed, entry_key(resource, entry.key, entry.observed_at, entry.field), resource, entry.key, entry.record_id,
             entry.field, entry.previous, entry.new, entry.change_type, entry.modified, entry.observed_at)
            for entry in entries
        ],
        "ON CONFLICT DO NOTHING",
    )  # fmt: skip


def last(connection: Connection, feed: str, resource: str, keys: Iterable[str]) -> dict[str, LastEntry]:
    """See ``shared.store.base.Records.last_entries``."""
    found: dict[str, LastEntry] = {}
    for which, values in connection.among("resource_record_key", keys):
        rows = connection.execute(
            "SELECT resource_record_key, observed_at, change_type FROM (SELECT resource_record_key, observed_at, "
            "change_type, row_number() OVER (PARTITION BY resource_record_key ORDER BY observed_at DESC) AS place "
            f"FROM {NAME} WHERE feed = ? AND resource_name = ? AND {which}) AS entries WHERE place = 1",
            (feed, resource, *values),
        )
        found.update((key, LastEntry(at, change_type == DELETED)) for key, at, change_type in rows)
    return found


class SqlHistory:
    """See ``shared.store.base.History``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def feeds(self, resource: str, key: str) -> list[str]:
        rows = self._database.read(
            "SELECT feed FROM feed f WHERE EXISTS (SELECT 1 FROM ledger l WHERE l.feed = f.feed AND l.resource = ? "
            f"AND l.key = ? AND l.stored) OR EXISTS (SELECT 1 FROM {NAME} h WHERE h.feed = f.feed "
            "AND h.resource_name = ? AND h.resource_record_key = ?) ORDER BY feed",
            (resource, key, resource, key),
        )
        return [feed for (feed,) in rows]

    def entries(self, feed: str, resource: str, key: str, field: str | None = None) -> Iterator[HistoryEntry]:
        one, values = ("", []) if field is None else ("AND field_name = ?", [field])
        rows = self._database.stream(
            f"SELECT {COLUMNS} FROM {NAME} WHERE feed = ? AND resource_name = ? AND resource_record_key = ? {one} "
            f"ORDER BY observed_at, field_name {self._database.bytewise} NULLS FIRST",
            (feed, resource, key, *values),
        )
        return (HistoryEntry(*row) for row in rows)

    @transaction
    def expire(self, connection: Connection, feed: str, before: int, limit: int) -> int:
        connection.lock(feed)
        return connection.execute(
            f"DELETE FROM {NAME} WHERE feed = ? AND history_transactional_key IN ("
            f"SELECT history_transactional_key FROM {NAME} WHERE feed = ? AND history_transactional_key < ? "
            "ORDER BY history_transactional_key LIMIT ?)",
            (feed, feed, first_key(before), limit),
        ).rowcount
