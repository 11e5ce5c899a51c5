"""The real servers that benchmarks run against, on this machine, for as long as a benchmark lasts."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from services.app import open_store
from shared.settings import Settings
from shared.store.base import Store
from tests.pipeline.forms import Servers
from tests.servers.postgres import own_postgres
from tests.servers.rabbitmq import rabbitmq
from tests.servers.s3 import s3_server


@contextmanager
def folder() -> Iterator[Path]:
    """A folder on the disk, gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="mlsync-bench-", dir="/var/tmp") as name:
        yield Path(name)


@contextmanager
def servers(here: Path) -> Iterator[Servers]:
    """A broker, a PostgreSQL that syncs to the disk, and an S3 server; what they keep is in ``here`` or beside it."""
    for name in ("rabbitmq", "s3"):
        (here / name).mkdir()
    with rabbitmq(here / "rabbitmq") as broker, own_postgres(durable=True) as postgres, s3_server(here / "s3") as s3:
        yield Servers(broker, postgres, s3)


def store_of(environment: dict[str, str]) -> Store:
    """The store that an installation with this environment has."""
    return open_store(Settings.model_construct(database_url=environment["MLSYNC_DATABASE_URL"]))
