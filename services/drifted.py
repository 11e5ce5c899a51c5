"""What became of an MLS's metadata, for people and programs, and what an operator decides of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from shared.instants import instant
from shared.known import KnownField
from shared.store.base import FeedStatus, MetadataDifference, Store, StoreError
from shared.telemetry import escape

NEWEST = 200
"""Differences of the newest version that are counted for a status."""
SHOWN = 3


def as_json(store: Store, feed: str) -> dict[str, Any]:
    """The differences, oldest first; fields removed and held; classes that are not read."""
    known = store.drift.known(feed)
    return {
        "differences": [_line(each) for each in store.drift.differences(feed)],
        "fields": [_field(each) for each in known.fields if each.state],
        "stopped": [
            {"resource": each.resource, "class": each.class_name, "reason": each.stopped, "since": _at(each.since)}
            for each in known.classes
            if each.stopped
        ],
    }


def in_words(store: Store, feed: str) -> Iterator[str]:
    """The differences under the version and the time that they were first seen with, then what is not as it was."""
    known = store.drift.known(feed)
    number = None
    for each in store.drift.differences(feed):
        if each.number != number:
            number = each.number
            yield escape(f"{instant(each.seen_at)} version {each.version or '(none)'}")
        yield escape(f"  {each.told}")
    if number is None:
        yield "no change of the metadata has been seen"
    if gone := [each for each in known.fields if each.state]:
        yield "fields that the MLS has no more; their values stay as they were last read:"
        for field in gone:
            yield escape(f"  {_named(field)}: {field.state} since {_at(field.since)}")
    yield from (escape(line) for line in known.troubles())


def approve(store: Store, feed: str, resource: str | None, class_name: str | None) -> int:
    """Fields held become removed; how many. Raises StoreError for a class of which none is held."""
    held = store.drift.known(feed).held()
    there = [(one, name) for one, name in held if resource in (None, one) and class_name in (None, name)]
    if not there and (resource or class_name):
        known = ", ".join(" ".join(each) for each in held) or "none"
        raise StoreError(f"no field of {resource} {class_name or ''} is held; of these classes there are: {known}")
    return store.drift.approve(feed, resource, class_name)


def newest(store: Store, feed: str) -> list[MetadataDifference]:
    """Of the newest version that changed anything."""
    found = store.drift.differences(feed, NEWEST)
    return [each for each in found if each.number == found[-1].number]


def status_json(item: FeedStatus) -> dict[str, Any]:
    """What belongs to ``metadata`` in the status of a feed; instants in microseconds, under names that end in _at."""
    changes = item.metadata_changes
    return {
        "changed_at": changes[-1].seen_at if changes else None,
        "changes": [each.told for each in changes],
        "untold": item.metadata_known.troubles(),
        "removed_fields": [_named(each) for each in item.metadata_known.fields if each.state],
    }


def status_lines(name: str, item: FeedStatus) -> Iterator[str]:
    """The newest change of the metadata, and what is not read because of them."""
    changes = item.metadata_changes
    if changes:
        more = f" and {len(changes) - SHOWN} more;" if len(changes) > SHOWN else ""
        told = "; ".join(each.told for each in changes[:SHOWN])
        yield f"the metadata changed {instant(changes[-1].seen_at)}: {told};{more} see mlsync metadata diff {name}"
    yield from (f"not read: {line}" for line in item.metadata_known.troubles())


def _line(each: MetadataDifference) -> dict[str, Any]:
    return {
        "seen_at": instant(each.seen_at), "version": each.version, "subject": each.subject, "change": each.change,
        "within": each.parent, "name": each.name, "was": each.was or None, "told": each.told,
    }  # fmt: skip


def _field(each: KnownField) -> dict[str, Any]:
    return {
        "resource": each.resource, "class": each.class_name, "name": each.system_name, "element": each.element,
        "state": each.state, "since": _at(each.since),
    }  # fmt: skip


def _named(each: KnownField) -> str:
    called = f" ({each.element})" if each.element != each.system_name else ""
    return f"{each.resource} {each.class_name}: {each.system_name}{called}"


def _at(since: int | None) -> str | None:
    return instant(since) if since is not None else None
