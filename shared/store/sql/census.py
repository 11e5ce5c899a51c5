"""Figures of all feeds at once, in SQL that every database here understands. See ``shared.store.base.Census``.

What grows with the listings is counted from indexes and narrow tables: photos from ``media_set``, and from the rows of
``media`` only what is pending.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from shared.store.base import Counts
from shared.store.tables import TABLES_OF

Read = Callable[[str, Sequence[Any]], list[tuple[Any, ...]]]

_WANTED = (
    "SELECT feed, resource, count(*), sum(CASE WHEN reason IS NULL THEN 0 ELSE 1 END) FROM ledger "
    "WHERE wanted_by IS NOT NULL GROUP BY feed, resource"
)
_PENDING = (
    "SELECT feed, sum(CASE WHEN failed_reason IS NULL THEN 1 ELSE 0 END), "
    "sum(CASE WHEN failed_reason IS NULL THEN 0 ELSE 1 END) FROM (SELECT feed, failed_reason FROM media WHERE pending "
    "UNION ALL SELECT feed, failed_reason FROM record_object_set WHERE pending) AS open GROUP BY feed"
)
_SETS = (
    "SELECT feed, sum(photos_stored), count(*), sum(CASE WHEN complete_at IS NULL THEN 1 ELSE 0 END) FROM media_set "
    "GROUP BY feed"
)
_LAST_RUNS = (
    "SELECT r.feed, r.outcome, r.finished_at FROM run r JOIN (SELECT feed, max(started_at) AS at FROM run "
    "WHERE kind = 'sync' AND finished_at IS NOT NULL GROUP BY feed) l ON l.feed = r.feed AND l.at = r.started_at "
    "WHERE r.kind = 'sync' AND r.finished_at IS NOT NULL"
)
_ODD = (
    "SELECT feed, resource, CASE WHEN reason = '' THEN 'unknown' ELSE 'unfit' END AS kind, count(*) "
    "FROM extra_element GROUP BY feed, resource, kind"
)
_LISTED = (
    "SELECT min(r.started_at) FROM run_count c JOIN run r ON r.run_id = c.run_id AND r.feed = c.feed "
    "WHERE c.feed = ? AND c.resource = ? AND c.name = 'inventory'"
)


class SqlCensus:
    """See ``shared.store.base.Census``. ``read`` returns the rows of one query."""

    def __init__(self, read: Read) -> None:
        self._read = read

    def take(self) -> Counts:
        wanted = self._read(_WANTED, ())
        pending = self._read(_PENDING, ())
        sets = self._read(_SETS, ())
        return Counts(
            stored={
                (feed, resource): count
                for resource, (table, _) in TABLES_OF.items()
                for feed, count in self._read(f'SELECT feed, count(*) FROM "{table.name}" GROUP BY feed', ())
            },
            wanted={(feed, resource): count for feed, resource, count, _ in wanted},
            unavailable={(feed, resource): int(count) for feed, resource, _, count in wanted},
            held=self._pairs(
                "SELECT feed, resource, count(*) FROM removal_candidate WHERE state = 'held' GROUP BY feed, resource"
            ),
            whole={
                (feed, resource): (at, count)
                for feed, resource, at, count in self._read(
                    "SELECT feed, resource, whole, whole_count FROM inventory WHERE whole IS NOT NULL", ()
                )
            },
            quarantined=self._pairs("SELECT feed, kind, count(*) FROM quarantine GROUP BY feed, kind"),
            photos_stored={feed: int(count) for feed, count, _, _ in sets},
            photo_sets={feed: (int(count), int(incomplete)) for feed, _, count, incomplete in sets},
            photos_pending={feed: int(count) for feed, count, _ in pending},
            photos_failed={feed: int(count) for feed, _, count in pending},
            runs={feed: (outcome, at) for feed, outcome, at in self._read(_LAST_RUNS, ())},
            in_step=dict(
                self._read(
                    "SELECT feed, max(finished_at) FROM run WHERE kind = 'sync' AND outcome = 'in_step' GROUP BY feed",
                    (),
                )
            ),
            metadata={
                feed: (at, attempts)
                for feed, at, attempts in self._read("SELECT feed, read_at, attempts FROM metadata_state", ())
            },
            odd={(feed, resource, kind): count for feed, resource, kind, count in self._read(_ODD, ())},
        )

    def listed_since(self, feed: str, resource: str) -> int | None:
        at: int | None = self._read(_LISTED, (feed, resource))[0][0]
        return at

    def _pairs(self, sql: str) -> dict[tuple[str, str], int]:
        return {(feed, name): count for feed, name, count in self._read(sql, ())}
