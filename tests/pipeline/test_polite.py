"""An MLS that must not be asked too much: budgets, pauses and hours, between real processes and over real HTTP."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from services.app import App
from services.outcome import FeedReport
from services.sync import sync
from shared.settings import load
from tests.pipeline.simulated import MLSYNC, Installation, process, synced, until


def hours(begin: timedelta, end: timedelta) -> str:
    """Hours of the day around now."""
    now = datetime.now(UTC)
    return f"{now + begin:%H:%M}-{now + end:%H:%M}"


def sync_in_process(here: Installation, monkeypatch: pytest.MonkeyPatch, ahead: float) -> FeedReport:
    """A fresh process's sync, on a clock that is so many seconds ahead."""
    with monkeypatch.context() as patch:
        for name, value in here.env.items():
            patch.setenv(name, value)
        patch.chdir(here.folder)
        app = App(load(), clock=lambda: time.time() + ahead)
        with app.running():
            (report,) = sync(app, ["ddf"], wait=1.0)
        return report


def test_no_second_sees_more_requests_than_the_setting(tmp_path: Path) -> None:
    with synced(
        tmp_path, 200, 1, requests_per_second="20", sessions="4", page_size="5", media="none"
    ) as (mls, here):  # fmt: skip
        began = time.monotonic()
        assert here.sync()["inserted"] == 200
        assert here.differences(mls, media="none") == []
        stats = mls.stats()
        assert sum(stats["requests"].values()) > 45
        assert time.monotonic() - began > 2
        assert stats["requests_per_second_max"] <= 20


def test_an_hours_budget_is_spent_over_hours_and_processes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with synced(tmp_path, 40, 1, requests_per_hour="14", page_size="2", media="none") as (mls, here):
        report = here.sync("--wait", "2", code=3)
        assert 0 < report["fetched"] < 40
        assert here.count("ledger", "attempts > 0") == 0  # having no leave to ask is no attempt
        assert "the budget of requests_per_hour is used up; next request at " in report["remaining"][-1]
        assert sum(mls.stats()["requests"].values()) <= 14 + 1  # logging out is never refused

        asked = mls.stats()["requests"]
        again = here.sync("--wait", "2", code=3)
        assert (again["inventory"], len(again["remaining"])) == (0, 2)
        assert mls.stats()["requests"] == asked
        assert here.rows("SELECT outcome FROM run ORDER BY started_at") == [("unfinished",), ("paused",)]

        status = here.status()
        assert status["budget"] == {"requests_per_hour": {"limit": 14, "used": sum(asked.values())}}
        assert status["paused_because"] == "the budget of requests_per_hour is used up"
        assert here.run("status").out.splitlines()[-2:] == [
            f"ddf: {sum(asked.values())} of requests_per_hour 14 used",
            f"ddf: the budget of requests_per_hour is used up; next request at {status['paused_until']}",
        ]
        check = here.run("check")
        assert check.code == 1
        assert "feed ddf: the budget of requests_per_hour is used up; next request at " in check.out
        assert mls.stats()["requests"] == asked

        for hour in range(1, 4):
            before = sum(mls.stats()["requests"].values())
            done = sync_in_process(here, monkeypatch, ahead=3_700.0 * hour)
            assert sum(mls.stats()["requests"].values()) - before <= 14 + 1
            if done.in_step:
                break
        assert done.in_step
        assert here.differences(mls, media="none") == []


def test_in_quiet_hours_nothing_is_asked(tmp_path: Path) -> None:
    with synced(tmp_path, 5, 1, quiet_hours=hours(timedelta(hours=-1), timedelta(hours=1))) as (mls, here):
        report = here.sync("--wait", "0", code=3)
        assert report["remaining"][0].startswith("quiet hours (")
        assert mls.stats()["requests"] == {}


@pytest.mark.parametrize(
    ("fault", "media", "page_size"), [("throttle-429=7", "bytes", "5"), ("throttle-20210=5", "none", "10")]
)
def test_a_throttling_mls_is_left_alone_as_long_as_it_says_and_all_ends_in_step(
    tmp_path: Path, fault: str, media: str, page_size: str
) -> None:
    with synced(tmp_path, 40, 1, faults=(fault,), media=media, page_size=page_size) as (mls, here):
        report = here.sync()
        assert (report["inserted"], report["quarantined"], report["unavailable"]) == (40, 0, 0)
        assert report["photos"]["failed"] == 0
        mls.fault(fault.partition("=")[0], "off")
        assert here.differences(mls, media="none" if media == "none" else "stored") == []
        assert mls.stats()["too_early"] == {}


def test_photo_hosts_that_throttle_fail_no_photo(tmp_path: Path) -> None:
    with synced(tmp_path, 40, 2, faults=("throttle-429=25",)) as (mls, here):
        report = here.sync()
        assert (report["unavailable"], report["photos"]["failed"]) == (0, 0)
        assert here.count("media", "attempts > 0") == 0
        mls.fault("throttle-429", "off")
        assert here.differences(mls) == []


def log_of(here: Installation, stop: Callable[[str], bool]) -> list[dict[str, object]]:
    """What ``mlsync run`` logged until ``stop`` of it was true and it was told to; it must end well."""
    with (
        (here.folder / "log").open("w+") as log,
        process([str(MLSYNC), "run"], here.env, here.folder, log.fileno()) as running,
    ):
        until(lambda: stop((here.folder / "log").read_text()))
        running.send_signal(signal.SIGTERM)
        assert running.wait(timeout=30) == 0
        log.seek(0)
        return [json.loads(line) for line in log]


def test_run_keeps_its_beat_also_over_a_restart(tmp_path: Path) -> None:
    with synced(tmp_path, 10, 1, every="2s") as (mls, here):
        log_of(here, lambda _: here.count("run", "kind = 'sync' AND finished_at IS NOT NULL") >= 4)
        began = [row[0] for row in here.rows("SELECT started_at FROM run WHERE kind = 'sync' ORDER BY 1")]
        assert min(late - early for early, late in pairwise(began)) >= 1_800_000
        searches = 1 + len(began)  # one page, and an inventory each
        assert mls.stats()["requests"]["Search"] == searches
        assert mls.stats()["sessions_open"] == 0
        assert here.differences(mls) == []

        here.settings["MLSYNC_FEEDS__DDF__EVERY"] = "1h"
        log = log_of(here, lambda log: "next sync" in log)
        (planned,) = [line for line in log if line["event"] == "next sync"]
        at = datetime.fromisoformat(str(planned["at"])).timestamp()
        assert 0.89 * 3600 < at - began[-1] / 1e6 < 1.11 * 3600
        assert mls.stats()["requests"]["Search"] == searches


def test_run_begins_no_sync_outside_its_hours(tmp_path: Path) -> None:
    window = hours(timedelta(hours=2), timedelta(hours=3))
    with synced(tmp_path, 5, 1, every="1s", hours=window) as (mls, here):
        log = log_of(here, lambda log: "next sync" in log)
        (planned,) = [line for line in log if line["event"] == "next sync"]
        assert str(planned["at"])[11:16] == window[:5]
        assert mls.stats()["requests"] == {}
