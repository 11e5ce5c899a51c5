"""The media service: downloads photos, verifies and stores them, deletes the ones no longer wanted. Other objects too.

Consumes ``photos.pending``, publishes nothing. The message says which record to look at; what to do is read from the
store. An object's name is in the ledger before the object exists, and the row points at it only afterwards, in one
transaction, if the row still wants that version: a death at any line leaves nothing that is not found again.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import islice

import structlog
from prometheus_client import Counter, Histogram

from services.media.decide import BATCH_BYTES, BATCH_PHOTOS, CUT_ON_THE_WAY, LOOK, given_up, retry_delay, to_retry
from services.media.others import Others
from services.media.pools import Pool
from services.media.putting import New, Putter
from services.media.settings import MediaFeedSettings
from shared.blobs.base import Blobs
from shared.consumer import Reject, Retry
from shared.messages import Envelope, Message, PhotosPending
from shared.photos.download import Downloader
from shared.photos.errors import DownloadError, DownloadReason, PhotoRejectedError, RejectReason
from shared.photos.verify import PhotoLimits, Verified, verify
from shared.sources.base import PhotoObject, SourcePausedError, SourceRefusedError, SourceUnavailableError
from shared.sources.pool import PHOTOS as PHOTOS_AFTER
from shared.sources.pool import NoSlotError, SessionPool
from shared.store.base import PhotoFailed, PhotoStored, PhotoWant, Store
from shared.telemetry import redact
from shared.transport.base import Delivery

log = structlog.get_logger()

PHOTOS = Counter(
    "mlsync_photos_total",
    "Photos handled, by feed and outcome: stored, unchanged (the same bytes as are stored), failed, deleted.",
    ["feed", "outcome"],
)
FAILURES = Counter(
    "mlsync_photo_failures_total",
    "Attempts at a photo that failed, those tried again at once included, by feed and reason (one unknown: other).",
    ["feed", "reason"],
)
BYTES = Counter("mlsync_photo_bytes_total", "Bytes of photos put into the photo store, by feed.", ["feed"])
DOWNLOAD_SECONDS = Histogram(
    "mlsync_photo_download_seconds",
    "Seconds for one photo by its address, from the request until it was read whole or had failed, by feed; waiting "
    "for a host that is left alone is none of it.",
    ["feed"],
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120),
)

LISTINGS = "property"
ONLY = 1
"""The number of the one photo that any other record has; it is asked for without a number and comes with any."""

REASONS = frozenset({*RejectReason, *DownloadReason, "unavailable", "refused", "object_error", "missing", "no_url"})
"""Why a photo failed: every word there is, so that labels stay few."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """One photo in hand: verified bytes and their validators."""

    want: PhotoWant
    data: bytes = field(repr=False)
    verified: Verified
    etag: str | None = None
    last_modified: str | None = None


@dataclass(frozen=True, slots=True)
class Unchanged:
    """The server says that the stored photo is still the one it has."""

    want: PhotoWant


@dataclass(frozen=True, slots=True)
class Failed:
    """One photo that could not be had now."""

    want: PhotoWant
    reason: str
    permanent: bool
    retry_after: float | None = None
    detail: str = ""
    """What the server said, for people."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """One photo whose host, or MLS, is left alone for so many seconds: not asked for, so no attempt."""

    want: PhotoWant
    seconds: float


Outcome = Fetched | Unchanged | Failed | Waiting


@dataclass(frozen=True, slots=True)
class FeedMedia:
    """What the media service needs of a feed."""

    settings: MediaFeedSettings
    downloader: Downloader
    pool: SessionPool


class Media:
    """See the module. So many photos are downloaded ``at_once``, and as many uploaded."""

    def __init__(
        self, feeds: Mapping[str, FeedMedia], store: Store, blobs: Blobs, limits: PhotoLimits, at_once: int = 1
    ) -> None:
        self._feeds = feeds
        self._store = store
        self._blobs = blobs
        self._limits = limits
        self._downloads = Pool(at_once, "download")
        self._uploads = Pool(at_once, "upload")
        self._putter = Putter(store, blobs, self._uploads)
        self._others = Others(store, self._putter, limits.max_bytes)

    def close(self) -> None:
        """End the threads, each after what it has under way; nobody waits for that."""
        self._downloads.close()
        self._uploads.close()

    def forget_placeholders(self, feed: str) -> None:
        """Take back what was stored before it was known to be a placeholder; it is then a photo still to be had."""
        placeholders = self._feeds[feed].settings.placeholders
        if placeholders and (count := self._store.objects.disown(feed, placeholders)):
            log.info("stored pictures are placeholders: their photos are asked for again", feed=feed, photos=count)

    def handle(self, envelope: Envelope, message: Message, delivery: Delivery) -> str:
        """Bring one record's photos in step with what its rows want."""
        if not isinstance(message, PhotosPending):
            raise Reject(f"the media service takes no {envelope.type}")
        feed = self._feeds.get(message.feed)
        if feed is None:
            raise Reject(f"no feed {message.feed} is configured")
        with self._store.write() as tx:
            now = self._store.feeds.now()
            wants = tx.media.wants(message.feed, message.resource, message.key, now)
            sets = tx.object_sets.wants(message.feed, message.resource, message.key, now)
        again: list[Failed] = []
        waiting: list[Waiting] = []
        batch: list[Outcome] = []
        size = 0
        with closing(self._outcomes(feed, message, wants)) as outcomes:  # it may hold a session
            for outcome in outcomes:
                if isinstance(outcome, Waiting):
                    waiting.append(outcome)
                    continue
                if isinstance(outcome, Failed):
                    FAILURES.labels(message.feed, outcome.reason if outcome.reason in REASONS else "other").inc()
                if isinstance(outcome, Failed) and to_retry(
                    permanent=outcome.permanent, attempt=delivery.attempt, retry_after=outcome.retry_after
                ):
                    again.append(outcome)
                    continue
                batch.append(outcome)
                size += len(outcome.data) if isinstance(outcome, Fetched) else 0
                if len(batch) >= BATCH_PHOTOS or size >= BATCH_BYTES:
                    self._settle(message, envelope.run_id, batch)
                    batch, size = [], 0
        if batch:
            self._settle(message, envelope.run_id, batch)
        bad, waits = self._others.handle(
            message, sets, envelope.run_id, feed.pool, feed.settings.slot_timeout, delivery.attempt
        )
        self._delete_dead(message, envelope.run_id)
        failed = [(item.reason, item.retry_after) for item in again]
        failed += [(item.reason, item.retry_after) for item in bad]
        waits += [item.seconds for item in waiting]
        if failed:
            delay = retry_delay(delivery.attempt, [seconds for _, seconds in failed if seconds])
            raise Retry(f"{len(failed)} photos or types of object failed, the first: {failed[0][0]}", delay=delay)
        if waits:
            delay = min(LOOK, *waits)
            raise Retry(f"{len(waits)} photos wait for a host that is left alone", delay=delay, counts=False)
        return "ok" if wants or sets else "nothing_wanted"

    def _outcomes(
        self, feed: FeedMedia, message: PhotosPending, wants: list[PhotoWant]
    ) -> Generator[Outcome, None, None]:
        """One for every want, in the order they come to hand."""
        left = {want.order: want for want in wants}
        listing = message.resource == LISTINGS
        policy = feed.settings.policy
        try:
            match "bytes" if policy == "url" and not listing else policy:  # only listings name addresses
                case "url":
                    yield from self._downloads.each(
                        partial(self._download, feed, message.feed, want, want.url) for want in wants
                    )
                case "location" if wants:
                    found = {item.order: item for item in self._objects(feed, message, wants, location=True)}
                    of_all = _of_all(found.get(0))
                    yield from self._downloads.each(
                        partial(
                            self._located, feed, message.feed, want, found.get(want.order) or of_all, none=not found
                        )
                        for want in wants
                    )
                case "bytes" if wants:
                    came, refusal = False, None
                    for item in self._objects(feed, message, wants, location=False):
                        came, refusal = True, refusal or _of_all(item)
                        if (mine := left.pop(item.order, None)) is not None:
                            yield self._given(feed, mine, item)
                    for want in left.values():
                        yield self._given(feed, want, refusal) if refusal else _missing(want, none=not came)
                case _:
                    return
        except SourcePausedError as error:
            for want in left.values():
                yield Waiting(want, error.retry_after)
        except SourceUnavailableError as error:
            for want in left.values():
                yield Failed(want, "unavailable", permanent=False, retry_after=error.retry_after)
        except SourceRefusedError as error:
            log.warning("photos refused", feed=message.feed, key=message.key, reason=str(error))
            for want in left.values():
                yield Failed(want, "refused", permanent=True)

    def _located(
        self, feed: FeedMedia, name: str, want: PhotoWant, found: PhotoObject | None, *, none: bool
    ) -> Outcome:
        if found is None:
            return _missing(want, none=none)
        if found.url is None:
            return self._given(feed, want, found)  # asked for the address, it sent the photo, or says why not
        return self._download(feed, name, want, found.url)

    def _given(self, feed: FeedMedia, want: PhotoWant, found: PhotoObject) -> Outcome:
        if found.data is None:
            why = found.error or "the server gives addresses: set media to location"
            return Failed(want, "object_error", permanent=True, detail=redact(why))
        return self._verified(feed, want, found.data)

    def _objects(
        self, feed: FeedMedia, message: PhotosPending, wants: list[PhotoWant], *, location: bool
    ) -> Iterator[PhotoObject]:
        orders = [want.order for want in wants]
        try:
            with feed.pool.use(priority=PHOTOS_AFTER, timeout=feed.settings.slot_timeout) as source:
                found = source.photos(message.resource, message.key, location=location, orders=orders)
                if message.resource == LISTINGS:
                    yield from found
                else:  # a person has one picture, and an answer with more is about its first
                    yield from (replace(item, order=ONLY) for item in islice(found, 1))
        except NoSlotError as error:
            raise Retry("no session slot is free", delay=1.0, counts=False) from error

    def _download(self, feed: FeedMedia, name: str, want: PhotoWant, url: str | None) -> Outcome:
        if url is None:
            return Failed(want, "no_url", permanent=True)
        conditional = want.recheck and want.stored_sha256 is not None
        started = time.monotonic()
        try:
            got = feed.downloader.fetch(
                url,
                etag=want.etag if conditional else None,
                last_modified=want.last_modified if conditional else None,
            )
        except DownloadError as error:
            if error.paused and error.retry_after is not None:
                return Waiting(want, error.retry_after)
            DOWNLOAD_SECONDS.labels(name).observe(time.monotonic() - started)
            return Failed(want, error.reason.value, error.permanent, error.retry_after)
        DOWNLOAD_SECONDS.labels(name).observe(time.monotonic() - started)
        if got.status == "not_modified":
            return Unchanged(want)
        return self._verified(feed, want, got.data, got.etag, got.last_modified)

    def _verified(
        self, feed: FeedMedia, want: PhotoWant, data: bytes, etag: str | None = None, last_modified: str | None = None
    ) -> Outcome:
        try:
            limits = replace(self._limits, placeholders=feed.settings.placeholders)
            return Fetched(want, data, verify(data, limits), etag, last_modified)
        except PhotoRejectedError as error:
            return Failed(want, error.reason.value, permanent=error.reason not in CUT_ON_THE_WAY)

    def _settle(self, message: PhotosPending, run_id: str, batch: list[Outcome]) -> None:
        """Name, put, point: in that order."""
        now = self._store.feeds.now()
        fresh = [
            item for item in batch if isinstance(item, Fetched) and item.verified.sha256 != item.want.stored_sha256
        ]
        names = self._put(message, fresh)
        stored = [_stored(item, names.get(item.want.media_key)) for item in batch if isinstance(item, Fetched)]
        failed: list[PhotoFailed] = [
            given_up(item.want, item.reason, now, item.retry_after, item.detail)
            for item in batch
            if isinstance(item, Failed)
        ]
        with self._store.write() as tx:
            tx.media.unchanged(
                message.feed, message.resource, message.key,
                [(item.want.media_key, item.want.version) for item in batch if isinstance(item, Unchanged)],
            )  # fmt: skip
            unused = tx.media.settle(message.feed, message.resource, message.key, run_id, stored, failed)
        self._measure(message.feed, batch, names, frozenset(unused))

    def _measure(self, feed: str, batch: list[Outcome], names: Mapping[str, str], unused: frozenset[str]) -> None:
        """``unused`` objects were put in vain: meanwhile their rows came to want others."""
        for item in batch:
            match item:
                case Fetched() if (name := names.get(item.want.media_key)) is not None:
                    BYTES.labels(feed).inc(item.verified.byte_size)
                    if name not in unused:
                        PHOTOS.labels(feed, "stored").inc()
                case Fetched() | Unchanged():
                    PHOTOS.labels(feed, "unchanged").inc()
                case Failed():
                    PHOTOS.labels(feed, "failed").inc()
                case Waiting():
                    pass

    def _put(self, message: PhotosPending, fresh: list[Fetched]) -> dict[str, str]:
        new = [
            New(item.want.order, item.verified.sha256, item.verified.extension, item.verified.mime_type, item.data)
            for item in fresh
        ]
        return {item.want.media_key: name for item, name in zip(fresh, self._putter.put(message, new), strict=True)}

    def _delete_dead(self, message: PhotosPending, run_id: str) -> None:
        with self._store.write() as tx:
            dead = tx.media.dead(message.feed, message.resource, message.key)
        if not dead:
            return
        for _ in self._uploads.each(partial(self._blobs.delete, name) for name in dead):
            pass
        with self._store.write() as tx:
            tx.media.struck(message.feed, message.resource, run_id, dead)
        PHOTOS.labels(message.feed, "deleted").inc(len(dead))


def _of_all(item: PhotoObject | None) -> PhotoObject | None:
    """The item, if it says of all photos of the record why there are none."""
    return item if item is not None and item.order == 0 and item.error is not None else None


def _missing(want: PhotoWant, *, none: bool) -> Failed:
    """Not named in the answer: servers omit closing boundaries, so the end may be lacking; unless there was nothing."""
    return Failed(want, "missing", permanent=none)


def _stored(item: Fetched, name: str | None) -> PhotoStored:
    return PhotoStored(
        item.want.media_key,
        item.want.version,
        name,
        item.verified.sha256,
        item.verified.byte_size,
        item.verified.width,
        item.verified.height,
        item.verified.mime_type,
        item.etag,
        item.last_modified,
    )
