"""Pictures by their content, whichever listings have them, on SQLite."""

from __future__ import annotations

from collections.abc import Iterable

from shared.store.base import RepeatedPhoto
from shared.store.sqlite.database import Database, chunks, marks
from shared.store.sqlite.media import FORGOTTEN, recount

AT_ONCE = 500
OFTEN = 10
SHOWN = 10


def disown(database: Database, feed: str, hashes: Iterable[str], now: int) -> int:
    """See ``shared.store.base.Objects.disown``."""
    disowned = 0
    for part in chunks(set(hashes)):
        while count := _disown_some(database, feed, part, now):
            disowned += count
    return disowned


def _disown_some(database: Database, feed: str, hashes: list[str], now: int) -> int:
    """A few of them in one transaction; what is disowned is not found again."""
    with database.write() as connection:
        found = connection.execute(
            "SELECT resource_name, resource_record_key, media_key, object_key FROM media WHERE feed = ? "
            f"AND content_sha256 IN ({marks(len(hashes))}) LIMIT {AT_ONCE}",
            (feed, *hashes),
        ).fetchall()
        connection.executemany(
            "UPDATE media_object SET state = 'dead', at = ? WHERE name = ? AND state = 'live'",
            [(now, name) for *_, name in found],
        )
        connection.executemany(
            f"UPDATE media SET {FORGOTTEN}, pending = wanted_version IS NOT NULL, recheck = 0, attempts = 0, "
            "attempted_by = NULL, next_attempt_at = NULL, failed_reason = NULL "
            "WHERE feed = ? AND resource_name = ? AND resource_record_key = ? AND media_key = ?",
            [(feed, resource, key, media_key) for resource, key, media_key, _ in found],
        )
        for resource, key in {(resource, key) for resource, key, *_ in found}:
            recount(connection, feed, resource, [key], now)
        return len(found)


def repeated(database: Database, feed: str) -> list[RepeatedPhoto]:
    """Pictures that more than ``OFTEN`` listings have, the most frequent first, at most ``SHOWN``.

    The inner query needs the index on content alone.
    """
    rows = database.read(
        "SELECT content_sha256, count(DISTINCT resource_record_key) AS listings FROM media "
        "WHERE feed = ?1 AND resource_name = 'property' AND content_sha256 IN ("
        "SELECT content_sha256 FROM media WHERE feed = ?1 AND content_sha256 IS NOT NULL "
        "GROUP BY content_sha256 HAVING count(*) > ?2) "
        "GROUP BY content_sha256 HAVING listings > ?2 ORDER BY listings DESC, content_sha256 LIMIT ?3",
        (feed, OFTEN, SHOWN),
    )
    return [RepeatedPhoto(*row) for row in rows]
