"""What the folder backend promises beyond the contract."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from shared.blobs.base import Blobs
from shared.blobs.local import LocalBlobs


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "media"


@pytest.fixture
def blobs(root: Path) -> LocalBlobs:
    made = LocalBlobs(root)
    made.prepare()
    return made


def test_local_blobs_are_blobs_and_constructing_them_opens_nothing(root: Path) -> None:
    blobs: Blobs = LocalBlobs(root)
    assert list(blobs.keys()) == []
    assert not root.exists()


def test_without_prepare_a_put_says_that_the_folder_is_not_there(root: Path) -> None:
    with pytest.raises(FileNotFoundError):
        LocalBlobs(root).put("a", b"x", "image/jpeg")
    assert not root.exists()


def test_folders_left_empty_are_removed_but_never_the_root(blobs: LocalBlobs, root: Path) -> None:
    blobs.put("ddf/1/a.jpg", b"x", "image/jpeg")
    blobs.put("ddf/2/a.jpg", b"x", "image/jpeg")
    blobs.delete("ddf/1/a.jpg")
    assert sorted(path.name for path in (root / "ddf").iterdir()) == ["2"]
    blobs.delete("ddf/2/a.jpg")
    assert root.is_dir()
    assert not (root / "ddf").exists()


def test_prepare_removes_leftovers_of_an_hour_ago_and_leaves_younger_ones(blobs: LocalBlobs, root: Path) -> None:
    old, young = root / "~staging" / "old", root / "~staging" / "young"
    for path in (old, young):
        path.write_bytes(b"half")
    os.utime(old, (time.time() - 3_700,) * 2)
    blobs.prepare()
    assert (old.exists(), young.exists()) == (False, True)
    assert list(blobs.keys()) == []


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_put_that_fails_leaves_neither_object_nor_leftover(
    blobs: LocalBlobs, root: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, step, fail)
        with pytest.raises(OSError, match="No space left"):
            blobs.put("ddf/1/a.jpg", b"x", "image/jpeg")
    assert not blobs.exists("ddf/1/a.jpg")
    assert list((root / "~staging").iterdir()) == []


def test_the_file_is_synced_before_it_is_renamed_and_the_folders_after(
    blobs: LocalBlobs, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[str] = []
    sync, rename = os.fsync, os.replace

    def noting_sync(descriptor: int) -> None:
        path = Path(os.readlink(f"/proc/self/fd/{descriptor}"))
        steps.append(f"sync {'file' if path.is_file() else path.relative_to(root)}")
        sync(descriptor)

    def noting_rename(source: Path, target: Path) -> None:
        rename(source, target)
        steps.append("rename")

    monkeypatch.setattr(os, "fsync", noting_sync)
    monkeypatch.setattr(os, "replace", noting_rename)
    blobs.put("ddf/1/a.jpg", b"x", "image/jpeg")
    assert steps == ["sync file", "sync .", "sync ddf", "rename", "sync ddf/1"]


def test_keys_pass_over_what_no_put_has_made(blobs: LocalBlobs, root: Path, tmp_path: Path) -> None:
    blobs.put("ddf/1/a.jpg", b"x", "image/jpeg")
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret").write_bytes(b"x")
    (root / "ddf" / "link").symlink_to(tmp_path / "outside")
    (root / "ddf" / "file link").symlink_to(tmp_path / "outside" / "secret")
    (root / "ddf" / "a b").write_bytes(b"x")
    assert list(blobs.keys()) == ["ddf/1/a.jpg"]


def test_folders_that_a_delete_cut_off_left_empty_go_with_the_next(tmp_path: Path) -> None:
    blobs = LocalBlobs(tmp_path)
    blobs.prepare()
    (tmp_path / "feed" / "1").mkdir(parents=True)
    blobs.delete("feed/1/a.jpg")
    assert not (tmp_path / "feed").exists()
