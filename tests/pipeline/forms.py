"""The forms of mlsync that whole-system tests run in: one process with a file and a folder, or over real servers.

A test, or a module, that uses the fixture ``each_form`` runs in both at full size; nothing else in it changes.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from minio import Minio

from tests.pipeline.copies import Bucket, Copy, Postgres
from tests.servers.postgres import Postgres as PostgresServer
from tests.servers.rabbitmq import Broker
from tests.servers.s3 import S3Server


@dataclass(frozen=True)
class Place:
    """Where an installation keeps what it has: its settings, and how to look at it."""

    settings: dict[str, str]
    copy: Copy


@dataclass
class Servers:
    """Real servers, on which each folder's installation has a database, a virtual host and a bucket of its own."""

    broker: Broker
    postgres: PostgresServer
    s3: S3Server
    _places: dict[Path, Place] = field(default_factory=dict)
    _databases: list[str] = field(default_factory=list)

    def place(self, folder: Path) -> Place:
        """That of the installation in ``folder``."""
        if folder not in self._places:
            self._places[folder] = self._new_place()
        return self._places[folder]

    def _new_place(self) -> Place:
        name = f"form-{secrets.token_hex(6)}"
        database = self.postgres.create()
        self._databases.append(database)
        media = self.s3.bucket(f"{name}/photos")
        endpoint = urlsplit(media.partition("endpoint=")[2].partition("&")[0])
        client = Minio(
            endpoint.netloc, self.s3.access_key, self.s3.secret_key, secure=endpoint.scheme == "https",
            region="us-east-1",
        )  # fmt: skip
        settings = {
            "MLSYNC_BROKER_URL": self.broker.vhost(name),
            "MLSYNC_DATABASE_URL": database,
            "MLSYNC_MEDIA_URL": media,
            "MLSYNC_MEDIA_ACCESS_KEY": self.s3.access_key,
            "MLSYNC_MEDIA_SECRET_KEY": self.s3.secret_key,
        }
        return Place(settings, Copy(Postgres(database), Bucket(client, name, "photos/")))

    def close(self) -> None:
        """Delete the databases; the rest goes with its server."""
        for url in self._databases:
            self.postgres.drop(url)


_now: list[Servers] = []


@contextmanager
def distributed(servers: Servers) -> Iterator[None]:
    """Installations made meanwhile are of the distributed form."""
    _now.append(servers)
    try:
        yield
    finally:
        _now.pop()
        servers.close()


def place_of(folder: Path) -> Place | None:
    """Where the installation in ``folder`` keeps what it has; None: in that folder."""
    return _now[-1].place(folder) if _now else None
