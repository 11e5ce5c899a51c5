"""Apply the mapping again to the records as the MLS sent them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict

from services.app import App
from services.writer.service import Remapped
from shared.outbox import new_id

REMAP = "remap"


def remap(app: App, feeds: Sequence[str], watch: Callable[[int], None]) -> dict[str, Remapped]:
    """Make all rows of ``feeds`` anew, without asking the MLS; what came of it by feed.

    ``watch`` is told how many records were mapped since it was told last.
    """
    found = {}
    run_id = new_id()
    for feed in feeds:
        app.store.feeds.start_run(feed, run_id, REMAP)
        seen = 0

        def told(done: Remapped) -> None:
            nonlocal seen
            watch(done.records - seen)
            seen = done.records

        found[feed] = app.writer.remap(feed, run_id, force=True, watch=told)
        app.store.feeds.finish_run(feed, run_id, "unfinished" if found[feed].unmappable else "done")
    return found


def as_json(found: dict[str, Remapped]) -> dict[str, dict[str, dict[str, int]]]:
    """The shape scripts rely on."""
    return {"feeds": {feed: asdict(done) for feed, done in found.items()}}


def in_words(feed: str, done: Remapped) -> str:
    """The counts in a sentence."""
    lost = f"; {done.unmappable:,} can no longer be mapped, their rows stay as they were" if done.unmappable else ""
    return f"{feed}: {done.records:,} records mapped again, {done.changed:,} of them differently{lost}"
