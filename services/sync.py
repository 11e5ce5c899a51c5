"""One sync of feeds, from inventory to the last photo."""

from __future__ import annotations

import functools
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress

from services.app import App
from services.form import AWAY, Settling
from services.outcome import FeedReport, finish
from services.patience import patiently
from services.taking import STOPPED, Result, settled, take
from shared.outbox import new_id

POLL_SECONDS = 0.2


def sync(
    app: App,
    feeds: Sequence[str],
    *,
    limit: int | None = None,
    wait: float = 60.0,
    watch: Callable[[str], None] = lambda _run_id: None,
    within: float | None = None,
    until: Callable[[], bool] = lambda: False,
    run_id: str | None = None,
) -> list[FeedReport]:
    """Bring ``feeds`` in step, and wait until nothing is left to do now or due within ``wait`` seconds.

    Or, with ``within``, until so many seconds have passed: what is left goes on beside the next sync. For addresses
    alone to be looked up, which add to what the MLS says, no more than ``wait`` seconds are spent, without end ahead
    (``within``) none. ``until`` ends the waiting as soon as it says so.
    ``watch`` is called every now and then with the run's id. ``limit``: only so many listings, removing nothing. Errors
    of one feed are in its report and stop no other.
    """
    run = run_id or new_id()
    started = time.monotonic()
    kind = "sync" if limit is None else "limited"
    results: dict[str, Result] = {}
    for feed in feeds:
        app.store.feeds.start_run(feed, run, kind)
        app.runs[feed] = run
    takers = [
        threading.Thread(
            target=take, args=(app, feed, run, limit, wait, results), name=f"inventory-{feed}", daemon=True
        )
        for feed in feeds
    ]
    for taker in takers:
        taker.start()
    while any(taker.is_alive() for taker in takers) and not app.stopping.is_set():
        takers[0].join(POLL_SECONDS) if len(takers) == 1 else time.sleep(POLL_SECONDS)
        with suppress(*AWAY):
            watch(run)
    for taker in takers:
        taker.join(app.grace_left())
    settle(
        app, run, wait, watch,
        lambda: until() or all(not app.may_fetch(feed) or settled(app, feed, run, results.get(feed)) for feed in feeds),
        within,
        aside=wait if within is None else 0.0,
    )  # fmt: skip
    with suppress(*AWAY):
        app.drain_dead()
    for feed in feeds:
        app.log_out(feed)
    return [
        patiently(app.stopping, functools.partial(finish, app, feed, run, started, results.get(feed, STOPPED)))
        for feed in feeds
    ]


def settle(
    app: App,
    run_id: str,
    wait: float,
    watch: Callable[[str], None],
    enough: Callable[[], bool] = lambda: False,
    within: float | None = None,
    aside: float = 0.0,
) -> None:
    """Return once all of it is settled; see ``Settling``."""
    app.form.settle(Settling(run_id, wait, watch, enough, within, aside, app.addresses_due))
