"""The reconciler: compares inventories with the ledger.

Consumes ``inventory.taken`` and ``listings.deleted``; publishes ``records.requested`` for what is missing or differs,
``listings.gone`` once a whole inventory's candidates were weighed and released, ``photos.pending`` for photos not in
step, ``addresses.pending`` when addresses are due. What it publishes it reads back from the store after the commit, so
a redelivery publishes it again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import structlog
from msgspec.structs import replace
from prometheus_client import Counter

from services.reconciler.decide import lacking_since, lanes, on_deleted, on_inventory, to_reread, weigh
from services.reconciler.settings import ReconcilerSettings
from shared.consumer import Reject
from shared.effects import Line, PutLine
from shared.messages import (
    Envelope,
    InventoryTaken,
    ListingsDeleted,
    ListingsGone,
    Message,
    PhotosPending,
    RecordsRequested,
)
from shared.outbox import Outbox
from shared.store.base import Candidates, Store, Tx
from shared.transport.base import Delivery

log = structlog.get_logger()

VERDICTS = Counter(
    "mlsync_removals_weighed_total",
    "Times keys that an inventory or a list of deletions lacks were weighed together, by feed, resource and verdict: "
    "released, held.",
    ["feed", "resource", "verdict"],
)


class Reconciler:
    """See the module."""

    def __init__(
        self,
        feeds: Mapping[str, ReconcilerSettings],
        store: Store,
        outbox: Outbox,
        tell: Callable[[str, str], None] = lambda _feed, _run_id: None,
        handled: Callable[[str, str, str, int], None] = lambda _run_id, _feed, _resource, _part: None,
    ) -> None:
        """``tell`` is called with feed and run after each range: there may be addresses to look up.

        ``handled`` is called with run, feed, resource and number of each range, at its end.
        """
        self._feeds = feeds
        self._store = store
        self._outbox = outbox
        self._tell = tell
        self._handled = handled

    def handle(self, envelope: Envelope, message: Message, _delivery: Delivery) -> str:
        """Handle one range of an inventory, or deletions the server named."""
        settings = self._feeds.get(message.feed)
        if settings is None:
            raise Reject(f"no feed {message.feed} is configured")
        match message:
            case InventoryTaken():
                outcome = self._inventory(message, settings, envelope.run_id)
                self._handled(envelope.run_id, message.feed, message.resource, message.part)
                return outcome
            case ListingsDeleted():
                return self._deleted(message, settings, envelope.run_id)
            case _:
                raise Reject(f"the reconciler takes no {envelope.type}")

    def _inventory(self, taken: InventoryTaken, settings: ReconcilerSettings, run_id: str) -> str:
        feed, resource = taken.feed, taken.resource
        with self._store.write() as tx:
            horizon = tx.ledger.horizon(feed, resource)
            if horizon is not None and taken.observed_at < horizon.observed_at:
                return "overtaken"
            alike, lines = tx.ledger.unlike(feed, resource, taken.after, taken.upto, dict(taken.entries))
            candidates = tx.removals.candidates_between(feed, resource, taken.after, taken.upto)
            tx.records.apply(feed, resource, run_id, on_inventory(taken, lines, candidates, alike))
            if taken.proven:
                tx.removals.mark_part(
                    feed, resource, taken.observed_at, taken.part, taken.parts, taken.count, taken.server_date
                )
        if taken.proven:
            self._weigh(taken, settings, run_id)
        self._publish_range(taken, settings, run_id)
        self._tell(taken.feed, run_id)
        return "ok"

    def _deleted(self, deleted: ListingsDeleted, settings: ReconcilerSettings, run_id: str) -> str:
        feed, resource = deleted.feed, deleted.resource
        with self._store.write() as tx:
            horizon = tx.ledger.horizon(feed, resource)
            lines = tx.ledger.lines(feed, resource, deleted.keys)
            before = horizon.observed_at if horizon else None
            tx.records.apply(feed, resource, run_id, on_deleted(deleted.observed_at, deleted.keys, lines, before))
        self._weigh(deleted, settings, run_id)
        return "ok"

    def _weigh(self, seen: InventoryTaken | ListingsDeleted, settings: ReconcilerSettings, run_id: str) -> None:
        """After the commit, so that one of several replicas sees every range handled."""
        feed, resource = seen.feed, seen.resource
        reread: list[Line] = []
        with self._store.write() as tx:
            since = lacking_since(seen, settings.confirm_after)
            known = tx.removals.weighed(
                feed, resource, seen.observed_at, deletion=isinstance(seen, ListingsDeleted), lacking_since=since
            )
            verdict = weigh(known, at_least=settings.remove_at_least, share=settings.remove_share)
            if verdict is None:
                return
            tx.removals.decide(feed, resource, seen.observed_at, verdict, self._store.feeds.now(), since)
            released = tx.removals.released(feed, resource, seen.observed_at, 1)
            if not known.complete:
                reread = self._reread(tx, seen, settings, run_id, known)
        if known.seen + known.held:
            VERDICTS.labels(feed, resource, verdict).inc()
        if verdict == "held":
            log.warning(
                "removals are held: too many at once to be believed",
                feed=feed,
                resource=resource,
                candidates=known.seen + known.held,
                stored=known.stored,
                removed_today=known.removed_today,
            )
        if released:
            self._outbox.publish(ListingsGone(feed=feed, resource=resource, observed_at=seen.observed_at), run_id)
        self._request(feed, resource, [line.key for line in reread], settings, run_id)

    def _reread(
        self,
        tx: Tx,
        taken: InventoryTaken | ListingsDeleted,
        settings: ReconcilerSettings,
        run_id: str,
        known: Candidates,
    ) -> list[Line]:
        before, limit = to_reread(taken.observed_at, known.previous, known.stored, within=settings.reread)
        lines = tx.ledger.unread_longest(taken.feed, taken.resource, before, limit)
        wants = [PutLine(replace(line, wanted_stamp=line.stamp, wanted_by=taken.observed_at)) for line in lines]
        tx.records.apply(taken.feed, taken.resource, run_id, wants)
        return lines

    def _publish_range(self, taken: InventoryTaken, settings: ReconcilerSettings, run_id: str) -> None:
        now = self._store.feeds.now()
        with self._store.write() as tx:
            due = tx.ledger.due(taken.feed, taken.resource, taken.after, taken.upto, now)
            lines = tx.ledger.lines(taken.feed, taken.resource, due)
            photos = tx.media.pending_between(taken.feed, taken.resource, taken.after, taken.upto, now)
        if taken.limited:
            named = {key for key, _ in taken.entries}
            due, photos = [key for key in due if key in named], [key for key in photos if key in named]
        at_once, later = lanes(due, lines, settings.at_once)
        self._request(taken.feed, taken.resource, at_once, settings, run_id)
        self._request(taken.feed, taken.resource, later, settings, run_id, backlog=True)
        missing = sorted(set(photos) - set(due))  # those wait for the page
        many = len(missing) > settings.at_once
        looks = (PhotosPending(feed=taken.feed, resource=taken.resource, key=key, backlog=many) for key in missing)
        self._outbox.publish_all(looks, run_id)

    def _request(
        self, feed: str, resource: str, keys: Sequence[str], settings: ReconcilerSettings, run_id: str,
        *, backlog: bool = False,
    ) -> None:  # fmt: skip
        parts = (list(keys[start : start + settings.page_size]) for start in range(0, len(keys), settings.page_size))
        asked = (RecordsRequested(feed=feed, resource=resource, keys=part, backlog=backlog) for part in parts)
        self._outbox.publish_all(asked, run_id)
