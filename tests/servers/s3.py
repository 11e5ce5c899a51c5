"""A real S3 server: the one ``TEST_S3_URL`` names, else SeaweedFS from its wheel."""

from __future__ import annotations

import json
import os
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.servers.process import Server, ServerError, free_ports

ACCESS_KEY, SECRET_KEY = "AKTEST", "secret-of-the-tests"


@dataclass(frozen=True)
class S3Server:
    """``url`` is as ``media_url`` has it, for a bucket that need not exist yet."""

    url: str
    access_key: str
    secret_key: str

    def bucket(self, name: str) -> str:
        """The same server's address of another bucket."""
        _, _, rest = self.url.removeprefix("s3://").partition("?")
        return f"s3://{name}?{rest}"


@dataclass(frozen=True)
class OwnS3(S3Server):
    """A server started here, which can be killed and started again on the same port."""

    server: Server

    def start(self) -> None:
        """Start it and wait until it answers."""
        self.server.start()

    def kill(self) -> None:
        """A crash."""
        self.server.kill()


@contextmanager
def s3_server(folder: Path) -> Iterator[S3Server]:
    """The server for a session."""
    given = os.environ.get("TEST_S3_URL")
    if given:
        try:
            yield S3Server(given, os.environ["MLSYNC_MEDIA_ACCESS_KEY"], os.environ["MLSYNC_MEDIA_SECRET_KEY"])
        except KeyError as error:
            raise ServerError(f"TEST_S3_URL needs {error.args[0]} beside it") from None
        return
    with seaweed(folder) as server:
        yield server


@contextmanager
def seaweed(folder: Path) -> Iterator[OwnS3]:
    """SeaweedFS on free ports, its data in ``folder``."""
    weed = Path(sys.executable).with_name("weed")
    if not weed.exists():
        raise ServerError(
            "no S3 server for the tests: `make test` installs one, or set TEST_S3_URL to a server of yours"
        )
    (folder / "data").mkdir(parents=True)
    config = {
        "identities": [
            {
                "name": "app",
                "credentials": [{"accessKey": ACCESS_KEY, "secretKey": SECRET_KEY}],
                "actions": ["Admin", "Read", "Write", "List", "Tagging"],
            }
        ]
    }
    (folder / "s3.json").write_text(json.dumps(config))
    port, *others = free_ports(12)
    names = (
        "s3.port.grpc", "master.port", "master.port.grpc", "volume.port", "volume.port.grpc", "filer.port",
        "filer.port.grpc", "admin.port", "admin.port.grpc", "metricsPort",
    )  # fmt: skip
    command = [
        str(weed), "-logtostderr=true", "mini", f"-dir={folder / 'data'}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1",
        f"-s3.port={port}", *(f"-{name}={other}" for name, other in zip(names, others, strict=False)),
        "-admin.ui=false", "-s3.port.iceberg=0", "-s3.port.lance=0",
        "-webdav=false", "-master.telemetry=false", "-metricsIp=127.0.0.1",
        f"-s3.config={folder / 's3.json'}", "-s3.allowDeleteBucketNotEmpty=false",
    ]  # fmt: skip

    def ready() -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=1) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    url = f"s3://photos?endpoint=http://127.0.0.1:{port}&region=us-east-1&style=path"
    server = OwnS3(url, ACCESS_KEY, SECRET_KEY, Server(command, folder / "weed.log", ready, cwd=folder))
    try:
        server.start()
        yield server
    finally:
        server.kill()
