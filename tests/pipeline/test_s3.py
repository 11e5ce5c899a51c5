"""Photos in a bucket: the same objects under the same names as in a folder, and patience while the bucket is away."""

from __future__ import annotations

import secrets
import subprocess
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from shared.blobs.s3 import S3Blobs, parse_url
from tests.pipeline.simulated import Installation, synced
from tests.servers.process import free_ports
from tests.servers.proxy import proxied
from tests.servers.s3 import S3Server

LISTINGS, PHOTOS = 20, 3


def bucket(server: S3Server) -> str:
    """The address of a bucket that is not there yet."""
    return server.bucket(f"sync-{secrets.token_hex(6)}/some/prefix")


def into(server: S3Server, url: str) -> dict[str, str]:
    """The settings that send photos there."""
    return {
        "MLSYNC_MEDIA_URL": url,
        "MLSYNC_MEDIA_ACCESS_KEY": server.access_key,
        "MLSYNC_MEDIA_SECRET_KEY": server.secret_key,
    }


def objects(server: S3Server, url: str) -> dict[str, bytes]:
    """Everything under the prefix."""
    blobs = S3Blobs(replace(parse_url(url), access_key=server.access_key, secret_key=server.secret_key))
    return {name: blobs.open(name).read() for name in list(blobs.keys())}


def unnumbered(name: str) -> str:
    """A name without its counter, which tells in what order photos happened to come."""
    return name.rpartition("-")[0]


def files(here: Installation) -> dict[str, bytes]:
    return {
        path.relative_to(here.media).as_posix(): path.read_bytes() for path in here.media.rglob("*") if path.is_file()
    }


def test_bucket_and_folder_hold_the_same_day_after_day(tmp_path: Path, s3_server: S3Server) -> None:
    with synced(tmp_path / "folder", LISTINGS, PHOTOS) as (mls, folder):
        folder.folder.mkdir()
        url = bucket(s3_server)
        other = Installation(tmp_path / "bucket", mls.login_url, folder.settings | into(s3_server, url))
        other.folder.mkdir()
        for _ in range(3):
            folder.sync()
            other.sync()
            here, there = files(folder), objects(s3_server, url)
            assert {unnumbered(name): data for name, data in there.items()} == {
                unnumbered(name): data for name, data in here.items()
            }
            assert set(there) == {name for (name,) in other.rows("SELECT object_key FROM media WHERE object_key <> ''")}
            mls.advance()
        assert other.run("audit", "media").code == 0
        assert other.run("check").code == 0


def test_a_bucket_that_goes_away_is_waited_for(tmp_path: Path, s3_server: S3Server) -> None:
    where = urlsplit(parse_url(s3_server.url).endpoint)
    with (
        synced(tmp_path, LISTINGS, PHOTOS) as (_, here),
        proxied(where.hostname or "", where.port or 0) as proxy,
    ):
        url = bucket(s3_server)
        here.settings |= into(s3_server, url.replace(f":{where.port}", f":{proxy.port}"))
        assert here.run("sync", "--limit", "1").code in (0, 3)
        proxy.refusing = True
        proxy.cut()
        refused = here.run("sync", "--json", "--wait", "1")
        assert refused.code == 1
        assert "no answer" in refused.err
        proxy.refusing = False
        with here.start("sync") as running:
            proxy.delay = 0.02
            while here.count("media", "object_key IS NOT NULL") < 5:
                assert running.poll() is None
            proxy.refusing = True
            proxy.cut(reset=True)
            with pytest.raises(subprocess.TimeoutExpired):
                running.wait(3)
            proxy.refusing, proxy.delay = False, 0.0
            assert running.wait(120) == 0
        assert here.count("quarantine") == 0
        stored = {name for (name,) in here.rows("SELECT object_key FROM media WHERE object_key <> ''")}
        assert stored <= set(objects(s3_server, url))
        assert here.sync()["photos"]["failed"] == 0
        assert set(objects(s3_server, url)) == stored


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"MLSYNC_MEDIA_URL": "s3://u:secret-word@photos"}, "media_access_key"),
        ({"MLSYNC_MEDIA_URL": "s3://photos", "MLSYNC_MEDIA_ACCESS_KEY": "secret-word"}, "give both"),
        ({"MLSYNC_MEDIA_URL": "s3://photos?endpoint=nowhere"}, "endpoint"),
    ],
)
def test_a_bucket_that_is_named_wrong_is_explained(tmp_path: Path, settings: dict[str, str], said: str) -> None:
    here = Installation(tmp_path, f"http://127.0.0.1:{free_ports(1)[0]}/", settings)
    done = here.run("sync")
    assert done.code == 2
    assert said in done.err
    assert "secret-word" not in done.out + done.err
