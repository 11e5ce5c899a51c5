"""Connections to one PostgreSQL database, and transactions that outlive its restarts."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, TypeVar

import psycopg
from psycopg import errors
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg_pool import ConnectionPool, PoolTimeout

from shared.store.base import StoreError, StoreUnavailableError
from shared.store.postgres import statistics
from shared.store.postgres.clock import ServerClock
from shared.store.postgres.connection import PostgresConnection, Session, stream, translated
from shared.store.postgres.values import adapt
from shared.store.sql.connection import Connection, Row, Rows, plain

T = TypeVar("T")

DEFAULTS = {
    "application_name": "mlsync",
    "client_encoding": "utf8",
    "connect_timeout": 10,
    "keepalives": 1,
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 60_000,
}
"""What is asked of every connection unless the address says otherwise: a dead peer is noticed within a minute."""
SESSION = {
    "TimeZone": "UTC",
    "lock_timeout": "5min",
    "statement_timeout": "30min",
    "idle_in_transaction_session_timeout": "10min",
    "jit": "off",
    "standard_conforming_strings": "on",
    "default_transaction_isolation": "read committed",
}
"""Longer than any healthy transaction, so that what hangs is let go of; see docs/adr/0010."""
TURN = 2.0
"""Seconds to wait for a connection before looking at what is wrong."""
PAUSE = 0.2
REFUSED = ("authentication", "does not exist", "no pg_hba.conf entry", "not permitted to log in", "certificate")
"""In what a server says to a client it will refuse again."""


PASSING = ("08", "53", "57", "25P03", "25006")
"""How SQLSTATEs begin of what is no fault of a statement: connections, resources, an operator, a standby."""


class CommitUnknownError(StoreUnavailableError):
    """The connection was lost while the transaction was being committed: it may be there or not."""


def parsed(url: str) -> dict[str, Any]:
    """The parts of a database's address. Raises ValueError, which does not repeat it: it may hold a password."""
    try:
        found = dict(conninfo_to_dict(url))
        for port in str(found.get("port") or 5432).split(","):
            int(port or 5432)
        return found
    except (psycopg.Error, ValueError):
        raise ValueError(
            "is no address of a PostgreSQL database; give postgresql://user:password@host:port/database, "
            "with % and what follows for characters such as @ : / in the password"
        ) from None


class PostgresDatabase:
    """A pool of connections, none before the first is asked for. Safe to use from many threads."""

    bytewise = 'COLLATE "C"'
    dialect: Final = "postgresql"

    def __init__(self, url: str, *, connections: int, patience: float, clock: ServerClock | None) -> None:
        self._conninfo = make_conninfo("", **{**DEFAULTS, **parsed(url)})
        self._connections = connections
        self._patience = patience
        self._clock = clock
        self._growths = 0
        self._pool = self._new_pool()

    @property
    def place(self) -> str:
        """Where the database is, without secrets."""
        found = parsed(self._conninfo)
        return f"{found.get('dbname') or '?'} at {found.get('host') or 'localhost'}:{found.get('port') or 5432}"

    def connect(self, *, patient: bool) -> Session:
        """A connection of its own, not of the pool. Raises StoreUnavailableError, or StoreError if it is refused."""
        until = time.monotonic() + (self._patience if patient else 0)
        while True:
            try:
                session = Session.connect(self._conninfo, autocommit=True)
            except psycopg.OperationalError as error:
                said = _said(error)
                if any(words in said for words in REFUSED):
                    raise StoreError(f"the database {self.place} refuses: {said}; see database_url") from None
                if time.monotonic() >= until:
                    raise StoreUnavailableError(
                        f"the database {self.place} does not answer: {said}; is it up, and database_url right?"
                    ) from None
                time.sleep(PAUSE)
            else:
                self._configure(session)
                return session

    @contextlib.contextmanager
    def write(self) -> Iterator[PostgresConnection]:
        """A transaction; waiting for the server ends after the patience, and once begun it is not begun again."""
        with self._transaction(time.monotonic() + self._patience) as connection:
            yield connection

    def run(self, work: Callable[[Connection], T]) -> T:
        """``work`` in a transaction of its own; again while the server goes away before it is told to commit."""
        return self._again(lambda until: self._run(until, work))

    def read(self, sql: str, values: Sequence[Any] = ()) -> Rows:
        """All rows of one query, outside any transaction."""
        return self._again(lambda until: self._read(until, sql, values))

    def stream(self, sql: str, values: Sequence[Any] = ()) -> Iterator[Row]:
        """The rows of one query, as they were when it began, a few thousand in memory at a time."""
        session = self._begin(time.monotonic() + self._patience)
        try:
            with _translated():
                for rows in stream(session, sql, values):
                    yield from rows
        finally:
            self._give_back(session)

    def seconds(self) -> float:
        """Seconds since 1970 by the server's clock; only the first time it is asked."""
        assert self._clock is not None
        if self._clock.unknown:
            self.read("SELECT 1")  # whoever gets a connection compares the clocks
        return self._clock()

    def close(self) -> None:
        """Close every connection; those asked for later are opened anew."""
        self._pool.close()
        self._pool = self._new_pool()

    # --- one attempt

    def _again(self, work: Callable[[float], T]) -> T:
        until = time.monotonic() + self._patience
        while True:
            try:
                return work(until)
            except CommitUnknownError:
                raise
            except StoreUnavailableError:
                if time.monotonic() >= until:
                    raise
                time.sleep(PAUSE)

    def _run(self, until: float, work: Callable[[Connection], T]) -> T:
        with self._transaction(until) as connection:
            return work(connection)

    def _read(self, until: float, sql: str, values: Sequence[Any]) -> Rows:
        session = self._checkout(until)
        try:
            with _translated():
                return session.execute(translated(sql), plain(values)).fetchall()
        finally:
            self._give_back(session)

    @contextlib.contextmanager
    def _transaction(self, until: float) -> Iterator[PostgresConnection]:
        session = self._begin(until)
        connection = PostgresConnection(session)
        try:
            with _translated():
                yield connection
                self._commit(session)
            if connection.grew:
                self._count(session)
        finally:
            self._give_back(session)

    def _count(self, session: Session) -> None:
        """From time to time have grown tables looked at; what was committed does not depend on it."""
        self._growths += 1
        if self._growths % statistics.EVERY == 0:
            with contextlib.suppress(psycopg.Error):
                statistics.refresh(session)

    def _commit(self, session: Session) -> None:
        try:
            done = session.execute("COMMIT")
        except psycopg.OperationalError as error:
            if session.closed:
                raise CommitUnknownError(f"the database {self.place} went away during a commit") from error
            raise
        if done.statusmessage != "COMMIT":
            raise RuntimeError("a statement of this transaction had failed, and nobody heeded it")

    def _begin(self, until: float) -> Session:
        while True:
            session = self._checkout(until)
            try:
                session.execute("BEGIN")
            except psycopg.OperationalError as error:  # it was idle while the server went away
                self._give_back(session)
                if time.monotonic() >= until:
                    raise StoreUnavailableError(f"the database {self.place} does not answer") from error
            else:
                return session

    def _checkout(self, until: float) -> Session:
        """A connection of the pool. Raises StoreUnavailableError, StoreError when the server refuses."""
        while True:
            if self._pool.closed:
                self._pool.open()
            try:
                session = self._pool.getconn(timeout=TURN)
            except PoolTimeout as error:
                late = time.monotonic() >= until
                try:
                    self.connect(patient=False).close()  # says what is wrong, if it is the server
                except StoreUnavailableError:
                    if late:
                        raise
                if late:
                    raise StoreUnavailableError(
                        f"no connection to the database {self.place} is free: all {self._connections} are in use"
                    ) from error
                continue
            if self._clock is not None and self._clock.due:
                try:
                    self._clock.compare(session)
                except psycopg.OperationalError:
                    self._give_back(session)
                    continue
            return session

    def _give_back(self, session: Session) -> None:
        """What is left of a transaction ends; a connection that is of no more use is not used again."""
        with contextlib.suppress(psycopg.Error):
            if session.info.transaction_status != psycopg.pq.TransactionStatus.IDLE and not session.closed:
                session.execute("ROLLBACK")
        self._pool.putconn(session)

    def _new_pool(self) -> ConnectionPool[Session]:
        return ConnectionPool(
            self._conninfo,
            connection_class=Session,
            kwargs={"autocommit": True},
            min_size=0,
            max_size=self._connections,
            configure=self._configure,
            reconnect_timeout=TURN,
            name="mlsync",
            open=False,
        )

    def _configure(self, session: Session) -> None:
        adapt(session)
        session.execute(
            "SELECT " + ", ".join("set_config(%s, %s, false)" for _ in SESSION),
            [word for pair in SESSION.items() for word in pair],
        )


@contextlib.contextmanager
def _translated() -> Iterator[None]:
    """The server's and the connection's troubles as StoreUnavailableError; a wrong statement stays what it is."""
    try:
        yield
    except (errors.DeadlockDetected, errors.SerializationFailure, errors.LockNotAvailable) as error:
        raise StoreUnavailableError(f"the database is busy with others: {_said(error)}") from error
    except psycopg.Error as error:
        lost = isinstance(error, psycopg.OperationalError) and error.sqlstate is None
        if not lost and not (error.sqlstate or "").startswith(PASSING):
            raise
        raise StoreUnavailableError(f"the database went away: {_said(error)}") from error


def _said(error: BaseException) -> str:
    """In one line."""
    return " ".join(str(error).split())
