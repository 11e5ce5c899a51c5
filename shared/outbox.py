"""Where services send messages."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterable
from itertools import groupby
from operator import attrgetter

from shared.messages import Message, encode
from shared.transport.base import Transport


def new_id() -> str:
    """A fresh identifier, 16 hexadecimal digits."""
    return secrets.token_hex(8)


class Outbox:
    """Puts messages on the queue their type names, in an envelope with the run they belong to."""

    def __init__(
        self,
        transport: Transport,
        clock: Callable[[], float] = time.time,
        ids: Callable[[], str] = new_id,
    ) -> None:
        self._transport = transport
        self._clock = clock
        self._ids = ids

    def publish(self, message: Message, run_id: str) -> None:
        """Send; returns once the transport has accepted the message."""
        self.publish_all([message], run_id)

    def publish_all(self, messages: Iterable[Message], run_id: str) -> None:
        """Send one after another; returns once the transport has accepted all. A broker confirms them together.

        Never many of them are in memory at once.
        """
        for queue, some in groupby(messages, key=attrgetter("queue")):
            self._transport.publish_all(queue, (self._encoded(message, run_id) for message in some))

    def _encoded(self, message: Message, run_id: str) -> bytes:
        return encode(message, id=self._ids(), run_id=run_id, created_at=int(self._clock() * 1_000_000))
