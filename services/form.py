"""What differs between mlsync in one process and in several; all else is the same services and messages."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from shared.blobs.base import BlobsUnavailableError
from shared.messages import PageFetched, PhotosPending, backlog_of
from shared.outbox import Outbox
from shared.sources.pool import SlotLeases
from shared.store.base import Store, StoreUnavailableError
from shared.transport.base import Transport, TransportUnavailableError

AWAY = (StoreUnavailableError, TransportUnavailableError, BlobsUnavailableError)
"""Database, broker or photo store do not answer now: no fault of what was being done, which goes on when they do."""


@dataclass(frozen=True)
class Settling:
    """A run being waited for, until it is settled or waits for what is due later than ``wait`` seconds from now.

    ``watch`` is called with the run's id now and then. ``enough`` says that nothing on its way matters to this run:
    others share the queues. ``within`` ends the waiting in any case after so many seconds. When there is nothing left
    but addresses to look up, which ``addresses_due`` tells, it takes ``aside`` seconds more at most.
    """

    run_id: str
    wait: float
    watch: Callable[[str], None]
    enough: Callable[[], bool]
    within: float | None
    aside: float
    addresses_due: Callable[[], bool]


class Form(Protocol):
    """One process with queues in its memory (``Embedded``), or one of several over a broker (``Distributed``)."""

    @property
    def transport(self) -> Transport: ...
    @property
    def outbox(self) -> Outbox: ...
    @property
    def alone(self) -> bool:
        """Whether this process does everything, and nobody else anything."""

    def open(self) -> None:
        """Make the database ready for work. Raises StoreError."""

    def declare(self, queues: Sequence[str]) -> None:
        """Make the queues that are not there, one after another. Raises TransportUnavailableError."""

    def connect(self) -> None:
        """Raises TransportUnavailableError when the queues cannot be used."""

    def check(self) -> None:
        """Raise TransportUnavailableError unless the queues can be used now."""

    def slots(self, feed: str) -> SlotLeases:
        """Who may have a session at the feed's MLS."""

    def taking(self, message: PhotosPending) -> AbstractContextManager[None]:
        """While a record's photos are brought in step."""

    def behind(self, *, backlog: bool) -> bool:
        """Whether pages wait to be written in such number that no more should be fetched, of this lane."""

    def settle(self, run: Settling) -> None:
        """Return once all of the run is settled, or nothing moves any more."""

    def next_retry(self) -> float | None:
        """In how many seconds something is delivered again, as far as is known here."""

    def only(self, what: str) -> AbstractContextManager[bool]:
        """Whether nobody else does ``what`` meanwhile."""

    def alone_with(self, feed: str) -> AbstractContextManager[None]:
        """While nobody else fetches for the feed. Raises StoreError, which names who does."""

    def close(self) -> None:
        """Give back what others wait for. Before the store is closed."""


def done_so_far(store: Store, run_id: str) -> int:
    """A figure that grows whenever something is done for the run."""
    return sum(sum(counts.values()) for by in store.feeds.counts(run_id).values() for counts in by.values())


def lanes_of_pages(*, backlog: bool) -> Sequence[str]:
    """The queues in which pages wait that go before a new one of this lane."""
    return (PageFetched.QUEUE, backlog_of(PageFetched.QUEUE)) if backlog else (PageFetched.QUEUE,)
