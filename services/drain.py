"""Dead letters go to the quarantine table, where people find them.

Whatever a consumer parks, with its reason, is kept with its bytes until it is replayed or dropped. The same request
parked again, in a later run's envelope, is the same thing. An inventory that a newer one has overtaken says nothing any
more: it is not kept, and goes when that happens later (``shared.store.sql.removals``).
"""

from __future__ import annotations

import threading
from collections.abc import Sequence

import structlog
from prometheus_client import Counter

from shared.consumer import Outage
from shared.messages import InventoryTaken, UndecodableError, decode
from shared.store.base import Store
from shared.transport.base import DEAD_SUFFIX, Delivery, Transport, dead_of

log = structlog.get_logger()

DEAD_LETTERS = Counter(
    "mlsync_dead_letters_total",
    "Messages no service could handle that this process moved to quarantine, by the queue they had been on.",
    ["queue"],
)

POLL_SECONDS = 0.1
"""How soon it sees that it is to stop."""


class Drain:
    """Moves the messages of ``<queue>.dead`` into the store."""

    def __init__(self, transport: Transport, store: Store, queues: Sequence[str]) -> None:
        self._transport = transport
        self._store = store
        self._queues = [dead_of(queue) for queue in queues]
        for queue in queues:
            DEAD_LETTERS.labels(queue)  # 0 from the start: the first one is then seen as a rise

    def run(self, stop: threading.Event) -> None:
        """Drain until ``stop`` is set."""
        outage = Outage()
        while not stop.is_set():
            try:
                if self.run_once(POLL_SECONDS):
                    outage.over("drain")
                else:
                    stop.wait(0.05)
            except Exception as error:  # what is in hand is delivered again, at the latest to the next process
                outage.begun("drain", error)
                stop.wait(outage.pause())

    def run_once(self, timeout: float) -> bool:
        """Drain one message, waiting at most ``timeout`` seconds for it; False when none came."""
        delivery = self._transport.receive(self._queues, timeout)
        if delivery is None:
            return False
        try:
            kept = self._keep(delivery)
        except Exception:
            self._transport.reject(delivery, delivery.reason)  # it stays on its queue
            raise
        self._transport.ack(delivery)
        if kept:
            DEAD_LETTERS.labels(_queue_of(delivery)).inc()
        return True

    def _keep(self, delivery: Delivery) -> bool:
        """Put it into quarantine, if it still says something."""
        observed_at = self._store.feeds.now()
        feed, resource, key, body = "", "", _queue_of(delivery), delivery.body
        try:
            envelope, message = decode(delivery.body)
        except UndecodableError:
            pass
        else:
            feed, resource = message.feed, getattr(message, "resource", "")
            key = f"{envelope.type} {getattr(message, 'key', '')}".strip()
            body = bytes(envelope.body)
            if isinstance(message, InventoryTaken):
                observed_at = message.observed_at
                if self._overtaken(message):
                    log.info("an inventory that could not be handled is overtaken", feed=feed, resource=resource)
                    return False
        self._store.quarantine.put(feed, resource, key, "message", delivery.reason, body, observed_at)
        return True

    def _overtaken(self, taken: InventoryTaken) -> bool:
        with self._store.write() as tx:
            horizon = tx.ledger.horizon(taken.feed, taken.resource)
        return horizon is not None and taken.observed_at < horizon.observed_at


def _queue_of(delivery: Delivery) -> str:
    return delivery.queue.removesuffix(DEAD_SUFFIX)
