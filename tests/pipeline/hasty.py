"""mlsync in this process or another, in a hurry: its waits between tries are short and its days as long as told.

A test of ten days at an MLS in which something is wrong would take ten days otherwise: what cannot be had is asked for
again after intervals of up to a day.
"""

from __future__ import annotations

import json
import math
import re
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from services import report
from services.app import App
from services.cli import _exit_code as exit_code
from services.sync import sync
from shared import telemetry
from shared.settings import Settings, load
from tests.pipeline.simulated import LAST, PASSWORD, USERNAME, bare_env, process
from tests.pipeline.truth import Json

DAY = 86_400.0
LONGEST_PAUSE = 0.02
"""Seconds; the pauses between two tries of a request are cut to this."""
WAIT = 20.0


class Hasty(App):
    """An app whose store's clock is ahead by so many ``days``, and whose requests are repeated almost at once.

    A pause before a request is cut short, and the store's clock goes forward by the rest of it: however long the MLS
    asked to be left alone, it is by that clock, in place of the message going back to its queue for so long. A
    ``patient`` one keeps the first two seconds of each.
    """

    def __init__(self, settings: Settings, days: float = 0, *, patient: bool = False) -> None:
        self.days = days
        self._longest = 2.0 if patient else LONGEST_PAUSE
        self._forward = threading.Lock()
        super().__init__(settings, clock=lambda: time.time() + self.days * DAY)
        for polite in self.polite.values():
            polite._patience = math.inf

    def _pause(self, seconds: float) -> None:
        super()._pause(min(seconds, self._longest))
        with self._forward:
            self.days += max(0.0, seconds - self._longest) / DAY


@dataclass(frozen=True)
class Ended:
    """How a sync ended: the exit code ``mlsync sync`` has, its report, and for another process its peak of memory."""

    code: int
    report: Json
    mib: float = 0.0


def configure(folder: Path, login_url: str, feed: Mapping[str, object], media: Mapping[str, object]) -> Path:
    """A settings file for a feed ``ddf`` that keeps everything in ``folder``."""
    own = {"protocol": "ddf", "login_url": login_url, "username": USERNAME, "password": PASSWORD}
    path = folder / "mlsync.yaml"
    path.write_text(
        yaml.safe_dump(
            {
                "database_url": f"sqlite:///{folder}/mlsync.db",
                "media_url": f"file:{folder}/media",
                "log_level": "error",
                "media": dict(media),
                "feeds": {"ddf": own | dict(feed)},
            }
        )
    )
    return path


def sync_here(app: App) -> Ended:
    """One sync in this process."""
    reports = sync(app, ["ddf"], wait=WAIT)
    return Ended(exit_code(reports), reports[0].as_json())


def sync_apart(config: Path, days: float) -> Ended:
    """One sync in a process of its own."""
    with process([sys.executable, "-m", __spec__.name, str(config), str(days)], bare_env()) as running:
        out, err = running.communicate(timeout=600)
    assert running.returncode == 0, err[-LAST:]
    found = json.loads(out)
    return Ended(found["code"], found["report"], found["kib"] / 1024)


def status(settings: Settings) -> Json:
    """What ``mlsync status --json`` says of the feed."""
    found: Json = json.loads(json.dumps(report.status_json(report.statuses(settings)["ddf"])))
    return found


def paused(settings: Settings) -> str:
    """What ``mlsync status`` says of why the feed's MLS may not be asked now; "" when it may."""
    return report.standings(settings)["ddf"].as_json()["paused_because"] or ""


def quiet() -> None:
    """Log nothing but errors."""
    telemetry.configure(json=True, level="ERROR", stream=sys.stderr)


def main(config: str, days: str) -> None:
    """One sync, told as JSON, with the most memory this process ever had; asking from outside could miss the peak."""
    quiet()
    with Hasty(load(Path(config)), float(days)).running() as app:
        ended = sync_here(app)
    peak = re.search(r"VmHWM:\s*(\d+) kB", Path("/proc/self/status").read_text())
    assert peak is not None
    print(json.dumps({"code": ended.code, "report": ended.report, "kib": int(peak[1])}))


if __name__ == "__main__":
    main(*sys.argv[1:])
