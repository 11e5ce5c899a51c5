"""One resource of a feed brought in step by the strategy *incremental*.

Changes since the mark first, then an inventory where one is due, then what it finds missing by key. The store decides
when the mark moves (``shared.store.base.Marks``): a run that dies on the way leaves it where it was.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from services.due import Terms, changed_since, inventory_due, reached
from services.fetcher.service import Changes, Fetcher, Taken
from shared.messages import PhotosPending
from shared.outbox import Outbox
from shared.sources.base import SourceUnavailableError
from shared.store.base import Store

PATIENCE = 30.0
"""How long the inventory waits for the pages of changes to be written: what they bring need not be asked for by key."""
POLL_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Brought:
    """What a run asked for; either may be missing, never both."""

    taken: Taken | None
    changes: Changes | None


def bring(
    fetcher: Fetcher,
    store: Store,
    outbox: Outbox,
    feed: str,
    resource: str,
    run_id: str,
    terms: Terms,
    *,
    inventory: Callable[[], Taken],
    pause: Callable[[float], bool],
    patience: float = PATIENCE,
) -> Brought:
    """Ask for changes and, where due, for an inventory, and publish both; what follows is the services' to do.

    ``inventory`` takes and publishes one. ``pause`` waits so many seconds and says whether the process is stopping.
    Raises SourceError when the MLS cannot be asked.
    """
    now, left = store.feeds.now(), store.feeds.outstanding(feed)
    begun = store.feeds.observe(feed)
    with store.write() as tx:
        tx.marks.settle(feed, resource, now)
        mark = tx.marks.mark(feed, resource)
        horizon = tx.ledger.horizon(feed, resource)
        tx.marks.begin(feed, resource, run_id, begun)
    since = changed_since(mark, now, terms)
    changes = None
    if since is not None:
        changes = fetcher.take_changes(feed, resource, since, terms.page_size, run_id, lambda: pause(0))
        if not changes.doubt and not inventory_due(mark, horizon, left, now, terms):
            with store.write() as tx:
                end = reached(changes.server_date, begun)
                tx.marks.complete(feed, resource, run_id, end, changes.pages, None)
            _photos_left(store, outbox, feed, resource, run_id)
            return Brought(None, changes)
        _written(store, feed, resource, run_id, changes.pages, pause, patience)
    if pause(0):
        raise SourceUnavailableError("the process is stopping")
    taken = inventory()
    if taken.proven:
        pages, first = (0, None) if changes is None else (changes.pages, changes.server_date)
        end = reached(taken.server_date if first is None else first, begun)
        with store.write() as tx:
            tx.marks.complete(feed, resource, run_id, end, pages, taken.observed_at)
    return Brought(taken, changes)


def settle_mark(store: Store, feed: str, resource: str, run_id: str, pages: int) -> int:
    """Move the mark if all of a run is settled; how many of its ``pages`` are still to be written."""
    with store.write() as tx:
        tx.marks.settle(feed, resource, store.feeds.now())
        return tx.marks.unhandled(feed, resource, run_id, pages)


def _photos_left(store: Store, outbox: Outbox, feed: str, resource: str, run_id: str) -> None:
    """Where no inventory does it, ask for the photos that a run before left: its queue may have died with it."""
    with store.write() as tx:
        keys = tx.media.pending_between(feed, resource, None, None, store.feeds.now())
    outbox.publish_all((PhotosPending(feed=feed, resource=resource, key=key) for key in keys), run_id)


def _written(
    store: Store, feed: str, resource: str, run_id: str, pages: int, pause: Callable[[float], bool], patience: float
) -> None:
    until = time.monotonic() + patience
    while time.monotonic() < until:
        with store.write() as tx:
            if not tx.marks.unhandled(feed, resource, run_id, pages):
                return
        if pause(POLL_SECONDS):
            return
