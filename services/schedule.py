"""Keep feeds in step on their schedule, until told to stop."""

from __future__ import annotations

import random
import threading
import time

import structlog

from services.app import App
from services.audit import audit
from services.sync import sync
from shared.outbox import new_id
from shared.store.base import DAY, MICROSECONDS

log = structlog.get_logger()

JITTER = 0.1
AUDIT = "audit"
AUDIT_EVERY = 7 * DAY


def keep_in_step(app: App, feeds: list[str]) -> None:
    """Sync each feed at once and then ``every`` so often, feeds beside one another, no feed overlapping itself."""
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
    every = app.settings.feeds[feed].every
    while not app.stopping.is_set():
        started = time.monotonic()
        try:
            sync(app, [feed], wait=every, within=every)
        except Exception:
            log.exception("the sync failed; the next one comes on schedule", feed=feed)
        pause = every * (1 + random.uniform(-JITTER, JITTER))  # noqa: S311 - spreads load, guards nothing
        app.stopping.wait(max(1.0, pause - (time.monotonic() - started)))
