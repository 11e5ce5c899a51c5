"""One sync of feeds, from inventory to the last photo, and what came of it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import structlog

from services.app import App
from services.fetcher.service import Taken
from services.retention import expire
from shared.outbox import new_id
from shared.sources.base import SourceError
from shared.store.base import Outstanding

log = structlog.get_logger()

RESOURCES = ("property",)
POLL_SECONDS = 0.2
LOOK_SECONDS = 1.0
STOP_SECONDS = 30.0
"""How long an inventory under way may take to end when the process is told to stop."""


@dataclass(frozen=True, slots=True)
class Result:
    """How taking a feed's inventories ended."""

    taken: list[Taken]
    error: str | None = None
    doubt: str = ""


STOPPED = Result([], "the sync was stopped")


@dataclass(frozen=True, slots=True)
class FeedReport:
    """What a sync did for one feed. Counts are of listings; other resources stand under ``resources``."""

    feed: str
    run_id: str
    counts: dict[str, dict[str, int]]
    left: Outstanding
    seconds: float
    error: str | None = None
    doubt: str = ""
    remaining: list[str] = field(default_factory=list)

    @property
    def in_step(self) -> bool:
        """Whether nothing is held, failed, unavailable, quarantined or still on its way."""
        left = self.left
        open_ends = (left.held, left.photos_failed, left.unavailable, left.quarantined, left.wanted, left.photos)
        return self.error is None and not self.doubt and not any(open_ends)

    def as_json(self) -> dict[str, Any]:
        """The shape scripts rely on."""
        return {
            **self._resource("property"),
            "held": self.left.held,
            "quarantined": self.left.quarantined,
            "unavailable": self.left.unavailable,
            "photos": {
                "stored": self._count("property", "photos_stored"),
                "deleted": self._count("property", "photos_deleted"),
                "failed": self.left.photos_failed,
            },
            "requests": self._count("", "requests"),
            "seconds": round(self.seconds, 3),
            "resources": {name: self._resource(name) for name in self.counts if name not in ("", "property")},
            **({"error": self.error} if self.error else {}),
            **({"doubt": self.doubt} if self.doubt else {}),
            **({"remaining": self.remaining} if self.remaining else {}),
        }

    def _resource(self, resource: str) -> dict[str, int]:
        names = ("inventory", "fetched", "inserted", "updated", "unchanged", "removed")
        return {name: self._count(resource, name) for name in names}

    def _count(self, resource: str, name: str) -> int:
        return self.counts.get(resource, {}).get(name, 0)


def sync(
    app: App,
    feeds: Sequence[str],
    *,
    limit: int | None = None,
    wait: float = 60.0,
    watch: Callable[[str], None] = lambda _run_id: None,
    within: float | None = None,
) -> list[FeedReport]:
    """Bring ``feeds`` in step, and wait until nothing is left to do now or due within ``wait`` seconds.

    Or, with ``within``, until so many seconds have passed: what is left goes on beside the next sync.
    ``watch`` is called every now and then with the run's id. ``limit``: only so many listings, removing nothing. Errors
    of one feed are in its report and stop no other.
    """
    run_id = new_id()
    started = time.monotonic()
    kind = "sync" if limit is None else "limited"
    results: dict[str, Result] = {}
    for feed in feeds:
        app.store.feeds.start_run(feed, run_id, kind)
        app.runs[feed] = run_id
    takers = [
        threading.Thread(target=_take, args=(app, feed, run_id, limit, results), name=f"inventory-{feed}", daemon=True)
        for feed in feeds
    ]
    for taker in takers:
        taker.start()
    while any(taker.is_alive() for taker in takers) and not app.stopping.is_set():
        takers[0].join(POLL_SECONDS) if len(takers) == 1 else time.sleep(POLL_SECONDS)
        watch(run_id)
    for taker in takers:
        taker.join(STOP_SECONDS)
    settle(app, run_id, wait, watch, lambda: all(_settled(app, feed, results.get(feed)) for feed in feeds), within)
    app.drain_dead()
    for feed in feeds:
        app.log_out(feed)
    return [_finish(app, feed, run_id, started, results.get(feed, STOPPED)) for feed in feeds]


def _take(app: App, feed: str, run_id: str, limit: int | None, results: dict[str, Result]) -> None:
    taken: list[Taken] = []
    try:
        app.writer.remap(feed, run_id)
        expire(app.store, feed, app.settings.feeds[feed].history_days, app.stopping.is_set)
        taken += (app.fetcher.take_inventory(feed, resource, run_id, limit) for resource in RESOURCES)
        results[feed] = Result(taken, None, "" if limit else next((item.doubt for item in taken if item.doubt), ""))
    except SourceError as error:
        results[feed] = Result(taken, str(error))
    except Exception as error:
        log.exception("the inventory could not be taken", feed=feed)
        results[feed] = Result(taken, f"{type(error).__name__}: {error}")


def _settled(app: App, feed: str, result: Result | None) -> bool:
    """Whether this feed has nothing left to do now, though others may keep the queues busy."""
    if result is None or result.error is not None:
        return True
    if not result.taken or not all(item.proven for item in result.taken):
        return False
    with app.store.write() as tx:
        for resource, item in zip(RESOURCES, result.taken, strict=True):
            horizon = tx.ledger.horizon(feed, resource)
            if horizon is None or horizon.observed_at < item.observed_at or not horizon.complete:
                return False
    left = app.store.feeds.outstanding(feed)
    return not (left.wanted or left.photos or left.released)


def settle(
    app: App,
    run_id: str,
    wait: float,
    watch: Callable[[str], None],
    settled: Callable[[], bool] = lambda: False,
    within: float | None = None,
) -> None:
    """Return once the queues are empty, or hold only what is due later than ``wait`` seconds from now.

    ``settled`` may say sooner that nothing in the queues matters to this run: other feeds share them. ``within`` ends
    the waiting in any case after so many seconds.
    """
    started = moved = looked = time.monotonic()
    before = -1
    while not app.stopping.is_set():
        if app.transport.wait_idle(POLL_SECONDS) or (within is not None and time.monotonic() - started > within):
            return
        if time.monotonic() - looked > LOOK_SECONDS:
            looked = time.monotonic()
            if settled():
                return
        watch(run_id)
        depths = app.transport.depths()
        busy = any(ready or unsettled for ready, _, unsettled in depths.values())
        done = sum(sum(counts.values()) for by in app.store.feeds.counts(run_id).values() for counts in by.values())
        if done != before:
            moved, before = time.monotonic(), done
        due = app.transport.next_due()
        if not busy and ((due is not None and due - time.monotonic() > wait) or time.monotonic() - moved > wait):
            return


def _finish(app: App, feed: str, run_id: str, started: float, result: Result) -> FeedReport:
    left = app.store.feeds.outstanding(feed)
    error, doubt = result.error, result.doubt
    report = FeedReport(
        feed, run_id, app.store.feeds.counts(run_id).get(feed, {}), left, time.monotonic() - started, error, doubt,
        remaining(app, left),
    )  # fmt: skip
    outcome = "failed" if error else "in_step" if report.in_step else "unfinished"
    app.store.feeds.finish_run(feed, run_id, outcome, error or doubt or None)
    log.info("sync", feed=feed, run_id=run_id, outcome=outcome, figures=report.as_json())
    return report


def remaining(app: App, left: Outstanding) -> list[str]:
    """What is not in step, in words, with when it is tried again."""
    found = []
    due = ""
    if left.next_due is not None:
        minutes = max(0, left.next_due - app.store.feeds.now()) / 60_000_000
        due = f" (the first is due in {minutes:.0f} min)"
    delayed = app.transport.next_due()
    soon = "; the next sync goes on"
    if delayed is not None:
        soon = f"; a retry is due in {max(0.0, delayed - time.monotonic()):.0f} s, the next sync goes on at once"
    if left.wanted:
        found.append(f"{left.wanted} records still to fetch{soon}")
    if left.photos:
        found.append(f"{left.photos} photos still to fetch or delete{soon}")
    if left.unavailable:
        found.append(f"{left.unavailable} listed records not delivered by the MLS; asked for again by later syncs{due}")
    if left.photos_failed:
        found.append(f"{left.photos_failed} photos failed; tried again by later syncs{due}")
    if left.held:
        found.append(f"{left.held} removals held: more at once than is believed of an MLS; see mlsync removals list")
    if left.quarantined:
        found.append(f"{left.quarantined} records or messages in quarantine; see mlsync quarantine list")
    return found
