"""Compare the photo store with the object ledger, and repair both ways."""

from __future__ import annotations

import hashlib
import heapq
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from shared.blobs.base import BlobMissingError, Blobs
from shared.photos.names import encode_segment
from shared.store.base import KnownObject, Store

GRACE = 3_600_000_000
"""Longer than any handler may run, in microseconds."""
AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Audited:
    """What the audit found: objects looked at, strangers and leftovers deleted, objects lost or damaged."""

    objects: int
    deleted: int
    lost: int

    def as_json(self) -> dict[str, int]:
        """The counts by name."""
        return {"objects": self.objects, "deleted": self.deleted, "lost": self.lost}

    def in_words(self) -> str:
        """The counts in a sentence."""
        lost = f"; {self.lost} lost or damaged, to be fetched again by the next sync" if self.lost else ""
        return f"{self.objects} objects stored, {self.deleted} that nothing needs deleted{lost}"


def audit(store: Store, blobs: Blobs, feeds: Iterable[str], stopping: Callable[[], bool] = lambda: False) -> Audited:
    """Delete objects that no row points at, want again those whose bytes are gone or are not what the ledger says.

    Others may write meanwhile: names *writing* for less than an hour are left alone. So is what lies beside the folders
    of ``feeds``: somebody else's. When ``stopping`` says so it ends early; what it found until then is done.
    """
    store.objects.bury(store.feeds.now() - GRACE)
    objects = deleted = 0
    lost: list[str] = []
    dead: list[str] = []
    own = {encode_segment(feed) for feed in feeds}
    for name, line, there in _both(store.objects.known(), blobs.keys()):
        if stopping():
            break
        if line is None:
            # it may have been named since the ledger was read
            if name.partition("/")[0] in own and not store.objects.has(name):
                blobs.delete(name)
                deleted += 1
        elif line.state == "dead":
            blobs.delete(name)
            deleted += there
            dead.append(name)
        elif line.state == "live":
            objects += 1
            if not _whole(blobs, line):  # though not listed it may be there: put since the listing passed its name
                lost.append(name)
    for start in range(0, len(dead), AT_ONCE):
        store.objects.strike(dead[start : start + AT_ONCE])
    for name in lost:
        blobs.delete(name)
    store.objects.lost(lost)
    return Audited(objects, deleted, len(lost))


def _both(known: Iterator[KnownObject], stored: Iterator[str]) -> Iterator[tuple[str, KnownObject | None, bool]]:
    """Names of either side in order, with the ledger's line and whether the object is there."""
    left = ((line.name.encode(), line) for line in known)
    right = ((name.encode(), None) for name in stored)
    pending: tuple[bytes, KnownObject | None, bool] | None = None
    for name, line in heapq.merge(left, right, key=lambda pair: pair[0]):
        there = line is None
        if pending is not None and pending[0] == name:
            pending = (name, pending[1] or line, True)
            continue
        if pending is not None:
            yield pending[0].decode(), pending[1], pending[2]
        pending = (name, line, there)
    if pending is not None:
        yield pending[0].decode(), pending[1], pending[2]


def _whole(blobs: Blobs, line: KnownObject) -> bool:
    digest = hashlib.sha256()
    try:
        with blobs.open(line.name) as file:
            while block := file.read(1 << 20):
                digest.update(block)
    except BlobMissingError:
        return False
    return digest.hexdigest() == line.content_sha256
