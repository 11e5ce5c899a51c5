"""A record's objects that are no photos: fetched type by type, kept undecoded or as links.

A type is had as a set, by one request for all of it: no record tells how many there are. What came is kept as it comes;
the set is settled when all that came is kept, and only then do objects go that the MLS has no more.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field

import structlog
from prometheus_client import Counter

from services.media.decide import BATCH_BYTES, BATCH_PHOTOS, CUT_ON_THE_WAY, due_again, to_retry
from services.media.putting import New, Putter
from shared.consumer import Retry
from shared.messages import PhotosPending
from shared.photos.errors import DownloadReason, RejectReason
from shared.photos.others import ENDINGS, UNKNOWN, is_link, link_in, type_of
from shared.sources.base import PhotoObject, SourcePausedError, SourceRefusedError, SourceUnavailableError
from shared.sources.pool import PHOTOS, NoSlotError, SessionPool
from shared.store.base import ObjectsFailed, ObjectStored, ObjectsWant, Store
from shared.telemetry import redact

log = structlog.get_logger()

OBJECTS = Counter(
    "mlsync_objects_total",
    "Objects handled that are no photos, by feed and outcome: stored, unchanged (the same bytes as are stored), "
    "linked, failed.",
    ["feed", "outcome"],
)


@dataclass(frozen=True, slots=True)
class Bad:
    """An object that could not be had, or all of a type; as of a photo."""

    reason: str
    permanent: bool
    retry_after: float | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Link:
    """An object that is elsewhere."""

    order: int
    url: str = field(repr=False)
    description: str


@dataclass(frozen=True, slots=True)
class Bytes:
    """An object in hand."""

    order: int
    data: bytes = field(repr=False)
    sha256: str
    mime_type: str
    description: str


class Others:
    """See the module."""

    def __init__(self, store: Store, putter: Putter, max_bytes: int) -> None:
        self._store = store
        self._putter = putter
        self._max_bytes = max_bytes

    def handle(
        self,
        message: PhotosPending,
        wants: Sequence[ObjectsWant],
        run_id: str,
        pool: SessionPool,
        slot_timeout: float,
        attempt: int,
    ) -> tuple[list[Bad], list[float]]:
        """Bring one record's objects in step with what its sets want.

        What is to be tried again in this run, and seconds to wait for what was not asked for.
        """
        again: list[Bad] = []
        waits: list[float] = []
        for want in wants:
            try:
                bad = self._fetch(message, run_id, want, pool, slot_timeout)
            except NoSlotError as error:
                raise Retry("no session slot is free", delay=1.0, counts=False) from error
            except SourcePausedError as error:
                waits.append(error.retry_after)
                continue
            except SourceUnavailableError as error:
                bad = Bad("unavailable", permanent=False, retry_after=error.retry_after)
            except SourceRefusedError as error:
                log.warning("objects refused", feed=message.feed, key=message.key, type=want.type, reason=str(error))
                bad = Bad("refused", permanent=True, detail=redact(str(error)))
            if bad is None:
                continue
            if to_retry(permanent=bad.permanent, attempt=attempt, retry_after=bad.retry_after):
                again.append(bad)
            else:
                self._give_up(message, run_id, want, bad)
        return again, waits

    def _fetch(
        self, message: PhotosPending, run_id: str, want: ObjectsWant, pool: SessionPool, slot_timeout: float
    ) -> Bad | None:
        """Keep all there is of a type; why that is not all of it."""
        bad: Bad | None = None
        came: set[int] = set()
        kept: set[int] = set()
        batch: list[Link | Bytes] = []
        with (
            pool.use(priority=PHOTOS, timeout=slot_timeout) as source,
            closing(source.objects(message.resource, message.key, want.type, location=want.linked)) as found,
        ):
            for item in self._judged(found):
                if isinstance(item, Bad):
                    bad = bad or item
                    continue
                came.add(item.order)
                batch.append(item)
                size = sum(len(each.data) for each in batch if isinstance(each, Bytes))
                if len(batch) >= BATCH_PHOTOS or size >= BATCH_BYTES:
                    kept |= self._keep(message, run_id, want, batch)
                    batch = []
        kept |= self._keep(message, run_id, want, batch)
        if bad is None and kept == came:
            with self._store.write() as tx:
                tx.object_sets.settle(message.feed, message.resource, message.key, want, came)
        return bad

    def _judged(self, found: Iterator[PhotoObject]) -> Iterator[Bad | Link | Bytes]:
        for item in found:
            data = item.data
            url = item.url if data is None else link_in(data, item.content_type)
            if url:
                yield Link(item.order, url, item.description) if is_link(url) else Bad(DownloadReason.BAD_URL, True)
            elif data is None:
                reason = item.fault or "object_error"
                permanent = reason not in CUT_ON_THE_WAY
                yield Bad(reason, permanent, detail=redact(item.error or "the server gave no address"))
            elif not data:
                yield Bad(RejectReason.EMPTY, permanent=False)
            elif len(data) > self._max_bytes:
                yield Bad(RejectReason.TOO_LARGE, permanent=True)
            else:
                sha256 = hashlib.sha256(data).hexdigest()
                yield Bytes(item.order, data, sha256, type_of(data, item.content_type), item.description)

    def _keep(self, message: PhotosPending, run_id: str, want: ObjectsWant, batch: list[Link | Bytes]) -> set[int]:
        """Name, put, point: in that order. The numbers of those that are kept."""
        if not batch:
            return set()
        fresh = [item for item in batch if isinstance(item, Bytes) and want.stored.get(item.order) != item.sha256]
        put = self._putter.put(message, [_new(item, want.type) for item in fresh])
        names = {item.order: name for item, name in zip(fresh, put, strict=True)}
        with self._store.write() as tx:
            kept = tx.object_sets.keep(
                message.feed, message.resource, message.key, run_id, want,
                [_stored(item, names.get(item.order)) for item in batch],
            )  # fmt: skip
        for item in batch:
            if item.order in kept:
                outcome = "linked" if isinstance(item, Link) else "stored" if item.order in names else "unchanged"
                OBJECTS.labels(message.feed, outcome).inc()
        return kept

    def _give_up(self, message: PhotosPending, run_id: str, want: ObjectsWant, bad: Bad) -> None:
        """The attempt is counted, as of a photo."""
        due = due_again(want.attempts, self._store.feeds.now(), bad.retry_after)
        reason = f"{bad.reason}: {bad.detail}" if bad.detail else bad.reason
        with self._store.write() as tx:
            tx.object_sets.failed(message.feed, message.resource, message.key, run_id, want, ObjectsFailed(reason, due))
        OBJECTS.labels(message.feed, "failed").inc()


def _new(item: Bytes, kind: str) -> New:
    ending = ENDINGS.get(item.mime_type)
    return New(item.order, item.sha256, ending or "bin", item.mime_type if ending else UNKNOWN, item.data, kind)


def _stored(item: Link | Bytes, name: str | None) -> ObjectStored:
    if isinstance(item, Link):
        return ObjectStored(item.order, item.description, url=item.url)
    return ObjectStored(
        item.order, item.description, object_name=name, sha256=item.sha256, byte_size=len(item.data),
        mime_type=item.mime_type,
    )  # fmt: skip
