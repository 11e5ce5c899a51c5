"""Rows, ledger lines and what was left of records: effects performed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import TypeVar

import msgspec
import zstandard
from msgspec.structs import astuple

from shared.effects import (
    AddCandidate,
    AddHistory,
    Count,
    DropLine,
    Effect,
    EndCandidacy,
    KeepRecord,
    Line,
    PutLine,
    Quarantine,
    RecheckPhotos,
    RemoveRecord,
    RetryPhotos,
    StoreRecord,
)
from shared.mapping.record import Mapped
from shared.messages import SourceRecord
from shared.store.base import LastEntry
from shared.store.sql import history, object_sets
from shared.store.sql.connection import Connection, Row, plain
from shared.store.sql.counters import Counts
from shared.store.sql.embedded import LISTINGS, settle_embedded
from shared.store.sql.extra import note
from shared.store.sql.geocoding import relink
from shared.store.sql.ledger import COLUMNS
from shared.store.sql.photos import merge, recheck, remove, retry
from shared.store.sql.quarantine import bounded, put, supersede
from shared.store.tables import TABLES_OF

E = TypeVar("E", bound=Effect)

_decode = msgspec.msgpack.Decoder(SourceRecord).decode
_encode = msgspec.msgpack.Encoder().encode

EVER = 2**63 - 1
LINE = ("feed", "resource", *COLUMNS.split(", "))
OVER = "ON CONFLICT (feed, resource, key) DO UPDATE SET " + ", ".join(f"{name} = excluded.{name}" for name in LINE[3:])
NEWER = (
    "ON CONFLICT (feed, resource, key) DO UPDATE SET by = excluded.by, "
    "state = CASE removal_candidate.state WHEN 'approved' THEN 'approved' ELSE 'seen' END "
    "WHERE excluded.by > removal_candidate.by"
)


class SqlRecords:
    """See ``shared.store.base.Records``."""

    def __init__(self, connection: Connection, counts: Counts, now: Callable[[], int]) -> None:
        self._connection = connection
        self._counts = counts
        self._now = now

    def apply(self, feed: str, resource: str, run_id: str, effects: Sequence[Effect]) -> None:
        self._connection.lock(feed)
        stored = _of(StoreRecord, effects)
        kept = _of(KeepRecord, effects)
        removed = _of(RemoveRecord, effects)
        lines = [effect.line for effect in _of(PutLine, effects)]
        unusable = [line for line in lines if bounded(line.key) != line.key]
        self._connection.insert(
            "ledger", LINE, [(feed, resource, *astuple(line)) for line in lines if line not in unusable], OVER
        )
        observed = [
            *((effect.line, effect.mapped.modified) for effect in stored),
            *((effect.line, effect.mapped.modified) for effect in kept),
        ]
        gone = [(effect.line, None) for effect in removed]
        self._connection.put(
            "ledger", [_line(feed, resource, line, modified) for line, modified in (*observed, *gone)], new=False
        )
        dropped = [effect.key for effect in _of(DropLine, effects)]
        self._for_keys("DELETE FROM ledger", feed, resource, dropped)
        known = [(line.key, line.observed_at) for line, _ in observed]
        known += [(effect.line.key, effect.line.observed_at) for effect in removed]
        # of keys the MLS no longer lists, or lists as they are stored, nothing is owed
        known += [(key, EVER) for key in dropped]
        known += [(effect.line.key, EVER) for effect in _of(PutLine, effects) if effect.line.wanted_by is None]
        supersede(self._connection, feed, resource, known)
        approved = self._approved(feed, resource, [effect.line.key for effect in removed])
        self._for_keys(
            "DELETE FROM removal_candidate", feed, resource, [effect.key for effect in _of(EndCandidacy, effects)]
        )
        self._connection.insert(
            "removal_candidate", ("feed", "resource", "key", "by", "since", "state"),
            [(feed, resource, effect.key, effect.by, effect.by, "seen") for effect in _of(AddCandidate, effects)],
            NEWER,
        )  # fmt: skip
        replaced = self._store(feed, resource, stored)
        object_sets.merge(self._connection, feed, resource, [*stored, *kept], self._now())
        self._remove(feed, resource, removed, len(removed) - approved)
        if resource == LISTINGS:
            changed = [*(effect.line.key for effect in stored), *(effect.line.key for effect in removed)]
            relink(self._connection, feed, changed, self._now())
        history.add(self._connection, feed, resource, _of(AddHistory, effects))
        for rechecked in (recheck, object_sets.recheck):
            rechecked(self._connection, feed, resource, [effect.key for effect in _of(RecheckPhotos, effects)])
        retry(self._connection, feed, resource, [effect.key for effect in _of(RetryPhotos, effects)])
        for aside in _of(Quarantine, effects):
            put(self._connection, feed, resource, aside.key, aside.kind, aside.reason, aside.body, aside.observed_at,
                self._now(), aside.may_be)  # fmt: skip
        for line in unusable:
            put(self._connection, feed, resource, line.key, "record", "longer than a key may be", line.key.encode(),
                line.wanted_by or line.observed_at, self._now())  # fmt: skip
        note(self._connection, feed, effects)
        counts: Counter[str] = Counter()
        for count in _of(Count, effects):
            counts[count.name] += count.n
        counts["inserted"] -= replaced
        counts["updated"] += replaced
        self._counts.add(feed, run_id, resource, counts)

    def _for_keys(self, what: str, feed: str, resource: str, keys: Sequence[str]) -> int:
        """How many rows it was done to."""
        return sum(
            self._connection.execute(
                f"{what} WHERE feed = ? AND resource = ? AND {which}", (feed, resource, *values)
            ).rowcount
            for which, values in self._connection.among("key", keys)
        )

    def _store(self, feed: str, resource: str, stored: Sequence[StoreRecord]) -> int:
        """How many rows that came from listings' copies gave way to records of their own."""
        write_rows(
            self._connection, feed, resource, [effect.mapped for effect in stored],
            # a member inserted may have a row already, from a listing's copy
            [effect.mapped.key for effect in stored if not effect.insert or resource != LISTINGS],
        )  # fmt: skip
        replaced = 0
        if resource != LISTINGS:
            keys = [effect.mapped.key for effect in stored]
            replaced = self._for_keys("DELETE FROM embedded_row", feed, resource, keys)
        compress = zstandard.ZstdCompressor(level=3).compress
        for new in (True, False):
            self._connection.put(
                "source_record",
                [(feed, resource, effect.mapped.key, compress(_encode(effect.source))) for effect in stored
                 if effect.insert is new],
                new=new,
            )  # fmt: skip
        merge(self._connection, feed, resource, stored, self._now())
        return replaced

    def _approved(self, feed: str, resource: str, keys: Sequence[str]) -> int:
        """How many of ``keys`` an operator said may go: they are not weighed against the day's share."""
        return sum(
            self._connection.execute(
                "SELECT count(*) FROM removal_candidate WHERE feed = ? AND resource = ? AND state = 'approved' "
                f"AND {which}",
                (feed, resource, *values),
            ).fetchone()[0]
            for which, values in self._connection.among("key", keys)
        )

    def _remove(self, feed: str, resource: str, removed: Sequence[RemoveRecord], counted: int) -> None:
        if not removed:
            return
        keys = [effect.line.key for effect in removed]
        delete_rows(self._connection, feed, resource, keys)
        self._for_keys("DELETE FROM source_record", feed, resource, keys)
        for removed_of in (remove, object_sets.remove):
            removed_of(self._connection, feed, resource, keys, self._now())
        by = removed[0].line.observed_at
        at = self._connection.execute(
            "SELECT server_date FROM inventory WHERE feed = ? AND resource = ? AND observed_at = ?",
            (feed, resource, by),
        ).fetchone()
        self._connection.execute(
            "INSERT INTO removal VALUES (?, ?, ?, ?, ?) ON CONFLICT (feed, resource, by) "
            "DO UPDATE SET count = removal.count + excluded.count",
            (feed, resource, by, at[0] if at and at[0] else by, counted),
        )

    def form(self, feed: str) -> str | None:
        self._connection.lock(feed)
        row = self._connection.execute("SELECT form FROM feed WHERE feed = ?", (feed,)).fetchone()
        return row[0] if row else None

    def set_form(self, feed: str, form: str) -> None:
        self._connection.lock(feed)
        self._connection.execute(
            "INSERT INTO feed (feed, clock, object_number, form) VALUES (?, 0, 0, ?) ON CONFLICT (feed) "
            "DO UPDATE SET form = excluded.form",
            (feed, form),
        )

    def source(self, feed: str, resource: str, key: str) -> SourceRecord | None:
        return self.sources(feed, resource, [key]).get(key)

    def sources(self, feed: str, resource: str, keys: Iterable[str]) -> dict[str, SourceRecord]:
        self._connection.lock(feed)
        decompress = zstandard.ZstdDecompressor().decompress
        found: dict[str, SourceRecord] = {}
        for which, values in self._connection.among("key", keys):
            rows = self._connection.execute(
                f"SELECT key, body FROM source_record WHERE feed = ? AND resource = ? AND {which}",
                (feed, resource, *values),
            )
            found.update((key, _decode(decompress(body))) for key, body in rows)
        return found

    def last_entries(self, feed: str, resource: str, keys: Iterable[str]) -> dict[str, LastEntry]:
        self._connection.lock(feed)
        return history.last(self._connection, feed, resource, keys)

    def settle_embedded(
        self,
        feed: str,
        stored: Mapping[str, Mapped],
        removed: Iterable[str],
        remap: Callable[[SourceRecord], Mapped | None],
        orphaned: Iterable[tuple[str, str]] = (),
    ) -> dict[str, dict[str, int]]:
        return settle_embedded(self._connection, self, feed, stored, removed, remap, orphaned)


def _line(feed: str, resource: str, line: Line, modified: datetime | None) -> Row:
    """The whole row of a line."""
    return (*plain((feed, resource, *astuple(line))), modified)


def _of(kind: type[E], effects: Sequence[Effect]) -> list[E]:
    return [effect for effect in effects if type(effect) is kind]


def write_rows(
    connection: Connection, feed: str, resource: str, records: Sequence[Mapped], existing: Sequence[str]
) -> None:
    """Write every row of ``records``; of those ``existing`` the rows are replaced as a set."""
    known = set(existing)
    own, children = TABLES_OF[resource]
    for table in (own, *children):
        new: list[Row] = []
        changed: list[Row] = []
        for record in records:
            (changed if record.key in known else new).extend(record.rows.get(table.name, ()))
        connection.put(table.name, new, new=True)
        connection.replace(table.name, changed, feed, existing)


def delete_rows(connection: Connection, feed: str, resource: str, keys: Iterable[str]) -> None:
    """Delete the rows of these records."""
    own, children = TABLES_OF[resource]
    for table in (own, *children):
        key = list(table.primary_key.columns)[1].name
        for which, values in connection.among(key, keys):
            connection.execute(f'DELETE FROM "{table.name}" WHERE feed = ? AND {which}', (feed, *values))
