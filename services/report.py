"""What people and scripts are told: summaries of syncs and of what is stored."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from rich.console import Console
from rich.table import Table

from services.app import open_store
from services.sync import FeedReport
from shared.settings import Settings
from shared.store.base import FeedStatus
from shared.telemetry import escape

NEVER = FeedStatus(None, None, None, 0, 0, 0, 0, 0, 0, 0, None)
SHOWN_PROBLEMS = 20


def sync_table(columns: Sequence[tuple[str, FeedReport]]) -> Table:
    """Counts side by side, a column for each report."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("")
    for title, _ in columns:
        table.add_column(title, justify="right")
    figures = [item.as_json() for _, item in columns]
    for label, name in (
        ("listings at the MLS", "inventory"), ("fetched", "fetched"), ("inserted", "inserted"), ("updated", "updated"),
        ("unchanged", "unchanged"), ("removed", "removed"),
    ):  # fmt: skip
        table.add_row(label, *(f"{item[name]:,}" for item in figures))
    for label, name in (("photos stored", "stored"), ("photos deleted", "deleted"), ("photos failed", "failed")):
        table.add_row(label, *(f"{item['photos'][name]:,}" for item in figures))
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
        for line in item.remaining:
            console.print(f"{item.feed}: {line}", markup=False, soft_wrap=True)
        if item.in_step:
            console.print(f"{item.feed}: in step", markup=False)


def statuses(settings: Settings) -> dict[str, FeedStatus]:
    """The status of every configured feed; of one never synced, zeros. Raises StoreError."""
    store = open_store(settings)
    if not store.path.exists():
        return dict.fromkeys(settings.feeds, NEVER)
    try:
        store.check()
        return {name: store.feeds.status(name) for name in settings.feeds}
    finally:
        store.close()


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
        "held": item.held,
        "quarantined": item.quarantined,
        "unavailable": item.unavailable,
        "next_due": _instant(item.next_due),
        "resources": known["resources"],
        "problems": [{**problem, "next_attempt_at": _instant(problem["next_attempt_at"])} for problem in item.problems],
    }  # fmt: skip


def instant(microseconds: int) -> str:
    """ISO 8601 in UTC, to the second."""
    return datetime.fromtimestamp(microseconds / 1_000_000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _instant(value: object) -> str | None:
    return instant(value) if isinstance(value, int) else None


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


def _count(name: str) -> Callable[[FeedStatus], str]:
    return lambda item: f"{getattr(item, name):,}"


_STATUS_ROWS: tuple[tuple[str, Callable[[FeedStatus], str]], ...] = (
    ("listings at the MLS", lambda item: "unknown" if item.at_mls is None else f"{item.at_mls:,}"),
    ("listings stored", _count("stored")),
    ("in step as of", lambda item: _age(item.freshness_seconds)),
    ("last run", _last_run),
    ("photos stored", _count("photos_stored")),
    ("photos pending", _count("photos_pending")),
    ("photos failed", _count("photos_failed")),
    ("removals held", _count("held")),
    ("unavailable", _count("unavailable")),
    ("quarantined", _count("quarantined")),
)
