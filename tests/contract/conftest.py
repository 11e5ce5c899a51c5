"""A store of each backend for the contract tests: every test gets a migrated, empty one of its own."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.store.sqlite.store import SqliteStore
from tests.contract.stores import Kit, SqliteBackend


@pytest.fixture(scope="session")
def sqlite_template(memory_dir: Path) -> Path:
    """A migrated, empty SQLite file to copy."""
    path = memory_dir / "contract-template.db"
    store = SqliteStore(path)
    store.migrate()
    store.close()
    return path


@pytest.fixture(params=["sqlite"])
def kit(request: pytest.FixtureRequest, memory_dir: Path, sqlite_template: Path) -> Iterator[Kit]:
    """A store and what tests do with it."""
    with tempfile.TemporaryDirectory(dir=memory_dir) as folder:
        made = Kit(SqliteBackend(Path(folder), sqlite_template))
        yield made
        made.store.close()
