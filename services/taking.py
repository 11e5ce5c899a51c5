"""How a run begins: what changed, and the master lists, of each resource of a feed."""

from __future__ import annotations

import functools
from dataclasses import dataclass, field

import structlog
from structlog.contextvars import bound_contextvars

from services.app import App
from services.due import Terms
from services.fetcher.service import Changes, Taken
from services.form import AWAY
from services.incremental import bring
from services.patience import patiently
from services.retention import expire
from shared.sources.base import SourceError, SourcePausedError, SourceUnavailableError
from shared.store.base import MICROSECONDS

log = structlog.get_logger()

LISTINGS = "property"


@dataclass(frozen=True, slots=True)
class Result:
    """How taking a feed's inventories ended: those taken, by resource, and what went wrong with the others.

    ``changes`` are what was asked for besides, or instead. ``paused`` says why, and until when, the MLS may not be
    asked. ``passing``: the error may be over when it is tried again, without the operator.
    """

    taken: dict[str, Taken]
    error: str | None = None
    doubt: str = ""
    paused: str = ""
    passing: bool = False
    changes: list[Changes] = field(default_factory=list)


STOPPED = Result({}, "the sync was stopped")


def take(app: App, feed: str, run_id: str, limit: int | None, wait: float, results: dict[str, Result]) -> None:
    """Ask what is to be asked at the beginning, publish it, and leave in ``results`` how that ended. Never raises."""
    with bound_contextvars(run_id=run_id):
        results[feed] = _take(app, feed, run_id, limit, wait)


def _take(app: App, feed: str, run_id: str, limit: int | None, wait: float) -> Result:
    taken: dict[str, Taken] = {}
    changes: list[Changes] = []
    errors: list[str] = []
    paused, passing = "", True
    try:
        patiently(app.stopping, functools.partial(_prepare, app, feed, run_id, limit))
        _take_one(app, feed, LISTINGS, run_id, limit, wait, taken, changes)
        for resource in app.settings.feeds[feed].resources[1:] if limit is None else ():
            try:
                _take_one(app, feed, resource, run_id, None, wait, taken, changes)
            except SourcePausedError:
                raise
            except SourceError as error:  # a feed may be refused its agents: no reason to leave out its offices
                errors.append(f"{resource}: {error}")
                passing &= isinstance(error, SourceUnavailableError)
        if limit is None:
            app.fetcher.take_metadata(feed)
    except SourcePausedError as error:
        paused = str(error)
    except SourceError as error:
        errors.append(str(error))
        passing &= isinstance(error, SourceUnavailableError)
    except AWAY as error:
        errors.append(str(error))
    except Exception as error:
        log.exception("the inventory could not be taken", feed=feed)
        errors.append(f"{type(error).__name__}: {error}")
        passing = False
    if paused and app.stopping.is_set():
        return STOPPED
    doubts = [
        item.doubt if resource == LISTINGS else f"{resource}: {item.doubt}"
        for resource, item in taken.items()
        if item.doubt and limit is None
    ]
    return Result(taken, "; ".join(errors) or None, "; ".join(doubts), paused, bool(errors) and passing, changes)


def _prepare(app: App, feed: str, run_id: str, limit: int | None) -> None:
    """What follows from the settings alone; interrupted, it finds less to do."""
    if limit is None:
        app.writer.give_up(feed, run_id)
    app.writer.remap(feed, run_id)
    app.views.bring(feed)
    app.media.forget_placeholders(feed)
    expire(app.store, feed, app.settings.feeds[feed].history_days, app.stopping.is_set)


def _take_one(
    app: App, feed: str, resource: str, run_id: str, limit: int | None, wait: float, taken: dict[str, Taken],
    changes: list[Changes],
) -> None:  # fmt: skip
    """One resource, by the feed's strategy. Raises SourceError."""
    settings = app.settings.feeds[feed]
    inventory = functools.partial(_inventory, app, feed, resource, run_id, limit, wait)
    if settings.strategy == "preferred" or limit is not None:
        taken[resource] = inventory()
        return
    often = settings.inventory_every
    terms = Terms(
        overlap=int(settings.overlap * MICROSECONDS),
        every=int(settings.every * MICROSECONDS),
        inventory_every=None if often is None else int(often * MICROSECONDS),
        page_size=settings.page_size,
    )
    found = bring(
        app.fetcher, app.store, app.outbox, feed, resource, run_id, terms, inventory=inventory, pause=app.stopping.wait
    )
    if found.taken is not None:
        taken[resource] = found.taken
    if found.changes is not None:
        changes.append(found.changes)


def _inventory(app: App, feed: str, resource: str, run_id: str, limit: int | None, wait: float) -> Taken:
    """Take it; as soon as the MLS may be asked, if that is within ``wait`` seconds. Raises SourceError."""
    while True:
        try:
            return patiently(app.stopping, functools.partial(app.fetcher.take_inventory, feed, resource, run_id, limit))
        except SourcePausedError as error:
            if error.retry_after > wait or app.stopping.wait(error.retry_after):
                raise


def settled(app: App, feed: str, run_id: str, result: Result | None) -> bool:
    """Whether the store shows nothing left of this run to do now, whatever else is on its way."""
    if result is None or not (result.taken or result.changes) or result.paused:
        return True
    if any(app.store.syncs.parts(run_id, feed, name) < item.parts for name, item in result.taken.items()):
        return False
    with app.store.write() as tx:
        if any(tx.marks.unhandled(feed, part.resource, run_id, part.pages) for part in result.changes):
            return False
    left = app.store.feeds.outstanding(feed)
    return not (left.photos or left.released or (left.wanted and not app.fetcher.given_up(feed)))
