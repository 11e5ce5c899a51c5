"""Delete a feed: every row, and every photo in the photo store."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager

import typer

from services.app import App
from shared.blobs.base import Blobs
from shared.photos.names import encode_segment
from shared.settings import Settings
from shared.store.base import Store, StoreError

AT_ONCE = 500

Watch = Callable[[int], None]
Counting = Callable[[str, int], AbstractContextManager[Watch]]
"""Shows progress: given what is counted and how many there are, told how many more are done."""


def forget(
    settings: Settings, feed: str, confirmed: Callable[[Mapping[str, int]], bool], counting: Counting
) -> Mapping[str, int] | None:
    """Delete the feed, configured or not, if ``confirmed`` says so of its rows by table; these, or None if it did not.

    Killed at any instant, it goes on when it is called again. Raises StoreError when another process has the database,
    or fetches for the feed, or nothing is stored of such a feed.
    """
    app = App(settings)
    try:
        app.store.check()
        app.open()
        with app.form.alone_with(feed):
            held = app.store.forgetting.held(feed)
            if not held:
                known = ", ".join(app.store.forgetting.feeds()) or "none"
                raise StoreError(f"nothing is stored of a feed {feed}; feeds in the database: {known}")
            if not confirmed(held):
                return None
            erase(app.store, app.blobs, feed, held, counting)
            return held
    finally:
        app.close()


def erase(store: Store, blobs: Blobs, feed: str, held: Mapping[str, int], counting: Counting) -> None:
    """Its rows, in one transaction that leaves its objects dead; those; what no ledger names; then the feed itself.

    So no row ever points at a photo that is gone, and until the last step the feed is found again.
    """
    with counting("rows", sum(held.values()) - held.get("media_object", 0)) as watch:
        store.forgetting.rows(feed, watch)
    with counting("photos", held.get("media_object", 0)) as watch:
        while names := store.forgetting.dead(feed, AT_ONCE):
            for name in names:
                blobs.delete(name)
            store.objects.strike(names)
            watch(len(names))
        for name in blobs.keys(f"{encode_segment(feed)}/"):
            blobs.delete(name)
    store.forgetting.end(feed)


def confirm(feed: str, held: Mapping[str, int]) -> bool:
    """Ask the person at the terminal, who sees what would go."""
    typer.echo(f"{feed} holds {in_words(held)}; its history goes too, and nothing brings it back")
    return bool(typer.prompt("Type the feed's name to delete it for good", default="", show_default=False) == feed)


def in_words(held: Mapping[str, int]) -> str:
    """What a feed holds, most telling first."""
    listings, photos = held.get("property_record", 0), held.get("media_object", 0)
    return f"{listings:,} listings, {photos:,} photos stored, {sum(held.values()):,} rows in all"
