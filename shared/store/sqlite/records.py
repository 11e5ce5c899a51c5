"""Rows, ledger lines and what was left of records, on SQLite: effects performed."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeVar

import msgspec
import zstandard

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
from shared.store.sqlite import history
from shared.store.sqlite.counters import add_counts
from shared.store.sqlite.database import chunks, marks
from shared.store.sqlite.embedded import LISTINGS, settle_embedded
from shared.store.sqlite.extra import note
from shared.store.sqlite.geocoding import relink
from shared.store.sqlite.ledger import COLUMNS
from shared.store.sqlite.photos import merge, recheck, remove, retry
from shared.store.sqlite.quarantine import put, supersede
from shared.store.sqlite.values import adapted, insert, instant
from shared.store.tables import TABLES_OF

E = TypeVar("E", bound=Effect)

_decode = msgspec.msgpack.Decoder(SourceRecord).decode
_encode = msgspec.msgpack.Encoder().encode

EVER = 2**63 - 1
PUT_LINE = (
    f"INSERT INTO ledger (feed, resource, {COLUMNS}, modification_timestamp) "
    f"VALUES ({marks(15)}) ON CONFLICT (feed, resource, key) DO UPDATE SET "
    + ", ".join(f"{name} = excluded.{name}" for name in COLUMNS.split(", ")[1:])
)
PUT_LINE_AND_TIME = PUT_LINE + ", modification_timestamp = excluded.modification_timestamp"


class SqliteRecords:
    """See ``shared.store.base.Records``."""

    def __init__(self, connection: sqlite3.Connection, now: Callable[[], int]) -> None:
        self._connection = connection
        self._now = now

    def apply(self, feed: str, resource: str, run_id: str, effects: Sequence[Effect]) -> None:
        stored = _of(StoreRecord, effects)
        kept = _of(KeepRecord, effects)
        removed = _of(RemoveRecord, effects)
        self._put_lines(feed, resource, [(effect.line, None) for effect in _of(PutLine, effects)], PUT_LINE)
        observed: list[tuple[Line, str | None]] = [
            *((effect.line, instant(effect.mapped.modified)) for effect in stored),
            *((effect.line, instant(effect.mapped.modified)) for effect in kept),
        ]
        self._put_lines(feed, resource, [*observed, *((effect.line, None) for effect in removed)], PUT_LINE_AND_TIME)
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
        self._connection.executemany(
            "INSERT INTO removal_candidate (feed, resource, key, by, since, state) VALUES (?, ?, ?, ?, ?, 'seen') "
            "ON CONFLICT (feed, resource, key) DO UPDATE SET by = excluded.by, "
            "state = CASE state WHEN 'approved' THEN state ELSE 'seen' END WHERE excluded.by > removal_candidate.by",
            [(feed, resource, effect.key, effect.by, effect.by) for effect in _of(AddCandidate, effects)],
        )
        replaced = self._store(feed, resource, stored)
        self._remove(feed, resource, removed, len(removed) - approved)
        if resource == LISTINGS:
            changed = [*(effect.line.key for effect in stored), *(effect.line.key for effect in removed)]
            relink(self._connection, feed, changed, self._now())
        history.add(self._connection, feed, resource, _of(AddHistory, effects))
        recheck(self._connection, feed, resource, [effect.key for effect in _of(RecheckPhotos, effects)])
        retry(self._connection, feed, resource, [effect.key for effect in _of(RetryPhotos, effects)])
        for aside in _of(Quarantine, effects):
            put(self._connection, feed, resource, aside.key, aside.kind, aside.reason, aside.body, aside.observed_at,
                self._now(), aside.may_be)  # fmt: skip
        note(self._connection, feed, effects)
        counts: Counter[str] = Counter()
        for count in _of(Count, effects):
            counts[count.name] += count.n
        counts["inserted"] -= replaced
        counts["updated"] += replaced
        add_counts(self._connection, feed, run_id, resource, counts)

    def _put_lines(self, feed: str, resource: str, lines: Iterable[tuple[Line, str | None]], sql: str) -> None:
        self._connection.executemany(
            sql, [(feed, resource, *msgspec.structs.astuple(line), modified) for line, modified in lines]
        )

    def _for_keys(self, what: str, feed: str, resource: str, keys: Sequence[str], column: str = "key") -> int:
        """How many rows it was done to."""
        return sum(
            self._connection.execute(
                f"{what} WHERE feed = ? AND resource = ? AND {column} IN ({marks(len(part))})", (feed, resource, *part)
            ).rowcount
            for part in chunks(keys)
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
        self._connection.executemany(
            insert("source_record"),
            [(feed, resource, effect.mapped.key, compress(_encode(effect.source))) for effect in stored],
        )
        for effect in stored:
            merge(self._connection, feed, resource, effect, self._now())
        return replaced

    def _approved(self, feed: str, resource: str, keys: Sequence[str]) -> int:
        """How many of ``keys`` an operator said may go: they are not weighed against the day's share."""
        return sum(
            self._connection.execute(
                "SELECT count(*) FROM removal_candidate WHERE feed = ? AND resource = ? AND state = 'approved' "
                f"AND key IN ({marks(len(part))})",
                (feed, resource, *part),
            ).fetchone()[0]
            for part in chunks(keys)
        )

    def _remove(self, feed: str, resource: str, removed: Sequence[RemoveRecord], counted: int) -> None:
        if not removed:
            return
        keys = [effect.line.key for effect in removed]
        delete_rows(self._connection, feed, resource, keys)
        self._for_keys("DELETE FROM source_record", feed, resource, keys)
        remove(self._connection, feed, resource, keys, self._now())
        by = removed[0].line.observed_at
        at = self._connection.execute(
            "SELECT server_date FROM inventory WHERE feed = ? AND resource = ? AND observed_at = ?",
            (feed, resource, by),
        ).fetchone()
        self._connection.execute(
            "INSERT INTO removal VALUES (?, ?, ?, ?, ?) ON CONFLICT (feed, resource, by) "
            "DO UPDATE SET count = count + excluded.count",
            (feed, resource, by, at[0] if at and at[0] else by, counted),
        )

    def source(self, feed: str, resource: str, key: str) -> SourceRecord | None:
        row = self._connection.execute(
            "SELECT body FROM source_record WHERE feed = ? AND resource = ? AND key = ?", (feed, resource, key)
        ).fetchone()
        return None if row is None else _decode(zstandard.ZstdDecompressor().decompress(row[0]))

    def last_entries(self, feed: str, resource: str, keys: Iterable[str]) -> dict[str, LastEntry]:
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


def _of(kind: type[E], effects: Sequence[Effect]) -> list[E]:
    return [effect for effect in effects if type(effect) is kind]


def write_rows(
    connection: sqlite3.Connection, feed: str, resource: str, records: Sequence[Mapped], existing: Sequence[str]
) -> None:
    """Write every row of ``records``; of those ``existing`` the child rows are replaced as a set."""
    delete_rows(connection, feed, resource, existing, children_only=True)
    rows: dict[str, list[tuple[object, ...]]] = {}
    for record in records:
        for table, some in record.rows.items():
            rows.setdefault(table, []).extend(some)
    for table, some in rows.items():
        connection.executemany(insert(table), adapted(table, some))


def delete_rows(
    connection: sqlite3.Connection, feed: str, resource: str, keys: Iterable[str], *, children_only: bool = False
) -> None:
    """Delete the rows of these records."""
    own, children = TABLES_OF[resource]
    for part in chunks(keys):
        for table in children if children_only else [own, *children]:
            key = list(table.primary_key.columns)[1].name
            connection.execute(
                f'DELETE FROM "{table.name}" WHERE feed = ? AND {key} IN ({marks(len(part))})',
                (feed, *part),
            )
