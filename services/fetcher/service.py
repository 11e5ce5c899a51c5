"""The fetcher: the one service that speaks with an MLS about its records.

Consumes ``records.requested``; publishes ``page.fetched`` and, when told to take an inventory, ``inventory.taken``.
Promises that what it publishes was observed after the ``observed_at`` it carries, and that an inventory it calls
proven was whole.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import msgspec
import structlog
from prometheus_client import Counter

from services.fetcher.decide import apart, left_over, metadata_due, still_wanted, to_messages, with_untold
from services.fetcher.drift import compare
from services.fetcher.settings import FetcherSettings
from shared.backoff import next_attempt_at
from shared.consumer import Reject, Retry
from shared.effects import BREAKS_ANSWERS
from shared.lookups import MetadataDocument, MetadataVersion
from shared.messages import Envelope, Message, PageFetched, RecordsRequested
from shared.outbox import Outbox
from shared.sources.base import (
    Page,
    Source,
    SourceAwayError,
    SourceError,
    SourcePausedError,
    SourceUnavailableError,
    SourceUnreadableError,
)
from shared.sources.pool import NoSlotError, SessionPool
from shared.store.base import Store
from shared.transport.base import Delivery, MessageTooLargeError

log = structlog.get_logger()

MOST_RECORDS = 100
"""Records in one message."""

FETCHED = Counter(
    "mlsync_records_fetched_total",
    "Records the MLS delivered, by feed and resource, whatever became of them.",
    ["feed", "resource"],
)
INVENTORIES = Counter(
    "mlsync_inventories_total",
    "Inventories (master lists) taken, by feed, resource and outcome: proven, doubted (they remove nothing), limited "
    "(sync --limit).",
    ["feed", "resource", "outcome"],
)
METADATA = Counter(
    "mlsync_metadata_reads_total",
    "Times the metadata of an MLS were to be read anew, by feed and outcome: read, failed.",
    ["feed", "outcome"],
)
LOOKUP_VALUES = Counter(
    "mlsync_metadata_lookup_values_total",
    "Lookup values in which metadata just read differ from those stored, by feed and change: new, changed, removed.",
    ["feed", "change"],
)

RECORDS_FIRST = 0
"""Priority of a session slot: records go before photos."""

UNASKABLE = "its key cannot be asked for: it is no word of letters, digits, dots, dashes and underscores"


@dataclass(frozen=True, slots=True)
class Taken:
    """What an inventory came to, published in so many ``parts``.

    ``server_date`` is the MLS's clock when it answered, None when it told none. ``untold``: why classes of records
    were not read.
    """

    resource: str
    observed_at: int
    count: int
    proven: bool
    doubt: str
    server_date: int | None = None
    parts: int = 1
    untold: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Changes:
    """What was published of what changed: so many messages; ``doubt`` as of ``shared.sources.base.Page``.

    ``server_date`` is the MLS's clock when it began to answer, None when it told none.
    """

    resource: str
    pages: int
    records: int
    doubt: str
    server_date: int | None


class Fetcher:
    """See the module."""

    def __init__(
        self,
        pools: Mapping[str, SessionPool],
        store: Store,
        outbox: Outbox,
        settings: FetcherSettings,
        pace: Callable[[bool], bool] = lambda _backlog: True,
        paused: Callable[[str], float] = lambda _: 0.0,
        may: Callable[[str], bool] = lambda _: True,
        described: Callable[[str], None] = lambda _: None,
    ) -> None:
        """``pace`` is called before each request, with its lane, and may wait until the writer has caught up; whether
        it has. ``may`` says whether this process may still speak for a feed, or another has taken over.

        ``described`` is told of a feed whose metadata are others than before.

        ``paused`` says for how many seconds a feed's MLS is left alone, as far as is known: nothing is tried meanwhile.
        """
        self._pools = pools
        self._store = store
        self._outbox = outbox
        self._settings = settings
        self._pace = pace
        self._paused = paused
        self._may = may
        self._described = described
        self._kept: dict[str, MetadataDocument] = {}
        self._said: dict[str, MetadataVersion | None] = {}
        self._answered: dict[str, float] = {}
        self._failures: dict[str, int] = {}
        self.trouble: dict[str, str] = {}
        """By feed why the last request for records had no usable answer; nothing since one had."""

    def given_up(self, feed: str) -> bool:
        """Whether nothing more is asked of the MLS before the next inventory: it failed too often in a row."""
        return self._failures.get(feed, 0) >= self._settings.failures

    def take_inventory(self, feed: str, resource: str, run_id: str, limit: int | None = None) -> Taken:
        """Take the master list and publish it in ranges.

        With ``limit`` only the first so many keys are published, as an unproven inventory: it removes nothing and
        moves no horizon. Raises SourceError when the MLS cannot be asked.
        """
        with self._pools[feed].use(priority=RECORDS_FIRST, timeout=self._settings.inventory_slot_timeout) as source:
            observed_at = self._store.feeds.observe(feed)
            taken = source.inventory(resource)
            self._keep(feed, source)
            self._said[feed] = source.metadata_version()
        if limit is not None:
            taken = dataclasses.replace(taken, packed=taken.packed[:limit], proven=False)
        elif taken.untold:
            log.warning("classes of records cannot be read: what is stored of them stays", feed=feed, resource=resource,
                        classes=dict(taken.untold))  # fmt: skip
            stored = self._store.drift.of_classes(feed, resource, taken.untold)
            taken = with_untold(taken, stored)
        if not taken.proven and limit is None:
            log.warning("inventory is not proven: nothing is removed by it", feed=feed, resource=resource,
                        doubt=taken.doubt, keys=len(taken.packed))  # fmt: skip
        outcome = "limited" if limit is not None else "proven" if taken.proven else "doubted"
        INVENTORIES.labels(feed, resource, outcome).inc()
        self._store.feeds.count(feed, run_id, resource, {"inventory": len(taken.packed)})
        self._heard(feed)
        size = self._settings.range_size
        parts = 0
        for message in to_messages(feed, resource, observed_at, taken, size, limited=limit is not None):
            if not self._may(feed):
                raise SourceUnavailableError("the inventory was given up: this process ends, or another took over")
            self._outbox.publish(message, run_id)
            parts = message.parts
        return Taken(resource, observed_at, len(taken.packed), taken.proven, taken.doubt, taken.server_date, parts,
                     tuple(taken.untold.values()))  # fmt: skip

    def take_changes(
        self,
        feed: str,
        resource: str,
        since: int,
        limit: int,
        run_id: str,
        stopping: Callable[[], bool] = lambda: False,
    ) -> Changes:
        """Publish what the MLS says has changed after ``since`` (its own clock), ``limit`` records a request.

        The pages were asked for by nobody: they move no horizon. An MLS that is away or unreadable on the way, or a
        process that is ``stopping``, or a page too large for the broker, leaves a doubt and what came until then.
        Raises SourceRefusedError.
        """
        pages, records, doubt, dates = 0, 0, "", list[int | None]()
        try:
            with self._pools[feed].use(priority=RECORDS_FIRST, timeout=self._settings.slot_timeout) as source:
                found = source.changes(resource, since, limit)
                while True:
                    while not self._pace(False) and not stopping():
                        pass
                    if stopping() or not self._may(feed):
                        raise SourceUnavailableError("this process ends, or another took over")
                    observed_at = self._store.feeds.observe(feed)
                    page = next(found, None)
                    if page is None:
                        break
                    self._keep(feed, source)
                    self._heard(feed)
                    dates.append(page.server_date)
                    doubt = page.doubt
                    records += len(page.records)
                    pages += self._publish_changes(feed, resource, observed_at, page, run_id)
        except (SourceUnavailableError, MessageTooLargeError) as error:
            doubt = str(error)
        if doubt:
            log.warning("the list of changes is in doubt: an inventory finds the rest", feed=feed, resource=resource,
                        doubt=doubt, records=records)  # fmt: skip
        return Changes(resource, pages, records, doubt, dates[0] if dates else None)

    def _publish_changes(self, feed: str, resource: str, observed_at: int, page: Page, run_id: str) -> int:
        """How many messages it took: an MLS may send more than it was asked for."""
        FETCHED.labels(feed, resource).inc(len(page.records))
        self._store.feeds.count(feed, run_id, resource, {"fetched": len(page.records)})
        starts = range(0, len(page.records) or bool(page.broken), MOST_RECORDS)
        for start in starts:
            part = page.records[start : start + MOST_RECORDS]
            self._outbox.publish(
                PageFetched(
                    feed=feed, resource=resource, observed_at=observed_at, server_date=page.server_date, asked=[],
                    records=part, broken=page.broken if start == 0 else [],
                ),
                run_id,
            )  # fmt: skip
        return len(starts)

    def take_metadata(self, feed: str) -> None:
        """Read and store the feed's metadata if those that the MLS had when its last inventory was taken are others
        than the ones stored. A failure is noted and tried again by later syncs; it raises nothing and changes nothing.
        """
        said = self._said.get(feed)
        lookups = self._store.lookups
        known = lookups.state(feed)
        if said is None or not metadata_due(said, known, self._store.feeds.now()):
            return
        try:
            with self._pools[feed].use(priority=RECORDS_FIRST, timeout=self._settings.slot_timeout) as source:
                found = source.metadata()
                self._keep(feed, source)
        except (NoSlotError, SourcePausedError):
            return
        except SourceError as error:
            tried = known.failed is not None and known.failed.same(said)
            attempts = known.attempts + 1 if tried else 1
            due = next_attempt_at(attempts, self._store.feeds.now())
            lookups.failed(feed, said, str(error), attempts, due)
            METADATA.labels(feed, "failed").inc()
            log.warning("the metadata could not be read: what is stored of them stays", feed=feed,
                        version=said.version, reason=str(error), attempts=attempts)  # fmt: skip
            return
        self._heard(feed)
        made = lookups.read(feed, said, found)
        METADATA.labels(feed, "read").inc()
        for change, keys in (("new", made.new), ("changed", made.changed), ("removed", made.removed)):
            LOOKUP_VALUES.labels(feed, change).inc(len(keys))
        log.info("metadata read", feed=feed, version=said.version, lookups=len(found.lookups), new=len(made.new),
                 changed=len(made.changed), removed=len(made.removed))  # fmt: skip

    def _keep(self, feed: str, source: Source) -> None:
        """Keep the metadata that what a source gave is named by, before anything of it is published."""
        found = source.described()
        if found is None or found is self._kept.get(feed):
            return
        number = self._store.metadata.keep(feed, found)
        self._kept[feed] = found
        if number is not None:
            log.info("other metadata", feed=feed, version=found.version, timestamp=found.timestamp, number=number)
            self._described(feed)
        compare(self._store, feed)

    def handle(self, envelope: Envelope, message: Message, delivery: Delivery) -> str:
        """Fetch the records that are still wanted and publish them as a page."""
        if not isinstance(message, RecordsRequested):
            raise Reject(f"the fetcher takes no {envelope.type}")
        pool = self._pools.get(message.feed)
        if pool is None:
            raise Reject(f"no feed {message.feed} is configured")
        if (seconds := self._paused(message.feed)) > 0:
            raise Retry("the MLS is left alone", delay=seconds, counts=False)
        if not self._pace(message.backlog):
            raise Retry("the writer is behind", delay=10.0, counts=False)
        now = self._store.feeds.now()
        with self._store.write() as tx:
            lines = tx.ledger.lines(message.feed, message.resource, message.keys)
        keys = still_wanted(message.keys, lines, now)
        if not keys:
            return "not_wanted"
        if self.given_up(message.feed):
            return "mls_down"  # the wants stay, and are asked for when an inventory has been answered again
        keys, *others = apart(keys, lines)
        for part in others:
            self._outbox.publish(msgspec.structs.replace(message, keys=part), envelope.run_id)
        try:
            with pool.use(priority=RECORDS_FIRST, timeout=self._settings.slot_timeout) as source:
                observed_at = self._store.feeds.observe(message.feed)
                page = source.records(message.resource, keys)
                self._keep(message.feed, source)
        except NoSlotError as error:
            raise Retry("no session slot is free", delay=1.0, counts=False) from error
        except SourcePausedError as error:
            raise Retry(str(error), delay=min(error.retry_after, self._settings.pause), counts=False) from error
        except SourceAwayError as error:
            log.warning("something else answers for the MLS: nothing more is asked until the next inventory",
                        feed=message.feed, reason=str(error))  # fmt: skip
            self._failures[message.feed] = self._settings.failures
            self.trouble[message.feed] = str(error)
            return "mls_away"
        except SourceError as error:
            self.trouble[message.feed] = str(error)
            unreadable = isinstance(error, SourceUnreadableError)
            passing = isinstance(error, SourceUnavailableError) and not unreadable
            self._failures[message.feed] = self._failures.get(message.feed, 0) + (not unreadable)
            if passing and delivery.attempt < self._settings.attempts:
                raise Retry(str(error), delay=getattr(error, "retry_after", None)) from error
            return self._give_up(message, keys, observed_at, str(error), envelope.run_id)
        self._heard(message.feed)
        self._answer(message, keys, observed_at, page, envelope.run_id)
        return "ok"

    def _answer(self, message: RecordsRequested, keys: list[str], observed_at: int, page: Page, run_id: str) -> None:
        """Publish what came; ask again for what the MLS did not get to, and for fewer at once where the broker finds
        the page too large; say of other keys why they did not come."""
        left = left_over(keys, page)
        if left:
            self._outbox.publish(msgspec.structs.replace(message, keys=left), run_id)
        asked = [key for key in keys if key not in left and key not in page.unaskable]
        if asked or page.records or page.broken:
            try:
                self._publish(message, asked, observed_at, page, run_id)
            except MessageTooLargeError as error:
                self._give_up(message, asked, observed_at, str(error), run_id)
        if page.unaskable:
            self._publish(message, page.unaskable, observed_at, Page([], None), run_id, UNASKABLE)

    def _heard(self, feed: str) -> None:
        self._answered[feed] = time.monotonic()
        self._failures[feed] = 0
        self.trouble.pop(feed, None)

    def _give_up(self, message: RecordsRequested, keys: list[str], observed_at: int, failure: str, run_id: str) -> str:
        """Count an attempt for each key, unless it is these keys that the MLS fails over.

        As long as it answers other requests, one record that breaks the answer must not stop the others: ask for each
        half, down to the one.
        """
        answered = self._answered.get(message.feed)
        alive = answered is not None and time.monotonic() - answered < self._settings.alive_seconds
        if len(keys) > 1 and alive:
            middle = len(keys) // 2
            for half in (keys[:middle], keys[middle:]):
                self._outbox.publish(msgspec.structs.replace(message, keys=half), run_id)
            return "halved"
        if alive:
            failure = BREAKS_ANSWERS + failure
        self._publish(message, keys, observed_at, Page([], None), run_id, failure)
        return "given_up"

    def _publish(
        self, message: RecordsRequested, keys: list[str], observed_at: int, page: Page, run_id: str, failure: str = ""
    ) -> None:
        FETCHED.labels(message.feed, message.resource).inc(len(page.records))
        self._store.feeds.count(message.feed, run_id, message.resource, {"fetched": len(page.records)})
        self._outbox.publish(
            PageFetched(
                feed=message.feed,
                resource=message.resource,
                observed_at=observed_at,
                server_date=page.server_date,
                asked=keys,
                records=page.records,
                failure=failure,
                broken=page.broken,
                backlog=message.backlog,
            ),
            run_id,
        )
