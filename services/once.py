"""Within one process a record waits for its photos once, however often that is said."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from shared.consumer import Retry
from shared.messages import Message, PhotosPending
from shared.outbox import Outbox
from shared.transport.base import Transport

BUSY_SECONDS = 0.2


class PhotosOnce(Outbox):
    """An outbox that leaves out a ``photos.pending`` whose like is still queued, where it comes as soon.

    The one queued will read what is true when its turn comes. That holds only where queue and publisher share a
    process, so that neither dies without the other. A first load takes hours, and every inventory meanwhile says it all
    again.
    """

    def __init__(self, transport: Transport) -> None:
        super().__init__(transport)
        self._queued: set[tuple[str, str, str, bool]] = set()
        self._busy: set[tuple[str, str, str]] = set()
        self._lock = threading.Lock()

    def publish_all(self, messages: Iterable[Message], run_id: str) -> None:
        """Send those whose record is not queued already."""
        super().publish_all(filter(self._is_news, messages), run_id)

    def _is_news(self, message: Message) -> bool:
        if not isinstance(message, PhotosPending):
            return True
        record = (message.feed, message.resource, message.key)
        with self._lock:
            if (*record, False) in self._queued or (*record, message.backlog) in self._queued:
                return False
            self._queued.add((*record, message.backlog))
            return True

    @contextmanager
    def taking(self, message: PhotosPending) -> Iterator[None]:
        """While the message is handled: what is said of its record from now on is news, but waits for its turn.

        Raises Retry, which counts as no attempt, when another thread is at the record: both would fetch the same.
        """
        record = (message.feed, message.resource, message.key)
        with self._lock:
            self._queued.discard((*record, message.backlog))
            if record in self._busy:
                raise Retry("another thread is at the record", delay=BUSY_SECONDS, counts=False)
            self._busy.add(record)
        try:
            yield
        except Retry as error:
            if not error.counts:  # then it is queued again in any case, perhaps for long
                with self._lock:
                    self._queued.add((*record, message.backlog))
            raise
        finally:
            with self._lock:
                self._busy.discard(record)
