"""What could not be handled.

A record set aside goes when what became of its key is known from a later observation. One that came without a key goes
when that is known of every key it may have (``quarantine_may_be``); a later page without keys takes those it asked for
over from the earlier ones, since its records are the newer.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence

from shared.messages import InventoryTaken
from shared.store.base import Parked
from shared.store.sql.connection import Connection, Database, transaction

INDEX_BYTES = 2_000
"""How much of a key fits an index beside feed and resource: PostgreSQL's entries end at 2,704 bytes."""


def put(
    connection: Connection,
    feed: str,
    resource: str,
    key: str,
    kind: str,
    reason: str,
    body: bytes,
    observed_at: int,
    at: int,
    may_be: Sequence[str] = (),
) -> None:
    """Set aside within the caller's transaction; the same thing is kept once, with its newest reason.

    What was set aside of the same key before is superseded; a key that may be this record's can be no earlier one's.
    """
    key = bounded(key)
    name = name_of(feed, resource, key, kind, body)
    connection.execute(
        "INSERT INTO quarantine (id, feed, resource, key, kind, reason, observed_at, at, body) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET reason = excluded.reason, "
        "observed_at = excluded.observed_at",
        (name, feed, resource, key, kind, reason, observed_at, at, body),
    )
    if kind == "message":
        return
    if key:
        connection.execute(
            "DELETE FROM quarantine WHERE feed = ? AND resource = ? AND key = ? AND kind <> 'message' "
            "AND observed_at < ?",
            (feed, resource, key, observed_at),
        )
    _told(connection, feed, resource, [(one, observed_at - 1) for one in ((key,) if key else may_be)])
    if may_be:
        connection.execute("DELETE FROM quarantine_may_be WHERE id = ?", (name,))
        connection.executemany(
            "INSERT INTO quarantine_may_be (id, feed, resource, key) VALUES (?, ?, ?, ?)",
            [(name, feed, resource, one) for one in may_be],
        )


def bounded(key: str) -> str:
    """A key that an index can hold: of a longer one the beginning, and what tells it from others."""
    if len(key.encode("utf-8", "replace")) <= INDEX_BYTES:
        return key
    digest = hashlib.blake2b(key.encode("utf-8", "replace"), digest_size=8).hexdigest()
    return f"{key[:50]}…{digest}"


def name_of(feed: str, resource: str, key: str, kind: str, body: bytes) -> str:
    """The same for the same thing."""
    same = "\0".join((feed, resource, key, kind)).encode() + b"\0" + body
    return hashlib.blake2b(same, digest_size=8).hexdigest()


def supersede(connection: Connection, feed: str, resource: str, known: Sequence[tuple[str, int]]) -> None:
    """What became of these keys is known as of an instant each: what was set aside of them before is of no use."""
    if not known:
        return
    some = connection.execute("SELECT 1 FROM quarantine WHERE feed = ? AND resource = ? LIMIT 1", (feed, resource))
    if some.fetchone() is None:
        return  # the usual case, on the way of every page
    connection.executemany(
        "DELETE FROM quarantine WHERE feed = ? AND resource = ? AND key = ? AND observed_at <= ?",
        [(feed, resource, key, as_of) for key, as_of in known],
    )
    _told(connection, feed, resource, known)


def overtake(connection: Connection, feed: str, resource: str, observed_at: int) -> None:
    """A newer inventory is being handled: the ranges of older ones set aside would be dropped if they were replayed."""
    connection.execute(
        "DELETE FROM quarantine WHERE feed = ? AND resource = ? AND key = ? AND kind = 'message' AND observed_at < ?",
        (feed, resource, InventoryTaken.TYPE, observed_at),
    )


def _told(connection: Connection, feed: str, resource: str, known: Sequence[tuple[str, int]]) -> None:
    """Records without a key set aside no later than these instants are not those keys'; what is nobody's then goes."""
    some = connection.execute(
        "SELECT 1 FROM quarantine_may_be WHERE feed = ? AND resource = ? LIMIT 1", (feed, resource)
    )
    if some.fetchone() is None:
        return
    for key, as_of in known:
        gone = connection.execute(
            "DELETE FROM quarantine_may_be WHERE feed = ? AND resource = ? AND key = ? AND id IN "
            "(SELECT id FROM quarantine WHERE quarantine.id = quarantine_may_be.id AND observed_at <= ?) RETURNING id",
            (feed, resource, key, as_of),
        ).fetchall()
        connection.executemany(
            "DELETE FROM quarantine WHERE id = ? AND NOT EXISTS "
            "(SELECT 1 FROM quarantine_may_be WHERE quarantine_may_be.id = quarantine.id)",
            gone,
        )


class SqlQuarantine:
    """See ``shared.store.base.QuarantineBox``."""

    def __init__(self, database: Database, now: Callable[[], int]) -> None:
        self._database = database
        self._now = now

    @transaction
    def put(
        self,
        connection: Connection,
        feed: str,
        resource: str,
        key: str,
        kind: str,
        reason: str,
        body: bytes,
        observed_at: int,
    ) -> None:
        connection.lock(feed)
        put(connection, feed, resource, key, kind, reason, body, observed_at, self._now())

    @transaction
    def drop(self, connection: Connection, ids: Sequence[str]) -> None:
        feeds: set[str] = set()
        for which, values in connection.among("id", ids):
            feeds.update(feed for (feed,) in connection.execute(f"SELECT feed FROM quarantine WHERE {which}", values))
        for feed in sorted(feeds):
            connection.lock(feed)
        for table in ("quarantine", "quarantine_may_be"):
            connection.executemany(f"DELETE FROM {table} WHERE id = ?", [(item,) for item in ids])

    def list(self, feed: str | None = None) -> list[Parked]:
        one, values = ("", ()) if feed is None else ("WHERE feed = ?", (feed,))
        rows = self._database.read(
            "SELECT id, feed, resource, key, kind, reason, observed_at, at, body FROM quarantine "
            f"{one} ORDER BY at, id",
            values,
        )
        return [Parked(*row) for row in rows]
