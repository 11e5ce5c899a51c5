"""The promise every photo store keeps."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO, Protocol


class BlobMissingError(LookupError):
    """No object has that name."""


class BlobsUnavailableError(OSError):
    """The store cannot be used now, or as it is configured; the text names it and what to do."""


class Blobs(Protocol):
    """Immutable objects by name. Names are ``/``-separated, of ``[A-Za-z0-9._%-]`` segments, never ``.`` or ``..``.

    Safe to use from many threads and processes. Promises what S3 can keep: no rename, no locking.
    """

    def put(self, name: str, data: bytes, content_type: str) -> None:
        """Store ``data`` under ``name``, all or nothing, durable on return. Putting it again is harmless."""

    def open(self, name: str) -> BinaryIO:
        """The object's bytes. Raises BlobMissingError."""

    def exists(self, name: str) -> bool:
        """Whether the object is there, whole."""

    def delete(self, name: str) -> None:
        """Remove the object; it is no error if it is not there."""

    def keys(self, prefix: str = "") -> Iterator[str]:
        """Every object name that begins with ``prefix``, in byte order, in bounded memory per folder."""

    def prepare(self) -> None:
        """Make the folder or bucket if it is not there. The one call that creates; the constructor opens nothing."""
