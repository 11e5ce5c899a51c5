"""Every promise of ``Blobs``, kept by every backend: a test per sentence of its docstrings."""

from __future__ import annotations

import secrets
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.blobs.base import BlobMissingError, Blobs
from shared.blobs.local import LocalBlobs
from shared.blobs.s3 import S3Blobs, parse_url
from tests.servers.s3 import S3Server


def local(folder: Path, _request: pytest.FixtureRequest) -> Blobs:
    return LocalBlobs(folder / "media")


def s3(_folder: Path, request: pytest.FixtureRequest) -> Blobs:
    server: S3Server = request.getfixturevalue("s3_server")
    settings = parse_url(server.bucket(f"contract-{secrets.token_hex(8)}"))
    return S3Blobs(replace(settings, prefix="some/prefix/", access_key=server.access_key, secret_key=server.secret_key))


BACKENDS = [local, s3]
SEGMENTS = st.text("ab-.%_Z0", min_size=1, max_size=4).filter(lambda text: text not in (".", ".."))
NAMES = st.builds("f/{}/{}.x".format, SEGMENTS, SEGMENTS)


@pytest.fixture(params=BACKENDS, ids=lambda make: make.__name__)
def blobs(request: pytest.FixtureRequest, tmp_path: Path) -> Blobs:
    made: Blobs = request.param(tmp_path, request)
    made.prepare()
    return made


def read(blobs: Blobs, name: str) -> bytes:
    with blobs.open(name) as file:
        return file.read()


def test_what_is_put_can_be_opened(blobs: Blobs) -> None:
    data = bytes(range(256)) * 1_000
    blobs.put("ddf/123/000-abc-1.jpg", data, "image/jpeg")
    assert read(blobs, "ddf/123/000-abc-1.jpg") == data


def test_an_empty_object_is_an_object(blobs: Blobs) -> None:
    blobs.put("ddf/empty", b"", "image/jpeg")
    assert blobs.exists("ddf/empty")
    assert read(blobs, "ddf/empty") == b""


def test_putting_the_same_bytes_again_is_harmless(blobs: Blobs) -> None:
    for _ in range(2):
        blobs.put("ddf/1/a.jpg", b"same", "image/jpeg")
    assert read(blobs, "ddf/1/a.jpg") == b"same"
    assert list(blobs.keys()) == ["ddf/1/a.jpg"]


def test_open_raises_when_no_object_has_the_name(blobs: Blobs) -> None:
    blobs.put("ddf/1/a.jpg", b"x", "image/jpeg")
    for name in ("ddf/1/b.jpg", "ddf/2/a.jpg", "ddf/1", "ddf/1/a.jpg/b"):
        with pytest.raises(BlobMissingError):
            blobs.open(name)


def test_exists_is_true_for_objects_only(blobs: Blobs) -> None:
    blobs.put("ddf/1/a.jpg", b"x", "image/jpeg")
    assert blobs.exists("ddf/1/a.jpg")
    assert not any(map(blobs.exists, ("ddf/1/b.jpg", "ddf/1", "ddf", "ddf/1/a.jpg/b")))


def test_a_deleted_object_is_gone(blobs: Blobs) -> None:
    blobs.put("ddf/1/a.jpg", b"x", "image/jpeg")
    blobs.put("ddf/1/b.jpg", b"y", "image/jpeg")
    blobs.delete("ddf/1/a.jpg")
    assert not blobs.exists("ddf/1/a.jpg")
    assert list(blobs.keys()) == ["ddf/1/b.jpg"]


def test_deleting_what_is_not_there_is_no_error(blobs: Blobs) -> None:
    blobs.put("ddf/1/a.jpg", b"x", "image/jpeg")
    for name in ("ddf/1/b.jpg", "ddf/2/a.jpg", "ddf/1", "ddf/1/a.jpg/b"):
        blobs.delete(name)
    assert list(blobs.keys()) == ["ddf/1/a.jpg"]


def test_keys_are_those_with_the_prefix_in_byte_order(blobs: Blobs) -> None:
    names = ["a/1/x", "a-b/1/x", "a.b/1/x", "a/1-2/x", "a/1/x-y", "a/10/x", "a/%2f/x", "b/1/x", "a/B/x", "a0/1/x"]
    for name in names:
        blobs.put(name, b"x", "image/jpeg")
    ordered = sorted(names, key=str.encode)
    assert list(blobs.keys()) == ordered
    for prefix in ("a/", "a", "a/1", "a/1/", "a/1/x", "a/1/x-y", "b/1/x", "zz", "a/zz/", "../", "/", "a//", "~"):
        assert list(blobs.keys(prefix)) == [name for name in ordered if name.startswith(prefix)], prefix


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(names=st.sets(NAMES, max_size=8), prefix=st.text("fab-./%_Z0", max_size=5))
def test_keys_agree_with_a_sorted_set_of_names(blobs: Blobs, names: set[str], prefix: str) -> None:
    for name in list(blobs.keys()):
        blobs.delete(name)
    for name in names:
        blobs.put(name, b"x", "image/jpeg")
    assert list(blobs.keys(prefix)) == sorted(name for name in names if name.startswith(prefix))


NO_PATHS = ["", "/", "a/", "/a", "a//b", ".", "..", "../a", "a/../b", "a/./b", "a\\b", "a:b", "C:/a"]
NO_CHARACTERS = ["a b", "a\0b", "é", "a\n", "~staging/a"]
TOO_LONG = ["x" * 201, "/".join(["x" * 100] * 10)]


@pytest.mark.parametrize("name", [*NO_PATHS, *NO_CHARACTERS, *TOO_LONG])
def test_a_name_that_is_none_is_refused(blobs: Blobs, name: str) -> None:
    for call in (blobs.open, blobs.exists, blobs.delete):
        with pytest.raises(ValueError, match="object name"):
            call(name)
    with pytest.raises(ValueError, match="object name"):
        blobs.put(name, b"x", "image/jpeg")
    assert list(blobs.keys()) == []


def test_prepare_may_be_called_again_and_keeps_objects(blobs: Blobs) -> None:
    blobs.put("ddf/1/a.jpg", b"x", "image/jpeg")
    blobs.prepare()
    assert read(blobs, "ddf/1/a.jpg") == b"x"


def test_a_reader_sees_the_whole_object_or_none_while_it_is_put(blobs: Blobs) -> None:
    stop, seen = threading.Event(), set()

    def watch() -> None:
        while not stop.is_set():
            try:
                seen.add(read(blobs, "ddf/1/a.jpg"))
            except BlobMissingError:
                continue

    watcher = threading.Thread(target=watch)
    watcher.start()
    versions = [bytes([number]) * 300_000 for number in range(20)]
    for data in versions:
        blobs.put("ddf/1/a.jpg", data, "image/jpeg")
    stop.set()
    watcher.join(10)
    assert seen <= set(versions)


def test_threads_that_put_and_delete_in_one_folder_do_not_disturb_each_other(blobs: Blobs) -> None:
    """Each thread empties the folder as another fills it; every put must succeed and be there afterwards."""
    errors: list[BaseException] = []

    def work(number: int) -> None:
        name = f"ddf/1/{number}.jpg"
        try:
            for _ in range(100):
                blobs.put(name, b"x", "image/jpeg")
                assert blobs.exists(name)
                blobs.delete(name)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert errors == []
    assert list(blobs.keys()) == []
