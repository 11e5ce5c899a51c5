"""Photos wanted and the object ledger."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from shared.store.base import NewObject, PhotoFailed, PhotoStored, PhotoWant
from shared.store.sql.connection import Connection, Rows, between
from shared.store.sql.counters import Counts

PICTURED = ("media", "record_object_set")
"""What photos, and sets of other objects, are wanted is in these tables."""
RECORD = "feed = ? AND resource_name = ? AND resource_record_key = ?"
STORED = "stored_version = wanted_version"
FORGOTTEN = ", ".join(
    f"{name} = NULL"
    for name in ("object_key", "stored_version", "content_sha256", "byte_size", "width", "height", "mime_type", "etag",
                 "last_modified")
)  # fmt: skip
HORIZON = "coalesce((SELECT observed_at FROM inventory WHERE inventory.feed = ? AND inventory.resource = ?), 0)"
DUE = (
    f"pending AND (attempted_by IS NULL OR attempted_by < {HORIZON}) "
    "AND (next_attempt_at IS NULL OR next_attempt_at <= ?)"
)
SET = ("feed", "resource_name", "resource_record_key", "photos_count", "photos_stored", "complete_at")
PUT_SET = (
    "ON CONFLICT (feed, resource_name, resource_record_key) DO UPDATE SET photos_count = excluded.photos_count, "
    "photos_stored = excluded.photos_stored, complete_at = CASE WHEN excluded.complete_at IS NULL THEN NULL "
    "ELSE coalesce(media_set.complete_at, excluded.complete_at) END"
)


class SqlMedia:
    """See ``shared.store.base.Media``."""

    def __init__(self, connection: Connection, counts: Counts, now: Callable[[], int]) -> None:
        self._connection = connection
        self._counts = counts
        self._now = now

    def wants(self, feed: str, resource: str, key: str, now: int) -> list[PhotoWant]:
        self._connection.lock(feed, shared=True)
        rows = self._connection.execute(
            'SELECT media_key, "order", media_url, wanted_version, CASE WHEN object_key IS NULL THEN NULL ELSE '
            f"content_sha256 END, etag, last_modified, attempts, recheck, {HORIZON} FROM media "
            f'WHERE {RECORD} AND {DUE} ORDER BY "order", media_key',
            (feed, resource, feed, resource, key, feed, resource, now),
        )
        return [PhotoWant(*row) for row in rows]

    def pending(self, feed: str, resource: str, keys: Iterable[str], now: int) -> list[str]:
        found: set[str] = set()
        self._connection.lock(feed, shared=True)
        dead = self._connection.among("key", set(keys))
        for which, values in self._connection.among("resource_record_key", set(keys)):
            of_these, _ = next(dead)
            due = (feed, resource, feed, resource, now, *values)
            rows = self._connection.execute(
                f"{_due('SELECT', f'AND {which}')} "
                f"UNION SELECT key FROM media_object WHERE state = 'dead' AND feed = ? AND resource = ? AND {of_these}",
                (*due, *due, feed, resource, *values),
            )
            found.update(key for (key,) in rows)
        return sorted(found)

    def pending_between(self, feed: str, resource: str, after: str | None, upto: str | None, now: int) -> list[str]:
        self._connection.lock(feed, shared=True)
        wanted, values = between(after, upto, "resource_record_key")
        dead, _ = between(after, upto)
        due = (feed, resource, feed, resource, now, *values)
        rows = self._connection.execute(
            f"{_due('SELECT DISTINCT', wanted)} "
            f"UNION SELECT key FROM media_object WHERE state = 'dead' AND feed = ? AND resource = ? {dead} ORDER BY 1",
            (*due, *due, feed, resource, *values),
        )
        return [row[0] for row in rows]

    def begin(
        self,
        feed: str,
        resource: str,
        key: str,
        objects: Sequence[NewObject],
        name: Callable[[NewObject, int], str],
    ) -> list[str]:
        self._connection.lock(feed, shared=True)
        last = self._connection.execute(
            "INSERT INTO feed (feed, clock, object_number) VALUES (?, 0, ?) ON CONFLICT (feed) "
            "DO UPDATE SET object_number = feed.object_number + excluded.object_number RETURNING object_number",
            (feed, len(objects)),
        ).fetchone()[0]
        first = last - len(objects) + 1
        names = [name(item, first + index) for index, item in enumerate(objects)]
        now = self._now()
        self._connection.executemany(
            "INSERT INTO media_object (name, feed, resource, key, state, at, byte_size, content_sha256) "
            "VALUES (?, ?, ?, ?, 'writing', ?, ?, ?)",
            [
                (called, feed, resource, key, now, item.byte_size, item.sha256)
                for called, item in zip(names, objects, strict=True)
            ],
        )
        return names

    def settle(
        self,
        feed: str,
        resource: str,
        key: str,
        run_id: str,
        stored: Sequence[PhotoStored],
        failed: Sequence[PhotoFailed],
    ) -> list[str]:
        lock_media(self._connection, feed, resource, key)
        now = self._now()
        unused: list[str] = []
        counts = {"photos_stored": 0, "photos_failed": 0}
        for photo in stored:
            if self._point(feed, resource, key, photo, now):
                counts["photos_stored"] += photo.object_name is not None
            elif photo.object_name is not None:
                unused.append(photo.object_name)
        for lost in failed:
            changed = self._connection.execute(
                "UPDATE media SET attempts = attempts + 1, attempted_by = ?, next_attempt_at = ?, failed_reason = ? "
                f"WHERE {RECORD} AND media_key = ? AND pending AND wanted_version = ?",
                (lost.horizon, lost.next_attempt_at, lost.reason, feed, resource, key, lost.media_key, lost.version),
            )
            counts["photos_failed"] += changed.rowcount
            if lost.reread:
                self._connection.execute(
                    "UPDATE ledger SET unsettled = true WHERE feed = ? AND resource = ? AND key = ? AND stored",
                    (feed, resource, key),
                )
        self._mark(unused, "dead", now)
        recount(self._connection, feed, resource, [key], now)
        self._counts.add(feed, run_id, resource, counts)
        return unused

    def unchanged(self, feed: str, resource: str, key: str, photos: Sequence[tuple[str, str]]) -> None:
        lock_media(self._connection, feed, resource, key)
        self._connection.executemany(
            "UPDATE media SET stored_version = wanted_version, pending = false, recheck = false, attempts = 0, "
            "attempted_by = NULL, next_attempt_at = NULL, failed_reason = NULL "
            f"WHERE {RECORD} AND media_key = ? AND wanted_version = ? AND object_key IS NOT NULL",
            [(feed, resource, key, media_key, version) for media_key, version in photos],
        )

    def _point(self, feed: str, resource: str, key: str, photo: PhotoStored, now: int) -> bool:
        """Make the row point at what was fetched, if it still wants that version; the object it had becomes dead."""
        row = self._connection.execute(
            f"SELECT object_key, content_sha256 FROM media WHERE {RECORD} AND media_key = ? AND pending "
            "AND wanted_version = ?",
            (feed, resource, key, photo.media_key, photo.version),
        ).fetchone()
        if row is None:
            return False
        if photo.object_name is None and (row[0] is None or row[1] != photo.sha256):
            return False  # the object its bytes were compared with is gone
        name = photo.object_name or row[0]
        if photo.object_name is not None:
            taken = self._connection.execute(
                "UPDATE media_object SET state = 'live', at = ? WHERE name = ? AND state = 'writing'", (now, name)
            )
            if taken.rowcount == 0:
                return False
            self._mark([row[0]] if row[0] else [], "dead", now)
        self._connection.execute(
            "UPDATE media SET object_key = ?, content_sha256 = ?, byte_size = ?, width = ?, height = ?, mime_type = ?, "
            "etag = ?, last_modified = ?, stored_version = wanted_version, pending = false, recheck = false, "
            "attempts = 0, attempted_by = NULL, next_attempt_at = NULL, failed_reason = NULL "
            f"WHERE {RECORD} AND media_key = ?",
            (name, photo.sha256, photo.byte_size, photo.width, photo.height, photo.mime_type, photo.etag,
             photo.last_modified, feed, resource, key, photo.media_key),
        )  # fmt: skip
        return True

    def _mark(self, names: Sequence[str], state: str, now: int) -> None:
        self._connection.executemany(
            "UPDATE media_object SET state = ?, at = ? WHERE name = ?", [(state, now, name) for name in names]
        )

    def dead(self, feed: str, resource: str, key: str) -> list[str]:
        self._connection.lock(feed, shared=True)
        rows = self._connection.execute(
            "SELECT name FROM media_object WHERE state = 'dead' AND feed = ? AND resource = ? AND key = ? "
            "ORDER BY name",
            (feed, resource, key),
        )
        return [row[0] for row in rows]

    def struck(self, feed: str, resource: str, run_id: str, names: Sequence[str]) -> None:
        self._connection.lock(feed, shared=True)
        gone = self._connection.executemany(
            "DELETE FROM media_object WHERE name = ? AND state = 'dead'", [(name,) for name in sorted(names)]
        )
        self._counts.add(feed, run_id, resource, {"photos_deleted": gone})


def lock_media(connection: Connection, feed: str, resource: str, key: str) -> None:
    """Others may work on the photos and objects of other records meanwhile; nobody on this one's."""
    connection.lock(feed, shared=True)
    connection.lock(feed, of=f"photos of {resource} {key}")


def mark_dead(connection: Connection, names: Iterable[str], now: int) -> None:
    """Objects of these names are to be deleted: no row points at them any more."""
    connection.executemany(
        "UPDATE media_object SET state = 'dead', at = ? WHERE name = ?", [(now, name) for name in names]
    )


def _due(select: str, which: str) -> str:
    """The keys of records with photos or other objects to fetch now."""
    return " UNION ".join(
        f"{select} resource_record_key FROM {table} WHERE feed = ? AND resource_name = ? AND {DUE} {which}"
        for table in ("media", "record_object_set")
    )


def recount(connection: Connection, feed: str, resource: str, keys: Iterable[str], now: int) -> None:
    """Bring ``media_set`` in line with ``media`` for these records."""
    gone = set(keys)
    rows: Rows = []
    for which, values in connection.among("resource_record_key", gone):
        rows += connection.execute(
            f"SELECT resource_record_key, count(*), count(*) FILTER (WHERE {STORED}) FROM media WHERE feed = ? "
            f"AND resource_name = ? AND {which} AND wanted_version IS NOT NULL GROUP BY resource_record_key",
            (feed, resource, *values),
        ).fetchall()
    gone -= {key for key, *_ in rows}
    for which, values in connection.among("resource_record_key", gone):
        connection.execute(
            f"DELETE FROM media_set WHERE feed = ? AND resource_name = ? AND {which}", (feed, resource, *values)
        )
    connection.insert(
        "media_set", SET,
        [(feed, resource, key, listed, stored, now if stored == listed else None) for key, listed, stored in rows],
        PUT_SET,
    )  # fmt: skip
