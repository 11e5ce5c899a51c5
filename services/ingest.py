"""Write saved Search answers exactly as if they had been fetched, without a network."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import typer
from rich.console import Console

from services.app import App
from services.embedded import Embedded
from services.outcome import FeedReport
from services.report import print_sync
from services.sync import settle
from shared.mapping.escaped import restored
from shared.mapping.mapping import load
from shared.mapping.record import Mapped, UnmappableError
from shared.messages import BrokenRecord, PageFetched, SourceRecord
from shared.outbox import new_id
from shared.settings import Settings, SettingsError
from shared.sources.base import SourceError
from shared.sources.saved import read_saved
from shared.store.tables import TABLES_OF
from shared.telemetry import escape, redact

PAGE = 100
SERVED = ("reconciler", "writer")
BROKEN = (SourceError, OSError, EOFError, zlib.error)
BLOCK = 1 << 16


def run_ingest(
    settings: Settings, feed: str, files: Sequence[Path], *, dry_run: bool, as_json: bool, console: Console
) -> int:
    """Ingest ``files`` for ``feed`` in the order given. Returns the exit code."""
    if settings.feeds[feed].protocol != "ddf":
        raise SettingsError(f"--feed {feed}: saved answers are read for feeds of the protocol ddf only")
    if dry_run:
        return _show(settings, feed, files, as_json=as_json)
    app = App(settings, beside=True)
    run_id = new_id()
    with app.running(SERVED):
        app.store.feeds.start_run(feed, run_id, "ingest")
        error = _publish(app, feed, files, run_id)
        settle(app, run_id, 60.0, lambda _: None, lambda: _handled(app))
        app.drain_dead()
        left = app.store.feeds.outstanding(feed)
        report = FeedReport(feed, run_id, app.store.feeds.counts(run_id).get(feed, {}), left, 0.0, error)
        outcome = "failed" if error else "unfinished" if left.quarantined else "in_step"
        app.store.feeds.finish_run(feed, run_id, outcome, error)
    if as_json:
        typer.echo(json.dumps({"feeds": {feed: report.as_json()}}))
    else:
        print_sync(console, [report])
    if error:
        return 1
    return 3 if left.quarantined else 0


def _handled(app: App) -> bool:
    """Photos are for a later sync to fetch: requests for them stay unheard here."""
    assert isinstance(app.form, Embedded)
    depths = app.form.transport.depths()
    return not any(any(depths.get(queue, ())) for queue in SERVED)


def _publish(app: App, feed: str, files: Sequence[Path], run_id: str) -> str | None:
    """Publish the files' records in pages; what is wrong with a file, or None. A file that is broken gives nothing."""
    for path in files:
        try:
            resource, records, broken = _read(path)
        except BROKEN as error:
            return f"{path}: {error}"
        app.store.feeds.count(feed, run_id, resource, {"fetched": len(records)})
        for start in range(0, max(len(records), len(broken)), PAGE):
            app.outbox.publish(
                PageFetched(
                    feed=feed,
                    resource=resource,
                    observed_at=app.store.feeds.observe(feed),
                    server_date=None,
                    asked=[],
                    records=records[start : start + PAGE],
                    broken=broken[start : start + PAGE],
                ),
                run_id,
            )
    return None


def _read(path: Path) -> tuple[str, list[SourceRecord], list[BrokenRecord]]:
    """A whole answer before any of it is used: one that is cut gives an error, never a short list."""
    with path.open("rb") as start:
        zipped = start.read(2) == b"\x1f\x8b"
    with gzip.open(path) if zipped else path.open("rb") as file:
        return read_saved(iter(lambda: file.read(BLOCK), b""))


def _show(settings: Settings, feed: str, files: Sequence[Path], *, as_json: bool) -> int:
    mapping, unescape = load(settings.feeds[feed].mapping), settings.feeds[feed].unescape
    shown: list[dict[str, Any]] = []
    bad = False
    for path in files:
        try:
            resource, records, broken = _read(path)
        except BROKEN as error:
            typer.echo(f"mlsync: {path}: {escape(redact(str(error)))}", err=True)
            return 1
        for record in records:
            try:
                shown.append(typed(mapping.map(feed, resource, restored(record, unescape))))
            except UnmappableError as error:
                bad = True
                shown.append({"key": record.key, "error": str(error)})
        bad = bad or bool(broken)
        shown += ({"key": record.key, "error": record.reason} for record in broken)
    if as_json:
        typer.echo(json.dumps({"feed": feed, "records": shown}))
    else:
        for item in shown:
            lines = json.dumps(item, ensure_ascii=False, indent=2).split("\n")
            typer.echo("\n".join(escape(line) for line in lines))
    return 3 if bad else 0


def typed(record: Mapped) -> dict[str, Any]:
    """A typed record as JSON: every table's rows by column name, nulls left out."""
    own, parts = TABLES_OF[record.resource]
    rows = {
        table.name: [
            {
                column.name: plain(value)
                for column, value in zip(table.columns, row, strict=True)
                if value is not None and column.name != "feed"
            }
            for row in record.rows.get(table.name, [])
        ]
        for table in (own, *parts)
    }
    return {
        "resource": record.resource,
        "key": record.key,
        "modification_timestamp": plain(record.modified),
        "rows": {name: some for name, some in rows.items() if some},
        "media": [
            {name: plain(value) for name, value in msgspec.structs.asdict(item).items() if value is not None}
            for item in record.media
        ],
        "embedded": [typed(item) for item in record.embedded],
        "problems": [msgspec.structs.asdict(problem) for problem in record.problems],
        "unknown": record.unknown,
    }


def plain(value: Any) -> Any:
    """A typed value as JSON has it: numbers as exact text, instants as ISO 8601 UTC."""
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    return value.isoformat() if isinstance(value, date) else value
