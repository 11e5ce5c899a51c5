"""What people and scripts are told: summaries of syncs and of what is stored."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

from rich.console import Console
from rich.table import Table

from services import drifted, oddities
from services.app import database_file, open_store
from services.distributed import fetcher_of
from services.outcome import FeedReport
from services.polite import Polite, Standing
from shared.geocoding.nominatim import host_of
from shared.instants import instant
from shared.settings import Settings
from shared.store.base import FeedStatus, Store
from shared.telemetry import escape

NEVER = FeedStatus(None, None, None, 0, 0, 0, 0, 0, 0, 0, None)
SHOWN_PROBLEMS = 20
OTHERS = {"member": "agents", "office": "offices"}


def sync_table(columns: Sequence[tuple[str, FeedReport]]) -> Table:
    """Counts side by side, a column for each report."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("")
    for title, _ in columns:
        table.add_column(title, justify="right")
    figures = [item.as_json() for _, item in columns]
    table.add_row("listings at the MLS", *(f"{item.as_json()['inventory']:,}" if item.inventoried else "not asked"
                                           for _, item in columns))  # fmt: skip
    for label, name in (
        ("fetched", "fetched"), ("inserted", "inserted"), ("updated", "updated"), ("unchanged", "unchanged"),
        ("removed", "removed"),
    ):  # fmt: skip
        table.add_row(label, *(f"{item[name]:,}" for item in figures))
    for resource, called in OTHERS.items():
        if any(resource in item.listed for _, item in columns):
            others = [item.resource(resource) for _, item in columns]
            table.add_row(f"{called} at the MLS", *(f"{item['inventory']:,}" for item in others))
            table.add_row(f"{called} fetched", *(f"{item['fetched']:,}" for item in others))
    for label, name in (("photos stored", "stored"), ("photos deleted", "deleted"), ("photos failed", "failed")):
        table.add_row(label, *(f"{item['photos'][name]:,}" for item in figures))
    if any("objects" in item for item in figures):
        table.add_row("other objects stored", *(f"{item.get('objects', {}).get('stored', 0):,}" for item in figures))
    for label, name in (("held", "held"), ("unavailable", "unavailable"), ("quarantined", "quarantined")):
        if any(item[name] for item in figures):
            table.add_row(label, *(f"{item[name]:,}" for item in figures))
    table.add_row("requests to the MLS", *(f"{item['requests']:,}" for item in figures))
    table.add_row("seconds", *(f"{item['seconds']:.1f}" for item in figures))
    return table


def print_sync(console: Console, reports: Sequence[FeedReport]) -> None:
    """The summary of a sync, and what is not in step."""
    if reports:
        console.print(sync_table([(item.feed, item) for item in reports]))
    for item in reports:
        if item.error:
            console.print(f"{item.feed}: not synced: {escape(item.error)}", markup=False, soft_wrap=True)
        if item.doubt:
            console.print(
                f"{item.feed}: the inventory is not proven, nothing was removed: {escape(item.doubt)}",
                markup=False, soft_wrap=True,
            )  # fmt: skip
        for line in item.untold:
            console.print(f"{item.feed}: not read: {escape(line)}", markup=False, soft_wrap=True)
        for line in item.remaining:
            console.print(f"{item.feed}: {line}", markup=False, soft_wrap=True)
        if item.in_step:
            changed = "in step with what changed; removals show with the next master list"
            what = "in step" if item.inventoried else changed
            console.print(f"{item.feed}: {what}", markup=False, soft_wrap=True)


def statuses(settings: Settings) -> dict[str, FeedStatus]:
    """The status of every configured feed; of one never synced, zeros. Raises StoreError."""
    store, file = open_store(settings), database_file(settings)
    if file is not None and not file.exists():
        return dict.fromkeys(settings.feeds, NEVER)
    try:
        store.check()
        return {name: _status(settings, store, name, feed.mapping) for name, feed in settings.feeds.items()}
    finally:
        store.close()


def standings(settings: Settings) -> dict[str, Standing]:
    """Where every configured feed stands with its MLS; of one never synced, nothing."""
    store, file = open_store(settings), database_file(settings)
    if file is not None and not file.exists():
        return dict.fromkeys(settings.feeds, Standing())
    try:
        return {
            name: replace(
                Polite(name, feed, store, time.sleep).standing(), fetcher=store.leases.holder(fetcher_of(name))
            )
            for name, feed in settings.feeds.items()
        }
    finally:
        store.close()


def print_standings(console: Console, found: Mapping[str, Standing]) -> None:
    """A line for every limit, and for who may not be asked now."""
    for name, standing in found.items():
        for line in standing.lines():
            console.print(f"{name}: {escape(line)}", markup=False, soft_wrap=True)


def _status(settings: Settings, store: Store, feed: str, mapping: str) -> FeedStatus:
    known = store.feeds.status(feed)
    found = replace(
        known, located=store.geocoding.located(feed), extra=oddities.with_columns(known.extra, mapping),
        metadata_changes=drifted.newest(store, feed), metadata_known=store.drift.known(feed),
    )  # fmt: skip
    url = settings.geocoder.url if settings.feeds[feed].geocode else None
    failing = store.geocoding.failing(host_of(url)) if url and found.located["pending"] else None
    if failing is None:
        return found
    problem: dict[str, object] = {
        "kind": "geocoder", "resource": "property", "key": host_of(url or ""), "reason": failing.reason,
        "next_attempt_at": failing.not_before,
    }  # fmt: skip
    return replace(found, problems=[problem, *found.problems])


def status_json(item: FeedStatus) -> dict[str, Any]:
    """The shape scripts rely on."""
    known = asdict(item)
    return {
        "last_run": item.last_run and {
            name: _instant(value) if name.endswith("_at") and isinstance(value, int) else value
            for name, value in item.last_run.items()
        },
        "freshness_seconds": item.freshness_seconds,
        "at_mls": item.at_mls,
        "stored": item.stored,
        "photos": {"stored": item.photos_stored, "pending": item.photos_pending, "failed": item.photos_failed},
        **({"objects": {"stored": item.objects_stored}} if item.objects_stored else {}),
        "located": item.located,
        "held": item.held,
        "quarantined": item.quarantined,
        "unavailable": item.unavailable,
        "next_due": _instant(item.next_due),
        "resources": known["resources"],
        "repeated_photos": known["repeated"],
        "metadata": _dated(oddities.metadata_json(item.metadata) | drifted.status_json(item)),
        **_dated(oddities.extra_json(item.extra)),
        "problems": [{**problem, "next_attempt_at": _instant(problem["next_attempt_at"])} for problem in item.problems],
    }  # fmt: skip


def _instant(value: object) -> str | None:
    return instant(value) if isinstance(value, int) else None


def _dated(value: Any) -> Any:
    """The same with every instant, which its name tells, as people write it."""
    if isinstance(value, list):
        return [_dated(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {name: _instant(item) if name.endswith("_at") else _dated(item) for name, item in value.items()}


def print_status(console: Console, found: Mapping[str, FeedStatus]) -> None:
    """A table of the feeds, then what is not in step, each with its reason."""
    if not found:
        console.print("no feed is configured; see `mlsync check --help`, or try `mlsync demo`", markup=False)
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("")
    for name in found:
        table.add_column(name, justify="right")
    for label, show in _STATUS_ROWS:
        table.add_row(label, *(show(item) for item in found.values()))
    console.print(table)
    for name, item in found.items():
        for problem in item.problems[:SHOWN_PROBLEMS]:
            due = _instant(problem["next_attempt_at"])
            what = " ".join(str(problem[part]) for part in ("kind", "resource", "key") if problem[part])
            text = f"{name}: {what}: {problem['reason']}"
            console.print(escape(text + (f"; next tried {due}" if due else "")), markup=False, soft_wrap=True)
        if len(item.problems) > SHOWN_PROBLEMS:
            console.print(f"{name}: and {len(item.problems) - SHOWN_PROBLEMS} more; see --json", markup=False)
        for picture in item.repeated:
            shared = f"{name}: one picture is a photo of {picture.listings:,} listings, SHA-256 {picture.sha256}"
            console.print(
                f"{shared}; if it stands for no photo, list it under placeholders", markup=False, soft_wrap=True
            )
        for line in drifted.status_lines(name, item):
            console.print(f"{name}: {escape(line)}", markup=False, soft_wrap=True)
        for line, next_attempt_at in oddities.in_words(item):
            due = f"; next tried {_instant(next_attempt_at)}" if next_attempt_at else ""
            console.print(escape(f"{name}: {line}{due}"), markup=False, soft_wrap=True)


def _age(seconds: float | None) -> str:
    if seconds is None:
        return "never"
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit} ago"
    return f"{seconds:.0f} s ago"


def _last_run(item: FeedStatus) -> str:
    if item.last_run is None:
        return "never"
    return str(item.last_run["outcome"] or "under way, or cut off")


def _metadata(item: FeedStatus) -> str:
    return escape(oddities.metadata_in_short(item.metadata, _age(item.metadata.age_seconds)))


def _count(name: str) -> Callable[[FeedStatus], str]:
    return lambda item: f"{getattr(item, name):,}"


def _stored(resource: str) -> Callable[[FeedStatus], str]:
    return lambda item: f"{item.resources[resource].stored:,}" if resource in item.resources else "0"


def _located(name: str) -> Callable[[FeedStatus], str]:
    return lambda item: f"{item.located.get(name, 0):,}"


_STATUS_ROWS: tuple[tuple[str, Callable[[FeedStatus], str]], ...] = (
    ("listings at the MLS", lambda item: "unknown" if item.at_mls is None else f"{item.at_mls:,}"),
    ("listings stored", _count("stored")),
    *((f"{called} stored", _stored(name)) for name, called in OTHERS.items()),
    ("in step as of", lambda item: _age(item.freshness_seconds)),
    ("last run", _last_run),
    ("photos stored", _count("photos_stored")),
    ("photos pending", _count("photos_pending")),
    ("photos failed", _count("photos_failed")),
    ("other objects stored", _count("objects_stored")),
    ("located by the MLS", _located("mls")),
    ("located by geocoder", _located("geocoder")),
    ("addresses not looked up", _located("pending")),
    ("addresses not found", _located("not_found")),
    ("removals held", _count("held")),
    ("unavailable", _count("unavailable")),
    ("quarantined", _count("quarantined")),
    ("metadata", _metadata),
)
