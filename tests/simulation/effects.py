"""Database, photo store and broker as simulated processes see them: the real ones, stepped, and an unkind broker."""

from __future__ import annotations

import itertools
import random
import shutil
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

from shared.blobs.local import LocalBlobs
from shared.store.sql.store import SqlStore
from shared.store.sqlite.database import Database, SqliteConnection
from shared.store.sqlite.store import SqliteStore
from shared.transport.base import Delivery
from tests.simulation.scheduler import Scheduler

WATCH = """
CREATE TABLE seen (number INTEGER PRIMARY KEY, key TEXT, price TEXT, removed_by INTEGER, horizon INTEGER);
CREATE TRIGGER written AFTER INSERT ON property_record
  BEGIN INSERT INTO seen (key, price) VALUES (new.listing_key, new.list_price); END;
CREATE TRIGGER gone AFTER DELETE ON property_record
  BEGIN INSERT INTO seen (key, removed_by, horizon) SELECT old.listing_key,
    (SELECT observed_at FROM ledger WHERE resource = 'property' AND key = old.listing_key),
    (SELECT observed_at FROM inventory WHERE resource = 'property'); END;
CREATE TABLE overtaken (resource TEXT, key TEXT, latest INTEGER, observed_at INTEGER);
CREATE TRIGGER observed BEFORE INSERT ON ledger
  BEGIN INSERT INTO overtaken SELECT resource, key, observed_at, new.observed_at FROM ledger
    WHERE feed = new.feed AND resource = new.resource AND key = new.key AND observed_at > new.observed_at; END;
"""
"""The database's own account of every price a row had, of every removal, in whose name and under which horizon, and
of every line that an older observation took from a later one. What was rolled back is not in it."""


def template(folder: Path) -> bytes:
    """A migrated, empty database that watches its rows."""
    path = folder / "template.db"
    store = SqliteStore(path)
    store.migrate()
    connection = store._database.connection()
    connection.executescript(WATCH)
    connection.execute("PRAGMA journal_mode=DELETE")
    made = connection.serialize()
    store.close()
    return made


class SteppedDatabase(Database):
    """SQLite in memory, with one connection: others may go first before each transaction, none can within it."""

    def __init__(self, template: bytes, scheduler: Scheduler) -> None:
        super().__init__(Path("simulated"))
        self._scheduler = scheduler
        self._made = sqlite3.connect(":memory:", isolation_level=None, cached_statements=2_000)
        self._made.deserialize(template)
        names = self.read("SELECT name FROM sqlite_schema WHERE type = 'table' AND name <> 'alembic_version'")
        self._tables = sorted((name for (name,) in names), key=lambda name: name in ("seen", "overtaken"))

    def connection(self) -> sqlite3.Connection:
        return self._made

    @contextmanager
    def write(self) -> Iterator[SqliteConnection]:
        self._scheduler.point("transaction")
        with super().write() as connection:
            yield connection

    def clear(self) -> None:
        """As after the migration: much cheaper than another one, whose statements would have to be prepared anew."""
        self._made.execute("BEGIN")
        for name in self._tables:
            self._made.execute(f'DELETE FROM "{name}"')
        self._made.execute("COMMIT")

    def close(self) -> None:
        self._made.close()


class SteppedStore(SqliteStore):
    """The store on a database that exists, as one process sees it."""

    def __init__(self, database: SteppedDatabase, clock: Callable[[], float]) -> None:
        self.path = database.path
        self._lock = None
        SqlStore.__init__(self, database, clock)


class SteppedBlobs:
    """The real photo store; others may go first before each change."""

    def __init__(self, root: Path, scheduler: Scheduler) -> None:
        self._blobs = LocalBlobs(root)
        self._root = root
        self._scheduler = scheduler

    def prepare(self) -> None:
        self._blobs.prepare()

    def put(self, name: str, data: bytes, content_type: str) -> None:
        self._scheduler.point("put")
        self._blobs.put(name, data, content_type)

    def delete(self, name: str) -> None:
        self._scheduler.point("delete")
        self._blobs.delete(name)

    def open(self, name: str) -> BinaryIO:
        self._scheduler.point("open")
        return self._blobs.open(name)

    def exists(self, name: str) -> bool:
        return self._blobs.exists(name)

    def keys(self, prefix: str = "") -> Iterator[str]:
        return self._blobs.keys(prefix)

    def clear(self) -> None:
        for entry in self._root.iterdir():
            if not entry.name.startswith("~"):
                shutil.rmtree(entry)


@dataclass(frozen=True)
class Item:
    """One message: where it is, from when on it may be delivered, and who has it in hand."""

    queue: str
    body: bytes
    attempt: int
    due: float
    owner: object = None


MOST_OLD = 30


class Bag:
    """What all queues hold, in no order. It loses nothing but with ``die``, and may deliver anything again.

    That is what transports promise (``shared.transport.base``), and no more: a message that is not settled comes again
    when its process has died, or as soon as the broker thinks that it has.
    """

    def __init__(self, clock: Callable[[], float], scheduler: Scheduler) -> None:
        self.rng = random.Random(0)
        self.waiting: list[Item] = []
        self.in_hand: dict[int, Item] = {}
        self.old: list[Item] = []
        self.dead: list[Item] = []
        self.published: list[bytes] = []
        """Bodies of all that was ever published."""
        self._clock = clock
        self._scheduler = scheduler
        self._tokens = itertools.count(1)
        self._left: dict[object, int] = {}
        self._due: set[str] = set()

    def publish(self, queue: str, body: bytes, *, delay: float = 0.0) -> None:
        self._scheduler.point("publish")
        self.published.append(body)
        self.waiting.append(Item(queue, body, 1, self._clock() + delay))

    def publish_all(self, queue: str, bodies: Iterable[bytes]) -> None:
        for body in bodies:
            self.publish(queue, body)

    def receive(self, queues: Sequence[str], timeout: float) -> Delivery | None:
        task = self._scheduler.current
        if task is not None:
            task.busy_since = None
            before = self._left.get(task.owner, 0)
            self._scheduler.wait(lambda: not self._due.isdisjoint(queues) or self._left.get(task.owner, 0) != before)
        now = self._clock()
        found = [item for item in self.waiting if item.queue in queues and item.due <= now]
        if not found:
            return None
        return self._hand_over(self.rng.choice(found))

    def _hand_over(self, item: Item) -> Delivery:
        self.waiting.remove(item)
        token = next(self._tokens)
        task = self._scheduler.current
        if task is not None:
            task.busy_since = self._clock()
        self.in_hand[token] = replace(item, owner=task.owner if task else None)
        return Delivery(item.queue, item.body, item.attempt, token=token)

    def ack(self, delivery: Delivery) -> None:
        self._scheduler.point("ack")
        item = self._take(delivery)
        if item is not None:
            self.old = [*self.old[-MOST_OLD:], replace(item, owner=None)]

    def retry(self, delivery: Delivery, delay: float) -> None:
        self._scheduler.point("retry")
        item = self._take(delivery)
        if item is not None:
            self.waiting.append(replace(item, owner=None, attempt=item.attempt + 1, due=self._clock() + delay))

    def reject(self, delivery: Delivery, reason: str) -> None:
        self._scheduler.point("reject")
        item = self._take(delivery)
        if item is not None:
            self.dead.append(item)

    def _take(self, delivery: Delivery) -> Item | None:
        """None when it has been given to another meanwhile."""
        return self.in_hand.pop(delivery.token, None)

    def leave(self, queues: Sequence[str]) -> None:
        task = self._scheduler.current
        if task is not None:
            self._left[task.owner] = self._left.get(task.owner, 0) + 1

    def close(self) -> None:
        """Nothing to do."""

    def depth(self, queue: str) -> int:
        return sum(item.queue == queue for item in self.waiting)

    def look(self) -> None:
        """Which queues have a message that is due: what those who wait go by."""
        now = self._clock()
        self._due = {item.queue for item in self.waiting if item.due <= now}

    def lost(self, owner: object, *, durable: bool) -> None:
        """The process died: what it had in hand is delivered again; all is lost, if the queues were in its memory."""
        if not durable:
            self.waiting.clear()
            self.in_hand.clear()
            return
        for token, item in list(self.in_hand.items()):
            if item.owner is owner:
                del self.in_hand[token]
                self.waiting.append(replace(item, owner=None))

    def steal(self, draw: int) -> None:
        """The broker takes a consumer for dead, which is only slow, and delivers what it has to another."""
        if self.in_hand:
            item = self.in_hand.pop(sorted(self.in_hand)[draw % len(self.in_hand)])
            self.waiting.append(replace(item, owner=None))

    def again(self, draw: int) -> None:
        """One that was acknowledged is delivered once more."""
        if self.old:
            item = self.old[draw % len(self.old)]
            self.waiting.append(replace(item, due=0.0))
