"""The writer: turns source records into rows.

Consumes ``page.fetched`` and ``listings.gone``; publishes ``photos.pending`` for every record of a page, changed or
not, that the store says has photos to fetch or objects to delete, and ``addresses.pending``. A page is one transaction.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice

import msgspec
import structlog
from msgspec.structs import replace
from prometheus_client import Counter, Histogram

from services.writer import forms
from services.writer.decide import SECOND, Read, Unreadable, became_known, on_gone, on_page, on_unlisted
from services.writer.history import Historian
from services.writer.photos import objects_wanted, policy, under_policy
from services.writer.settings import WriterSettings
from services.writer.untold import completed
from shared.consumer import Reject
from shared.effects import AddHistory, Count, Effect, KeepRecord, Line, RemoveRecord, StoreRecord
from shared.history import EVERYTHING
from shared.mapping.escaped import restored
from shared.mapping.mapping import load
from shared.mapping.record import Mapped, UnmappableError
from shared.messages import Envelope, ListingsGone, Message, PageFetched, PhotosPending, SourceRecord
from shared.outbox import Outbox
from shared.store.base import Store, Tx
from shared.transport.base import Delivery

log = structlog.get_logger()

RECORDS = Counter(
    "mlsync_records_total",
    "Records read from the MLS, by feed, resource and what became of them: inserted, updated, unchanged, removed.",
    ["feed", "resource", "outcome"],
)
UNFIT = Counter(
    "mlsync_values_unfit_total",
    "Values that did not fit their column and were kept verbatim in extra, by feed, resource and reason.",
    ["feed", "resource", "reason"],
)
UNKNOWN = Counter(
    "mlsync_elements_unknown_total",
    "Elements no mapping knows that were kept in extra, by feed and resource.",
    ["feed", "resource"],
)

FRESHNESS = Histogram(
    "mlsync_freshness_seconds",
    "Seconds from a record's own timestamp at the MLS until its row could be read here, by feed and resource; of "
    "records new or changed, but not of a first load nor of changes under an old timestamp.",
    ["feed", "resource"],
    buckets=(10, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 14_400, 28_800, 86_400, 172_800, 604_800),
)

LISTINGS = "property"
REMOVE_AT_ONCE = 500
REMAP_AT_ONCE = 100


@dataclass(slots=True)
class Remapped:
    """How far mapping stored records again has come: records mapped, of them changed, and those that cannot be."""

    records: int = 0
    changed: int = 0
    unmappable: int = 0


class Writer:
    """See the module."""

    def __init__(
        self,
        feeds: Mapping[str, WriterSettings],
        store: Store,
        outbox: Outbox,
        tell: Callable[[str, str], None] = lambda _feed, _run_id: None,
    ) -> None:
        """``tell`` is called with feed and run after each page: there may be addresses to look up."""
        self._feeds = feeds
        self._store = store
        self._outbox = outbox
        self._tell = tell
        self._listed: dict[tuple[str, str], int] = {}
        self._mappings = {settings.mapping: load(settings.mapping) for settings in feeds.values()}
        self._forms = {feed: self._forms_of(settings) for feed, settings in feeds.items()}

    def _forms_of(self, settings: WriterSettings) -> dict[str, str]:
        mapping = self._mappings[settings.mapping]
        return {
            resource: f"{resource} {settings.mapping} {mapping.version.hex()} {policy(resource, settings).decode()} "
            f"{settings.unescape}"
            for resource in mapping.resources
        }

    def handle(self, envelope: Envelope, message: Message, _delivery: Delivery) -> str:
        """Write a page, or remove what is gone."""
        if message.feed not in self._feeds:
            raise Reject(f"no feed {message.feed} is configured")
        match message:
            case PageFetched():
                return self._page(message, envelope)
            case ListingsGone():
                return self._gone(message, envelope.run_id)
            case _:
                raise Reject(f"the writer takes no {envelope.type}")

    def map(self, feed: str, resource: str, record: SourceRecord) -> Read:
        """One record in typed form. Raises UnmappableError."""
        settings = self._feeds[feed]
        plain = restored(record, settings.unescape)
        mapped, photos = under_policy(self._mappings[settings.mapping].map(feed, resource, plain), settings)
        return Read(record, mapped, photos, objects_wanted(resource, record.stamp, settings))

    def remap(
        self, feed: str, run_id: str, *, force: bool = False, watch: Callable[[Remapped], None] = lambda _: None
    ) -> Remapped:
        """Make the feed's rows anew, from the records as sent, if mapping, media policy or the way its text is read are
        no longer what they were.

        With ``force`` in any case, and of all records, not only those that become others. No observation:
        ``observed_at`` stays, and history gains nothing. Some at a time; interrupted, it begins anew and finds less to
        do. Photos that are pending now are asked for by the inventory that follows. ``watch`` is told how far it is.
        """
        with self._store.write() as tx:
            known = forms.told(tx, feed)
        done = Remapped()
        for resource, form in self._forms[feed].items():
            if known.get(resource) == form and not force:
                continue
            with self._store.write() as tx:
                forms.begin(tx, feed, resource, form, run_id)
            after: str | None = None
            while (after := self._remap_some(feed, resource, after, run_id, force, done)) is not None:
                watch(done)
            with self._store.write() as tx:
                forms.end(tx, feed, resource, form, run_id)
        return done

    def give_up(self, feed: str, run_id: str) -> None:
        """Give up what was read of resources that are no longer listed: listings' copies take its place, or nothing.

        Some at a time; interrupted, it finds less to do, and objects still to be deleted are asked for again.
        """
        settings = self._feeds[feed]
        for resource in self._mappings[settings.mapping].resources:
            if resource in settings.resources:
                continue
            at = self._store.feeds.observe(feed)
            while self._give_up_some(feed, resource, run_id, at):
                pass
            now = self._store.feeds.now()
            with self._store.write() as tx:
                pending = tx.media.pending_between(feed, resource, None, None, now)
            self._outbox.publish_all((PhotosPending(feed=feed, resource=resource, key=key) for key in pending), run_id)

    def _give_up_some(self, feed: str, resource: str, run_id: str, at: int) -> bool:
        """Whether there was anything; when not (any more), what is still on its way is too late from now on."""
        with self._store.write() as tx:
            effects = on_unlisted(islice(tx.ledger.between(feed, resource, None, None), REMOVE_AT_ONCE))
            tx.records.apply(feed, resource, run_id, effects)
            self._settle_copies(tx, feed, resource, run_id, effects)
            if not effects:
                tx.removals.forget(feed, resource, at)
        self._measure(feed, resource, effects)
        return bool(effects)

    def _remap_some(
        self, feed: str, resource: str, after: str | None, run_id: str, force: bool, done: Remapped
    ) -> str | None:
        """The last key looked at, None when there was none left."""
        effects: list[Effect] = []
        with self._store.write() as tx:
            lines = list(islice(tx.ledger.between(feed, resource, after, None), REMAP_AT_ONCE))
            sources = tx.records.sources(feed, resource, [line.key for line in lines if line.stored])
            for line in lines:
                record = sources.get(line.key)
                if record is None:
                    continue
                try:
                    read = self.map(feed, resource, record)
                except UnmappableError as error:
                    log.warning("a stored record can no longer be mapped; its row stays", feed=feed, resource=resource,
                                key=line.key, reason=str(error))  # fmt: skip
                    done.unmappable += 1
                    continue
                done.records += 1
                done.changed += read.mapped.hash != line.hash
                if force or read.mapped.hash != line.hash:
                    after_it = replace(line, hash=read.mapped.hash)
                    effects.append(
                        StoreRecord(read.mapped, read.photos, record, after_it, insert=False, objects=read.objects)
                    )
            tx.records.apply(feed, resource, run_id, effects)
            self._settle_copies(tx, feed, resource, run_id, effects)
        return lines[-1].key if lines else None

    def _page(self, page: PageFetched, envelope: Envelope) -> str:
        if page.asked and page.resource not in self._feeds[page.feed].resources:
            return "unlisted"  # asked for before its settings changed, and given up meanwhile
        run_id = envelope.run_id
        whole = not any(record.untold for record in page.records)
        read, unreadable = self._mapped(page, page.records if whole else [])
        broken = [Unreadable(bad.key, bad.body, bad.reason, "xml") for bad in page.broken]
        came = (item.mapped.key for item in read) if whole else (record.key for record in page.records)
        keys = {*page.asked, *came, *(bad.key for bad in (*unreadable, *broken))}
        now = self._store.feeds.now()
        with self._store.write() as tx:
            lines = tx.ledger.lines(page.feed, page.resource, keys)
            forms.written(tx, page.feed, page.resource, self._forms[page.feed].get(page.resource, ""))
            if not whole:
                before = tx.records.sources(page.feed, page.resource, keys)
                read, unreadable = self._mapped(page, [completed(each, before.get(each.key)) for each in page.records])
            unreadable += broken
            horizon = tx.ledger.horizon(page.feed, page.resource)
            effects = on_page(page, read, unreadable, lines, horizon.observed_at if horizon else None, now)
            effects += self._history(tx, page.feed, page.resource, effects)
            tx.records.apply(page.feed, page.resource, run_id, effects)
            self._settle_copies(tx, page.feed, page.resource, run_id, effects)
            if not page.asked:
                tx.marks.handled(page.feed, page.resource, run_id, envelope.id)
            pending = tx.media.pending(page.feed, page.resource, keys, now)
        self._measure(page.feed, page.resource, effects)
        self._measure_freshness(page, effects, lines)
        of = functools.partial(PhotosPending, feed=page.feed, resource=page.resource, backlog=page.backlog)
        self._outbox.publish_all((of(key=key) for key in pending), run_id)
        self._tell(page.feed, run_id)
        return "ok"

    def _mapped(self, page: PageFetched, records: Sequence[SourceRecord]) -> tuple[list[Read], list[Unreadable]]:
        read: list[Read] = []
        unreadable: list[Unreadable] = []
        for record in records:
            try:
                read.append(self.map(page.feed, page.resource, record))
            except UnmappableError as error:
                unreadable.append(Unreadable(record.key, msgspec.msgpack.encode(record), str(error)))
        return read, unreadable

    def _gone(self, gone: ListingsGone, run_id: str) -> str:
        """Remove what is still released, some at a time: each time less is left, so that a crash resumes."""
        while True:
            now = self._store.feeds.now()
            with self._store.write() as tx:
                keys = tx.removals.released(gone.feed, gone.resource, gone.observed_at, REMOVE_AT_ONCE)
                horizon = tx.ledger.horizon(gone.feed, gone.resource)
                lines = tx.ledger.lines(gone.feed, gone.resource, keys)
                effects = on_gone(gone.observed_at, keys, lines, horizon.observed_at if horizon else None)
                effects += self._history(tx, gone.feed, gone.resource, effects)
                tx.records.apply(gone.feed, gone.resource, run_id, effects)
                self._settle_copies(tx, gone.feed, gone.resource, run_id, effects)
                pending = tx.media.pending(gone.feed, gone.resource, keys, now)
            self._measure(gone.feed, gone.resource, effects)
            looks = (PhotosPending(feed=gone.feed, resource=gone.resource, key=key) for key in pending)
            self._outbox.publish_all(looks, run_id)
            if not effects:
                return "ok"

    def _history(self, tx: Tx, feed: str, resource: str, effects: Sequence[Effect]) -> list[AddHistory]:
        """The entries that come with ``effects``, from what is stored before they are performed."""
        settings = self._feeds[feed]
        if EVERYTHING in settings.history_exclude:
            return []
        historian = Historian(feed, resource, self._mappings[settings.mapping], settings.history_exclude)
        changing = [item for item in effects if isinstance(item, StoreRecord | RemoveRecord)]
        ends = tx.records.last_entries(feed, resource, [item.line.key for item in changing])
        gone_or_other = [item for item in changing if isinstance(item, RemoveRecord) or not item.insert]
        sources = tx.records.sources(feed, resource, [item.line.key for item in gone_or_other])
        entries: list[AddHistory] = []
        for effect in changing:
            key, at = effect.line.key, effect.line.observed_at
            end = ends.get(key)
            if end is not None:
                at = max(at, end.observed_at + 1)  # an older page may fill a want when the key's tombstone has gone
            with suppress(UnmappableError):
                match effect:
                    case StoreRecord(mapped=now, source=sent, insert=False):
                        before = sources.get(key)
                        if before is not None:
                            entries += historian.changed(before, sent, now, at)
                    case StoreRecord(mapped=now) if end is not None and end.deleted:
                        entries.append(historian.returned(now, at))
                    case RemoveRecord():
                        entries.append(historian.removed(key, sources.get(key), at))
                    case _:
                        pass
        return entries

    def _settle_copies(self, tx: Tx, feed: str, resource: str, run_id: str, effects: Sequence[Effect]) -> None:
        """Members and offices follow the listings that refer to them, unless they have records of their own."""
        removed = [effect.line.key for effect in effects if isinstance(effect, RemoveRecord)]
        if resource != LISTINGS:
            orphaned = [(resource, key) for key in removed]
            stored: dict[str, Mapped] = {}
            removed = []
        else:
            orphaned = []
            stored = {
                effect.mapped.key: effect.mapped for effect in effects if isinstance(effect, StoreRecord | KeepRecord)
            }
        if stored or removed or orphaned:
            counts = tx.records.settle_embedded(feed, stored, removed, self._remapper(feed), orphaned)
            for embedded, changes in counts.items():
                tx.records.apply(feed, embedded, run_id, [Count(name, n) for name, n in changes.items()])

    def _remapper(self, feed: str) -> Callable[[SourceRecord], Mapped | None]:
        def remap(record: SourceRecord) -> Mapped | None:
            try:
                return self.map(feed, LISTINGS, record).mapped
            except UnmappableError:
                return None

        return remap

    def _measure_freshness(self, page: PageFetched, effects: Sequence[Effect], before: Mapping[str, Line]) -> None:
        resource = (page.feed, page.resource)
        since = self._listed.get(resource)
        if since is None and (since := self._store.census.listed_since(*resource)) is not None:
            self._listed[resource] = since
        if found := became_known(effects, before, since):
            now = self._store.feeds.now() / SECOND
            for modified in found:
                FRESHNESS.labels(*resource).observe(max(0.0, now - modified.timestamp()))

    def _measure(self, feed: str, resource: str, effects: Sequence[Effect]) -> None:
        for effect in effects:
            match effect:
                case StoreRecord():
                    RECORDS.labels(feed, resource, "inserted" if effect.insert else "updated").inc()
                    for problem in effect.mapped.problems:
                        UNFIT.labels(feed, resource, problem.reason).inc()
                    if effect.mapped.unknown:
                        UNKNOWN.labels(feed, resource).inc(len(effect.mapped.unknown))
                case KeepRecord():
                    RECORDS.labels(feed, resource, "unchanged").inc()
                case RemoveRecord():
                    RECORDS.labels(feed, resource, "removed").inc()
                case _:
                    pass
