"""Photos in a folder: what the embedded form stores them in."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from stat import S_ISREG
from typing import BinaryIO

from shared.blobs.base import BlobMissingError
from shared.blobs.names import check_name, is_segment

# "~" is in no object name, so what is being written can never be taken for an object.
_STAGING = "~staging"
_STALE_SECONDS = 3_600
_FOLDER_ATTEMPTS = 100


class LocalBlobs:
    """``Blobs`` under the folder ``root``, one file per object, readable by anything that reads files.

    An object is written to ``root/~staging``, synced, renamed into place, and the folders that changed are synced: a
    name shows the whole object or nothing, also after the power failed. Staging is one folder, rather than each
    object's own, so that finding what a killed process left behind does not mean walking millions of files, and a
    leftover never keeps a listing's folder from being removed. The content type is not kept: the extension tells it.
    Unlike in S3 a name cannot be both an object and the folder of others.
    """

    def __init__(
        self, root: Path, *, now: Callable[[], float] = time.time, stale_seconds: float = _STALE_SECONDS
    ) -> None:
        """``stale_seconds``: what is half-written for longer belongs to a process that died; 0 where no other works."""
        self._root = root
        self._staging = root / _STAGING
        self._now = now
        self._stale_seconds = stale_seconds

    def prepare(self) -> None:
        """Make the folders that are not there, and remove what was left half-written too long ago."""
        for folder in reversed([self._staging, *self._staging.parents]):
            if not folder.exists():
                folder.mkdir(exist_ok=True)
                _sync_folder(folder.parent)
        oldest = self._now() - self._stale_seconds
        for entry in os.scandir(self._staging):
            try:
                if entry.stat(follow_symlinks=False).st_mtime < oldest:
                    os.unlink(entry.path)
            except FileNotFoundError:  # its writer was only slow, or another process is preparing too
                continue

    def put(self, name: str, data: bytes, content_type: str) -> None:  # noqa: ARG002 - S3 keeps it, files cannot
        """See ``Blobs.put``. Raises ValueError for a bad name, OSError when the disk refuses or was not prepared."""
        target = self._root / check_name(name)
        staged = self._staging / secrets.token_hex(16)
        try:
            with open(staged, "xb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            self._move_into_place(staged, target)
        except BaseException:
            staged.unlink(missing_ok=True)
            raise
        _sync_folder(target.parent)

    def open(self, name: str) -> BinaryIO:
        """See ``Blobs.open``."""
        try:
            return open(self._root / check_name(name), "rb")
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
            raise BlobMissingError(name) from None

    def exists(self, name: str) -> bool:
        """See ``Blobs.exists``."""
        try:
            return S_ISREG((self._root / check_name(name)).stat().st_mode)
        except (FileNotFoundError, NotADirectoryError):
            return False

    def delete(self, name: str) -> None:
        """See ``Blobs.delete``. Folders left empty go too, also those of a delete that was cut off."""
        path = self._root / check_name(name)
        try:
            path.unlink(missing_ok=True)
        except (NotADirectoryError, IsADirectoryError):
            return
        for folder in path.parents:
            if folder == self._root:
                return
            try:
                folder.rmdir()
            except FileNotFoundError:
                continue
            except OSError:  # not empty, or another thread was first
                return

    def keys(self, prefix: str = "") -> Iterator[str]:
        """See ``Blobs.keys``. Symbolic links and files that no ``put`` could have made are passed over."""
        folder = prefix.rpartition("/")[0]
        if folder and not all(map(is_segment, folder.split("/"))):
            return
        waiting = [iter(self._entries(folder + "/" if folder else ""))]
        while waiting:
            name = next(waiting[-1], None)
            if name is None:
                waiting.pop()
            elif not name.startswith(prefix):
                continue
            elif name.endswith("/"):
                waiting.append(iter(self._entries(name)))
            else:
                yield name

    def _entries(self, folder: str) -> list[str]:
        """What is in ``folder`` ("" or ending in ``/``), folders with a ``/`` at the end.

        Sorted with that ``/``, for it comes after ``-`` in the names' byte order: ``a-b/1`` is before ``a/1``.
        """
        try:
            with os.scandir(self._root / folder) as entries:
                return sorted(
                    folder + entry.name + ("/" if entry.is_dir(follow_symlinks=False) else "")
                    for entry in entries
                    if is_segment(entry.name) and not entry.is_symlink()
                )
        except (FileNotFoundError, NotADirectoryError):
            return []

    def _move_into_place(self, staged: Path, target: Path) -> None:
        """Rename; make the folder when it is not there, as often as a concurrent ``delete`` removes it again."""
        for attempt in range(_FOLDER_ATTEMPTS):
            try:
                os.replace(staged, target)
                return
            except FileNotFoundError:
                if attempt == _FOLDER_ATTEMPTS - 1:
                    raise
            self._make_folder(target.parent)

    def _make_folder(self, folder: Path) -> None:
        made: list[Path] = []
        missing = [folder, *folder.parents]
        for step in reversed(missing[: missing.index(self._root)]):
            try:
                step.mkdir()
                made.append(step)
            except FileExistsError:
                continue
            except FileNotFoundError:  # removed above us meanwhile: the caller tries again
                return
        for step in made:
            _sync_folder(step.parent)


def _sync_folder(folder: Path) -> None:
    """Make the folder's entries durable. A folder that a concurrent ``delete`` removed has none left to keep."""
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except FileNotFoundError:
        return
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
