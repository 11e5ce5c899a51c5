"""Live progress of a sync: bars on a terminal, structured lines otherwise."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import structlog
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars

from services.app import App
from services.seldom import Seldom

log = structlog.get_logger()

LINE_SECONDS = 10.0


class Progress:
    """Shows how far a run is, read from the store."""

    def __init__(self, app: App, console: Console) -> None:
        self._app = app
        self._bars = Bars(
            SpinnerColumn(),
            TextColumn("{task.description:<9}"),
            BarColumn(30),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=console,
        )
        self._listings = self._bars.add_task("listings", total=None)
        self._photos = self._bars.add_task("photos", total=None)
        self._look = Seldom()

    def __enter__(self) -> Progress:
        self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bars.stop()

    def update(self, run_id: str, *, now: bool = False) -> None:
        """Redraw from what the store says, if it is time to ask it again, or ``now``."""
        if not (now or self._look.due):
            return
        with self._look.looking():
            written, to_fetch, stored, pending = figures(self._app, run_id)
        self._bars.update(self._listings, completed=written, total=written + to_fetch or None)
        self._bars.update(self._photos, completed=stored, total=stored + pending or None)


def figures(app: App, run_id: str) -> tuple[int, int, int, int]:
    """Records written, to fetch; photos stored, pending; of all feeds of the run and all their resources."""
    counts = [counts for by in app.store.feeds.counts(run_id).values() for counts in by.values()]
    written = sum(of.get("fetched", 0) for of in counts)
    stored = sum(of.get("photos_stored", 0) for of in counts)
    left = [app.store.feeds.outstanding(feed) for feed, current in app.runs.items() if current == run_id]
    return written, sum(item.wanted for item in left), stored, sum(item.photos for item in left)


@contextmanager
def watch_or_log(app: App, bars: bool, console: Console | None = None) -> Iterator[Callable[[str], None]]:
    """A ``watch`` for ``sync``: bars when ``bars``, else a line every ten seconds."""
    if bars:
        with Progress(app, console or Console(stderr=True)) as progress:
            last = ""

            def redraw(run_id: str) -> None:
                nonlocal last
                last = run_id
                progress.update(run_id)

            yield redraw
            if last:
                progress.update(last, now=True)
        return
    shown = time.monotonic()

    def line(run_id: str) -> None:
        nonlocal shown
        if time.monotonic() - shown >= LINE_SECONDS:
            shown = time.monotonic()
            written, to_fetch, stored, pending = figures(app, run_id)
            log.info("progress", run_id=run_id, listings=written, listings_left=to_fetch, photos=stored,
                     photos_left=pending)  # fmt: skip

    yield line


@contextmanager
def counting(what: str, total: int | None = None, *, bars: bool) -> Iterator[Callable[[int], None]]:
    """Tell it how many more are done: a bar on stderr when ``bars``, else a line every ten seconds."""
    if bars:
        with Bars(
            SpinnerColumn(), TextColumn("{task.description:<9}"), BarColumn(30), MofNCompleteColumn(),
            TimeElapsedColumn(), console=Console(stderr=True),
        ) as shown:  # fmt: skip
            task = shown.add_task(what, total=total)
            yield lambda more: shown.advance(task, more)
        return
    done, last = 0, time.monotonic()

    def line(more: int) -> None:
        nonlocal done, last
        done += more
        if time.monotonic() - last >= LINE_SECONDS:
            last = time.monotonic()
            log.info("progress", what=what, done=done, of=total)

    yield line
