"""One process, its queues in its memory: the default, which needs nothing but Python."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext

from services.form import AWAY, Settling, done_so_far, lanes_of_pages
from services.once import PhotosOnce
from services.seldom import Seldom
from shared.messages import AddressesPending, PhotosPending
from shared.sources.pool import SlotLeases
from shared.store.base import Store
from shared.transport.memory import MemoryTransport

PAGES_AHEAD_BYTES = 32 * 1024 * 1024
"""How far the fetcher may run ahead of the writer."""
POLL_SECONDS = 0.2
LOOK_SECONDS = 1.0


class LocalSlots:
    """Session slots of a process that has the database to itself: all are its own."""

    def acquire(self, _slot: int) -> bool:
        return True

    def renew(self, _slot: int) -> bool:
        return True

    def release(self, _slot: int) -> None:
        return None

    def want(self) -> None:
        return None

    def wanted(self) -> bool:
        return False


class Embedded:
    """See ``services.form.Form``.

    Not ``alone`` it works beside other processes on their database: it claims nothing and clears up after nobody.
    """

    def __init__(self, store: Store, stopping: threading.Event, *, alone: bool = True) -> None:
        self.transport = MemoryTransport()
        self.outbox = PhotosOnce(self.transport)
        self.alone = alone
        self._store = store
        self._stopping = stopping

    def open(self) -> None:
        """Take the database for this process, migrate it, and clear up after a process that died."""
        if self.alone:
            self._store.claim()
        self._store.migrate()
        if self.alone:
            self._store.recover()

    def declare(self, _queues: Sequence[str]) -> None:
        """They are made as they are used."""

    def connect(self) -> None:
        """Nothing to do."""

    def check(self) -> None:
        """They are in this process, and always can be."""

    def slots(self, _feed: str) -> SlotLeases:
        return LocalSlots()

    def taking(self, message: PhotosPending) -> AbstractContextManager[None]:
        return self.outbox.taking(message)

    def behind(self, *, backlog: bool) -> bool:
        return sum(map(self.transport.pressure, lanes_of_pages(backlog=backlog))) > PAGES_AHEAD_BYTES

    def settle(self, run: Settling) -> None:
        """Or when the queues are empty: nothing outside them is on its way."""
        started = moved = time.monotonic()
        look = Seldom(LOOK_SECONDS)
        rest: float | None = None
        clear = False
        before = -1
        while not self._stopping.is_set():
            if self.transport.wait_idle(POLL_SECONDS) or (
                run.within is not None and time.monotonic() - started > run.within
            ):
                return
            depths = {name: depth for name, depth in self.transport.depths().items() if name != AddressesPending.QUEUE}
            busy = any(ready or unsettled for ready, _, unsettled in depths.values())
            try:
                if look.due:
                    with look.looking():
                        clear = run.enough()
                run.watch(run.run_id)
                rest = None if not clear and any(map(any, depths.values())) else rest or time.monotonic()
                if rest is not None and (time.monotonic() - rest >= run.aside or not run.addresses_due()):
                    return
                done = done_so_far(self._store, run.run_id)
            except AWAY:  # the services tell, and wait
                moved = time.monotonic()
                continue
            if done != before:
                moved, before = time.monotonic(), done
            due = self.next_retry()
            if not busy and ((due is not None and due > run.wait) or time.monotonic() - moved > run.wait):
                return

    def next_retry(self) -> float | None:
        due = self.transport.next_due()
        return None if due is None else max(0.0, due - time.monotonic())

    def only(self, _what: str) -> AbstractContextManager[bool]:
        return nullcontext(True)

    def alone_with(self, _feed: str) -> AbstractContextManager[None]:
        """Who has the database has that."""
        return nullcontext()

    def close(self) -> None:
        """Nothing to do."""
