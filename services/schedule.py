"""Keep feeds in step on their schedule, until told to stop."""

from __future__ import annotations

import random
import threading
import time

import structlog

from services.app import App
from services.sync import sync

log = structlog.get_logger()

JITTER = 0.1


def keep_in_step(app: App, feeds: list[str]) -> None:
    """Sync each feed at once and then ``every`` so often, feeds beside one another, no feed overlapping itself."""
    threads = [threading.Thread(target=_keep, args=(app, feed), name=f"schedule-{feed}") for feed in feeds]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _keep(app: App, feed: str) -> None:
    every = app.settings.feeds[feed].every
    while not app.stopping.is_set():
        started = time.monotonic()
        try:
            sync(app, [feed], wait=every)
        except Exception:
            log.exception("the sync failed; the next one comes on schedule", feed=feed)
        pause = every * (1 + random.uniform(-JITTER, JITTER))  # noqa: S311 - spreads load, guards nothing
        app.stopping.wait(max(1.0, pause - (time.monotonic() - started)))
