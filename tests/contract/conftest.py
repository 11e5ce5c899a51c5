"""A store of each backend for the contract tests: every test gets a migrated, empty one of its own."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from shared.store.postgres.store import PostgresStore
from shared.store.sqlite.store import SqliteStore
from tests.contract.stores import Kit, PostgresBackend, SqliteBackend
from tests.servers.postgres import Postgres


@pytest.fixture(scope="session")
def sqlite_template(memory_dir: Path) -> Path:
    """A migrated, empty SQLite file to copy."""
    path = memory_dir / "contract-template.db"
    store = SqliteStore(path)
    store.migrate()
    store.close()
    return path


@pytest.fixture(scope="session")
def postgres_template(postgres: Postgres) -> Iterator[str]:
    """The name of a migrated, empty database to copy."""
    url = postgres.create()
    store = PostgresStore(url)
    store.migrate()
    store.close()
    yield urlsplit(url).path[1:]
    postgres.drop(url)


@pytest.fixture
def postgres_backend(postgres: Postgres, postgres_template: str) -> Iterator[PostgresBackend]:
    """A migrated, empty database of the test's own."""
    made = PostgresBackend(postgres, postgres_template)
    yield made
    made.drop()


@pytest.fixture
def sqlite_backend(memory_dir: Path, sqlite_template: Path) -> Iterator[SqliteBackend]:
    """A migrated, empty file of the test's own."""
    with tempfile.TemporaryDirectory(dir=memory_dir) as folder:
        yield SqliteBackend(Path(folder), sqlite_template)


@pytest.fixture(params=["sqlite", "postgres"])
def kit(request: pytest.FixtureRequest) -> Iterator[Kit]:
    """A store and what tests do with it."""
    made = Kit(request.getfixturevalue(f"{request.param}_backend"))
    yield made
    made.store.close()
