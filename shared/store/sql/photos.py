"""The photo rows of records, brought in line with what the MLS lists."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from operator import itemgetter

from shared.effects import Photo, StoreRecord
from shared.store.sql.connection import Connection, Row, quoted, same
from shared.store.sql.media import FORGOTTEN, PICTURED, RECORD, mark_dead, recount
from shared.store.sql.values import instant
from shared.store.tables import metadata

LISTED = (
    "feed", "resource_name", "resource_record_key", "media_key", "listing_key", "order", "media_url",
    "large_photo_url", "photo_url", "thumbnail_photo_url", "long_description", "modification_timestamp", "last_updated",
    "wanted_version",
)  # fmt: skip
_GIVEN = (*LISTED, "pending", "attempts", "recheck")
_in_order = itemgetter(
    *(
        _GIVEN.index(column.name) if column.name in _GIVEN else len(_GIVEN)
        for column in metadata.tables["media"].columns
    )
)
SAME = same("media.wanted_version", "excluded.wanted_version")
LIST = (
    "ON CONFLICT (feed, resource_name, resource_record_key, media_key) DO UPDATE SET "
    + ", ".join(f'"{name}" = excluded."{name}"' for name in LISTED[4:])
    # a new version starts afresh, whatever was tried before
    + f", attempts = CASE WHEN {SAME} THEN media.attempts ELSE 0 END"
    + "".join(
        f", {name} = CASE WHEN {SAME} THEN media.{name} END"
        for name in ("attempted_by", "next_attempt_at", "failed_reason")
    )
    + ", pending = excluded.wanted_version IS NOT NULL AND "
    "(media.recheck OR coalesce(excluded.wanted_version <> media.stored_version, true))"
)
Known = dict[str, tuple[Row, str | None]]
"""Of each photo of a record, by media key, what is listed of it and its object."""


def merge(connection: Connection, feed: str, resource: str, records: Sequence[StoreRecord], now: int) -> None:
    """List exactly the records' photos; what is stored of a photo stays until another version of it is stored.

    Objects of photos no longer listed, or no longer to be stored, become dead. Rows that say the same already are left
    alone.
    """
    known = _known(connection, feed, resource, [record.mapped.key for record in records if not record.insert])
    fresh: list[Row] = []
    sets: list[Row] = []
    changed: list[Row] = []
    dropped: list[tuple[str, str, str]] = []
    gone: list[tuple[str, str]] = []
    touched: set[str] = set()
    for record in records:
        key = record.mapped.key
        if record.insert:
            fresh += [_whole(feed, resource, key, photo) for photo in record.photos]
            wanted = sum(photo.version is not None for photo in record.photos)
            if wanted:
                sets.append((feed, resource, key, wanted, 0, None))
            continue
        rows, before = [_row(feed, resource, key, photo) for photo in record.photos], known.get(key, {})
        different = [
            (*row[:11], photo.item.modified, photo.item.listed, photo.version, photo.version is not None, 0, False)
            for row, photo in zip(rows, record.photos, strict=True)
            if row[3] not in before or before[row[3]][0] != row
        ]
        keep = {row[3] for row in rows if row[-1] is not None}
        here = {row[3] for row in rows}
        without = [(key, name, held) for name, (_, held) in before.items() if held is not None and name not in keep]
        away = [(key, name) for name in before if name not in here]
        changed += different
        dropped += without
        gone += away
        if different or without or away:
            touched.add(key)
    away_now = set(gone)
    mark_dead(connection, (held for *_, held in dropped), now)
    connection.executemany(
        f"UPDATE media SET {FORGOTTEN} WHERE {RECORD} AND media_key = ?",
        [(feed, resource, key, name) for key, name, _ in dropped if (key, name) not in away_now],
    )
    connection.executemany(
        f"DELETE FROM media WHERE {RECORD} AND media_key = ?", [(feed, resource, key, name) for key, name in gone]
    )
    connection.put("media", fresh, new=True)
    connection.put("media_set", sets, new=True)
    connection.insert("media", _GIVEN, changed, LIST)
    recount(connection, feed, resource, touched, now)


def _row(feed: str, resource: str, key: str, photo: Photo) -> Row:
    """What is ``LISTED`` of a photo, as it is read again."""
    item = photo.item
    return (
        feed, resource, key, item.media_key, key if resource == "property" else None, item.order, photo.url,
        item.large_photo_url, item.photo_url, item.thumbnail_photo_url, item.description, instant(item.modified),
        instant(item.listed), photo.version,
    )  # fmt: skip


def _whole(feed: str, resource: str, key: str, photo: Photo) -> Row:
    """The whole row of a photo of which nothing is stored."""
    item, version = photo.item, photo.version
    row: Row = _in_order((
        feed, resource, key, item.media_key, key if resource == "property" else None, item.order, photo.url,
        item.large_photo_url, item.photo_url, item.thumbnail_photo_url, item.description, item.modified,
        item.listed, version, version is not None, 0, False, None,
    ))  # fmt: skip
    return row


def _known(connection: Connection, feed: str, resource: str, keys: Sequence[str]) -> dict[str, Known]:
    found: dict[str, Known] = defaultdict(dict)
    for which, values in connection.among("resource_record_key", keys):
        for *row, held in connection.execute(
            f"SELECT {quoted(LISTED)}, object_key FROM media WHERE feed = ? AND resource_name = ? AND {which}",
            (feed, resource, *values),
        ).fetchall():
            found[row[2]][row[3]] = tuple(row), held
    return found


def remove(connection: Connection, feed: str, resource: str, keys: Sequence[str], now: int) -> None:
    """Delete the records' photo rows; their objects become dead."""
    for which, values in connection.among("resource_record_key", keys):
        these = f"feed = ? AND resource_name = ? AND {which}"
        connection.execute(
            "UPDATE media_object SET state = 'dead', at = ? WHERE name IN "
            f"(SELECT object_key FROM media WHERE {these} AND object_key IS NOT NULL)",
            (now, feed, resource, *values),
        )
        connection.execute(f"DELETE FROM media WHERE {these}", (feed, resource, *values))
        connection.execute(f"DELETE FROM media_set WHERE {these}", (feed, resource, *values))


def recheck(connection: Connection, feed: str, resource: str, keys: Sequence[str]) -> None:
    """Have the records' stored photos asked for again, by conditional request."""
    for which, values in connection.among("resource_record_key", keys):
        connection.execute(
            "UPDATE media SET recheck = true, pending = true WHERE feed = ? AND resource_name = ? "
            f"AND {which} AND stored_version IS NOT NULL",
            (feed, resource, *values),
        )


def retry(connection: Connection, feed: str, resource: str, keys: Sequence[str]) -> None:
    """Have failed photos and objects of the records asked for at once: tried for this inventory, in back-off or not."""
    for table in PICTURED:
        for which, values in connection.among("resource_record_key", keys):
            connection.execute(
                f"UPDATE {table} SET attempted_by = NULL, next_attempt_at = NULL WHERE feed = ? AND resource_name = ? "
                f"AND {which} AND pending AND failed_reason IS NOT NULL",
                (feed, resource, *values),
            )
