"""Addresses of listings without coordinates, and what a geocoder says of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial

from shared.geocoding.address import COLUMNS, VERSION, address_of
from shared.store.base import DAY, MICROSECONDS, AddressWant, GeocoderPace, Located, NotLocated
from shared.store.sql.connection import Connection, Database, Rows, marks, transaction, upsert

TOLD = 60 * MICROSECONDS
"""How long a message about due addresses is taken to be on its way after the instant it should have been handled."""
UNUSED = 90 * DAY
"""How long coordinates outlive the last listing at their address: the same house is often listed anew."""
RELINK_AT_ONCE = 500

_UNLINKED = "NOT EXISTS (SELECT 1 FROM listing_address l WHERE l.address = geocode.address)"
_DUE = "latitude IS NULL AND next_attempt_at <= ?"


def _of(feeds: Sequence[str]) -> str:
    """The condition that a listing of ``feeds`` has the address."""
    return (
        "EXISTS (SELECT 1 FROM listing_address l WHERE l.address = geocode.address "
        f"AND l.feed IN ({marks(len(feeds))}))"
    )


class SqlGeocoding:
    """See ``shared.store.base.Geocoding``."""

    def __init__(self, database: Database, now: Callable[[], int]) -> None:
        self._database = database
        self._now = now

    @transaction
    def begin(self, connection: Connection, source: str) -> None:
        _lock(connection)
        connection.execute(
            "INSERT INTO geocoder (source, not_before, failures, told_until) VALUES (?, 0, 0, 0) "
            "ON CONFLICT DO NOTHING",
            (source,),
        )
        connection.execute(
            "UPDATE geocode SET next_attempt_at = 0, asked = 0, misses = 0, failures = 0 WHERE latitude IS NULL "
            "AND source <> ?",
            (source,),
        )
        connection.execute(f"DELETE FROM geocode WHERE found_at < ? AND {_UNLINKED}", (self._now() - UNUSED,))

    def tell(self, source: str, feeds: Sequence[str]) -> bool:
        now = self._now()
        if not self._due(feeds, now):
            return False
        return self._told(source, now)

    @transaction
    def _told(self, connection: Connection, source: str, now: int) -> bool:
        _lock(connection)
        told = connection.execute(
            "UPDATE geocoder SET told_until = ? WHERE source = ? AND told_until <= ?", (now + TOLD, source, now)
        )
        return bool(told.rowcount)

    @transaction
    def take(self, connection: Connection, source: str, feeds: Sequence[str], hold: int) -> AddressWant | int | None:
        _lock(connection)
        now = self._now()
        not_before, failures = connection.execute(
            "SELECT not_before, failures FROM geocoder WHERE source = ?", (source,)
        ).fetchone()
        due = connection.execute(
            f"SELECT address, asked, misses, failures FROM geocode WHERE {_DUE} AND {_of(feeds)} "
            "ORDER BY next_attempt_at, address LIMIT 1",
            (now, *feeds),
        ).fetchone()
        if due is None:
            connection.execute("UPDATE geocoder SET told_until = 0 WHERE source = ?", (source,))
            return None
        turn = not_before <= now
        after = now + hold if turn else not_before
        connection.execute(
            "UPDATE geocoder SET not_before = ?, told_until = ? WHERE source = ?", (after, after + TOLD, source)
        )
        address, asked, misses, failed = due
        return AddressWant(address, asked, misses, failed, failures) if turn else int(not_before)

    @transaction
    def settle(
        self, connection: Connection, source: str, address: str, outcome: Located | NotLocated, pace: GeocoderPace
    ) -> None:
        _lock(connection)
        if isinstance(outcome, Located):
            connection.execute(
                "UPDATE geocode SET latitude = ?, longitude = ?, precision = ?, source = ?, found_at = ?, "
                "asked = 0, misses = 0, failures = 0, reason = NULL WHERE address = ?",
                (repr(outcome.latitude), repr(outcome.longitude), outcome.precision, source, self._now(), address),
            )
        else:
            connection.execute(
                "UPDATE geocode SET reason = ?, next_attempt_at = ?, asked = ?, misses = ?, failures = ?, "
                "source = ? WHERE address = ?",
                (outcome.reason, outcome.next_attempt_at, outcome.asked, outcome.misses, outcome.failures, source,
                 address),
            )  # fmt: skip
        connection.execute(
            "UPDATE geocoder SET not_before = ?, failures = ?, reason = ?, told_until = ? WHERE source = ?",
            (pace.not_before, pace.failures, pace.reason, pace.not_before + TOLD, source),
        )

    def due(self, source: str, feeds: Sequence[str]) -> bool:
        return self.failing(source) is None and self._due(feeds, self._now())

    def failing(self, source: str) -> GeocoderPace | None:
        rows = self._database.read(
            "SELECT not_before, failures, reason FROM geocoder WHERE source = ? AND failures > 0", (source,)
        )
        return GeocoderPace(*rows[0]) if rows else None

    def located(self, feed: str) -> dict[str, int]:
        stored = self._database.read("SELECT count(*) FROM property_record WHERE feed = ?", (feed,))[0][0]
        without: dict[str, int] = dict(
            self._database.read(
                "SELECT CASE WHEN l.address IS NULL THEN 'no_address' WHEN g.latitude IS NOT NULL THEN 'geocoder' "
                "WHEN g.misses > 0 THEN 'not_found' ELSE 'pending' END, count(*) FROM listing_address l "
                "LEFT JOIN geocode g ON g.address = l.address WHERE l.feed = ? GROUP BY 1",
                (feed,),
            )
        )
        names = ("geocoder", "pending", "not_found", "no_address")
        return {"mls": stored - sum(without.values())} | {name: without.get(name, 0) for name in names}

    def _due(self, feeds: Sequence[str], now: int) -> bool:
        return bool(self._database.read(f"SELECT 1 FROM geocode WHERE {_DUE} AND {_of(feeds)} LIMIT 1", (now, *feeds)))


def relink(connection: Connection, feed: str, keys: Iterable[str], now: int) -> None:
    """Bring the addresses of these listings in line with their rows, within the caller's transaction.

    A listing that is gone, or has coordinates of the MLS's own, has none. A new address is due at once. What was asked
    in vain of an address that no listing has any more is forgotten.
    """
    for which, part in connection.among("listing_key", set(keys)):
        here = f"feed = ? AND {which}"
        before: dict[str, str | None] = dict(
            connection.execute(
                f"SELECT listing_key, address FROM listing_address WHERE {here}", (feed, *part)
            ).fetchall()
        )
        rows = connection.execute(
            f"SELECT listing_key, {', '.join(COLUMNS)} FROM property_record WHERE {here} "
            "AND (latitude IS NULL OR longitude IS NULL)",
            (feed, *part),
        )
        after = {key: found and found.text for key, *values in rows for found in [address_of(_parts(values))]}
        gone = [key for key in before if key not in after or after[key] != before[key]]
        made = [(key, address) for key, address in after.items() if key not in before or before[key] != address]
        if gone or made:
            _lock(connection)
        connection.executemany(
            "DELETE FROM listing_address WHERE feed = ? AND listing_key = ?", [(feed, key) for key in gone]
        )
        connection.put("listing_address", [(feed, key, address) for key, address in made], new=True)
        connection.insert(
            "geocode", ("address", "asked", "misses", "failures", "next_attempt_at"),
            [(address, 0, 0, 0, now) for _, address in made if address is not None],
            "ON CONFLICT DO NOTHING",
        )  # fmt: skip
        connection.executemany(
            f"DELETE FROM geocode WHERE address = ? AND latitude IS NULL AND {_UNLINKED}",
            [(address,) for address in {before[key] for key in gone} if address is not None],
        )


def _parts(values: Sequence[str | None]) -> dict[str, str | None]:
    return dict(zip(COLUMNS, values, strict=True))


def relink_all(database: Database, now: int) -> None:
    """Work out every listing's address anew if the rules for it are no longer those they were made by."""
    if database.read("SELECT 1 FROM derived WHERE name = 'listing_address' AND version = ?", (VERSION,)):
        return
    after = ("", "")
    while rows := database.read(
        "SELECT feed, listing_key FROM property_record WHERE (feed, listing_key) > (?, ?) ORDER BY feed, listing_key "
        f"LIMIT {RELINK_AT_ONCE}",
        after,
    ):
        database.run(partial(_relink_some, rows=rows, now=now))
        after = rows[-1]
    done = upsert("derived", ("name", "version"), ("name",))
    database.run(lambda connection: connection.execute(done, ("listing_address", VERSION)).rowcount)


def _relink_some(connection: Connection, rows: Rows, now: int) -> None:
    feeds = sorted({feed for feed, _ in rows})
    for feed in feeds:
        connection.lock(feed)
    for feed in feeds:
        relink(connection, feed, [key for of, key in rows if of == feed], now)


def _lock(connection: Connection) -> None:
    """Addresses are shared between feeds: whether a listing still has one must stay true until it is deleted.

    Taken after the lock of a feed, never before.
    """
    connection.lock("", of="geocode")
