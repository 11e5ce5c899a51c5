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

import structlog

from services.fetcher.decide import left_over, still_wanted, to_messages
from services.fetcher.settings import FetcherSettings
from shared.consumer import Reject, Retry
from shared.messages import Envelope, Message, PageFetched, RecordsRequested
from shared.outbox import Outbox
from shared.sources.base import Page, SourceError, SourceUnavailableError, SourceUnreadableError
from shared.sources.pool import NoSlotError, SessionPool
from shared.store.base import Store
from shared.transport.base import Delivery

log = structlog.get_logger()

RECORDS_FIRST = 0
"""Priority of a session slot: records go before photos."""

UNASKABLE = "its key cannot be asked for: it is no word of letters, digits, dots, dashes and underscores"


@dataclass(frozen=True, slots=True)
class Taken:
    """What an inventory came to."""

    observed_at: int
    count: int
    proven: bool
    doubt: str


class Fetcher:
    """See the module."""

    def __init__(
        self,
        pools: Mapping[str, SessionPool],
        store: Store,
        outbox: Outbox,
        settings: FetcherSettings,
        pace: Callable[[], None] = lambda: None,
    ) -> None:
        """``pace`` is called before each request and may wait until the writer has caught up."""
        self._pools = pools
        self._store = store
        self._outbox = outbox
        self._settings = settings
        self._pace = pace
        self._answered: dict[str, float] = {}
        self._failures: dict[str, int] = {}

    def take_inventory(self, feed: str, resource: str, run_id: str, limit: int | None = None) -> Taken:
        """Take the master list and publish it in ranges.

        With ``limit`` only the first so many keys are published, as an unproven inventory: it removes nothing and
        moves no horizon. Raises SourceError when the MLS cannot be asked.
        """
        with self._pools[feed].use(priority=RECORDS_FIRST, timeout=self._settings.slot_timeout) as source:
            observed_at = self._store.feeds.observe(feed)
            taken = source.inventory(resource)
        if limit is not None:
            taken = dataclasses.replace(taken, packed=taken.packed[:limit], proven=False)
        if not taken.proven and limit is None:
            log.warning("inventory is not proven: nothing is removed by it", feed=feed, resource=resource,
                        doubt=taken.doubt, keys=len(taken.packed))  # fmt: skip
        self._store.feeds.count(feed, run_id, resource, {"inventory": len(taken.packed)})
        self._heard(feed)
        size = self._settings.range_size
        for message in to_messages(feed, resource, observed_at, taken, size, limited=limit is not None):
            self._outbox.publish(message, run_id)
        return Taken(observed_at, len(taken.packed), taken.proven, taken.doubt)

    def handle(self, envelope: Envelope, message: Message, delivery: Delivery) -> str:
        """Fetch the records that are still wanted and publish them as a page."""
        if not isinstance(message, RecordsRequested):
            raise Reject(f"the fetcher takes no {envelope.type}")
        pool = self._pools.get(message.feed)
        if pool is None:
            raise Reject(f"no feed {message.feed} is configured")
        self._pace()
        now = self._store.feeds.now()
        with self._store.write() as tx:
            lines = tx.ledger.lines(message.feed, message.resource, message.keys)
        keys = still_wanted(message.keys, lines, now)
        if not keys:
            return "not_wanted"
        if self._failures.get(message.feed, 0) >= self._settings.failures:
            return "mls_down"  # the wants stay, and are asked for when an inventory has been answered again
        try:
            with pool.use(priority=RECORDS_FIRST, timeout=self._settings.slot_timeout) as source:
                observed_at = self._store.feeds.observe(message.feed)
                page = source.records(message.resource, keys)
        except NoSlotError as error:
            raise Retry("no session slot is free", delay=1.0, counts=False) from error
        except SourceError as error:
            passing = isinstance(error, SourceUnavailableError) and not isinstance(error, SourceUnreadableError)
            self._failures[message.feed] = self._failures.get(message.feed, 0) + passing
            if passing and delivery.attempt < self._settings.attempts:
                raise Retry(str(error), delay=getattr(error, "retry_after", None)) from error
            return self._give_up(message, keys, observed_at, str(error), envelope.run_id)
        self._heard(message.feed)
        self._answer(message, keys, observed_at, page, envelope.run_id)
        return "ok"

    def _answer(self, message: RecordsRequested, keys: list[str], observed_at: int, page: Page, run_id: str) -> None:
        """Publish what came; ask again for what the MLS did not get to, say of other keys why they did not come."""
        left = left_over(keys, page)
        if left:
            self._outbox.publish(RecordsRequested(feed=message.feed, resource=message.resource, keys=left), run_id)
        asked = [key for key in keys if key not in left and key not in page.unaskable]
        if asked or page.records:
            self._publish(message, asked, observed_at, page, run_id)
        if page.unaskable:
            self._publish(message, page.unaskable, observed_at, Page([], None), run_id, UNASKABLE)

    def _heard(self, feed: str) -> None:
        self._answered[feed] = time.monotonic()
        self._failures[feed] = 0

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
                self._outbox.publish(RecordsRequested(feed=message.feed, resource=message.resource, keys=half), run_id)
            return "halved"
        self._publish(message, keys, observed_at, Page([], None), run_id, failure)
        return "given_up"

    def _publish(
        self, message: RecordsRequested, keys: list[str], observed_at: int, page: Page, run_id: str, failure: str = ""
    ) -> None:
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
            ),
            run_id,
        )
