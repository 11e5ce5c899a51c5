"""The store on any SQL database, put together."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

from shared.store.sql.audit import SqlObjects
from shared.store.sql.budget import SqlBudget
from shared.store.sql.census import SqlCensus
from shared.store.sql.connection import Connection, Database
from shared.store.sql.counters import Counts
from shared.store.sql.documents import SqlDocuments
from shared.store.sql.drift import SqlDrift
from shared.store.sql.feeds import SqlFeeds
from shared.store.sql.forgetting import SqlForgetting
from shared.store.sql.geocoding import SqlGeocoding
from shared.store.sql.history import SqlHistory
from shared.store.sql.holds import SqlHolds
from shared.store.sql.leases import SqlLeases
from shared.store.sql.ledger import SqlLedger
from shared.store.sql.lookups import SqlLookups
from shared.store.sql.marks import SqlMarks
from shared.store.sql.media import SqlMedia
from shared.store.sql.object_sets import SqlObjectSets
from shared.store.sql.quarantine import SqlQuarantine
from shared.store.sql.records import SqlRecords
from shared.store.sql.removals import SqlRemovals
from shared.store.sql.syncs import SqlSyncs
from shared.store.sql.views import SqlViews


class SqlTx:
    """See ``shared.store.base.Tx``."""

    def __init__(self, connection: Connection, now: Callable[[], int]) -> None:
        self.counts = Counts()
        self.ledger = SqlLedger(connection)
        self.removals = SqlRemovals(connection)
        self.records = SqlRecords(connection, self.counts, now)
        self.media = SqlMedia(connection, self.counts, now)
        self.object_sets = SqlObjectSets(connection, self.counts, now)
        self.marks = SqlMarks(connection)


class SqlStore:
    """What the stores on SQL databases share; see ``shared.store.base.Store``."""

    def __init__(self, database: Database, clock: Callable[[], float]) -> None:
        self._database = database
        self.feeds = SqlFeeds(database, clock)
        now = self.feeds.now
        self.quarantine = SqlQuarantine(database, now)
        self.holds = SqlHolds(database)
        self.census = SqlCensus(database.read)
        self.budget = SqlBudget(database, now)
        self.lookups = SqlLookups(database, now)
        self.metadata = SqlDocuments(database, now)
        self.drift = SqlDrift(database, now)
        self.views = SqlViews(database)
        self.objects = SqlObjects(database, now)
        self.geocoding = SqlGeocoding(database, now)
        self.history = SqlHistory(database)
        self.forgetting = SqlForgetting(database, now)
        self.leases = SqlLeases(database, now)
        self.syncs = SqlSyncs(database, now)

    @contextlib.contextmanager
    def write(self) -> Iterator[SqlTx]:
        with self._database.write() as connection:
            tx = SqlTx(connection, self.feeds.now)
            yield tx
            tx.counts.write(connection)
