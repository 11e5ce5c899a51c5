"""Bring a database to this version of mlsync: Alembic, the same revisions for SQLite and PostgreSQL.

Alembic is imported only where revisions are to be run: every command looks at the database's revision, and Alembic is
a large part of the time a command takes to start.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Engine, event, inspect, text
from sqlalchemy.exc import DatabaseError

from shared.store.base import StoreError
from shared.views.naming import quoted

if TYPE_CHECKING:
    from alembic.config import Config

MIGRATING = 4_210_655_171
"""The lock of whoever migrates a PostgreSQL database."""
FOLDER = Path(__file__).parent / "migrations"


def revisions() -> list[str]:
    """Those this version of mlsync knows, oldest first: the numbers their files begin with."""
    return sorted(path.name.partition("_")[0] for path in (FOLDER / "versions").glob("[0-9]*_*.py"))


def _config() -> Config:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    return config


def head() -> str:
    """The newest revision this version of mlsync knows."""
    return revisions()[-1]


def current(engine: Engine) -> str | None:
    """The database's revision, None when it has no tables of mlsync."""
    with engine.connect() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return None
        found: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
        return found


def upgrade(engine: Engine) -> None:
    """Run the revisions the database lacks. Raises StoreError when a newer mlsync has migrated it."""
    if _known(engine) == head():
        return
    from alembic import command

    config = _config()
    if engine.dialect.name == "sqlite":
        _take_turns(engine)
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": MIGRATING})
        drop_views(connection)
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def drop_views(connection: Connection) -> None:
    """Views of classes stand in the way of whatever changes tables; the next sync makes them again.

    Raises StoreError for one that somebody has made a view of.
    """
    if not inspect(connection).has_table("metadata_view"):
        return
    for name in connection.execute(text("SELECT name FROM metadata_view ORDER BY name")).scalars().all():
        try:
            connection.exec_driver_sql(f"DROP VIEW IF EXISTS {quoted(name)}")
        except DatabaseError as error:
            raise StoreError(
                f"the view {name} cannot be dropped for the migration: {error.orig}; drop what is made of it, and make "
                "that again after the next sync"
            ) from error
    connection.execute(text("DELETE FROM metadata_view"))


def _take_turns(engine: Engine) -> None:
    """One process migrates at a time, and a failure leaves nothing: the driver alone begins no transaction for DDL."""

    def by_hand(connection: Any, _record: object) -> None:
        connection.isolation_level = None
        connection.execute("PRAGMA busy_timeout = 60000")

    def begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    engine.dispose()  # connections made before
    event.listen(engine, "connect", by_hand)
    event.listen(engine, "begin", begin)


def check(engine: Engine) -> None:
    """Raise StoreError unless the database answers and is at this version's revision."""
    try:
        found = _known(engine)
    except DatabaseError as error:
        raise StoreError(f"the database {engine.url.database} cannot be read: {error.orig}") from error
    if found != head():
        raise StoreError("the database's tables are older than this mlsync; run `mlsync migrate`")


def _known(engine: Engine) -> str | None:
    """The database's revision, if this version knows it."""
    found = current(engine)
    if found is not None and found not in revisions():
        raise StoreError(f"the database was made by a newer mlsync (revision {found}); use that version")
    return found
