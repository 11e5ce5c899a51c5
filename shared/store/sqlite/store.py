"""The store on SQLite, put together."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO

from sqlalchemy import create_engine

from shared.store import migrate
from shared.store.base import StoreError
from shared.store.sql.geocoding import relink_all
from shared.store.sql.store import SqlStore
from shared.store.sqlite.database import Database


class SqliteStore(SqlStore):
    """See ``shared.store.base.Store``. One process at a time may ``claim`` the file for work; others may read."""

    _database: Database

    def __init__(self, path: Path, clock: Callable[[], float] = time.time) -> None:
        self.path = path
        self._lock: IO[str] | None = None
        super().__init__(Database(path), clock)

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
