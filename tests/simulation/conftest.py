"""One simulated machine for all tests of a process: its database is migrated once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.simulation.machine import Machine


@pytest.fixture(scope="session")
def _machine(memory_dir: Path) -> Iterator[Machine]:
    folder = memory_dir / "simulated"
    folder.mkdir()
    made = Machine(folder)
    yield made
    made.close()


@pytest.fixture
def machine(_machine: Machine) -> Iterator[Machine]:
    """Ready; time and identifiers are the world's until the test ends."""
    with _machine.on():
        yield _machine
