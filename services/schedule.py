"""Keep feeds in step on their schedule, until told to stop."""

from __future__ import annotations

import random
import threading

import structlog

from services.app import App
from services.audit import audit
from services.beat import MINUTE, Beat, next_start
from services.polite import PATIENCE
from services.sync import sync
from shared.hours import parse_hours
from shared.instants import instant
from shared.outbox import new_id
from shared.store.base import DAY, MICROSECONDS

log = structlog.get_logger()

LAST_RUNS = 20
LOOK_SECONDS = 60.0
"""How soon a clock that was set, or a machine that slept, is noticed."""
AUDIT = "audit"
AUDIT_EVERY = 7 * DAY


def keep_in_step(app: App, feeds: list[str]) -> None:
    """Sync each feed ``every`` so often, at its hours, feeds beside one another, no feed overlapping itself.

    When the last one began is read from the store: a restart keeps the beat.
    """
    threads = [threading.Thread(target=_keep, args=(app, feed), name=f"schedule-{feed}") for feed in feeds]
    threads.append(threading.Thread(target=_audit, args=(app,), name="audit"))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _audit(app: App) -> None:
    """Audit the photo store at once and then a week after the last audit, whichever process did that."""
    while not app.stopping.is_set():
        last = app.store.feeds.last_finished(AUDIT)
        due = 0.0 if last is None else last + AUDIT_EVERY - app.store.feeds.now()
        if last is not None and due > 0:
            app.stopping.wait(min(due / MICROSECONDS, 3_600.0))
            continue
        run_id = new_id()
        app.store.feeds.start_run("", run_id, AUDIT)
        try:
            found = audit(app.store, app.blobs, app.settings.feeds, app.stopping.is_set)
        except Exception as error:
            log.exception("the audit of the photo store failed; it is tried again in an hour")
            app.store.feeds.finish_run("", run_id, "failed", str(error))
            app.stopping.wait(3_600.0)
            continue
        app.store.feeds.finish_run("", run_id, "done")
        log.info("audit", **found.as_json())


def _keep(app: App, feed: str) -> None:
    settings = app.settings.feeds[feed]
    beat = Beat(int(settings.every * MICROSECONDS), parse_hours(settings.hours) if settings.hours else None)
    told = 0
    while not app.stopping.is_set():
        try:
            now = app.store.feeds.now()
            at = _next(app, feed, beat, now)
            if at <= now:
                sync(app, [feed], wait=settings.every, within=settings.every)
                continue
            if abs(at - told) > MINUTE:
                told = at
                log.info("next sync", feed=feed, at=instant(at))
            app.stopping.wait(min((at - now) / MICROSECONDS, LOOK_SECONDS))
        except Exception:
            log.exception("the sync failed; the next one comes on schedule", feed=feed)
            app.stopping.wait(LOOK_SECONDS)


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
