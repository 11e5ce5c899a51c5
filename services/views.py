"""The typed views of generic feeds, kept as the feed's metadata, settings and mapping say."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import structlog

from shared.mapping.spec import load_spec
from shared.rets.schema.document import system_of
from shared.rets.schema.types import System
from shared.sources.base import SourceError
from shared.sources.rets.plan import Plan, make_plan
from shared.sources.rets.settings import RetsSourceSettings
from shared.store.base import Store, StoreUnavailableError
from shared.views.make import class_views

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class ViewSettings:
    """What a feed's views depend on beside its metadata."""

    source: RetsSourceSettings
    mapping: str


@dataclass(frozen=True, slots=True)
class Described:
    """The metadata that a feed's records were last named by, and the plan made of them."""

    system: System
    plan: Plan


def described(store: Store, feed: str, settings: RetsSourceSettings) -> Described | None:
    """From what is stored, without asking the MLS; None before any metadata were read.

    Raises SourceRefusedError where settings and metadata do not go together.
    """
    latest = store.metadata.latest(feed)
    document = store.metadata.document(feed, latest.number) if latest is not None else None
    if document is None:
        return None
    system = system_of(document)
    return Described(system, make_plan(system, settings, (), store.drift.known(feed)))


def _undecided(plan: Plan, there: Iterable[tuple[str, str]]) -> set[tuple[str, str]]:
    """Views of classes that are not read now, or from which too much has vanished: these stay as they are."""
    held = plan.known.held()
    return {
        (resource, name)
        for resource, name in there
        for kind, one in plan.resources.items()
        if resource == one.name or not one.name
        if name in one.stopped or (kind, name) in held
    }


class ViewKeeper:
    """Makes the views anew when something they depend on has changed. Only for the process that fetches for a feed."""

    def __init__(self, store: Store, feeds: Mapping[str, ViewSettings]) -> None:
        """``feeds`` are those that have views."""
        self._store = store
        self._feeds = feeds

    def bring(self, feed: str) -> None:
        """Make the feed's views as they should be now. What keeps it from that is logged, and tried again by the next
        sync: no record depends on a view."""
        settings = self._feeds.get(feed)
        if settings is None:
            return
        try:
            found = described(self._store, feed, settings.source)
            if found is None:
                return
            views = class_views(found.plan, load_spec(settings.mapping))
            made = self._store.views.make(feed, views, _undecided(found.plan, self._store.views.names(feed)))
        except (SourceError, StoreUnavailableError) as error:
            log.warning("the views of the feed's classes stay as they were", feed=feed, reason=str(error))
            return
        except Exception:
            log.exception("the views of the feed's classes could not be made", feed=feed)
            return
        if made.in_use:
            log.warning("views stay as they were: others are made of them", feed=feed, views=made.in_use)
        for view in views:
            if view.left_out:
                log.warning("fields beyond what a view can have are only in the tables", feed=feed,
                            resource=view.resource, class_name=view.class_name, fields=view.left_out)  # fmt: skip
        if made.made or made.dropped:
            log.info("views made", feed=feed, made=len(made.made), dropped=len(made.dropped))
