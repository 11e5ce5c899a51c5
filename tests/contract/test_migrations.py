"""Migrations: an empty or older database becomes one of this version, once, whoever asks and whatever happens."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, create_engine, inspect, text

import shared
from shared.store import migrate
from shared.store.base import StoreError
from shared.store.listing_tables import property_record
from shared.store.sqlite.store import SqliteStore
from shared.store.tables import metadata

ROOT = Path(shared.__file__).parent.parent

MIGRATE = """
import sys
from pathlib import Path
from shared.store.sqlite.store import SqliteStore
store = SqliteStore(Path(sys.argv[1]))
print("ready", flush=True)
sys.stdin.readline()
store.migrate()
store.check()
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "mlsync.db"


@pytest.fixture
def store(path: Path) -> Iterator[SqliteStore]:
    made = SqliteStore(path)
    yield made
    made.close()


@pytest.fixture
def engine(path: Path) -> Iterator[Engine]:
    made = create_engine(f"sqlite:///{path}")
    yield made
    made.dispose()


def schema(path: Path) -> list[tuple[str, str, str]]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute("SELECT type, name, coalesce(sql, '') FROM sqlite_master ORDER BY 1, 2").fetchall()


def structure(path: Path) -> dict[str, object]:
    """Of every table its columns in order (type, nullness, default, place in the key), of every index its terms."""
    found: dict[str, object] = {}
    with closing(sqlite3.connect(path)) as connection:
        for kind, name, sql in schema(path):
            if kind == "table" and name != "alembic_version":
                found[name] = connection.execute(f'PRAGMA table_info("{name}")').fetchall()
            elif kind == "index" and "alembic_version" not in name:
                columns = connection.execute(f'PRAGMA index_info("{name}")').fetchall()
                found[name] = (columns, sql.partition("WHERE")[2].strip())
    return found


# --- what they make


def test_migrating_an_empty_database_gives_exactly_the_tables_of_this_version(
    store: SqliteStore, engine: Engine
) -> None:
    store.migrate()
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection, opts={"compare_type": True}), metadata) == []


def test_every_column_index_and_key_is_as_the_tables_say(store: SqliteStore, path: Path, tmp_path: Path) -> None:
    """What comparing metadata does not look at: order of columns, keys, conditions of indexes."""
    store.migrate()
    plain = tmp_path / "plain.db"
    other = create_engine(f"sqlite:///{plain}")
    metadata.create_all(other)
    other.dispose()
    assert structure(path) == structure(plain)


def test_the_view_has_every_column_of_the_listing_and_its_timestamp(store: SqliteStore, engine: Engine) -> None:
    store.migrate()
    found = [column["name"] for column in inspect(engine).get_columns("property")]
    added = ["modification_timestamp", "list_aor", "coordinates_source", "coordinates_precision"]
    assert found == [*(column.name for column in property_record.columns), *added]


def test_every_revision_follows_the_one_before() -> None:
    scripts = ScriptDirectory(str(migrate.FOLDER))
    assert [script.revision for script in scripts.walk_revisions()] == migrate.revisions()[::-1]
    assert scripts.get_heads() == [migrate.head()]
    assert len(scripts.get_bases()) == 1


# --- once


def test_migrating_twice_is_harmless(store: SqliteStore, path: Path) -> None:
    store.migrate()
    before = schema(path)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("INSERT INTO feed (feed, clock, object_number) VALUES ('ddf', 7, 7)")
    store.migrate()
    assert schema(path) == before
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT * FROM feed").fetchall() == [("ddf", 7, 7, None)]


@pytest.mark.parametrize("_round", range(3))
def test_two_processes_migrating_at_once_are_safe(store: SqliteStore, path: Path, _round: int) -> None:
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", MIGRATE, str(path)], cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        for _ in range(2)
    ]  # fmt: skip
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    errors = [process.communicate(timeout=60)[1] for process in processes]
    assert [process.returncode for process in processes] == [0, 0], "\n".join(errors)
    store.check()


def test_a_migration_that_fails_leaves_the_database_as_it_was(store: SqliteStore, path: Path) -> None:
    """So that it can be run again: a full disk or a kill in its midst must not need an operator."""
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE run (in_the TEXT, way TEXT)")
    before = schema(path)
    with pytest.raises(Exception, match="run"):
        store.migrate()
    assert schema(path) == before
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("DROP TABLE run")
    store.migrate()
    store.check()


# --- what follows from rows


def test_listings_stored_before_there_were_addresses_get_theirs(store: SqliteStore, engine: Engine, path: Path) -> None:
    with engine.begin() as connection:
        config = migrate._config()
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
    with closing(sqlite3.connect(path)) as plain, plain:
        plain.executemany(
            "INSERT INTO property_record (feed, listing_key, city, latitude, longitude) VALUES (?, ?, ?, ?, ?)",
            [(feed, str(key), f"City {key}", *((1.5, 2.5) if key % 2 else (None, None)))
             for feed in ("ddf", "other") for key in range(1_200)],
        )  # fmt: skip
    wanted = {(feed, str(key), f"||city {key}|||") for feed in ("ddf", "other") for key in range(0, 1_200, 2)}

    def links() -> set[tuple[str, str, str]]:
        with closing(sqlite3.connect(path)) as plain:
            return set(plain.execute("SELECT feed, listing_key, address FROM listing_address").fetchall())

    store.migrate()
    assert links() == wanted
    with closing(sqlite3.connect(path)) as plain, plain:
        plain.execute("UPDATE derived SET version = 0")
        plain.execute("UPDATE listing_address SET address = 'by older rules'")
    store.migrate()
    assert links() == wanted


# --- versions


def test_a_database_of_this_version_passes_the_check(store: SqliteStore) -> None:
    store.migrate()
    store.check()


def test_a_database_without_tables_is_refused_with_the_remedy(store: SqliteStore, path: Path) -> None:
    path.touch()
    with pytest.raises(StoreError, match="mlsync migrate"):
        store.check()


@pytest.mark.parametrize("method", ["check", "migrate"])
def test_a_newer_database_is_refused(store: SqliteStore, engine: Engine, path: Path, method: str) -> None:
    store.migrate()
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    before = schema(path)
    with pytest.raises(StoreError, match=r"newer mlsync \(revision 9999\)"):
        getattr(store, method)()
    assert schema(path) == before
