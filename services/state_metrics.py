"""Metrics that are the state of the store rather than deeds of this process, read from it when somebody asks.

Never failing, never slow: at most every 15 seconds, however often it is asked; and when the database does not answer
in time, ``mlsync_state_up`` is 0 and the others are left out, so that nobody takes what was for what is.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

import structlog
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from services.fresh import Fresh
from services.polite import Polite, Standing
from shared.settings import FeedSettings
from shared.store.base import MICROSECONDS, Counts, Store
from shared.store.tables import TABLES_OF

EVERY: Final = 15.0
PATIENCE: Final = 5.0
GOOD_FOR: Final = 300.0
"""How old figures may be that are given out while a slow reading is under way."""
REST: Final = 20.0
"""How many times longer than a reading it rests: the figures of a first load of millions of photos take a while."""

OUTCOMES: Final = ("in_step", "unfinished", "paused", "unavailable", "stopped", "failed", "other")
KINDS: Final = ("record", "xml", "message", "other")
SOURCES: Final = ("mls", "geocoder", "pending", "not_found", "no_address")

UP: Final = "mlsync_state_up"
FAMILIES: Final[Mapping[str, tuple[tuple[str, ...], str]]] = {
    UP: ((), "Whether the state of the store could be read; when it is 0, what is read from there is left out."),
    "mlsync_state_timestamp_seconds": ((), "When the state of the store was read."),
    "mlsync_records_stored": (("feed", "resource"), "Rows stored, by feed and resource."),
    "mlsync_records_wanted": (
        ("feed", "resource"),
        "Records that an inventory wants: new or changed and not stored as they are listed, or due to be read again.",
    ),
    "mlsync_records_unavailable": (
        ("feed", "resource"),
        "Wanted records that were asked for in vain: listed but not delivered, older than listed, or quarantined.",
    ),
    "mlsync_inventory_whole_timestamp_seconds": (
        ("feed", "resource"),
        "When the newest proven inventory that was handled whole was begun: the rows are complete as of then. None "
        "before the first.",
    ),
    "mlsync_inventory_whole_records": (("feed", "resource"), "How many records that inventory listed."),
    "mlsync_photos_stored": (("feed",), "Photos stored in the version that the MLS has."),
    "mlsync_photo_sets": (("feed",), "Records whose photos are kept, those without any included."),
    "mlsync_photo_sets_incomplete": (("feed",), "Of those, records of which some photo is not here as the MLS has it."),
    "mlsync_photos_pending": (
        ("feed",),
        "Photos, and sets of other objects, to be fetched or asked for again that have not failed.",
    ),
    "mlsync_photos_failed": (
        ("feed",),
        "Photos, and sets of other objects, still to be had of which the last attempt failed.",
    ),
    "mlsync_removals_held": (
        ("feed", "resource"),
        "Removals held because they were too many at once to be believed; see `mlsync removals list`.",
    ),
    "mlsync_quarantined": (
        ("feed", "kind"),
        "Things set aside because they could not be handled, by kind: record, xml (a record that cannot be read), "
        "message. No feed where none of ours can be told.",
    ),
    "mlsync_run_last_outcome": (
        ("feed", "outcome"),
        "Whether the last sync of the feed ended so (in_step, unfinished, paused, unavailable, stopped, failed): 1 for "
        "one of them, 0 for the others.",
    ),
    "mlsync_run_last_timestamp_seconds": (("feed",), "When the last sync of the feed ended, however it did."),
    "mlsync_run_in_step_timestamp_seconds": (("feed",), "When a sync of the feed last ended in step. None before."),
    "mlsync_budget_limit": (
        ("feed", "window"),
        "A limit of what the MLS may be asked, by feed and the setting's name (in its unit: requests or bytes).",
    ),
    "mlsync_budget_remaining": (("feed", "window"), "What is left of that limit now."),
    "mlsync_paused_until_timestamp_seconds": (
        ("feed",),
        "Until when nothing is asked of the MLS: it said so, the budget is used up, or these are quiet hours. 0 when "
        "it may be asked.",
    ),
    "mlsync_metadata_read_timestamp_seconds": (("feed",), "When the metadata stored were read. None before."),
    "mlsync_metadata_failed_attempts": (("feed",), "How often other metadata have been read in vain since."),
    "mlsync_extra_elements": (
        ("feed", "resource", "kind"),
        "Different elements ever kept in extra: unknown to the mapping, or with values unfit for their column.",
    ),
    "mlsync_listings_located": (
        ("feed", "source"),
        "Listings by where their coordinates are from (mls, geocoder), or why there are none (pending, not_found, "
        "no_address).",
    ),
}


@dataclass(frozen=True, slots=True)
class State:
    """All that is read, at an instant of the store's clock in microseconds."""

    at: int
    counts: Counts
    standings: Mapping[str, Standing] = field(default_factory=dict)
    located: Mapping[str, Mapping[str, int]] = field(default_factory=dict)


class StateMetrics(Collector):
    """See the module. Labels are those of ``feeds``, of resources there are tables for, and of words listed here.

    ``located`` says where a feed's coordinates are from, nothing for one whose addresses are not looked up. Once
    ``stopping`` is set the store is left alone.
    """

    def __init__(
        self,
        store: Store,
        feeds: Mapping[str, FeedSettings],
        polite: Mapping[str, Polite],
        located: Callable[[str], Mapping[str, int]],
        stopping: threading.Event,
    ) -> None:
        self._store = store
        self._feeds = feeds
        self._polite = polite
        self._located = located
        self._stopping = stopping
        self._log = structlog.get_logger()
        self._was_up = True
        self._state = Fresh(self._read, every=EVERY, patience=PATIENCE, good_for=GOOD_FOR, rest=REST)

    def describe(self) -> Iterable[Metric]:
        """Every family, without values: registering must not read the store."""
        return [_family(name) for name in FAMILIES]

    def collect(self) -> Iterable[Metric]:
        """The families that can be had."""
        state = self._look()
        up = _family(UP)
        up.add_metric([], 0 if state is None else 1)
        return [up] if state is None else [up, *self._families(state)]

    def _look(self) -> State | None:
        if self._stopping.is_set():
            return None
        try:
            found = self._state.get()
        except Exception as error:
            if self._was_up:
                self._log.warning("the state of the store cannot be read for metrics", reason=str(error))
            self._was_up = False
            return None
        self._was_up = True
        return found

    def _read(self) -> State:
        return State(
            self._store.feeds.now(),
            self._store.census.take(),
            {name: polite.standing() for name, polite in self._polite.items()},
            {name: self._located(name) for name in self._feeds},
        )

    def _families(self, state: State) -> Iterator[Metric]:
        found: dict[str, GaugeMetricFamily] = {}
        for name, labels, value in self._samples(state):
            family = found.setdefault(name, _family(name))
            family.add_metric(labels, value)
        yield from found.values()

    def _samples(self, state: State) -> Iterator[tuple[str, list[str], float]]:
        yield "mlsync_state_timestamp_seconds", [], state.at / MICROSECONDS
        counts = state.counts
        for feed, settings in self._feeds.items():
            for name, by_resource in (
                ("mlsync_records_stored", counts.stored),
                ("mlsync_records_wanted", counts.wanted),
                ("mlsync_records_unavailable", counts.unavailable),
                ("mlsync_removals_held", counts.held),
            ):
                for resource in TABLES_OF:
                    if resource in settings.resources or (feed, resource) in by_resource:
                        yield name, [feed, resource], by_resource.get((feed, resource), 0)
            for resource in TABLES_OF:
                if (feed, resource) in counts.whole:
                    at, listed = counts.whole[feed, resource]
                    yield "mlsync_inventory_whole_timestamp_seconds", [feed, resource], at / MICROSECONDS
                    yield "mlsync_inventory_whole_records", [feed, resource], listed
                for kind in ("unknown", "unfit"):
                    odd = counts.odd.get((feed, resource, kind))
                    if odd:
                        yield "mlsync_extra_elements", [feed, resource, kind], odd
            yield "mlsync_photos_stored", [feed], counts.photos_stored.get(feed, 0)
            sets, incomplete = counts.photo_sets.get(feed, (0, 0))
            yield "mlsync_photo_sets", [feed], sets
            yield "mlsync_photo_sets_incomplete", [feed], incomplete
            yield "mlsync_photos_pending", [feed], counts.photos_pending.get(feed, 0)
            yield "mlsync_photos_failed", [feed], counts.photos_failed.get(feed, 0)
            yield from self._runs(feed, counts)
            yield from self._standing(feed, state.standings.get(feed))
            for source, count in state.located.get(feed, {}).items():
                if source in SOURCES:
                    yield "mlsync_listings_located", [feed, source], count
        yield from self._quarantined(counts)

    def _runs(self, feed: str, counts: Counts) -> Iterator[tuple[str, list[str], float]]:
        if feed in counts.runs:
            outcome, at = counts.runs[feed]
            for known in OUTCOMES:
                last = known == (outcome if outcome in OUTCOMES else "other")
                yield "mlsync_run_last_outcome", [feed, known], float(last)
            yield "mlsync_run_last_timestamp_seconds", [feed], at / MICROSECONDS
        if feed in counts.in_step:
            yield "mlsync_run_in_step_timestamp_seconds", [feed], counts.in_step[feed] / MICROSECONDS
        read_at, attempts = counts.metadata.get(feed, (None, 0))
        if read_at is not None:
            yield "mlsync_metadata_read_timestamp_seconds", [feed], read_at / MICROSECONDS
        yield "mlsync_metadata_failed_attempts", [feed], attempts

    def _standing(self, feed: str, standing: Standing | None) -> Iterator[tuple[str, list[str], float]]:
        if standing is None:
            return
        for use in standing.uses:
            yield "mlsync_budget_limit", [feed, use.setting], use.limit
            yield "mlsync_budget_remaining", [feed, use.setting], max(0, use.limit - use.used)
        until = 0 if standing.wait is None else standing.wait.until
        yield "mlsync_paused_until_timestamp_seconds", [feed], until / MICROSECONDS

    def _quarantined(self, counts: Counts) -> Iterator[tuple[str, list[str], float]]:
        totals: dict[tuple[str, str], int] = {(feed, kind): 0 for feed in (*self._feeds, "") for kind in KINDS}
        for (feed, kind), count in counts.quarantined.items():
            totals[feed if feed in self._feeds else "", kind if kind in KINDS else "other"] += count
        for (feed, kind), count in totals.items():
            yield "mlsync_quarantined", [feed, kind], count


def _family(name: str) -> GaugeMetricFamily:
    labels, text = FAMILIES[name]
    return GaugeMetricFamily(name, text, labels=labels)
