"""The first thing a newcomer sees: a simulated MLS, kept in step."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import SecretStr
from rich.console import Console

from services.app import App
from services.outcome import FeedReport
from services.progress import watch_or_log
from services.report import sync_table
from services.sync import sync
from shared.settings import FeedSettings, Settings
from shared.store.base import StoreError

MARKER = ".mlsync-demo"
DAYS = 3
NAME = PASSWORD = "demo"  # noqa: S105 - of a simulator on loopback


def run_demo(listings: int, photos: int, folder: Path, console: Console) -> int:
    """Sync a simulated MLS, let days pass there, sync again, and say what happened. Returns the exit code."""
    _fresh(folder)
    with _simulator(listings, photos) as login_url:
        console.print(f"An MLS with {listings} listings is open at {login_url}", markup=False, highlight=False)
        app = App(_settings(login_url, folder))
        with app.running():
            console.print("\n[bold]First sync[/]: every listing, every photo")
            first = _sync(app, console)
            passed = _advance(login_url)
            console.print(f"\n[bold]{DAYS} days pass[/] at the MLS: {passed}")
            console.print("\n[bold]Second sync[/]: only what changed")
            second = _sync(app, console)
    console.print()
    console.print(sync_table([("first", first), ("second", second)]))
    for report in (first, second):
        for line in [report.error, *report.remaining]:
            if line:
                console.print(line, markup=False, style="red")
    if not (first.in_step and second.in_step):
        return 3
    _next(console, folder)
    return 0


def _fresh(folder: Path) -> None:
    """An empty folder; what an earlier demo left is deleted, anything else refused."""
    if folder.exists() and not folder.is_dir():
        raise StoreError(f"{folder} is no folder; give another --folder")
    if folder.exists() and any(folder.iterdir()):
        if not (folder / MARKER).exists():
            raise StoreError(f"{folder} holds something that is not an earlier demo's; give another --folder")
        shutil.rmtree(folder)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MARKER).write_text("Made by `mlsync demo`, which deletes this folder when it starts.\n")


@contextmanager
def _simulator(listings: int, photos: int) -> Iterator[str]:
    """The simulator as a process of its own; its login URL."""
    command = [sys.executable, "-m", "services.simulator", "--listings", str(listings), "--photos", str(photos),
               "--control"]  # fmt: skip
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:  # noqa: S603
        try:
            assert process.stdout is not None
            ready = process.stdout.readline().split()
            if ready[:1] != ["ready"]:
                raise StoreError("the simulator did not start; see `mlsync simulator`")
            yield ready[1]
        finally:
            process.terminate()


def _settings(login_url: str, folder: Path) -> Settings:
    """Settings of the demo alone: neither file nor environment is read, and none is left behind."""
    return Settings.model_construct(
        database_url=f"sqlite:///{folder / 'mlsync.db'}",
        media_url=f"file:{folder / 'media'}",
        feeds={"demo": FeedSettings(protocol="ddf", login_url=login_url, username=NAME, password=SecretStr(PASSWORD))},
    )


def _sync(app: App, console: Console) -> FeedReport:
    with watch_or_log(app, console.is_terminal, console) as watch:
        (report,) = sync(app, ["demo"], watch=watch)
    figures = report.as_json()
    console.print(
        f"  {figures['fetched']} listings fetched, {figures['photos']['stored']} photos stored, "
        f"{figures['removed']} listings removed in {figures['seconds']:.1f} s",
        highlight=False,
    )
    return report


def _advance(login_url: str) -> str:
    home = urlsplit(login_url)
    request = urllib.request.Request(f"http://{home.netloc}/control/advance?days={DAYS}", method="POST")
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with direct.open(request, timeout=30) as answer:
        counts = json.load(answer)
    names = ("new", "changed", "rephotographed", "removed")
    return ", ".join(f"{counts[name]} {name.replace('rephotographed', 're-photographed')}" for name in names)


def _next(console: Console, folder: Path) -> None:
    own = "MLSYNC_FEEDS__{0}__PROTOCOL=ddf MLSYNC_FEEDS__{0}__USERNAME={1} MLSYNC_FEEDS__{0}__PASSWORD={1}"
    look = "import sqlite3; [print(*row) for row in sqlite3.connect('{}').execute('{}')]".format(
        folder / "mlsync.db", "SELECT city, list_price, bedrooms_total FROM property LIMIT 9"
    )
    console.print("\n[bold green]In step.[/] Three things to try next:")
    for number, (what, *commands) in enumerate(
        (
            ("Look at the rows and the photos", f'.venv/bin/python -c "{look}"', f"ls {folder}/media/demo/20000002"),
            (
                "Open an MLS of your own, and sync it from another terminal",
                ".venv/bin/mlsync simulator --port 8800 --control",
                "MLSYNC_FEEDS__TRIAL__LOGIN_URL=http://127.0.0.1:8800/Login.svc/Login \\",
                f"{own.format('TRIAL', 'demo')} .venv/bin/mlsync sync",
            ),
            ("Sync your own CREA DDF feed", f"{own.format('DDF', '…')} .venv/bin/mlsync sync"),
        ),
        start=1,
    ):
        console.print(f"  {number}. {what}", highlight=False)
        for command in commands:
            console.print(f"     {command}", markup=False, highlight=False, soft_wrap=True)
