"""What is said of an MLS's metadata, and of the elements and values in its records that nobody expected."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from shared.mapping.extra import Oddity, Tally
from shared.mapping.spec import columns_by_element
from shared.store.base import FeedStatus, MetadataState

SHOWN = 10
"""Elements named in text; JSON has more."""
NAME_SHOWN = 60
NOUNS = {"property": "listing", "member": "member", "office": "office"}


def with_columns(extra: Tally, mapping: str) -> Tally:
    """The oddities with the columns their elements would fill."""
    columns = columns_by_element(mapping)
    named = (replace(item, column=columns.get((item.resource, item.element), "")) for item in extra.oddities)
    return replace(extra, oddities=tuple(named))


def metadata_json(state: MetadataState) -> dict[str, Any]:
    """The shape scripts rely on; instants in microseconds, under names that end in ``_at``."""
    failed = state.failed
    return {
        "version": state.read and state.read.version,
        "timestamp": state.read and state.read.timestamp,
        "language": state.read and state.read.language,
        "read_at": state.read_at,
        "values": state.values,
        "removed": state.removed,
        "failure": failed and {
            "version": failed.version,
            "reason": state.failure,
            "attempts": state.attempts,
            "failed_at": state.failed_at,
            "next_attempt_at": state.next_attempt_at,
        },
    }  # fmt: skip


def extra_json(extra: Tally) -> dict[str, Any]:
    """The shape scripts rely on; instants in microseconds, under names that end in ``_at``."""
    unknown, unfit = _parted(extra)
    return {
        "unknown": [_line(item) for item in unknown],
        "unfit": [_line(item) | {"column": item.column or None, "reason": item.reason} for item in unfit],
        "unlisted": extra.others,
    }


def in_words(item: FeedStatus) -> Iterator[tuple[str, int | None]]:
    """A line for the last failure of the metadata, one for elements nobody knows, one for values without a column.

    Each with when it is tried again, if ever. Nothing stored is lost or wrong by any of it.
    """
    state = item.metadata
    if state.failed is not None:
        times = f" ({state.attempts} times)" if state.attempts > 1 else ""
        version = f" {state.failed.version}" if state.failed.version else ""
        yield f"metadata{version} could not be read{times}: {state.failure}", state.next_attempt_at
    unknown, unfit = _parted(item.extra)
    if unknown:
        yield f"unknown elements: {_named(unknown)}", None
    if unfit:
        yield f"values that do not fit: {_named(unfit)}", None
    if item.extra.others:
        yield f"and {item.extra.others:,} more unknown elements or values that do not fit", None


def metadata_in_short(state: MetadataState, age: str) -> str:
    """Which metadata are stored, and how old they are."""
    if state.read is None:
        return "never read"
    return f"{_short(state.read.version or 'without version')}, {age}"


def _parted(extra: Tally) -> tuple[list[Oddity], list[Oddity]]:
    return [item for item in extra.oddities if not item.reason], [item for item in extra.oddities if item.reason]


def _named(items: Sequence[Oddity]) -> str:
    shown = [_told(item) for item in items[:SHOWN]]
    more = [f"{len(items) - SHOWN:,} more, see --json"] if len(items) > SHOWN else []
    return ", ".join(shown + more)


def _told(item: Oddity) -> str:
    column = item.column.rpartition(".")[2]
    target = f" for {column}" if column else ""
    reason = f"{item.reason}, " if item.reason else ""
    many = "" if item.records == 1 else "s"
    return f"{_short(item.element)}{target} ({reason}{item.records:,} {NOUNS[item.resource]}{many})"


def _short(name: str) -> str:
    return name if len(name) <= NAME_SHOWN else f"{name[: NAME_SHOWN - 1]}…"


def _line(item: Oddity) -> dict[str, Any]:
    return {
        "resource": item.resource,
        "element": item.element,
        "records": item.records,
        "first_seen_at": item.first_seen,
        "last_seen_at": item.last_seen,
    }
