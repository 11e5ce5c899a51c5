"""Who does what now."""

from __future__ import annotations

from collections.abc import Callable

from shared.store.base import MICROSECONDS
from shared.store.sql.connection import Connection, Database, transaction


class SqlLeases:
    """See ``shared.store.base.Leases``."""

    def __init__(self, database: Database, now: Callable[[], int]) -> None:
        self._database = database
        self._now = now

    @transaction
    def take(self, connection: Connection, name: str, holder: str, seconds: float) -> bool:
        now = self._now()  # waiting for the others' transactions took time
        taken = connection.execute(
            "INSERT INTO lease (name, holder, until) VALUES (?, ?, ?) ON CONFLICT (name) "
            "DO UPDATE SET holder = excluded.holder, until = excluded.until "
            "WHERE lease.holder = excluded.holder OR lease.until <= ?",
            (name, holder, now + int(seconds * MICROSECONDS), now),
        )
        return taken.rowcount > 0

    @transaction
    def renew(self, connection: Connection, name: str, holder: str, seconds: float) -> bool:
        until = self._now() + int(seconds * MICROSECONDS)
        renewed = connection.execute("UPDATE lease SET until = ? WHERE name = ? AND holder = ?", (until, name, holder))
        return renewed.rowcount > 0

    @transaction
    def release(self, connection: Connection, name: str, holder: str) -> None:
        connection.execute("DELETE FROM lease WHERE name = ? AND holder = ?", (name, holder))

    def holder(self, name: str) -> str | None:
        rows = self._database.read("SELECT holder FROM lease WHERE name = ? AND until > ?", (name, self._now()))
        return rows[0][0] if rows else None
