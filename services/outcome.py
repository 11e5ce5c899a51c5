"""What came of a sync, for people and scripts."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import structlog
from prometheus_client import Histogram

from services.app import App
from services.incremental import settle_mark
from services.polite import in_words
from services.taking import LISTINGS, Result
from shared.store.base import Outstanding

log = structlog.get_logger()

RUN_SECONDS = Histogram(
    "mlsync_run_seconds",
    "Seconds from the beginning of a sync until nothing was left to do or wait for, by feed and outcome: in_step, "
    "unfinished, paused, unavailable, stopped, failed.",
    ["feed", "outcome"],
    buckets=(1, 5, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 14_400, 43_200, 86_400),
)


@dataclass(frozen=True, slots=True)
class FeedReport:
    """What a sync did for one feed.

    Counts are of listings; photos and what is left to do are of all resources. Under ``resources`` stand the others:
    those with lists of their own (``listed``), and those whose rows changed with the listings that name them.
    ``changes``: records that came as changed since the mark, None when it did not ask; ``unwritten`` pages of them are
    still on their way or parked. ``untold``: which classes of records are not read, or not whole, and the remedy.
    ``inventoried``: it took an inventory; ``unhandled`` ranges of it nobody compared.
    """

    feed: str
    run_id: str
    counts: dict[str, dict[str, int]]
    left: Outstanding
    seconds: float
    error: str | None = None
    doubt: str = ""
    remaining: list[str] = field(default_factory=list)
    listed: Sequence[str] = (LISTINGS,)
    paused: str = ""
    changes: int | None = None
    unwritten: int = 0
    unhandled: int = 0
    inventoried: bool = True
    located: dict[str, int] = field(default_factory=dict)
    untold: list[str] = field(default_factory=list)

    @property
    def in_step(self) -> bool:
        """Whether nothing is held, failed, unavailable, quarantined or still on its way.

        Addresses still to look up do not count: they add to what the MLS says.
        """
        left = self.left
        open_ends = (
            left.held, left.photos_failed, left.unavailable, left.quarantined, left.wanted, left.photos, self.unwritten,
            self.unhandled, len(self.untold),
        )  # fmt: skip
        return self.error is None and not self.doubt and not self.paused and not any(open_ends)

    def as_json(self) -> dict[str, Any]:
        """The shape scripts rely on."""
        objects = sum(self._count(name, "objects_stored") for name in self.counts)
        return {
            **self.resource(LISTINGS),
            "held": self.left.held,
            "quarantined": self.left.quarantined,
            "unavailable": self.left.unavailable,
            "photos": {
                "stored": sum(self._count(name, "photos_stored") for name in self.counts),
                "deleted": sum(self._count(name, "photos_deleted") for name in self.counts),
                "failed": self.left.photos_failed,
            },
            **({"objects": {"stored": objects}} if objects else {}),
            "requests": self._count("", "requests"),
            "seconds": round(self.seconds, 3),
            "resources": {
                name: self.resource(name)
                for name in dict.fromkeys([*self.listed, *self.counts])
                if name not in ("", LISTINGS)
            },
            **({"located": self.located} if self.located else {}),
            **({} if self.changes is None else {"changes": self.changes, "listed": self.inventoried}),
            **({"error": self.error} if self.error else {}),
            **({"untold": self.untold} if self.untold else {}),
            **({"doubt": self.doubt} if self.doubt else {}),
            **({"remaining": self.remaining} if self.remaining else {}),
        }

    def resource(self, resource: str) -> dict[str, int]:
        """The counts of one resource."""
        names = ("inventory", "fetched", "inserted", "updated", "unchanged", "removed")
        return {name: self._count(resource, name) for name in names}

    def _count(self, resource: str, name: str) -> int:
        return self.counts.get(resource, {}).get(name, 0)


def finish(app: App, feed: str, run_id: str, started: float, result: Result) -> FeedReport:
    """The report of a feed's run, which is remembered as ended; the mark moves if all of it is settled."""
    pages = {part.resource: part.pages for part in result.changes}
    asked = {*pages, *result.taken}
    unwritten = sum(settle_mark(app.store, feed, resource, run_id, pages.get(resource, 0)) for resource in asked)
    unhandled = sum(
        max(0, item.parts - app.store.syncs.parts(run_id, feed, name)) for name, item in result.taken.items()
    )
    left = app.store.feeds.outstanding(feed)
    error, doubt = result.error, result.doubt
    trouble = app.fetcher.trouble.get(feed, "") if left.wanted else ""
    report = FeedReport(
        feed,
        run_id,
        app.store.feeds.counts(run_id).get(feed, {}),
        left,
        time.monotonic() - started,
        error,
        doubt,
        remaining=[*remaining(app, left, unwritten, trouble, unhandled), *_left_alone(app, feed, result, left)],
        listed=app.settings.feeds[feed].resources,
        paused=result.paused,
        changes=sum(part.records for part in result.changes) if result.changes else None,
        unwritten=unwritten,
        unhandled=unhandled,
        inventoried=bool(result.taken) or not result.changes,
        located=app.located(feed),
        untold=_untold(app, feed, result),
    )
    if to_look_up := report.located.get("pending"):
        report.remaining.append(f"{to_look_up} addresses still to look up; {_geocoder(app)}")
    outcome = _outcome(report, result, stopped=not app.may_fetch(feed))
    app.store.feeds.finish_run(feed, run_id, outcome, error or doubt or trouble or "; ".join(report.untold) or None)
    RUN_SECONDS.labels(feed, outcome).observe(report.seconds)
    log.info("sync", feed=feed, run_id=run_id, outcome=outcome, figures=report.as_json())
    return report


def _untold(app: App, feed: str, result: Result) -> list[str]:
    found = [f"{resource}: {reason}" for resource, item in result.taken.items() for reason in item.untold]
    return list(dict.fromkeys([*app.store.drift.known(feed).troubles(), *found]))


def _geocoder(app: App) -> str:
    return "the next sync goes on" if app.addresses_due() else "the geocoder fails, see mlsync status"


def _outcome(report: FeedReport, result: Result, *, stopped: bool) -> str:
    """How a run is remembered: see ``services.beat`` for what follows from it."""
    if report.in_step:
        return "in_step"
    if stopped:
        return "stopped"
    if result.error is not None:
        return "unavailable" if result.passing else "failed"
    return "paused" if result.paused else "unfinished"


def _left_alone(app: App, feed: str, result: Result, left: Outstanding) -> list[str]:
    """Who may not be asked for what is left, and until when."""
    found = []
    wait = app.polite[feed].standing().wait if result.paused or left.wanted or left.photos else None
    if wait is not None or result.paused:
        found.append(result.paused if wait is None else in_words(wait))
    if left.photos:
        found += (
            f"photos of {host} wait: it asked to be left alone for {seconds:.0f} s more"
            for host, seconds in app.photo_hosts.all().items()
        )
    return found


def remaining(
    app: App, left: Outstanding, unwritten: int = 0, trouble: str = "", unhandled: int = 0
) -> list[str]:  # fmt: skip
    """What is not in step, in words, with when it is tried again.

    ``unwritten`` are pages of changes, ``unhandled`` ranges of master lists; ``trouble`` says why records could not be
    asked for.
    """
    found = []
    if unhandled:
        found.append(f"parts of the master list still to compare: {unhandled}; the next sync takes another")
    if unwritten:
        found.append(f"{unwritten} pages of changes not written yet; the next sync asks again for what is lost")
    due = ""
    if left.next_due is not None:
        minutes = max(0, left.next_due - app.store.feeds.now()) / 60_000_000
        due = f" (the first is due in {minutes:.0f} min)"
    delayed = app.form.next_retry()
    soon = "; the next sync goes on"
    if delayed is not None:
        soon = f"; a retry is due in {delayed:.0f} s, the next sync goes on at once"
    if left.wanted:
        found.append(f"{left.wanted} records still to fetch{soon}" + (f"; {trouble}" if trouble else ""))
    if left.photos:
        found.append(f"{left.photos} photos still to fetch or delete{soon}")
    if left.unavailable:
        found.append(
            f"{left.unavailable} listed records not delivered by the MLS, or older than listed; "
            f"asked for again by later syncs{due}"
        )
    if left.photos_failed:
        found.append(f"{left.photos_failed} photos failed; tried again by later syncs{due}")
    if left.held:
        found.append(f"{left.held} removals held: more at once than is believed of an MLS; see mlsync removals list")
    if left.quarantined:
        found.append(f"{left.quarantined} records or messages in quarantine; see mlsync quarantine list")
    return found
