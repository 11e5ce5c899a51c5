"""The clock, the runs and the state of each feed."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from shared.store.base import DAY, MICROSECONDS, FeedStatus, Outstanding, ResourceStatus
from shared.store.sql.connection import Connection, Database, transaction
from shared.store.sql.counters import Counts
from shared.store.sql.extra import tally_of
from shared.store.sql.ledger import DUE as RECORD_DUE
from shared.store.sql.lookups import state_of
from shared.store.sql.media import DUE as PHOTO_DUE
from shared.store.sql.media import PICTURED, STORED
from shared.store.sql.pictures import repeated
from shared.store.tables import TABLES_OF

KEEP_RUNS = 90 * DAY
PHOTO_FAILED = "pending AND failed_reason IS NOT NULL"
WHY_HELD = (
    "coalesce((SELECT CASE i.count WHEN 0 THEN 'removal held: the inventory was empty' "
    "ELSE 'removal held: the inventory of ' || i.count || ' keys lacks it and ' || "
    "((SELECT count(*) FROM removal_candidate o "
    "WHERE o.feed = c.feed AND o.resource = c.resource AND o.by = c.by) - 1) "
    "|| ' more, too many to believe at once' END FROM inventory i "
    "WHERE i.feed = c.feed AND i.resource = c.resource AND i.observed_at = c.by), 'removal held')"
)
"""Why a candidate ``c`` is held, in words."""
LAST_SYNC = (
    "SELECT outcome, error FROM run WHERE feed = ? AND kind IN ('sync', 'limited') AND finished_at IS NOT NULL "
    "ORDER BY started_at DESC LIMIT 1"
)


class SqlFeeds:
    """See ``shared.store.base.Feeds``."""

    def __init__(self, database: Database, clock: Callable[[], float]) -> None:
        self._database = database
        self._clock = clock

    def now(self) -> int:
        return int(self._clock() * MICROSECONDS)

    @transaction
    def observe(self, connection: Connection, feed: str) -> int:
        row = connection.execute(
            "INSERT INTO feed (feed, clock, object_number) VALUES (?, ?, 0) ON CONFLICT (feed) DO UPDATE SET clock = "
            "CASE WHEN excluded.clock > feed.clock THEN excluded.clock ELSE feed.clock + 1 END RETURNING clock",
            (feed, self.now()),
        ).fetchone()
        return int(row[0])

    @transaction
    def start_run(self, connection: Connection, feed: str, run_id: str, kind: str) -> None:
        connection.lock("", of="runs")
        self._forget_old(connection)
        connection.execute(
            "INSERT INTO run (run_id, feed, kind, started_at) VALUES (?, ?, ?, ?)",
            (run_id, feed, kind, self.now()),
        )

    def _forget_old(self, connection: Connection) -> None:
        """Runs and removal counts are kept for a season: they serve looking back, not working."""
        before = self.now() - KEEP_RUNS
        connection.execute(
            "DELETE FROM run_count WHERE run_id IN (SELECT run_id FROM run WHERE started_at < ?)", (before,)
        )
        connection.execute("DELETE FROM run WHERE started_at < ?", (before,))
        connection.execute("DELETE FROM removal WHERE by < ?", (before,))

    @transaction
    def finish_run(
        self, connection: Connection, feed: str, run_id: str, outcome: str, error: str | None = None
    ) -> None:
        connection.execute(
            "UPDATE run SET finished_at = ?, outcome = ?, error = ? WHERE run_id = ? AND feed = ?",
            (self.now(), outcome, error, run_id, feed),
        )

    def last_finished(self, kind: str) -> int | None:
        return self._one("SELECT max(finished_at) FROM run WHERE kind = ? AND outcome <> 'failed'", kind)

    def runs(self, feed: str, kind: str, upto: int, limit: int) -> list[tuple[int, str | None]]:
        return self._database.read(
            "SELECT started_at, outcome FROM run WHERE feed = ? AND kind = ? AND started_at <= ? "
            "ORDER BY started_at DESC LIMIT ?",
            (feed, kind, upto, limit),
        )

    @transaction
    def count(self, connection: Connection, feed: str, run_id: str, resource: str, counts: Mapping[str, int]) -> None:
        counted = Counts()
        counted.add(feed, run_id, resource, counts)
        counted.write(connection)

    def counts(self, run_id: str) -> dict[str, dict[str, dict[str, int]]]:
        found: dict[str, dict[str, dict[str, int]]] = {}
        for feed, resource, name, value in self._database.read(
            "SELECT feed, resource, name, value FROM run_count WHERE run_id = ?", (run_id,)
        ):
            found.setdefault(feed, {}).setdefault(resource, {})[name] = value
        return found

    def outstanding(self, feed: str) -> Outstanding:
        now = self.now()
        one = self._one
        return Outstanding(
            wanted=one(f"SELECT count(*) FROM ledger WHERE feed = ? AND {RECORD_DUE}", feed, now),
            photos=sum(
                one(f"SELECT count(*) FROM {table} WHERE feed = ? AND resource_name = ? AND {PHOTO_DUE}",
                    feed, resource, feed, resource, now)
                for resource in TABLES_OF for table in PICTURED
            ) + one("SELECT count(*) FROM media_object WHERE feed = ? AND state = 'dead'", feed),
            unavailable=one(
                "SELECT count(*) FROM ledger WHERE feed = ? AND wanted_by IS NOT NULL AND reason IS NOT NULL", feed
            ),
            photos_failed=self._each(PHOTO_FAILED, feed),
            released=one("SELECT count(*) FROM removal_candidate WHERE feed = ? AND state = 'released'", feed),
            held=one("SELECT count(*) FROM removal_candidate WHERE feed = ? AND state = 'held'", feed),
            quarantined=one("SELECT count(*) FROM quarantine WHERE feed = ?", feed),
            next_due=self._next_due(feed),
        )  # fmt: skip

    def _next_due(self, feed: str) -> int | None:
        return self._one(
            "SELECT min(at) FROM (SELECT min(next_attempt_at) AS at FROM ledger WHERE feed = ? "
            "AND wanted_by IS NOT NULL"
            + "".join(
                f" UNION ALL SELECT min(next_attempt_at) FROM {table} WHERE feed = ? AND pending" for table in PICTURED
            )
            + ") AS backed_off",
            feed,
            *(feed for _ in PICTURED),
        )

    def status(self, feed: str) -> FeedStatus:
        left = self.outstanding(feed)
        run = self._database.read(
            "SELECT run_id, kind, started_at, finished_at, outcome, error FROM run WHERE feed = ? "
            "ORDER BY started_at DESC LIMIT 1",
            (feed,),
        )
        resources = {resource: self._resource(feed, resource) for resource in TABLES_OF}
        listings = resources.pop("property")
        return FeedStatus(
            last_run=dict(zip(("run_id", "kind", "started_at", "finished_at", "outcome", "error"), run[0], strict=True))
            if run
            else None,
            freshness_seconds=listings.freshness_seconds,
            at_mls=listings.at_mls,
            stored=listings.stored,
            photos_stored=self._one(
                f"SELECT count(*) FROM media WHERE feed = ? AND {STORED}",
                feed,
            ),
            photos_pending=self._each("pending AND failed_reason IS NULL", feed),
            objects_stored=self._one("SELECT count(*) FROM record_object WHERE feed = ?", feed),
            photos_failed=left.photos_failed,
            held=left.held,
            quarantined=left.quarantined,
            unavailable=left.unavailable,
            next_due=left.next_due,
            resources=resources,
            problems=self._problems(feed),
            repeated=repeated(self._database, feed),
            metadata=state_of(self._database, feed, self.now()),
            extra=tally_of(self._database, feed),
        )

    def _resource(self, feed: str, resource: str) -> ResourceStatus:
        whole = self._database.read(
            "SELECT whole, whole_count FROM inventory WHERE feed = ? AND resource = ? AND whole IS NOT NULL",
            (feed, resource),
        )
        return ResourceStatus(
            stored=self._one(f'SELECT count(*) FROM "{TABLES_OF[resource][0].name}" WHERE feed = ?', feed),
            own=self._one("SELECT count(*) FROM ledger WHERE feed = ? AND resource = ? AND stored", feed, resource),
            at_mls=whole[0][1] if whole else None,
            freshness_seconds=max(0.0, (self.now() - whole[0][0]) / MICROSECONDS) if whole else None,
        )

    def _problems(self, feed: str, limit: int = 1000) -> list[dict[str, object]]:
        """What is not in step, each with its reason, oldest key first, at most ``limit`` of a kind."""
        found: list[dict[str, object]] = []
        for kind, sql in (
            ("sync", f"SELECT '', '', error, NULL FROM ({LAST_SYNC}) AS run WHERE outcome IN ('failed', 'unavailable') "
             "LIMIT ?"),
            ("inventory", f"SELECT '', '', error, NULL FROM ({LAST_SYNC}) AS run WHERE outcome = 'unfinished' "
             "AND error IS NOT NULL LIMIT ?"),
            ("unavailable", "SELECT resource, key, reason, next_attempt_at FROM ledger WHERE feed = ? "
             "AND wanted_by IS NOT NULL AND reason IS NOT NULL ORDER BY resource, key LIMIT ?"),
            ("photo", "SELECT resource_name, resource_record_key || ':' || media_key, failed_reason, next_attempt_at "
             f"FROM media WHERE feed = ? AND {PHOTO_FAILED} ORDER BY 1, 2 LIMIT ?"),
            ("object", "SELECT resource_name, resource_record_key || ':' || object_type, failed_reason, "
             f"next_attempt_at FROM record_object_set WHERE feed = ? AND {PHOTO_FAILED} ORDER BY 1, 2 LIMIT ?"),
            ("held", f"SELECT resource, key, {WHY_HELD}, NULL FROM removal_candidate c WHERE feed = ? "
             "AND state = 'held' ORDER BY resource, key LIMIT ?"),
            ("quarantined", "SELECT resource, key, reason, NULL FROM quarantine WHERE feed = ? ORDER BY at LIMIT ?"),
        ):  # fmt: skip
            found += [
                {"kind": kind, "resource": resource, "key": key, "reason": reason, "next_attempt_at": due}
                for resource, key, reason, due in self._database.read(sql, (feed, limit))
            ]
        return found

    def _each(self, which: str, feed: str) -> int:
        """How many photos, and sets of other objects, are so."""
        return sum(self._one(f"SELECT count(*) FROM {table} WHERE feed = ? AND {which}", feed) for table in PICTURED)

    def _one(self, sql: str, *values: object) -> int:
        value: int = self._database.read(sql, values)[0][0]
        return value
