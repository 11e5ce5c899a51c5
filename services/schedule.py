"""Keep feeds in step on their schedule, until told to stop."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from contextlib import suppress

import structlog

from services.app import App
from services.asking import answer
from services.audit import GRACE, audit
from services.beat import MINUTE, Beat, next_start
from services.distributed import Distributed
from services.form import AWAY
from services.patience import rest
from services.polite import PATIENCE
from services.sync import sync
from services.tenure import Tenure
from shared.consumer import Outage
from shared.hours import parse_hours
from shared.instants import instant
from shared.outbox import new_id
from shared.store.base import DAY, MICROSECONDS

log = structlog.get_logger()

LAST_RUNS = 20
LOOK_SECONDS = 60.0
"""How soon a clock that was set, or a machine that slept, is noticed."""
STANDBY_SECONDS = 1.0
"""How often a process without the lease tries for it."""
ASK_SECONDS = 1.0
"""How soon a request for a sync is seen."""
HOUR = 3_600.0
AUDIT = "audit"
AUDIT_EVERY = 7 * DAY


def keep_in_step(app: App, feeds: list[str]) -> None:
    """Sync each feed ``every`` so often, at its hours, feeds beside one another, no feed overlapping itself.

    When the last one began is read from the store: a restart keeps the beat.
    """
    keep = serve if isinstance(app.form, Distributed) else _keep
    threads = [threading.Thread(target=keep, args=(app, feed), name=f"schedule-{feed}", daemon=True) for feed in feeds]
    threads.append(threading.Thread(target=_audit, args=(app,), name="audit", daemon=True))
    for thread in threads:
        thread.start()
    rest(app.stopping)
    for thread in threads:
        thread.join(app.grace_left())


def _audit(app: App) -> None:
    """Audit the photo store at once and then a week after the last audit, whichever process did that.

    Every hour names *writing* whose worker died are given up: no process that died need be known.
    """
    while not app.stopping.is_set():
        wait = HOUR
        try:
            with app.form.only(AUDIT) as mine:
                if mine:
                    app.store.objects.bury(app.store.feeds.now() - GRACE)
                    wait = _audit_if_due(app)
        except AWAY as error:
            log.warning("the photo store is not looked after for a minute", reason=str(error))
            wait = LOOK_SECONDS
        except Exception:
            log.exception("the audit of the photo store failed; it is tried again in an hour")
        app.stopping.wait(wait)


def _audit_if_due(app: App) -> float:
    """For how many seconds there is nothing to look for."""
    last = app.store.feeds.last_finished(AUDIT)
    due = 0.0 if last is None else (last + AUDIT_EVERY - app.store.feeds.now()) / MICROSECONDS
    if due > 0:
        return min(due, HOUR)
    run_id = new_id()
    app.store.feeds.start_run("", run_id, AUDIT)
    try:
        found = audit(app.store, app.blobs, app.settings.feeds, app.stopping.is_set)
    except Exception as error:
        app.store.feeds.finish_run("", run_id, "failed", str(error))
        raise
    app.store.feeds.finish_run("", run_id, "done")
    log.info("audit", **found.as_json())
    return HOUR


def _keep(app: App, feed: str) -> None:
    beat = Schedule(app, feed)
    while not app.stopping.is_set():
        try:
            app.stopping.wait(beat.turn())
        except Exception:
            log.exception("the sync failed; the next one comes on schedule", feed=feed)
            app.stopping.wait(LOOK_SECONDS)


def serve(app: App, feed: str) -> None:
    """Keep the feed in step whenever no other process does: whoever takes its lease, for as long as it has it.

    Meanwhile it serves requests for records, and for syncs, which go before the schedule.
    """
    assert isinstance(app.form, Distributed)
    tenure, outage = app.form.fetching(feed), Outage()
    while not app.stopping.is_set():
        try:
            if tenure.take():
                log.info("this process fetches", feed=feed)
                with app.form.keeping(tenure), app.fetching(feed, tenure):
                    _serve(app, feed, tenure, outage)
            outage.over("fetcher")
        except AWAY as error:
            outage.begun("fetcher", error)
        except Exception:
            log.exception("fetching failed; it is taken up again", feed=feed)
        app.stopping.wait(max(STANDBY_SECONDS, outage.pause()))


def _serve(app: App, feed: str, tenure: Tenure, outage: Outage) -> None:
    schedule = Schedule(app, feed)
    while tenure.held and not app.stopping.is_set():
        try:
            asked = app.store.syncs.next(feed)
            wait = schedule.turn(lambda: app.store.syncs.next(feed) is not None) if asked is None else 0.0
            if asked is not None:
                answer(app, asked)
            outage.over("fetcher")
        except AWAY as error:
            wait = outage.begun("fetcher", error)
        except Exception:
            log.exception("the sync failed; the next one comes on schedule", feed=feed)
            wait = LOOK_SECONDS
        until = time.monotonic() + wait
        while tenure.held and (left := until - time.monotonic()) > 0 and not app.stopping.wait(min(left, ASK_SECONDS)):
            with suppress(*AWAY):
                if app.store.syncs.next(feed) is not None:
                    break


class Schedule:
    """When one feed is synced."""

    def __init__(self, app: App, feed: str) -> None:
        self._app = app
        self._feed = feed
        self._settings = settings = app.settings.feeds[feed]
        self._beat = Beat(int(settings.every * MICROSECONDS), parse_hours(settings.hours) if settings.hours else None)
        self._told = 0

    def turn(self, until: Callable[[], bool] = lambda: False) -> float:
        """Sync if it is time; for how many seconds there is nothing to do. ``until``: see ``sync``."""
        now = self._app.store.feeds.now()
        at = _next(self._app, self._feed, self._beat, now)
        if at <= now:
            every = self._settings.every
            sync(self._app, [self._feed], wait=every, within=every, until=until)
            return 0.0
        if abs(at - self._told) > MINUTE:
            self._told = at
            log.info("next sync", feed=self._feed, at=instant(at))
        return min((at - now) / MICROSECONDS, LOOK_SECONDS)


def _next(app: App, feed: str, beat: Beat, now: int) -> int:
    runs = app.store.feeds.runs(feed, "sync", now, LAST_RUNS)
    wait = app.polite[feed].standing().wait
    # a short wait passes within the sync: waiting here, it would lose its turn to whatever else asks
    free_at = wait.until if wait is not None and wait.until - now > PATIENCE * MICROSECONDS else 0
    return next_start(
        beat,
        runs,
        now,
        lambda began: random.Random(f"{feed} {began}").uniform(-1, 1),  # noqa: S311 - spreads load, guards nothing
        free_at,
    )
