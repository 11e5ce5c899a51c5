"""Members and offices as functions of the stored listings.

A member's row is its own record if there is one, else the copy in the last-observed stored listing that refers to it
(observed together: the greater listing key), else there is no row. ``embedded_row`` remembers the content of a row
that came from a copy. As long as every copy a page brings or takes away says the same as the row, the row stays what
it is whichever listing it came from; only where copies differ is the last-observed listing looked for.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from shared.mapping.record import Mapped
from shared.messages import SourceRecord
from shared.store.sql.connection import Connection

if TYPE_CHECKING:
    from shared.store.sql.records import SqlRecords

Key = tuple[str, str]
LISTINGS = "property"


def settle_embedded(
    connection: Connection,
    records: SqlRecords,
    feed: str,
    stored: Mapping[str, Mapped],
    removed: Iterable[str],
    remap: Callable[[SourceRecord], Mapped | None],
    orphaned: Iterable[Key],
) -> dict[str, dict[str, int]]:
    """See ``shared.store.base.Records.settle_embedded``."""
    from shared.store.sql.records import delete_rows, write_rows

    connection.lock(feed)
    gone = list(removed)
    before = _references(connection, feed, [*stored, *gone])
    now: dict[Key, dict[str, bytes]] = defaultdict(dict)
    changed: list[tuple[str, Key, bytes]] = []
    for listing, mapped in stored.items():
        for copy in mapped.embedded:
            key = (copy.resource, copy.key)
            now[key][listing] = copy.hash
            if before.get((listing, key)) != copy.hash:
                changed.append((listing, key, copy.hash))
    lost = [(listing, key) for listing, key in before if listing not in stored or listing not in now.get(key, {})]
    connection.executemany(
        "DELETE FROM record_reference WHERE feed = ? AND listing_key = ? AND resource = ? AND key = ?",
        [(feed, listing, *key) for listing, key in lost],
    )
    for new in (True, False):
        references = [
            (feed, listing, *key, digest) for listing, key, digest in changed if ((listing, key) in before) != new
        ]
        connection.put("record_reference", references, new=new)

    touched: dict[Key, set[bytes]] = defaultdict(set)
    for (_, key), digest in before.items():
        touched[key].add(digest)
    for key, by_listing in now.items():
        touched[key].update(by_listing.values())
    orphans = set(orphaned)
    for key in orphans:
        touched[key].add(b"")
    moved = orphans | {key for _, key in lost} | {key for listing, key, _ in changed if (listing, key) in before}
    rows = _rows(connection, feed, touched)
    own = _own(connection, feed, touched)
    write: dict[Key, Mapped] = {}
    drop: list[Key] = []
    open_keys = [
        key for key, copies in touched.items() if key not in own and (key in moved or copies != {rows.get(key)})
    ]
    winners = _winners(connection, feed, open_keys)
    for key in open_keys:
        winner = winners.get(key)
        if winner is None:
            drop.append(key)
            continue
        listing, digest = winner
        if digest != rows.get(key):
            found = _copy(stored.get(listing), key)
            if found is None:
                source = records.source(feed, LISTINGS, listing)
                found = _copy(remap(source) if source else None, key)
            if found is not None:
                write[key] = found
    counts: dict[str, dict[str, int]] = {}
    for resource in {key[0] for key in (*write, *drop)}:
        some = {key[1]: copy for key, copy in write.items() if key[0] == resource}
        write_rows(connection, feed, resource, list(some.values()), [key for key in some if (resource, key) in rows])
        away = [key[1] for key in drop if key[0] == resource]
        delete_rows(connection, feed, resource, away)
        for new in (True, False):
            copies = [
                (feed, resource, key, copy.hash) for key, copy in some.items() if ((resource, key) in rows) != new
            ]
            connection.put("embedded_row", copies, new=new)
        connection.executemany(
            "DELETE FROM embedded_row WHERE feed = ? AND resource = ? AND key = ?",
            [(feed, resource, key) for key in away],
        )
        known = sum((resource, key) in rows for key in some)
        lost_rows = sum((resource, key) in rows for key in away)
        again = sum((resource, key) in orphans for key in some)
        counts[resource] = {
            "inserted": len(some) - known - again, "updated": known + again, "removed": lost_rows - again,
        }  # fmt: skip
    return counts


def _references(connection: Connection, feed: str, listings: Iterable[str]) -> dict[tuple[str, Key], bytes]:
    found: dict[tuple[str, Key], bytes] = {}
    for which, values in connection.among("listing_key", listings):
        for listing, resource, key, digest in connection.execute(
            f"SELECT listing_key, resource, key, hash FROM record_reference WHERE feed = ? AND {which}", (feed, *values)
        ).fetchall():
            found[listing, (resource, key)] = digest
    return found


def _by_resource(keys: Iterable[Key]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for resource, key in keys:
        found[resource].append(key)
    return found


def _rows(connection: Connection, feed: str, keys: Iterable[Key]) -> dict[Key, bytes]:
    found: dict[Key, bytes] = {}
    for resource, some in _by_resource(keys).items():
        for which, values in connection.among("key", some):
            for key, digest in connection.execute(
                f"SELECT key, hash FROM embedded_row WHERE feed = ? AND resource = ? AND {which}",
                (feed, resource, *values),
            ):
                found[resource, key] = digest
    return found


def _own(connection: Connection, feed: str, keys: Iterable[Key]) -> set[Key]:
    """Those with a record of their own: a copy never overwrites it."""
    found: set[Key] = set()
    for resource, some in _by_resource(keys).items():
        for which, values in connection.among("key", some):
            for (key,) in connection.execute(
                f"SELECT key FROM ledger WHERE feed = ? AND resource = ? AND stored AND {which}",
                (feed, resource, *values),
            ):
                found.add((resource, key))
    return found


def _winners(connection: Connection, feed: str, keys: Iterable[Key]) -> dict[Key, tuple[str, bytes]]:
    """Of each key the listing whose copy counts, and its content; keys that no stored listing refers to left out."""
    found: dict[Key, tuple[str, bytes]] = {}
    for resource, some in _by_resource(keys).items():
        for which, values in connection.among("r.key", some):
            for key, listing, digest in connection.execute(
                "SELECT key, listing_key, hash FROM (SELECT r.key, r.listing_key, r.hash, row_number() OVER "
                "(PARTITION BY r.key ORDER BY l.observed_at DESC, r.listing_key DESC) AS place "
                "FROM record_reference r JOIN ledger l ON l.feed = r.feed AND l.resource = ? AND l.key = r.listing_key "
                f"WHERE r.feed = ? AND r.resource = ? AND {which}) AS claims WHERE place = 1",
                (LISTINGS, feed, resource, *values),
            ):
                found[resource, key] = listing, digest
    return found


def _copy(listing: Mapped | None, key: Key) -> Mapped | None:
    if listing is None:
        return None
    return next((copy for copy in listing.embedded if (copy.resource, copy.key) == key), None)
