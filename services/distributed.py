"""One of several processes over a broker: what is done, and who does it, is read from the store, never from queues."""

from __future__ import annotations

import os
import secrets
import socket
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING

import structlog

from services.form import AWAY, Settling, done_so_far, lanes_of_pages
from services.patience import rest
from services.seldom import Seldom
from services.tenure import LeasedSlots, Tenure, Tenures, Turn
from shared.consumer import Outage
from shared.messages import Message, PhotosPending, RecordsRequested
from shared.outbox import Outbox
from shared.sources.pool import SlotLeases
from shared.store.base import Store, StoreError
from shared.transport.base import TransportUnavailableError

if TYPE_CHECKING:
    from shared.transport.rabbitmq import RabbitTransport  # its client is slow to import, and most have no broker

log = structlog.get_logger()

PAGES_AHEAD = 64
"""How many pages may wait to be written, of up to a hundred records each, before no more are fetched."""
MOST: Mapping[type[Message], int] = {PhotosPending: 100_000, RecordsRequested: 20_000}
"""How many requests may wait in a queue at the broker; the store knows of all, and the next inventory asks again."""
LOOK_SECONDS = 1.0
QUEUE_LOOK_SECONDS = 5.0
STILL_SECONDS = 10.0
"""For so long something may take that is on its way between processes."""


class BoundedOutbox(Outbox):
    """Leaves out requests while ``MOST`` of their like wait: what the store wants is asked for again."""

    def __init__(self, transport: RabbitTransport) -> None:
        super().__init__(transport)
        self._depth = transport.depth
        self._known: dict[str, tuple[float, int]] = {}

    def publish_all(self, messages: Iterable[Message], run_id: str) -> None:
        """Send those of which not enough of their like wait."""
        super().publish_all(filter(self._has_room, messages), run_id)

    def _has_room(self, message: Message) -> bool:
        most = MOST.get(type(message))
        return most is None or self._waiting(message.queue) < most

    def _waiting(self, queue: str) -> int:
        looked, count = self._known.get(queue, (-QUEUE_LOOK_SECONDS, 0))
        now = time.monotonic()
        if now - looked >= QUEUE_LOOK_SECONDS:
            count = self._depth(queue)
            self._known[queue] = (now, count)
        return count


class Distributed:
    """See ``services.form.Form``. ``takeover`` is how many seconds a lease lasts that nobody renews."""

    alone = False

    def __init__(self, transport: RabbitTransport, store: Store, stopping: threading.Event, takeover: float) -> None:
        self.transport = transport
        self.outbox = BoundedOutbox(transport)
        self.holder = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
        self._store = store
        self._stopping = stopping
        self._takeover = takeover
        self._tenures = Tenures(takeover)
        self._keeper: threading.Thread | None = None
        self._end = threading.Event()

    def open(self) -> None:
        """Bring the tables to this version, whoever else does so at once; keep leases from now on."""
        self._store.migrate()
        self._keeper = threading.Thread(target=self._tenures.run, args=(self._end,), name="leases", daemon=True)
        self._keeper.start()

    def declare(self, queues: Sequence[str]) -> None:
        """Whoever uses a queue declares it, too; but RabbitMQ 3.10 may break one that several make at the same time."""
        self.transport.open()
        for queue in queues:
            self.transport.depth(queue)

    def connect(self) -> None:
        self.transport.open()

    def check(self) -> None:
        if not self.transport.up:
            raise TransportUnavailableError("there is no connection to the broker")

    def slots(self, feed: str) -> SlotLeases:
        first = Turn(self._store.leases, f"records:{feed}", self.holder)
        return LeasedSlots(self._tenures, lambda slot: self._tenure(f"session:{feed}:{slot}"), first)

    def fetching(self, feed: str) -> Tenure:
        """The tenure of whoever fetches for the feed; nobody keeps it yet."""
        return self._tenure(fetcher_of(feed))

    @contextmanager
    def keeping(self, tenure: Tenure) -> Iterator[None]:
        """Keep what was taken, and give it back at the end."""
        self._tenures.keep(tenure)
        try:
            yield
        finally:
            self._tenures.end(tenure)

    def taking(self, _message: PhotosPending) -> AbstractContextManager[None]:
        """Two workers at one record do no harm, and the second finds little left to do."""
        return nullcontext()

    def behind(self, *, backlog: bool) -> bool:
        return sum(map(self.transport.depth, lanes_of_pages(backlog=backlog))) > PAGES_AHEAD

    def settle(self, run: Settling) -> None:
        """Until the store shows all of it settled, or nothing has moved there for ``wait`` seconds."""
        patience = max(run.wait, STILL_SECONDS)
        outage = Outage()
        started = moved = time.monotonic()
        clear_since: float | None = None
        before = -1
        look = Seldom(LOOK_SECONDS)
        while not rest(self._stopping, max(look.pause, outage.pause())):
            now = time.monotonic()
            if run.within is not None and now - started > run.within:
                return
            try:
                with look.looking():
                    run.watch(run.run_id)
                    clear = run.enough()
                if clear:
                    clear_since = clear_since or now
                    if now - clear_since >= run.aside or not run.addresses_due():
                        return
                    continue
                clear_since = None
                done = done_so_far(self._store, run.run_id)
                outage.over("settle")
            except AWAY as error:
                outage.begun("settle", error)
                moved = now
                continue
            if done != before:
                moved, before = now, done
            if now - moved > patience:
                return

    def next_retry(self) -> float | None:
        """The broker does not tell."""
        return None

    @contextmanager
    def only(self, what: str) -> Iterator[bool]:
        tenure = self._tenure(what)
        if not tenure.take():
            yield False
            return
        with self.keeping(tenure):
            yield True

    @contextmanager
    def alone_with(self, feed: str) -> Iterator[None]:
        tenure = self.fetching(feed)
        if not tenure.take():
            holder = self._store.leases.holder(tenure.name) or "another process"
            raise StoreError(
                f"{holder} fetches for {feed}; stop it, or take the feed out of its settings, and try again"
            )
        with self.keeping(tenure):
            yield

    def close(self) -> None:
        self._end.set()
        if self._keeper is not None:
            self._keeper.join()
        self._tenures.close()

    def _tenure(self, name: str) -> Tenure:
        return Tenure(self._store.leases, name, self.holder, self._takeover)


def fetcher_of(feed: str) -> str:
    """The lease of whoever fetches for the feed, takes its inventories and answers requests for its syncs."""
    return f"fetcher:{feed}"
