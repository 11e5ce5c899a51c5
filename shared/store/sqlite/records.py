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
    StoreRecord,
)
from shared.mapping.record import Mapped
from shared.messages import SourceRecord
from shared.store.base import LastEntry
from shared.store.sqlite import history
from shared.store.sqlite.counters import add_counts
from shared.store.sqlite.database import chunks, marks
from shared.store.sqlite.embedded import LISTINGS, settle_embedded
from shared.store.sqlite.ledger import COLUMNS
from shared.store.sqlite.photos import merge, recheck, remove
from shared.store.sqlite.quarantine import put
from shared.store.sqlite.values import adapted, insert, instant
from shared.store.tables import TABLES_OF

E = TypeVar("E", bound=Effect)

_decode = msgspec.msgpack.Decoder(SourceRecord).decode
_encode = msgspec.msgpack.Encoder().encode

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
        self._for_keys("DELETE FROM quarantine", feed, resource, dropped)
        self._connection.executemany(  # what was set aside of them before is superseded
            "DELETE FROM quarantine WHERE feed = ? AND resource = ? AND key = ? AND observed_at <= ?",
            [(feed, resource, line.key, line.observed_at)
             for line in (*(line for line, _ in observed), *(effect.line for effect in removed))],
        )  # fmt: skip
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
        self._store(feed, resource, stored)
        self._remove(feed, resource, removed, len(removed) - approved)
        history.add(self._connection, feed, resource, _of(AddHistory, effects))
        recheck(self._connection, feed, resource, [effect.key for effect in _of(RecheckPhotos, effects)])
        for aside in _of(Quarantine, effects):
            put(self._connection, feed, resource, aside.key, aside.kind, aside.reason, aside.body, aside.observed_at,
                self._now())  # fmt: skip
        counts: Counter[str] = Counter()
        for count in _of(Count, effects):
            counts[count.name] += count.n
        add_counts(self._connection, feed, run_id, resource, counts)

    def _put_lines(self, feed: str, resource: str, lines: Iterable[tuple[Line, str | None]], sql: str) -> None:
        self._connection.executemany(
            sql, [(feed, resource, *msgspec.structs.astuple(line), modified) for line, modified in lines]
        )

    def _for_keys(self, what: str, feed: str, resource: str, keys: Sequence[str], column: str = "key") -> None:
        for part in chunks(keys):
            self._connection.execute(
                f"{what} WHERE feed = ? AND resource = ? AND {column} IN ({marks(len(part))})", (feed, resource, *part)
            )

    def _store(self, feed: str, resource: str, stored: Sequence[StoreRecord]) -> None:
        write_rows(
            self._connection, feed, resource, [effect.mapped for effect in stored],
            # a member inserted may have a row already, from a listing's copy
            [effect.mapped.key for effect in stored if not effect.insert or resource != LISTINGS],
        )  # fmt: skip
        if resource != LISTINGS:
            self._for_keys("DELETE FROM embedded_row", feed, resource, [effect.mapped.key for effect in stored])
        compress = zstandard.ZstdCompressor(level=3).compress
        self._connection.executemany(
            insert("source_record"),
            [(feed, resource, effect.mapped.key, compress(_encode(effect.source))) for effect in stored],
        )
        for effect in stored:
            merge(self._connection, feed, resource, effect, self._now())

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
