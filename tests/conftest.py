"""What all tests share: how much of them to run, and where to put what they make."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.servers.postgres import Postgres
from tests.servers.postgres import postgres as start_postgres
from tests.servers.rabbitmq import Broker
from tests.servers.rabbitmq import rabbitmq as start_rabbitmq
from tests.servers.s3 import S3Server
from tests.servers.s3 import s3_server as start_s3

SCALE = int(os.environ.get("MLSYNC_TEST_SCALE", "1"))
"""1: `make test`. `make soak` sets it higher: the same tests at full size."""

settings.register_profile(
    "mlsync", deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
settings.load_profile("mlsync")


@pytest.fixture(scope="session")
def scale() -> int:
    """How many times the everyday amount to test."""
    return SCALE


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No test sees the caller's settings, files or proxies."""
    for name in list(os.environ):
        if name.startswith("MLSYNC_") or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="session")
def memory_dir() -> Iterator[Path]:
    """A folder in memory where there is one: for tests that write much and prove nothing about disks."""
    base = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="mlsync-", dir=base) as folder:
        yield Path(folder)


@pytest.fixture(scope="session")
def s3_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """A real S3 server for the session."""
    with start_s3(tmp_path_factory.mktemp("s3")) as server:
        yield server


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """A real RabbitMQ for the session."""
    with start_rabbitmq(tmp_path_factory.mktemp("rabbitmq")) as started:
        yield started


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A real PostgreSQL for the session."""
    with start_postgres() as server:
        yield server
