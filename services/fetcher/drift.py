"""Versions of metadata compared with those before them, as soon as they are kept."""

from __future__ import annotations

from typing import Final

import structlog
from prometheus_client import Counter

from shared.rets.schema.difference import Difference, differences
from shared.rets.schema.document import system_of
from shared.store.base import KeptMetadata, MetadataDifference, Store

log = structlog.get_logger()

DIFFERENCES = Counter(
    "mlsync_metadata_differences_total",
    "Differences between versions of an MLS's metadata, by feed, kind (resource, class, field, lookup, lookup "
    "value, object type) and change (added, renamed, changed, removed).",
    ["feed", "kind", "change"],
)
MOST: Final = 10_000
"""Differences of one version that are kept; a server that changes more has other metadata."""
_LOGGED: Final = 20


def compare(store: Store, feed: str) -> None:
    """Record in what versions kept differ from those before, if that is not done. Interrupted, it finds the same."""
    compared = store.drift.compared(feed)
    kept = store.metadata.versions(feed)
    if not kept or kept[0].number <= compared:
        return
    found: list[Difference] = []
    told: list[MetadataDifference] = []
    before = store.metadata.document(feed, compared) if compared else None
    for each in sorted(kept, key=lambda one: one.number):
        document = store.metadata.document(feed, each.number) if each.number > compared else None
        if document is None:
            continue
        if before is not None:
            here = differences(system_of(before), system_of(document))
            found += here
            told += [_told(each, one) for one in here[:MOST]]
        before = document
    if not store.drift.record(feed, told, kept[0].number):
        return
    for one in found:
        DIFFERENCES.labels(feed, one.subject.value, one.change.value).inc()
    for line in told[:_LOGGED]:
        log.warning("the metadata changed", feed=feed, version=line.version, difference=line.told)


def _told(kept: KeptMetadata, one: Difference) -> MetadataDifference:
    return MetadataDifference(
        kept.number, kept.read_at, kept.version, one.subject.value, one.change.value, " ".join(one.where), one.name,
        one.was, str(one),
    )  # fmt: skip
