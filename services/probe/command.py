"""The probe as a command: its report as text, its wire log as a file."""

from __future__ import annotations

import json
import os
from pathlib import Path

from services.probe.run import probe
from services.probe.wirelog import WireLog
from shared.settings import Settings, SettingsError


def run(settings: Settings, feed: str, log: Path | None, *, as_json: bool) -> tuple[str, bool]:
    """The report, and whether the feed can be synced. ``log`` must not be there yet. Raises SettingsError,
    StoreError, BusyError."""
    seen = WireLog()
    file = _created(log) if log is not None else None
    try:
        report = probe(settings, feed, seen)
    finally:
        if file is not None:
            with os.fdopen(file, "w", encoding="utf-8") as out:
                out.write(seen.text())
    chosen = settings.feeds[feed]
    lines = [json.dumps(report.as_json(feed, chosen), indent=1)] if as_json else report.in_words(feed, chosen)
    return "\n".join(lines), not report.obstacle


def _created(log: Path) -> int:
    """A new file that only its owner may read."""
    try:
        return os.open(log, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise SettingsError(f"--log {log}: {error.strerror or error}; give a name that is not there yet") from None
