"""Bytes on their way into the photo store: named in the object ledger first, then put."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial

from services.media.pools import Pool
from shared.blobs.base import Blobs
from shared.messages import PhotosPending
from shared.photos.names import object_name
from shared.store.base import NewObject, Store


@dataclass(frozen=True, slots=True)
class New:
    """One object to be put. ``kind`` is the type of one that is no photo."""

    order: int
    sha256: str
    extension: str
    mime_type: str
    data: bytes = field(repr=False)
    kind: str = ""


class Putter:
    """Puts the objects of records, several at once."""

    def __init__(self, store: Store, blobs: Blobs, uploads: Pool) -> None:
        self._store = store
        self._blobs = blobs
        self._uploads = uploads

    def put(self, message: PhotosPending, objects: Sequence[New]) -> list[str]:
        """The names of these objects of a record, which are there now; nothing points at them yet."""
        if not objects:
            return []
        kind = objects[0].kind
        with self._store.write() as tx:
            names = tx.media.begin(
                message.feed, message.resource, message.key,
                [NewObject(item.order, item.sha256, len(item.data), item.extension) for item in objects],
                lambda new, n: object_name(
                    message.feed, message.key, new.order, new.sha256, n, new.extension, message.resource, kind
                ),
            )  # fmt: skip
        for _ in self._uploads.each(
            partial(self._blobs.put, name, item.data, item.mime_type) for name, item in zip(names, objects, strict=True)
        ):
            pass
        return names
