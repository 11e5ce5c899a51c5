"""The photo rows of a record, on SQLite: brought in line with what the MLS lists."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence

from shared.effects import StoreRecord
from shared.store.sqlite.database import chunks, marks
from shared.store.sqlite.media import FORGOTTEN, RECORD, recount
from shared.store.sqlite.values import instant

LISTED = (
    "feed", "resource_name", "resource_record_key", "media_key", "listing_key", '"order"', "media_url",
    "large_photo_url", "photo_url", "thumbnail_photo_url", "long_description", "modification_timestamp", "last_updated",
    "wanted_version",
)  # fmt: skip
SAME = "media.wanted_version IS excluded.wanted_version"
LIST = (
    f"INSERT INTO media ({', '.join(LISTED)}, pending, attempts, recheck) "
    f"VALUES ({marks(len(LISTED))}, ?, 0, 0) ON CONFLICT (feed, resource_name, resource_record_key, media_key) "
    "DO UPDATE SET "
    + ", ".join(f"{name} = excluded.{name}" for name in LISTED[4:])
    # a new version starts afresh, whatever was tried before
    + f", attempts = CASE WHEN {SAME} THEN media.attempts ELSE 0 END"
    + "".join(
        f", {name} = CASE WHEN {SAME} THEN media.{name} END"
        for name in ("attempted_by", "next_attempt_at", "failed_reason")
    )
    + ", pending = excluded.wanted_version IS NOT NULL AND (excluded.wanted_version IS NOT media.stored_version "
    "OR media.recheck)"
)


def merge(connection: sqlite3.Connection, feed: str, resource: str, record: StoreRecord, now: int) -> None:
    """List exactly the record's photos; what is stored of a photo stays until another version of it is stored.

    Objects of photos no longer listed, or no longer to be stored, become dead.
    """
    key = record.mapped.key
    of = (feed, resource, key)
    listing = key if resource == "property" else None
    if not record.insert:
        keep = {photo.item.media_key for photo in record.photos if photo.version is not None}
        _drop_objects(connection, of, keep, now)
        listed = {photo.item.media_key for photo in record.photos}
        stored = connection.execute(f"SELECT media_key FROM media WHERE {RECORD}", of).fetchall()
        connection.executemany(
            f"DELETE FROM media WHERE {RECORD} AND media_key = ?",
            [(*of, name) for (name,) in stored if name not in listed],
        )
    connection.executemany(
        LIST,
        [
            (
                *of, photo.item.media_key, listing, photo.item.order, photo.url, photo.item.large_photo_url,
                photo.item.photo_url, photo.item.thumbnail_photo_url, photo.item.description,
                instant(photo.item.modified), instant(photo.item.listed), photo.version, photo.version is not None,
            )
            for photo in record.photos
        ],
    )  # fmt: skip
    if record.photos or not record.insert:
        recount(connection, feed, resource, [key], now)


def _drop_objects(connection: sqlite3.Connection, of: tuple[str, str, str], keep: Iterable[str], now: int) -> None:
    """Objects of the record's photos other than ``keep`` become dead, and their rows forget them."""
    gone = [
        (media_key, name)
        for media_key, name in connection.execute(
            f"SELECT media_key, object_key FROM media WHERE {RECORD} AND object_key IS NOT NULL",
            of,
        ).fetchall()
        if media_key not in keep
    ]
    connection.executemany(
        "UPDATE media_object SET state = 'dead', at = ? WHERE name = ?", [(now, name) for _, name in gone]
    )
    connection.executemany(
        f"UPDATE media SET {FORGOTTEN} WHERE {RECORD} AND media_key = ?",
        [(*of, media_key) for media_key, _ in gone],
    )


def remove(connection: sqlite3.Connection, feed: str, resource: str, keys: Sequence[str], now: int) -> None:
    """Delete the records' photo rows; their objects become dead."""
    for part in chunks(keys):
        these = f"feed = ? AND resource_name = ? AND resource_record_key IN ({marks(len(part))})"
        connection.execute(
            "UPDATE media_object SET state = 'dead', at = ? WHERE name IN "
            f"(SELECT object_key FROM media WHERE {these} AND object_key IS NOT NULL)",
            (now, feed, resource, *part),
        )
        connection.execute(f"DELETE FROM media WHERE {these}", (feed, resource, *part))
        connection.execute(f"DELETE FROM media_set WHERE {these}", (feed, resource, *part))


def recheck(connection: sqlite3.Connection, feed: str, resource: str, keys: Sequence[str]) -> None:
    """Have the records' stored photos asked for again, by conditional request."""
    for part in chunks(keys):
        connection.execute(
            "UPDATE media SET recheck = 1, pending = 1 WHERE feed = ? AND resource_name = ? "
            f"AND resource_record_key IN ({marks(len(part))}) AND stored_version IS NOT NULL",
            (feed, resource, *part),
        )


def retry(connection: sqlite3.Connection, feed: str, resource: str, keys: Sequence[str]) -> None:
    """Have failed photos of the records asked for at once: tried for this inventory, in back-off, or not."""
    for part in chunks(keys):
        connection.execute(
            "UPDATE media SET attempted_by = NULL, next_attempt_at = NULL WHERE feed = ? AND resource_name = ? "
            f"AND resource_record_key IN ({marks(len(part))}) AND pending AND failed_reason IS NOT NULL",
            (feed, resource, *part),
        )
