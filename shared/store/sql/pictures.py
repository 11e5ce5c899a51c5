"""Pictures by their content, whichever listings have them."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from shared.store.base import RepeatedPhoto
from shared.store.sql.connection import Connection, Database
from shared.store.sql.media import FORGOTTEN, recount

AT_ONCE = 500
OFTEN = 10
SHOWN = 10


def disown(database: Database, feed: str, hashes: Iterable[str], now: int) -> int:
    """See ``shared.store.base.Objects.disown``."""
    disowned = 0
    for which in set(hashes):
        while count := database.run(partial(_disown_some, feed=feed, content=which, now=now)):
            disowned += count
    return disowned


def _disown_some(connection: Connection, feed: str, content: str, now: int) -> int:
    """A few of them in one transaction; what is disowned is not found again."""
    connection.lock(feed)
    found = connection.execute(
        "SELECT resource_name, resource_record_key, media_key, object_key FROM media WHERE feed = ? "
        f"AND content_sha256 = ? LIMIT {AT_ONCE}",
        (feed, content),
    ).fetchall()
    connection.executemany(
        "UPDATE media_object SET state = 'dead', at = ? WHERE name = ? AND state = 'live'",
        [(now, name) for *_, name in found],
    )
    connection.executemany(
        f"UPDATE media SET {FORGOTTEN}, pending = wanted_version IS NOT NULL, recheck = false, attempts = 0, "
        "attempted_by = NULL, next_attempt_at = NULL, failed_reason = NULL "
        "WHERE feed = ? AND resource_name = ? AND resource_record_key = ? AND media_key = ?",
        [(feed, resource, key, media_key) for resource, key, media_key, _ in found],
    )
    for resource in {resource for resource, *_ in found}:
        recount(connection, feed, resource, {key for of, key, *_ in found if of == resource}, now)
    return len(found)


def repeated(database: Database, feed: str) -> list[RepeatedPhoto]:
    """Pictures that more than ``OFTEN`` listings have, the most frequent first, at most ``SHOWN``.

    The inner query needs the index on content alone.
    """
    rows = database.read(
        "SELECT content_sha256, count(DISTINCT resource_record_key) AS listings FROM media "
        "WHERE feed = ? AND resource_name = 'property' AND content_sha256 IN ("
        "SELECT content_sha256 FROM media WHERE feed = ? AND content_sha256 IS NOT NULL "
        "GROUP BY content_sha256 HAVING count(*) > ?) GROUP BY content_sha256 "
        "HAVING count(DISTINCT resource_record_key) > ? ORDER BY listings DESC, content_sha256 LIMIT ?",
        (feed, feed, OFTEN, OFTEN, SHOWN),
    )
    return [RepeatedPhoto(*row) for row in rows]
