"""The S3 address taken apart, errors in our words, and names sorted."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from shared.blobs.base import BlobsUnavailableError
from shared.blobs.s3 import S3Blobs, S3Settings, parse_url
from shared.blobs.sorting import sorted_names
from tests.servers.process import free_ports
from tests.servers.s3 import S3Server


def test_every_part_of_the_address_is_taken() -> None:
    given = parse_url("s3://photos/mls/large?endpoint=https://s3.example:9000&region=ca-central-1&style=path")
    assert given == S3Settings("photos", "mls/large/", "https://s3.example:9000", "ca-central-1", "path")


def test_without_an_endpoint_it_is_amazons() -> None:
    assert parse_url("s3://photos") == S3Settings("photos", "", "https://s3.amazonaws.com", None, "auto")


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("s3://", "s3://bucket"),
        ("s3://key:secret@photos", "credentials"),
        ("s3://photos?endpoint=ftp://s3.example", "endpoint"),
        ("s3://photos?endpoint=https://u:p@s3.example", "endpoint"),
        ("s3://photos?endpoint=https://s3.example/path", "endpoint"),
        ("s3://photos?style=other", "style"),
        ("s3://photos?regoin=x", "regoin"),
        ("s3://photos/a//b", "prefix"),
        ("s3://photos/../b", "prefix"),
    ],
)
def test_an_address_that_is_wrong_is_explained(url: str, said: str) -> None:
    with pytest.raises(ValueError, match=said) as error:
        parse_url(url)
    assert "secret" not in str(error.value) or said == "credentials"


def _blobs(server: S3Server, bucket: str, **changes: str) -> S3Blobs:
    settings = parse_url(server.bucket(bucket))
    known = {"access_key": server.access_key, "secret_key": server.secret_key}
    return S3Blobs(replace(settings, **(known | changes)))  # type: ignore[arg-type]


def test_a_bucket_that_is_not_there_is_named_with_the_remedy(s3_server: S3Server) -> None:
    with pytest.raises(BlobsUnavailableError, match=r"s3://nowhere/ at .*no such bucket; `mlsync migrate`"):
        list(_blobs(s3_server, "nowhere").keys())


def test_wrong_credentials_are_named_and_not_shown(s3_server: S3Server) -> None:
    with pytest.raises(BlobsUnavailableError, match="check media_access_key") as error:
        _blobs(s3_server, "photos", secret_key="other-than-that").put("a", b"x", "image/jpeg")
    assert "other-than-that" not in repr(error.value) + str(error.value.__cause__)


def test_a_server_that_is_away_is_unavailable() -> None:
    here = f"s3://photos?endpoint=http://127.0.0.1:{free_ports(1)[0]}&region=r&style=path"
    with pytest.raises(BlobsUnavailableError, match="no answer"):
        S3Blobs(replace(parse_url(here), access_key="a", secret_key="b" * 8)).exists("a")


def test_preparing_twice_and_from_two_replicas_is_harmless(s3_server: S3Server) -> None:
    for _ in range(2):
        _blobs(s3_server, "made-twice").prepare()
    assert list(_blobs(s3_server, "made-twice").keys()) == []


@pytest.mark.parametrize("count", [0, 1, 9, 10, 11, 95])
def test_names_are_sorted_whether_they_fit_in_memory_or_not(count: int) -> None:
    names = [f"a{number % 7}{'/-.%'[number % 4]}{number}" for number in range(count)]
    random.Random(1).shuffle(names)
    assert list(sorted_names(names, at_once=10)) == sorted(names, key=str.encode)
