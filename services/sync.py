"""One sync of feeds, from inventory to the last photo."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence

from services.app import App
from services.outcome import FeedReport, finish
from services.taking import STOPPED, Result, settled, take
from shared.messages import AddressesPending
from shared.outbox import new_id

POLL_SECONDS = 0.2
LOOK_SECONDS = 1.0
STOP_SECONDS = 30.0
"""How long an inventory under way may take to end when the process is told to stop."""


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

    Or, with ``within``, until so many seconds have passed: what is left goes on beside the next sync. For addresses
    alone to be looked up, which add to what the MLS says, no more than ``wait`` seconds are spent, without end ahead
    (``within``) none.
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
        threading.Thread(
            target=take, args=(app, feed, run_id, limit, wait, results), name=f"inventory-{feed}", daemon=True
        )
        for feed in feeds
    ]
    for taker in takers:
        taker.start()
    while any(taker.is_alive() for taker in takers) and not app.stopping.is_set():
        takers[0].join(POLL_SECONDS) if len(takers) == 1 else time.sleep(POLL_SECONDS)
        watch(run_id)
    for taker in takers:
        taker.join(STOP_SECONDS)
    settle(
        app, run_id, wait, watch, lambda: all(settled(app, feed, results.get(feed)) for feed in feeds), within,
        aside=wait if within is None else 0.0,
    )  # fmt: skip
    app.drain_dead()
    for feed in feeds:
        app.log_out(feed)
    return [finish(app, feed, run_id, started, results.get(feed, STOPPED)) for feed in feeds]


def settle(
    app: App,
    run_id: str,
    wait: float,
    watch: Callable[[str], None],
    enough: Callable[[], bool] = lambda: False,
    within: float | None = None,
    aside: float = 0.0,
) -> None:
    """Return once the queues are empty, or hold only what is due later than ``wait`` seconds from now.

    ``enough`` may say sooner that nothing in the queues matters to this run: other feeds share them. ``within`` ends
    the waiting in any case after so many seconds. When there is nothing left but addresses to look up, it takes
    ``aside`` seconds more at most, none when the geocoder fails.
    """
    started = moved = looked = time.monotonic()
    rest: float | None = None
    clear = False
    before = -1
    while not app.stopping.is_set():
        if app.transport.wait_idle(POLL_SECONDS) or (within is not None and time.monotonic() - started > within):
            return
        if time.monotonic() - looked > LOOK_SECONDS:
            looked = time.monotonic()
            clear = enough()
        watch(run_id)
        depths = {name: depth for name, depth in app.transport.depths().items() if name != AddressesPending.QUEUE}
        rest = None if not clear and any(map(any, depths.values())) else rest or time.monotonic()
        if rest is not None and (time.monotonic() - rest >= aside or not app.addresses_due()):
            return
        busy = any(ready or unsettled for ready, _, unsettled in depths.values())
        done = sum(sum(counts.values()) for by in app.store.feeds.counts(run_id).values() for counts in by.values())
        if done != before:
            moved, before = time.monotonic(), done
        due = app.transport.next_due()
        if not busy and ((due is not None and due - time.monotonic() > wait) or time.monotonic() - moved > wait):
            return
