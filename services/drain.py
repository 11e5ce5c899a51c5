"""Dead letters go to the quarantine table, where people find them.

Whatever a consumer parks, with its reason, is kept with its bytes until it is replayed or dropped. The same request
parked again, in a later run's envelope, is the same thing.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence

from prometheus_client import Counter

from shared.consumer import Outage
from shared.messages import UndecodableError, decode
from shared.store.base import Store
from shared.transport.base import DEAD_SUFFIX, Transport, dead_of

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
        queue = delivery.queue.removesuffix(DEAD_SUFFIX)
        feed, resource, key, body = "", "", queue, delivery.body
        try:
            envelope, message = decode(delivery.body)
        except UndecodableError:
            pass
        else:
            feed, resource = message.feed, getattr(message, "resource", "")
            key = f"{envelope.type} {getattr(message, 'key', '')}".strip()
            body = bytes(envelope.body)
        try:
            now = self._store.feeds.now()
            self._store.quarantine.put(feed, resource, key, "message", delivery.reason, body, now)
        except Exception:
            self._transport.reject(delivery, delivery.reason)  # it stays on its queue
            raise
        self._transport.ack(delivery)
        DEAD_LETTERS.labels(queue).inc()
        return True
