"""Lookups and the state of the metadata."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime

from shared.lookups import Changes, Key, Known, LookupValue, Metadata, MetadataVersion, changes
from shared.store.base import MICROSECONDS, MetadataState
from shared.store.sql.connection import Connection, Database, transaction, upsert
from shared.store.sql.values import instant

PUT = upsert(
    "lookup",
    ("feed", "resource_name", "lookup_name", "code", "lookup_value", "short_value", "lookup_key", "language",
     "metadata_version", "modification_timestamp", "removed_at"),
    ("feed", "resource_name", "lookup_name", "code"),
)  # fmt: skip
PUT_STATE = upsert(
    "metadata_state",
    ("feed", "version", "timestamp", "min_version", "language", "read_at", "failed_version", "failed_timestamp",
     "failed_language", "failed_at", "failure", "attempts", "next_attempt_at"),
    ("feed",),
)  # fmt: skip
ONE = "feed = ? AND resource_name = ? AND lookup_name = ? AND code = ?"


class SqlLookups:
    """See ``shared.store.base.Lookups``."""

    def __init__(self, database: Database, now: Callable[[], int]) -> None:
        self._database = database
        self._now = now

    def state(self, feed: str) -> MetadataState:
        return state_of(self._database, feed, self._now())

    @transaction
    def read(self, connection: Connection, feed: str, version: MetadataVersion, found: Metadata) -> Changes:
        connection.lock(feed)
        now = self._now()
        at = instant(datetime.fromtimestamp(now // MICROSECONDS, UTC))
        made = changes(_stored(connection, feed), found)
        connection.executemany(PUT, _rows(feed, {**made.new, **made.changed}.items(), version, at))
        connection.executemany(
            f"UPDATE lookup SET removed_at = ? WHERE {ONE}", [(at, feed, *key) for key in made.removed]
        )
        connection.executemany(
            f"UPDATE lookup SET metadata_version = ?, language = ? WHERE {ONE}",
            [(version.version, version.language, feed, *key) for key, _ in found.values()],
        )
        connection.execute(
            PUT_STATE,
            (feed, version.version, version.timestamp, version.min_version, version.language, now, None, None, None,
             None, None, 0, None),
        )  # fmt: skip
        return made

    @transaction
    def failed(
        self,
        connection: Connection,
        feed: str,
        version: MetadataVersion,
        reason: str,
        attempts: int,
        next_attempt_at: int | None,
    ) -> None:
        connection.lock(feed)
        connection.execute(
            "INSERT INTO metadata_state (feed, failed_version, failed_timestamp, failed_language, failed_at, "
            "failure, attempts, next_attempt_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (feed) DO UPDATE SET "
            "failed_version = excluded.failed_version, failed_timestamp = excluded.failed_timestamp, "
            "failed_language = excluded.failed_language, failed_at = excluded.failed_at, "
            "failure = excluded.failure, attempts = excluded.attempts, "
            "next_attempt_at = excluded.next_attempt_at",
            (feed, version.version, version.timestamp, version.language, self._now(), reason, attempts,
             next_attempt_at),
        )  # fmt: skip


def state_of(database: Database, feed: str, now: int) -> MetadataState:
    """See ``Lookups.state``."""
    counts = database.read("SELECT count(*), count(removed_at) FROM lookup WHERE feed = ?", (feed,))[0]
    rows = database.read(
        "SELECT version, timestamp, min_version, language, read_at, failed_version, failed_timestamp, failed_language, "
        "failed_at, failure, attempts, next_attempt_at FROM metadata_state WHERE feed = ?",
        (feed,),
    )
    if not rows:
        return MetadataState()
    version, timestamp, least, language, read_at, *failed, failed_at, failure, attempts, due = rows[0]
    return MetadataState(
        read=None if version is None else MetadataVersion(version, timestamp, least, language),
        read_at=read_at,
        age_seconds=None if read_at is None else max(0.0, (now - read_at) / MICROSECONDS),
        failed=None if failed[0] is None else MetadataVersion(failed[0], failed[1], "", failed[2]),
        failed_at=failed_at,
        failure=failure,
        attempts=attempts,
        next_attempt_at=due,
        values=counts[0] - counts[1],
        removed=counts[1],
    )


def _stored(connection: Connection, feed: str) -> dict[Key, Known]:
    rows = connection.execute(
        "SELECT resource_name, lookup_name, code, lookup_value, short_value, lookup_key, removed_at FROM lookup "
        "WHERE feed = ?",
        (feed,),
    )
    return {
        (resource, lookup, code): Known(LookupValue(code, text, short or "", entry or ""), removed is not None)
        for resource, lookup, code, text, short, entry, removed in rows
    }


def _rows(
    feed: str, values: Iterable[tuple[Key, LookupValue]], version: MetadataVersion, at: str | None
) -> Iterable[tuple[str | None, ...]]:
    for key, value in values:
        yield (
            feed,
            *key,
            value.text,
            value.short or None,
            value.entry or None,
            version.language,
            version.version,
            at,
            None,
        )
