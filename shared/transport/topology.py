"""How queues look at the broker: names, arguments, and where a message waits for its time.

Everything is declared by whoever uses it first, with the same arguments everywhere, so any service may start first.
A queue is a quorum queue. A delivery that was never settled is given again ``DELIVERY_LIMIT`` times; then the broker
itself moves it to ``<queue>.dead``, at least once. A delayed message waits in one of a ladder of queues, all messages
of one of them equally long, so that none waits behind a longer delay; at the end it goes where it was addressed.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import Any, Final

from shared.transport.base import dead_of, is_dead

DELIVERY_LIMIT: Final = 20
"""Deliveries that ended with the death of who had them; handlers that fail are counted by ``attempt``."""
WITHOUT_LIMIT: Final = 1_000_000
"""For dead queues: RabbitMQ 4 has a limit of its own where none is set, and drops what exceeds it."""
DELAYS: Final = (0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0)
"""Seconds. A delay is rounded up to one of these; a longer one is the longest."""


def queue_arguments(queue: str) -> dict[str, Any]:
    """How ``queue`` is declared."""
    if is_dead(queue):
        return {"x-queue-type": "quorum", "x-delivery-limit": WITHOUT_LIMIT}
    return {
        "x-queue-type": "quorum",
        "x-delivery-limit": DELIVERY_LIMIT,
        "x-dead-letter-exchange": "",
        "x-dead-letter-routing-key": dead_of(queue),
        "x-dead-letter-strategy": "at-least-once",
        "x-overflow": "reject-publish",
    }


def rung(delay: float) -> str:
    """The exchange and queue in which a message waits for at least ``delay`` seconds."""
    return f"mlsync.delay.{_milliseconds(DELAYS[min(bisect_left(DELAYS, delay), len(DELAYS) - 1)])}ms"


def rungs() -> dict[str, dict[str, Any]]:
    """Every exchange and queue of the ladder, by its name, with the queue's arguments.

    A message keeps the routing key it was published with, its queue's name, and goes there through the default
    exchange when its time is over.
    """
    return {
        rung(delay): {
            "x-queue-type": "quorum",
            "x-delivery-limit": WITHOUT_LIMIT,
            "x-message-ttl": _milliseconds(delay),
            "x-dead-letter-exchange": "",
            "x-dead-letter-strategy": "at-least-once",
            "x-overflow": "reject-publish",
        }
        for delay in DELAYS
    }


def _milliseconds(seconds: float) -> int:
    return round(seconds * 1000)
