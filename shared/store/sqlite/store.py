"""The store on SQLite, put together."""

from __future__ import annotations

import contextlib
import fcntl
import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

from sqlalchemy import create_engine

from shared.store import migrate
from shared.store.base import StoreError
from shared.store.census import SqlCensus
from shared.store.sqlite.audit import SqliteObjects
from shared.store.sqlite.budget import SqliteBudget
from shared.store.sqlite.database import Database
from shared.store.sqlite.feeds import SqliteFeeds
from shared.store.sqlite.forgetting import SqliteForgetting
from shared.store.sqlite.geocoding import SqliteGeocoding, relink_all
from shared.store.sqlite.history import SqliteHistory
from shared.store.sqlite.holds import SqliteHolds
from shared.store.sqlite.ledger import SqliteLedger
from shared.store.sqlite.lookups import SqliteLookups
from shared.store.sqlite.marks import SqliteMarks
from shared.store.sqlite.media import SqliteMedia
from shared.store.sqlite.quarantine import SqliteQuarantine
from shared.store.sqlite.records import SqliteRecords
from shared.store.sqlite.removals import SqliteRemovals


class SqliteTx:
    """See ``shared.store.base.Tx``."""

    def __init__(self, connection: sqlite3.Connection, now: Callable[[], int]) -> None:
        self.ledger = SqliteLedger(connection)
        self.removals = SqliteRemovals(connection)
        self.records = SqliteRecords(connection, now)
        self.media = SqliteMedia(connection, now)
        self.marks = SqliteMarks(connection)


class SqliteStore:
    """See ``shared.store.base.Store``. One process at a time may ``claim`` the file for work; others may read."""

    def __init__(self, path: Path, clock: Callable[[], float] = time.time) -> None:
        self.path = path
        self._database = Database(path)
        self._lock: IO[str] | None = None
        self.feeds = SqliteFeeds(self._database, clock)
        self.quarantine = SqliteQuarantine(self._database, self.feeds.now)
        self.holds = SqliteHolds(self._database)
        self.budget = SqliteBudget(self._database, self.feeds.now)
        self.lookups = SqliteLookups(self._database, self.feeds.now)
        self.objects = SqliteObjects(self._database, self.feeds.now)
        self.geocoding = SqliteGeocoding(self._database, self.feeds.now)
        self.history = SqliteHistory(self._database)
        self.census = SqlCensus(self._database.read)
        self.forgetting = SqliteForgetting(self._database, self.feeds.now)

    @contextlib.contextmanager
    def write(self) -> Iterator[SqliteTx]:
        with self._database.write() as connection:
            yield SqliteTx(connection, self.feeds.now)

    def claim(self) -> None:
        """Take the file for this process until ``close`` or its death, and clear up after the one before.

        Raises StoreError when another process has it. The operating system gives the lock back when a process dies.
        """
        name = self.path.with_name(self.path.name + ".lock")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            lock = name.open("a+")
        except OSError as error:
            raise StoreError(f"cannot open {name}: {error.strerror}; is the folder there and writable?") from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            lock.seek(0)
            owner = lock.read(100).strip() or "another process"
            lock.close()
            raise StoreError(f"{self.path} is in use by {owner}; stop it, or give this one another database") from error
        lock.truncate(0)
        lock.write(f"mlsync, process {os.getpid()}\n")
        lock.flush()
        self._lock = lock

    def recover(self) -> None:
        with self._database.write() as connection:
            connection.execute(
                "UPDATE media_object SET state = 'dead', at = ? WHERE state = 'writing'", (self.feeds.now(),)
            )
            connection.execute("UPDATE geocoder SET told_until = 0")  # messages in memory died with their process

    def migrate(self) -> None:
        self._database.connection()  # makes the folder and sets the journal mode, with a clear error
        engine = create_engine(f"sqlite:///{self.path}")
        try:
            migrate.upgrade(engine)
        finally:
            engine.dispose()
        relink_all(self._database, self.feeds.now())

    def check(self) -> None:
        if not self.path.exists():
            raise StoreError(f"there is no database {self.path} yet; `mlsync sync` or `mlsync migrate` makes it")
        engine = create_engine(f"sqlite:///{self.path}")
        try:
            migrate.check(engine)
        finally:
            engine.dispose()

    def close(self) -> None:
        self._database.close()
        if self._lock is not None:
            self._lock.close()
            self._lock = None
