"""Objects that are no photos: sets of them, by record and type."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from shared.effects import KeepRecord, StoreRecord
from shared.store.base import ObjectsFailed, ObjectStored, ObjectsWant
from shared.store.sql.connection import Connection, quoted, upsert
from shared.store.sql.counters import Counts
from shared.store.sql.media import DUE, HORIZON, RECORD, lock_media, mark_dead

KEYS = ("feed", "resource_name", "resource_record_key", "object_type")
ONE = " AND ".join(f"{name} = ?" for name in KEYS)
OBJECT = (
    *KEYS, "order", "long_description", "media_url", "object_key", "content_sha256", "byte_size", "mime_type",
    "stored_version",
)  # fmt: skip
PUT = upsert("record_object", OBJECT, (*KEYS, "order"))
WANTED = (*KEYS, "linked", "wanted_version", "pending", "attempts")
WANT = (
    f"ON CONFLICT ({quoted(KEYS)}) DO UPDATE SET linked = excluded.linked, wanted_version = excluded.wanted_version, "
    # a new version starts afresh, whatever was tried before
    "attempts = 0, attempted_by = NULL, next_attempt_at = NULL, failed_reason = NULL, pending = true "
    "WHERE record_object_set.wanted_version <> excluded.wanted_version"
)
AFRESH = "attempts = 0, attempted_by = NULL, next_attempt_at = NULL, failed_reason = NULL"


class SqlObjectSets:
    """See ``shared.store.base.ObjectSets``."""

    def __init__(self, connection: Connection, counts: Counts, now: Callable[[], int]) -> None:
        self._connection = connection
        self._counts = counts
        self._now = now

    def wants(self, feed: str, resource: str, key: str, now: int) -> list[ObjectsWant]:
        self._connection.lock(feed, shared=True)
        rows = self._connection.execute(
            f"SELECT object_type, linked, wanted_version, attempts, {HORIZON} FROM record_object_set "
            f"WHERE {RECORD} AND {DUE} ORDER BY object_type",
            (feed, resource, feed, resource, key, feed, resource, now),
        ).fetchall()
        return [
            ObjectsWant(kind, bool(linked), version, attempts, horizon, self._stored(feed, resource, key, kind))
            for kind, linked, version, attempts, horizon in rows
        ]

    def _stored(self, *of: str) -> dict[int, str]:
        return dict(
            self._connection.execute(
                f'SELECT "order", content_sha256 FROM record_object WHERE {ONE} AND object_key IS NOT NULL', of
            ).fetchall()
        )

    def keep(
        self, feed: str, resource: str, key: str, run_id: str, want: ObjectsWant, objects: Sequence[ObjectStored]
    ) -> set[int]:
        lock_media(self._connection, feed, resource, key)
        of = (feed, resource, key, want.type)
        wanted = self._is_wanted(of, want)
        now = self._now()
        kept = [item for item in objects if wanted and self._put(of, want.version, item, now)]
        unused = [item.object_name for item in objects if item not in kept and item.object_name is not None]
        mark_dead(self._connection, unused, now)
        stored = sum(item.object_name is not None for item in kept)
        self._counts.add(feed, run_id, resource, {"objects_stored": stored})
        return {item.order for item in kept}

    def _is_wanted(self, of: tuple[str, ...], want: ObjectsWant) -> bool:
        found = self._connection.execute(
            f"SELECT 1 FROM record_object_set WHERE {ONE} AND pending AND wanted_version = ?", (*of, want.version)
        )
        return found.fetchone() is not None

    def _put(self, of: tuple[str, ...], version: str, item: ObjectStored, now: int) -> bool:
        row = self._connection.execute(
            f'SELECT object_key, content_sha256 FROM record_object WHERE {ONE} AND "order" = ?', (*of, item.order)
        ).fetchone()
        old, content = row or (None, None)
        name = item.object_name
        if item.url is None and name is None:
            if old is None or content != item.sha256:
                return False  # the object its bytes were compared with is gone
            name = old
        elif name is not None:
            taken = self._connection.execute(
                "UPDATE media_object SET state = 'live', at = ? WHERE name = ? AND state = 'writing'", (now, name)
            )
            if taken.rowcount == 0:
                return False
        if old is not None and old != name:
            mark_dead(self._connection, [old], now)
        self._connection.execute(
            PUT,
            (*of, item.order, item.description or None, item.url, name, item.sha256, item.byte_size, item.mime_type,
             version),
        )  # fmt: skip
        return True

    def settle(self, feed: str, resource: str, key: str, want: ObjectsWant, orders: Collection[int]) -> None:
        lock_media(self._connection, feed, resource, key)
        of = (feed, resource, key, want.type)
        if not self._is_wanted(of, want):
            return
        rows = self._connection.execute(
            f'SELECT "order", object_key, stored_version FROM record_object WHERE {ONE}', of
        ).fetchall()
        away = [(order, name) for order, name, _ in rows if order not in orders]
        mark_dead(self._connection, [name for _, name in away if name is not None], self._now())
        self._connection.executemany(
            f'DELETE FROM record_object WHERE {ONE} AND "order" = ?', [(*of, order) for order, _ in away]
        )
        if {order for order, _, version in rows if version == want.version}.issuperset(orders):
            self._connection.execute(
                f"UPDATE record_object_set SET stored_version = wanted_version, pending = false, {AFRESH} WHERE {ONE}",
                of,
            )

    def failed(
        self, feed: str, resource: str, key: str, run_id: str, want: ObjectsWant, failure: ObjectsFailed
    ) -> None:
        lock_media(self._connection, feed, resource, key)
        changed = self._connection.execute(
            "UPDATE record_object_set SET attempts = attempts + 1, attempted_by = ?, next_attempt_at = ?, "
            f"failed_reason = ? WHERE {ONE} AND pending AND wanted_version = ?",
            (want.horizon, failure.next_attempt_at, failure.reason, feed, resource, key, want.type, want.version),
        )
        self._counts.add(feed, run_id, resource, {"objects_failed": changed.rowcount})


def merge(
    connection: Connection, feed: str, resource: str, records: Sequence[StoreRecord | KeepRecord], now: int
) -> None:
    """Want exactly the records' types of object in their versions; objects of other types go."""
    connection.insert(
        "record_object_set", WANTED,
        [(feed, resource, record.mapped.key, item.type, item.linked, item.version, True, 0)
         for record in records for item in record.objects],
        WANT,
    )  # fmt: skip
    wanted = {(record.mapped.key, item.type) for record in records for item in record.objects}
    changed = [record.mapped.key for record in records if isinstance(record, StoreRecord) and not record.insert]
    for which, values in connection.among("resource_record_key", changed):
        known = connection.execute(
            "SELECT resource_record_key, object_type FROM record_object_set WHERE feed = ? AND resource_name = ? "
            f"AND {which}",
            (feed, resource, *values),
        ).fetchall()
        for key, kind in known:
            if (key, kind) not in wanted:
                _drop(connection, ONE, (feed, resource, key, kind), now)


def remove(connection: Connection, feed: str, resource: str, keys: Sequence[str], now: int) -> None:
    """Delete what is stored and wanted of the records' objects; the bytes become dead."""
    for which, values in connection.among("resource_record_key", keys):
        _drop(connection, f"feed = ? AND resource_name = ? AND {which}", (feed, resource, *values), now)


def recheck(connection: Connection, feed: str, resource: str, keys: Sequence[str]) -> None:
    """Have the records' objects asked for again."""
    for which, values in connection.among("resource_record_key", keys):
        connection.execute(
            f"UPDATE record_object_set SET pending = true WHERE feed = ? AND resource_name = ? AND {which} "
            "AND stored_version IS NOT NULL",
            (feed, resource, *values),
        )


def lose(connection: Connection, name: str) -> int:
    """The stored bytes of this name are gone: want the set they are of again. Returns how many sets do."""
    rows = connection.execute(
        "DELETE FROM record_object WHERE object_key = ? AND (feed, resource_name, resource_record_key) IN "
        "(SELECT feed, resource, key FROM media_object WHERE name = ?) "
        "RETURNING feed, resource_name, resource_record_key, object_type",
        (name, name),
    ).fetchall()
    for row in rows:
        connection.execute(
            "UPDATE record_object_set SET pending = true, stored_version = NULL, attempted_by = NULL, "
            f"next_attempt_at = NULL WHERE {ONE}",
            row,
        )
    return len(rows)


def _drop(connection: Connection, which: str, values: Sequence[object], now: int) -> None:
    connection.execute(
        "UPDATE media_object SET state = 'dead', at = ? WHERE name IN "
        f"(SELECT object_key FROM record_object WHERE {which} AND object_key IS NOT NULL)",
        (now, *values),
    )
    for table in ("record_object", "record_object_set"):
        connection.execute(f"DELETE FROM {table} WHERE {which}", values)
