"""Bring a database to this version of mlsync: Alembic, the same revisions for SQLite and PostgreSQL."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, event, text
from sqlalchemy.exc import DatabaseError

from shared.store.base import StoreError

MIGRATING = 4_210_655_171
"""The lock of whoever migrates a PostgreSQL database."""
FOLDER = Path(__file__).parent / "migrations"


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    return config


def head() -> str:
    """The newest revision this version of mlsync knows."""
    found = ScriptDirectory.from_config(_config()).get_current_head()
    assert found is not None
    return found


def current(engine: Engine) -> str | None:
    """The database's revision, None when it has no tables of mlsync."""
    with engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def upgrade(engine: Engine) -> None:
    """Run the revisions the database lacks. Raises StoreError when a newer mlsync has migrated it."""
    _refuse_newer(engine)
    config = _config()
    if engine.dialect.name == "sqlite":
        _take_turns(engine)
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": MIGRATING})
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


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
        _refuse_newer(engine)
        found = current(engine)
    except DatabaseError as error:
        raise StoreError(f"the database {engine.url.database} cannot be read: {error.orig}") from error
    if found != head():
        raise StoreError("the database's tables are older than this mlsync; run `mlsync migrate`")


def _refuse_newer(engine: Engine) -> None:
    found = current(engine)
    known = {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}
    if found is not None and found not in known:
        raise StoreError(f"the database was made by a newer mlsync (revision {found}); use that version")
