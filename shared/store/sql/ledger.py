"""The ledger."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from shared.effects import Line
from shared.store.base import Horizon
from shared.store.sql.connection import Connection, between

COLUMNS = (
    "key, stored, observed_at, stamp, hash, unsettled, wanted_stamp, wanted_by, attempts, attempted_by, "
    "next_attempt_at, reason"
)
DUE = (
    "wanted_by IS NOT NULL AND (attempted_by IS NULL OR attempted_by <> wanted_by) "
    "AND (next_attempt_at IS NULL OR next_attempt_at <= ?)"
)

QUIET = "stored AND stamp IS NOT NULL AND NOT unsettled AND wanted_by IS NULL"


def to_line(row: tuple[object, ...]) -> Line:
    """A row of ``COLUMNS`` as a line."""
    key, stored, observed_at, stamp, digest, unsettled, *rest = row
    return Line(key, bool(stored), observed_at, stamp, digest, bool(unsettled), *rest)  # type: ignore[arg-type]


class SqlLedger:
    """See ``shared.store.base.Ledger``."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def horizon(self, feed: str, resource: str) -> Horizon | None:
        self._connection.lock(feed)
        row = self._connection.execute(
            "SELECT observed_at, count, complete_at FROM inventory WHERE feed = ? AND resource = ?", (feed, resource)
        ).fetchone()
        return None if row is None else Horizon(row[0], row[1], row[2] is not None)

    def lines(self, feed: str, resource: str, keys: Iterable[str]) -> dict[str, Line]:
        self._connection.lock(feed)
        found: dict[str, Line] = {}
        for which, values in self._connection.among("key", set(keys)):
            sql = f"SELECT {COLUMNS} FROM ledger WHERE feed = ? AND resource = ? AND {which}"
            for row in self._connection.execute(sql, (feed, resource, *values)).fetchall():
                found[row[0]] = to_line(row)
        return found

    def between(self, feed: str, resource: str, after: str | None, upto: str | None) -> Iterator[Line]:
        self._connection.lock(feed)
        limits, values = between(after, upto)
        sql = f"SELECT {COLUMNS} FROM ledger WHERE feed = ? AND resource = ? {limits} ORDER BY key"
        for row in self._connection.stream(sql, (feed, resource, *values)):
            yield to_line(row)

    def unlike(
        self, feed: str, resource: str, after: str | None, upto: str | None, listed: Mapping[str, str]
    ) -> tuple[set[str], list[Line]]:
        self._connection.lock(feed)
        limits, values = between(after, upto)
        here = f"FROM ledger WHERE feed = ? AND resource = ? {limits}"
        stamps = self._connection.stream(f"SELECT key, stamp {here} AND {QUIET}", (feed, resource, *values))
        alike: set[str] = set()
        unlike: list[str] = []
        for key, stamp in stamps:
            if listed.get(key) == stamp:
                alike.add(key)
            else:
                unlike.append(key)
        found = self.lines(feed, resource, unlike)
        others = self._connection.execute(f"SELECT {COLUMNS} {here} AND NOT ({QUIET})", (feed, resource, *values))
        found.update((row[0], to_line(row)) for row in others.fetchall())
        return alike, [found[key] for key in sorted(found)]

    def due(self, feed: str, resource: str, after: str | None, upto: str | None, now: int) -> list[str]:
        self._connection.lock(feed)
        limits, values = between(after, upto)
        sql = f"SELECT key FROM ledger WHERE feed = ? AND resource = ? AND {DUE} {limits} ORDER BY key"
        return [row[0] for row in self._connection.execute(sql, (feed, resource, now, *values))]

    def unread_longest(self, feed: str, resource: str, before: int, limit: int) -> list[Line]:
        self._connection.lock(feed)
        sql = (
            f"SELECT {COLUMNS} FROM ledger WHERE feed = ? AND resource = ? AND stored AND wanted_by IS NULL "
            "AND observed_at < ? ORDER BY observed_at, key LIMIT ?"
        )
        return [to_line(row) for row in self._connection.execute(sql, (feed, resource, before, limit))]
