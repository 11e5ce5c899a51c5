"""What the store's contract tests share: a database of each backend, and a short way to write listings into it."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from email.utils import formatdate
from pathlib import Path
from typing import Any, Protocol

import psycopg
from psycopg.types.numeric import FloatLoader
from psycopg.types.string import TextLoader
from sqlalchemy import Engine, create_engine

from shared.effects import (
    AddCandidate,
    Count,
    Effect,
    KeepRecord,
    Line,
    Photo,
    PutLine,
    RemoveRecord,
    StoreRecord,
)
from shared.mapping.mapping import load
from shared.mapping.record import Mapped
from shared.messages import SourceRecord
from shared.store.base import NewObject, PhotoStored, PhotoWant, Store
from shared.store.postgres.store import PostgresStore
from shared.store.postgres.values import adapt
from shared.store.sqlite.store import SqliteStore
from tests.servers.postgres import Postgres

FEED = "ddf"
RUN = "run-1"
SECOND = 1_000_000
DAY = 86_400 * SECOND
START = 1_800_000_000

Clock = Callable[[], float]


class Backend(Protocol):
    """A database of its own for one test."""

    def open(self, clock: Clock) -> Store:
        """A store on it, as a new process would make one."""

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """What a plain query finds in committed data."""

    def watch(self, table: str) -> None:
        """Count from now on the rows written to ``table``."""

    def written(self, table: str) -> int:
        """How many rows were inserted, updated or deleted since ``watch``."""

    def engine(self) -> Engine:
        """For rows that no service would write; the caller disposes of it."""


class SqliteBackend:
    """One SQLite file, copied from a migrated one."""

    def __init__(self, folder: Path, template: Path) -> None:
        self.path = folder / "mlsync.db"
        shutil.copy(template, self.path)

    def open(self, clock: Clock) -> Store:
        return SqliteStore(self.path, clock)

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self.path)) as connection:
            return connection.execute(sql).fetchall()

    def watch(self, table: str) -> None:
        with closing(sqlite3.connect(self.path)) as connection, connection:
            connection.execute("CREATE TABLE IF NOT EXISTS watched (name TEXT)")
            for event in ("INSERT", "UPDATE", "DELETE"):
                connection.execute(
                    f"CREATE TRIGGER watch_{table}_{event} AFTER {event} ON {table} "
                    f"BEGIN INSERT INTO watched VALUES ('{table}'); END"
                )

    def written(self, table: str) -> int:
        (count,) = self.rows(f"SELECT count(*) FROM watched WHERE name = '{table}'")
        return int(count[0])

    def engine(self) -> Engine:
        return create_engine(f"sqlite:///{self.path}")


class PostgresBackend:
    """A database of its own, a copy of a migrated one."""

    def __init__(self, server: Postgres, template: str) -> None:
        self._server = server
        self.url = server.create(template)

    def open(self, clock: Clock) -> Store:
        return PostgresStore(self.url, clock)

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.url) as connection:
            connection.execute("SET TimeZone = 'UTC'")
            adapt(connection)
            connection.adapters.register_loader("date", TextLoader)
            connection.adapters.register_loader("numeric", FloatLoader)
            return connection.execute(sql).fetchall()

    def watch(self, table: str) -> None:
        with psycopg.connect(self.url) as connection:
            connection.execute("CREATE TABLE IF NOT EXISTS watched (name TEXT)")
            connection.execute(
                "CREATE OR REPLACE FUNCTION watch() RETURNS trigger LANGUAGE plpgsql AS "
                "'BEGIN INSERT INTO watched VALUES (TG_TABLE_NAME); RETURN NULL; END'"
            )
            connection.execute(
                f"CREATE TRIGGER watch_{table} AFTER INSERT OR UPDATE OR DELETE ON {table} "
                "FOR EACH ROW EXECUTE FUNCTION watch()"
            )

    def written(self, table: str) -> int:
        (count,) = self.rows(f"SELECT count(*) FROM watched WHERE name = '{table}'")
        return int(count[0])

    def engine(self) -> Engine:
        return create_engine(self.url.replace("postgresql:", "postgresql+psycopg:", 1))

    def drop(self) -> None:
        self._server.drop(self.url)


def stamp(number: int) -> str:
    """A timestamp as the MLS writes it; a greater number is later."""
    return formatdate(START + number, usegmt=True)


@dataclass(frozen=True)
class Listing:
    """A listing in a few words; ``photos`` maps order to version, ``agents`` key to (name, office key).

    ``written`` is its timestamp where that is not to be a good one, ``more`` are further elements.
    """

    key: str
    price: int = 100
    stamp: int = 1
    rooms: int = 0
    photos: Mapping[int, int] = field(default_factory=dict)
    agents: Mapping[str, tuple[str, str | None]] = field(default_factory=dict)
    board: str = ""
    written: str = ""
    more: Mapping[str, Any] = field(default_factory=dict)

    def source(self) -> SourceRecord:
        return SourceRecord(
            self.key,
            self.written or stamp(self.stamp),
            {
                "@ID": self.key,
                "@LastUpdated": self.written or stamp(self.stamp),
                "Board": self.board,
                "Price": f"{self.price}.00",
                "Building": {"Rooms": {"Room": [{"Type": f"Room {n}"} for n in range(self.rooms)]}},
                "AgentDetails": [
                    {"@ID": key, "Name": name}
                    | ({"Office": {"@ID": office, "Name": f"Office {office}"}} if office else {})
                    for key, (name, office) in self.agents.items()
                ],
                "Photo": {
                    "PropertyPhoto": [
                        {
                            "SequenceId": str(order),
                            "PhotoLastUpdated": stamp(version),
                            "LargePhotoURL": f"http://photos.example/{self.key}/{order}.jpg",
                        }
                        for order, version in self.photos.items()
                    ]
                },
                **self.more,
            },
        )


def mapped(record: SourceRecord, resource: str = "property") -> Mapped:
    return load("ddf").map(FEED, resource, record)


def remap(record: SourceRecord) -> Mapped | None:
    return mapped(record)


class Kit:
    """A store, its backend, a clock the test moves, and what services do with a store in as few words as can be."""

    def __init__(self, backend: Backend) -> None:
        self.backend = backend
        self.seconds = float(START)
        self.store = self.reopen()

    def reopen(self) -> Store:
        """The store as a new process sees it."""
        if hasattr(self, "store"):
            self.store.close()
        self.store = self.backend.open(lambda: self.seconds)
        return self.store

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        return self.backend.rows(sql)

    @property
    def now(self) -> int:
        return int(self.seconds * SECOND)

    def apply(self, *effects: Effect, resource: str = "property", feed: str = FEED) -> None:
        with self.store.write() as tx:
            tx.records.apply(feed, resource, RUN, effects)

    def lines(self, *keys: str, resource: str = "property") -> dict[str, Line]:
        with self.store.write() as tx:
            return tx.ledger.lines(FEED, resource, keys)

    def line(self, key: str, resource: str = "property") -> Line:
        return self.lines(key, resource=resource)[key]

    def page(self, at: int, *listings: Listing, stores_photos: bool = True) -> None:
        """Write listings observed together, and what follows from them for members and offices."""
        with self.store.write() as tx:
            known = tx.ledger.lines(FEED, "property", [listing.key for listing in listings])
            effects = [self._observed(at, listing, known.get(listing.key), stores_photos) for listing in listings]
            tx.records.apply(FEED, "property", RUN, effects)
            tx.records.settle_embedded(FEED, {effect.mapped.key: effect.mapped for effect in effects}, (), remap)

    def _observed(self, at: int, listing: Listing, known: Line | None, stores_photos: bool) -> StoreRecord | KeepRecord:
        source = listing.source()
        made = mapped(source)
        line = Line(listing.key, stored=True, observed_at=at, stamp=source.stamp, hash=made.hash)
        if known is not None and known.stored and known.hash == made.hash:
            return KeepRecord(made, line)
        photos = [Photo(item, item.url(), f"large {item.version}" if stores_photos else None) for item in made.media]
        return StoreRecord(made, photos, source, line, insert=known is None or not known.stored)

    def remove(self, at: int, *keys: str, resource: str = "property") -> None:
        """Remove records for the inventory of ``at``, and what follows for members and offices."""
        with self.store.write() as tx:
            tx.records.apply(FEED, resource, RUN, [RemoveRecord(Line(key, observed_at=at)) for key in keys])
            if resource == "property":
                tx.records.settle_embedded(FEED, {}, keys, remap)
            else:
                tx.records.settle_embedded(FEED, {}, (), remap, [(resource, key) for key in keys])

    def own(self, resource: str, at: int, key: str, name: str, photo: str = "") -> None:
        """Write a member's or office's own record, with the timestamp of its photo."""
        stated = {"PhotoLastUpdated" if resource == "member" else "LogoLastUpdated": photo}
        source = SourceRecord(key, stamp(at), {"@ID": key, "@LastUpdated": stamp(at), "Name": name} | stated)
        made = mapped(source, resource)
        line = Line(key, stored=True, observed_at=at, stamp=source.stamp, hash=made.hash)
        known = self.lines(key, resource=resource).get(key)
        insert = known is None or not known.stored
        photos = [Photo(item, item.url(), f"large {item.version}") for item in made.media]
        counted = Count("inserted" if insert else "updated")
        self.apply(StoreRecord(made, photos, source, line, insert=insert), counted, resource=resource)

    def want(self, *keys: str, by: int, resource: str = "property") -> None:
        self.apply(*(PutLine(Line(key, wanted_stamp="s", wanted_by=by)) for key in keys), resource=resource)

    def inventory(
        self, at: int, *, part: int = 1, parts: int = 1, count: int = 1, server_date: int | None = None
    ) -> None:
        with self.store.write() as tx:
            tx.removals.mark_part(FEED, "property", at, part, parts, count, server_date)

    def lack(self, at: int, *keys: str) -> None:
        self.apply(*(AddCandidate(key, at) for key in keys))

    def wants(self, key: str) -> list[PhotoWant]:
        with self.store.write() as tx:
            return tx.media.wants(FEED, "property", key, self.now)

    def pending(self, *keys: str) -> list[str]:
        with self.store.write() as tx:
            return tx.media.pending(FEED, "property", keys, self.now)

    def dead(self, key: str) -> list[str]:
        with self.store.write() as tx:
            return tx.media.dead(FEED, "property", key)

    def begin(self, key: str, orders: Sequence[int] = (1,)) -> list[str]:
        objects = [NewObject(order, f"sha{order}", 10, "jpg") for order in orders]
        self.store.feeds.observe(FEED)  # as every feed's work begins
        with self.store.write() as tx:
            return tx.media.begin(FEED, "property", key, objects, lambda item, n: f"{key}/{item.order}-{n}.jpg")

    def settle(self, key: str, *stored: PhotoStored) -> list[str]:
        with self.store.write() as tx:
            return tx.media.settle(FEED, "property", key, RUN, stored, ())

    def fetch(self, key: str, orders: Iterable[int] | None = None) -> dict[int, str]:
        """Store every photo the record wants, or those of ``orders``; the object's name by order."""
        wants = [want for want in self.wants(key) if orders is None or want.order in orders]
        names = self.begin(key, [want.order for want in wants])
        assert self.settle(key, *(fetched(want, name) for want, name in zip(wants, names, strict=True))) == []
        return {want.order: name for want, name in zip(wants, names, strict=True)}

    def objects(self) -> dict[str, str]:
        """State by name of every object in the ledger."""
        return {item.name: item.state for item in self.store.objects.known()}

    def photo_set(self, key: str) -> tuple[int, int, bool] | None:
        """Photos listed, photos stored, whether that is all of them."""
        sql = "SELECT photos_count, photos_stored, complete_at IS NOT NULL FROM media_set"
        found = self.rows(f"{sql} WHERE feed = '{FEED}' AND resource_record_key = '{key}'")
        return (found[0][0], found[0][1], bool(found[0][2])) if found else None

    def counts(self, resource: str = "property") -> dict[str, int]:
        return self.store.feeds.counts(RUN).get(FEED, {}).get(resource, {})


def fetched(want: PhotoWant, name: str | None, sha256: str | None = None) -> PhotoStored:
    """What the media service says of a photo in hand."""
    return PhotoStored(
        want.media_key, want.version, name, sha256 or f"sha of {want.version}", 10, 4, 3, "image/jpeg", '"e"', None
    )
