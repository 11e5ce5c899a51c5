"""The store on PostgreSQL, put together."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sqlalchemy import URL, Engine, create_engine
from sqlalchemy.pool import NullPool

from shared.store import migrate
from shared.store.base import StoreError
from shared.store.postgres.clock import ServerClock
from shared.store.postgres.connection import Session, lock_number
from shared.store.postgres.database import PostgresDatabase
from shared.store.sql.geocoding import relink_all
from shared.store.sql.store import SqlStore

CONNECTIONS = 10
PATIENCE = 60.0


class PostgresStore(SqlStore):
    """See ``shared.store.base.Store``. Any number of processes work on it at once.

    ``now`` is the database server's clock, unless one is given. At most ``connections`` are open, and a server that
    does not answer is waited for ``patience`` seconds.
    """

    _database: PostgresDatabase

    def __init__(
        self,
        url: str,
        clock: Callable[[], float] | None = None,
        *,
        connections: int = CONNECTIONS,
        patience: float = PATIENCE,
    ) -> None:
        """Opens nothing. Raises ValueError, without the address, when that is none."""
        server = ServerClock() if clock is None else None
        database = PostgresDatabase(url, connections=connections, patience=patience, clock=server)
        super().__init__(database, clock or database.seconds)
        self._claimed: Session | None = None

    def claim(self) -> None:
        """For a process without a broker, which takes it that it is the only one; those with one never claim."""
        session = self._database.connect(patient=True)
        (free,) = session.execute("SELECT pg_try_advisory_lock(%s)", (lock_number("claim"),)).fetchone() or (False,)
        if not free:
            session.close()
            raise StoreError(
                f"the database {self._database.place} is in use by another process without a broker; stop it, or give "
                "both a broker (broker_url)"
            )
        self._claimed = session

    def recover(self) -> None:
        return

    def migrate(self) -> None:
        with self._engine(patient=True) as engine:
            migrate.upgrade(engine)
        relink_all(self._database, self.feeds.now())

    def check(self) -> None:
        with self._engine(patient=False) as engine:
            migrate.check(engine)

    def close(self) -> None:
        self._database.close()
        if self._claimed is not None:
            self._claimed.close()
            self._claimed = None

    def _transactional(self) -> Session:
        """A migration, and waiting for another's, may take its time."""
        session = self._database.connect(patient=False)
        for name in ("lock_timeout", "statement_timeout", "idle_in_transaction_session_timeout"):
            session.execute("SELECT set_config(%s, '0', false)", (name,))
        session.autocommit = False
        return session

    @contextmanager
    def _engine(self, *, patient: bool) -> Iterator[Engine]:
        """For Alembic. Raises StoreError when the database cannot be reached, or keeps other texts than Unicode."""
        with self._database.connect(patient=patient) as session:
            encoding = session.info.parameter_status("server_encoding")
        if encoding != "UTF8":
            raise StoreError(f"the database {self._database.place} is in {encoding}; make one with ENCODING 'UTF8'")
        engine = create_engine(
            URL.create("postgresql+psycopg", database=self._database.place),
            creator=self._transactional,
            poolclass=NullPool,
        )
        try:
            yield engine
        finally:
            engine.dispose()
