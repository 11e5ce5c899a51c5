"""What each feed may ask of its MLS: read all that counts, decide by ``shared.budget``, write it back."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from shared.budget import (
    ARRIVAL,
    LONGEST_PAUSE,
    Limits,
    Part,
    Share,
    Use,
    Wait,
    Window,
    live,
    next_free,
    pause_length,
    uses,
)
from shared.store.sql.connection import Connection, Database, transaction, upsert

_ADD = (
    "INSERT INTO budget_use (feed, kind, upto, requests, bytes) VALUES (?, ?, ?, ?, ?) "
    "ON CONFLICT (feed, kind, upto) DO UPDATE SET "
    "requests = budget_use.requests + excluded.requests, bytes = budget_use.bytes + excluded.bytes"
)
_PUT_PAUSE = upsert("budget_pause", ("feed", "until", "reason", "refused", "refusals"), ("feed",))
_PARTS = "SELECT kind, upto, requests, bytes FROM budget_use WHERE feed = ?"
_SHORTEN = "UPDATE budget_pause SET until = ? WHERE feed = ? AND until > ?"
"""Of use when the clock has stepped back."""
_PAUSE = "SELECT until, reason FROM budget_pause WHERE feed = ?"


class SqlBudget:
    """See ``shared.store.base.Budget``. A feed without limits writes nothing."""

    def __init__(self, database: Database, now: Callable[[], int]) -> None:
        self._database = database
        self._now = now

    def take(self, feed: str, limits: Limits, *, forced: bool = False) -> Share | Wait:
        windows, now = limits.windows(), self._now()
        if not windows and (forced or not self._database.read(_PAUSE + " AND until > ?", (feed, now))):
            return Share(now)
        return self._take(feed, windows, forced)

    @transaction
    def _take(self, connection: Connection, feed: str, windows: Sequence[Window], forced: bool) -> Share | Wait:
        connection.lock(feed, of="budget")
        now = self._now()  # waiting for the others' transactions took time
        parts = self._settled(connection, feed, windows, now)
        if not forced:
            connection.execute(_SHORTEN, (now + LONGEST_PAUSE, feed, now + LONGEST_PAUSE))
            pause = _pause(connection.execute(_PAUSE, (feed,)).fetchall(), now)
            wait = pause or next_free(parts, windows, now)
            if wait is not None:
                return wait
        counted = {window.kind: window.part(now + ARRIVAL) for window in windows}
        connection.executemany(_ADD, [(feed, kind, upto, 1, 0) for kind, upto in counted.items()])
        taken = [Part(kind, upto, 1) for kind, upto in counted.items()]
        left = tuple((use.setting, max(0, use.limit - use.used)) for use in uses([*parts, *taken], windows))
        return Share(now, counted.get("second"), left)

    def answered(
        self, feed: str, limits: Limits, share: Share, transaction: str, byte_size: int, *, well: bool
    ) -> None:
        over = well and self._database.read(
            "SELECT 1 FROM budget_pause WHERE feed = ? AND refused = ? AND until <= ?", (feed, transaction, share.at)
        )
        windows = limits.windows()
        if not windows and not over:
            return
        self._answered(feed, windows, share, transaction if over else None, byte_size)

    @transaction
    def _answered(
        self,
        connection: Connection,
        feed: str,
        windows: Sequence[Window],
        share: Share,
        over: str | None,
        byte_size: int,
    ) -> None:
        """``over``: the transaction whose refusals are over."""
        connection.lock(feed, of="budget")
        now = self._now()
        if over is not None:
            connection.execute(
                "DELETE FROM budget_pause WHERE feed = ? AND refused = ? AND until <= ?", (feed, over, share.at)
            )
        for window in windows:
            part = window.part(now)
            if window.of == "bytes" and byte_size:
                connection.execute(_ADD, (feed, window.kind, part, 0, byte_size))
            elif window.kind == "second" and share.second is not None and part < share.second:
                self._move(connection, feed, share.second, part)

    def refused(self, feed: str, share: Share, transaction: str, reason: str, said: float | None, usual: float) -> int:
        return self._refused(feed, share, transaction, reason, said, usual)

    @transaction
    def _refused(
        self,
        connection: Connection,
        feed: str,
        share: Share,
        refused: str,
        reason: str,
        said: float | None,
        usual: float,
    ) -> int:
        connection.lock(feed, of="budget")
        now = self._now()
        row = connection.execute("SELECT until, refusals FROM budget_pause WHERE feed = ?", (feed,)).fetchone()
        before, refusals = row or (0, 0)
        if share.at >= before or before > now + LONGEST_PAUSE:
            refusals, before = refusals + 1, 0
        until = max(before, now + pause_length(said, usual, refusals))
        connection.execute(_PUT_PAUSE, (feed, until, reason, refused, refusals))
        return until

    def look(self, feed: str, limits: Limits) -> tuple[tuple[Use, ...], Wait | None]:
        windows, now = limits.windows(), self._now()
        parts = live((Part(*row) for row in self._database.read(_PARTS, (feed,))), windows, now)
        free = next_free(parts, windows, now)
        pause = _pause(self._database.read(_PAUSE, (feed,)), now)
        waits = [wait for wait in (free, pause) if wait is not None]
        return uses(parts, windows), max(waits, key=lambda wait: wait.until, default=None)

    @staticmethod
    def _settled(connection: Connection, feed: str, windows: Sequence[Window], now: int) -> list[Part]:
        """What counts now; what no longer does is deleted, and a clock that stepped back is made up for."""
        found = [Part(*row) for row in connection.execute(_PARTS + " ORDER BY kind, upto", (feed,))]
        parts = live(found, windows, now)
        connection.executemany(
            "DELETE FROM budget_use WHERE feed = ? AND kind = ? AND upto = ?",
            [(feed, part.kind, part.upto) for part in found if part not in parts],
        )
        connection.executemany(
            _ADD, [(feed, part.kind, part.upto, part.requests, part.byte_size) for part in parts if part not in found]
        )
        return parts

    @staticmethod
    def _move(connection: Connection, feed: str, old: int, new: int) -> None:
        """One request is known to have arrived sooner than it counted from."""
        moved = connection.execute(
            "UPDATE budget_use SET requests = requests - 1 "
            "WHERE feed = ? AND kind = 'second' AND upto = ? AND requests > 0",
            (feed, old),
        )
        if moved.rowcount:
            connection.execute(_ADD, (feed, "second", new, 1, 0))


def _pause(rows: Sequence[tuple[int, str]], now: int) -> Wait | None:
    """The pause that is not over."""
    return next((Wait(min(until, now + LONGEST_PAUSE), reason) for until, reason in rows if until > now), None)
