"""An MLS and an mlsync for whole-system tests: real processes, and between them HTTP alone."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg

from services.app import open_store
from services.simulator.main import Options, Simulator
from shared.settings import Settings
from shared.store.base import Store
from tests.pipeline.copies import Copy, in_files
from tests.pipeline.forms import Place, place_of
from tests.pipeline.truth import Json, Media, OpenEnds, Own, differences

MLSYNC = Path(sys.executable).with_name("mlsync")
USERNAME, PASSWORD = "demo", "s3cret-Passw0rd"
SECONDS = 180
"""No command of these tests may take longer."""
LAST = 4_000
"""Characters of a failed command's stderr that its test shows."""


@dataclass(frozen=True)
class Finished:
    """How a command ended."""

    code: int
    out: str
    err: str

    def json(self) -> Json:
        """What it printed, which must be one JSON document and nothing else."""
        found: Json = json.loads(self.out)
        return found


class Mls:
    """The hand on a running simulator."""

    def __init__(self, login_url: str) -> None:
        self.login_url = login_url
        self.base = login_url[: login_url.index("/", 8)]

    def advance(self, days: int = 1) -> Json:
        """Let days pass; what they did."""
        found: Json = json.loads(self._ask("advance", {"days": days}, method="POST"))
        return found

    def fault(self, name: str, value: str | None = None) -> None:
        """Turn a fault on, or with the value ``off`` off."""
        self._ask("fault", {"name": name} | ({} if value is None else {"value": value}), method="POST")

    def stats(self) -> Json:
        """What was asked of it."""
        found: Json = json.loads(self._ask("stats", {}))
        return found

    def truth(self, size: str = "LargePhoto", culture: str = "en-CA", resource: str = "property") -> list[Json]:
        """Every living listing as a consumer should hold it, its photos hashed in ``size`` ("" for none).

        Or every member or office that is listed, of ``resource``.
        """
        asked = {"size": size, "culture": culture, "resource": resource}
        return [json.loads(line) for line in self._ask("truth", asked).splitlines()]

    def publish_metadata(self) -> Json:
        """Publish other metadata; what the next login says of them."""
        found: Json = json.loads(self._ask("metadata", {}, method="POST"))
        return found

    def lookups(self, culture: str = "en-CA") -> list[Json]:
        """Every value of every lookup."""
        return [
            json.loads(line) for line in self._ask("truth", {"resource": "lookup", "culture": culture}).splitlines()
        ]

    def keys(self) -> list[str]:
        """The keys of the living listings, in order."""
        return [record["key"] for record in self.truth(size="")]

    def _ask(self, name: str, arguments: Mapping[str, object], method: str = "GET") -> bytes:
        url = f"{self.base}/control/{name}?{urllib.parse.urlencode(arguments)}"
        with urllib.request.urlopen(urllib.request.Request(url, method=method), timeout=SECONDS) as answer:
            found: bytes = answer.read()
        return found


@contextmanager
def simulated(listings: int = 40, photos: int = 2, *, seed: int = 1, faults: tuple[str, ...] = ()) -> Iterator[Mls]:
    """A simulator on a port of its own; it shares nothing with the commands under test, which are other processes."""
    options = Options(
        listings=listings, photos=photos, seed=seed, username=USERNAME, password=PASSWORD, faults=list(faults),
        control=True,
    )  # fmt: skip
    with Simulator(options) as running:
        yield Mls(running.login_url)


@contextmanager
def process(
    command: list[str], env: Mapping[str, str] | None = None, cwd: Path | None = None, stderr: int = subprocess.PIPE
) -> Iterator[subprocess.Popen[str]]:
    """A command in a process group of its own, of which nothing is left afterwards."""
    with subprocess.Popen(
        command, env=env, cwd=cwd, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=stderr, text=True,
        start_new_session=True,
    ) as running:  # fmt: skip
        try:
            yield running
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(running.pid, signal.SIGKILL)


@dataclass
class Installation:
    """An mlsync with a feed ``ddf``, configured by the environment alone; ``settings`` are further variables."""

    folder: Path
    login_url: str
    settings: dict[str, str] = field(default_factory=dict)
    place: Place | None = field(init=False)

    def __post_init__(self) -> None:
        self.place = place_of(self.folder)
        if self.place is not None:
            self.settings = self.place.settings | self.settings

    @property
    def database(self) -> Path:
        """Where the default settings put the database."""
        return self.folder / "data" / "mlsync.db"

    @property
    def media(self) -> Path:
        """Where the default settings put photos."""
        return self.folder / "data" / "media"

    @property
    def env(self) -> dict[str, str]:
        """The environment of every command."""
        feed = {
            "PROTOCOL": "ddf",
            "LOGIN_URL": self.login_url,
            "USERNAME": USERNAME,
            "PASSWORD": PASSWORD,
        }
        return bare_env() | {f"MLSYNC_FEEDS__DDF__{name}": value for name, value in feed.items()} | self.settings

    def run(self, *arguments: str, seconds: float = SECONDS) -> Finished:
        """Run a command to its end."""
        return command(*arguments, env=self.env, cwd=self.folder, seconds=seconds)

    def sync(self, *arguments: str, code: int = 0) -> Json:
        """``mlsync sync --json``; what it says of the feed. Its exit code must be ``code``."""
        done = self.run("sync", "--json", *arguments)
        assert done.code == code, f"exit {done.code}, not {code}: {done.out}{done.err[-LAST:]}"
        found: Json = done.json()["feeds"]["ddf"]
        return found

    def status(self) -> Json:
        """``mlsync status --json``; what it says of the feed."""
        done = self.run("status", "--json")
        assert done.code == 0, done.err[-LAST:]
        found: Json = done.json()["feeds"]["ddf"]
        return found

    def start(self, *arguments: str) -> contextlib.AbstractContextManager[subprocess.Popen[str]]:
        """Start a command that goes on."""
        return process([str(MLSYNC), *arguments], self.env, self.folder, subprocess.DEVNULL)

    @property
    def copy(self) -> Copy:
        """What it keeps, for looking at."""
        return self.place.copy if self.place else in_files(self.database, self.media)

    def store(self) -> Store:
        """The store, as another process."""
        url = self.settings.get("MLSYNC_DATABASE_URL", f"sqlite:///{self.database}")
        return open_store(Settings.model_construct(database_url=url))

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Rows of the database, which another process may be writing."""
        return self.copy.database.rows(sql)

    def count(self, table: str, where: str = "TRUE") -> int:
        """How many rows a table has; 0 before there is one."""
        try:
            return int(self.rows(f"SELECT count(*) FROM {table} WHERE {where}")[0][0])
        except (sqlite3.OperationalError, psycopg.errors.UndefinedTable):
            return 0

    def differences(
        self, mls: Mls, *, media: Media = "stored", withheld: bool = False, size: str = "LargePhoto",
        own: Own | None = None,
    ) -> list[str]:  # fmt: skip
        """What is not as it is at the MLS. ``withheld``: but for listings that a fault keeps back, which are wanted."""
        truth = mls.truth(size=size)
        lacking = frozenset(record["key"] for record in truth if withheld and record.get("withheld"))
        truth = [record for record in truth if record["key"] not in lacking]
        if own is None:
            own = {resource: mls.truth(size=size, resource=resource) for resource in self.listed[1:]}
        ends = OpenEnds(wanted=lacking)
        return differences(self.copy, truth, media=media, open_ends=ends, own=own)

    @property
    def listed(self) -> list[str]:
        """The resources that are synced by their own lists."""
        return self.settings.get("MLSYNC_FEEDS__DDF__RESOURCES", "property").split(",")


def bare_env() -> dict[str, str]:
    """The caller's environment without settings of mlsync or proxies."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("MLSYNC_") and not name.lower().endswith("_proxy")
    }


def command(
    *arguments: str, env: Mapping[str, str] | None = None, cwd: Path | None = None, seconds: float = SECONDS
) -> Finished:
    """Run ``mlsync`` to its end, wherever."""
    with process([str(MLSYNC), *arguments], bare_env() if env is None else env, cwd) as running:
        out, err = running.communicate(timeout=seconds)
        return Finished(running.returncode, out, err)


def until(happened: Callable[[], bool], seconds: float = 60.0) -> None:
    """Wait until something has happened; fail when it does not."""
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


@contextmanager
def synced(
    folder: Path, listings: int = 40, photos: int = 2, *, seed: int = 1, faults: tuple[str, ...] = (), **settings: str
) -> Iterator[tuple[Mls, Installation]]:
    """A simulator and an installation that reads it; ``settings`` are of the feed. Nothing is synced yet."""
    with simulated(listings, photos, seed=seed, faults=faults) as mls:
        feed = {f"MLSYNC_FEEDS__DDF__{name.upper()}": value for name, value in settings.items()}
        yield mls, Installation(folder, mls.login_url, feed)
