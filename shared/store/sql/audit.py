"""The object ledger as a whole, for the audit."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from shared.store.base import KnownObject
from shared.store.sql.connection import Connection, Database, transaction
from shared.store.sql.media import FORGOTTEN, recount
from shared.store.sql.object_sets import lose
from shared.store.sql.pictures import disown


class SqlObjects:
    """See ``shared.store.base.Objects``."""

    def __init__(self, database: Database, now: Callable[[], int]) -> None:
        self._database = database
        self._now = now

    def known(self) -> Iterator[KnownObject]:
        last = ""
        while rows := self._database.read(
            "SELECT name, feed, resource, key, state, at, byte_size, content_sha256 FROM media_object WHERE name > ? "
            "ORDER BY name LIMIT 1000",
            (last,),
        ):
            last = rows[-1][0]
            for row in rows:
                yield KnownObject(*row)

    def has(self, name: str) -> bool:
        return bool(self._database.read("SELECT 1 FROM media_object WHERE name = ?", (name,)))

    @transaction
    def bury(self, connection: Connection, older_than: int) -> int:
        _lock(connection, "state = 'writing' AND at < ?", (older_than,))
        return connection.execute(
            "UPDATE media_object SET state = 'dead', at = ? WHERE state = 'writing' AND at < ?",
            (self._now(), older_than),
        ).rowcount

    @transaction
    def strike(self, connection: Connection, names: Sequence[str]) -> None:
        _lock_of(connection, names)
        connection.executemany(
            "DELETE FROM media_object WHERE name = ? AND state = 'dead'", [(name,) for name in names]
        )

    @transaction
    def lost(self, connection: Connection, names: Sequence[str]) -> int:
        _lock_of(connection, names)
        wanted = 0
        touched: set[tuple[str, str, str]] = set()
        for name in names:
            rows = connection.execute(
                f"UPDATE media SET {FORGOTTEN}, pending = wanted_version IS NOT NULL, attempted_by = NULL, "
                "next_attempt_at = NULL WHERE object_key = ? "
                "RETURNING feed, resource_name, resource_record_key",
                (name,),
            ).fetchall()
            touched.update(rows)
            wanted += len(rows) + lose(connection, name)
            connection.execute("DELETE FROM media_object WHERE name = ? AND state = 'live'", (name,))
        for feed, resource, key in touched:
            recount(connection, feed, resource, [key], self._now())
        return wanted

    def disown(self, feed: str, hashes: Iterable[str]) -> int:
        return disown(self._database, feed, hashes, self._now())


def _lock(connection: Connection, which: str, values: Sequence[object]) -> None:
    """Lock the feeds of these objects, in the order of their names: what is done spans records, and may span feeds."""
    feeds = connection.execute(f"SELECT DISTINCT feed FROM media_object WHERE {which}", values).fetchall()
    for (feed,) in sorted(feeds):
        connection.lock(feed)


def _lock_of(connection: Connection, names: Sequence[str]) -> None:
    feeds: set[str] = set()
    for which, values in connection.among("name", names):
        rows = connection.execute(f"SELECT DISTINCT feed FROM media_object WHERE {which}", values)
        feeds.update(feed for (feed,) in rows)
    for feed in sorted(feeds):
        connection.lock(feed)
