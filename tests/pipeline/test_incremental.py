"""The strategy *incremental* ends where *preferred* ends, whatever the paging does and whenever it is killed.

Most of it runs mlsync in this process, since a command spends more time starting than syncing; the kills are real.
"""

from __future__ import annotations

import io
import random
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from structlog.testing import capture_logs

from services.app import App
from services.outcome import FeedReport
from services.report import print_sync
from services.simulator.main import Options, Simulator
from services.sync import sync
from shared.settings import Settings
from tests.conftest import SCALE
from tests.pipeline.simulated import MLSYNC, PASSWORD, USERNAME, Installation, Mls, process, simulated, until

LISTINGS = 240
TABLES = ("property", "property_room", "property_agent", "property_parking", "property_utility", "open_house",
          "media_set")  # fmt: skip
KILLED, KILLS = (30, 3) if SCALE == 1 else (100, 30)


class Running:
    """An mlsync that keeps running, with a feed ``ddf``."""

    def __init__(self, app: App, here: Installation) -> None:
        self.app = app
        self.here = here

    def sync(self) -> FeedReport:
        """One sync, which must end in step."""
        (report,) = sync(self.app, ["ddf"])
        assert report.in_step, (report.as_json(), self.here.status()["problems"])
        return report

    def freshness(self) -> float:
        """What ``status`` shows as the age of what is stored."""
        found = self.app.store.feeds.status("ddf").freshness_seconds
        assert found is not None
        return found


@contextmanager
def running(folder: Path, mls: Mls, **feed: Any) -> Iterator[Running]:
    """``feed`` are settings of the feed."""
    folder.mkdir(exist_ok=True)
    here = Installation(folder, mls.login_url)
    settings = Settings(
        database_url=f"sqlite:///{here.database}",
        media_url=f"file:{here.media}",
        feeds={
            "ddf": {"protocol": "ddf", "login_url": mls.login_url, "username": USERNAME, "password": PASSWORD, **feed}
        },
    )
    with App(settings).running() as app:
        yield Running(app, here)


def everything(here: Installation) -> dict[str, list[tuple[Any, ...]]]:
    """All rows of what people read, but for the instants at which mlsync did something."""
    found = {}
    for table in TABLES:
        columns = [f'"{name}"' for _, name, *_ in here.rows(f"PRAGMA table_info({table})") if name != "complete_at"]
        found[table] = sorted(here.rows(f"SELECT {', '.join(columns)} FROM {table}"), key=repr)
    return found


def stamps(mls: Mls) -> dict[str, str]:
    """The timestamp of every living listing."""
    return {record["key"]: record["stamp"] for record in mls.truth(size="")}


def stored_stamps(here: Installation) -> dict[str, str]:
    """The timestamp of every listing stored."""
    return dict(here.rows("SELECT key, stamp FROM ledger WHERE resource = 'property' AND stored"))


def mark(here: Installation) -> int:
    """Up to where changes are known to be stored, by the MLS's clock; 0 before anything is."""
    if not here.count("mark", "settled_at IS NOT NULL"):
        return 0
    return int(here.rows("SELECT reached FROM mark WHERE settled_at IS NOT NULL ORDER BY begun DESC")[0][0])


def ahead(here: Installation, truth: Mapping[str, str]) -> list[str]:
    """Listings changed before the mark that are not stored as they are since."""
    reached, stored = mark(here), stored_stamps(here) if here.count("ledger") else {}
    return [
        key
        for key, stamp in truth.items()
        if parsedate_to_datetime(stamp).timestamp() * 1_000_000 < reached and stored.get(key) != stamp
    ]


def touched(listings: int, total: int) -> list[str]:
    """Listings to touch so that with those that change anyway ``total`` have a new timestamp after a day."""
    with Simulator(Options(listings=listings, photos=0)) as twin:
        before = {entry["key"]: entry["stamp"] for entry in twin.control.truth("property", "")}
        twin.control.advance()
        after = {entry["key"]: entry["stamp"] for entry in twin.control.truth("property", "")}
    same = [key for key, stamp in after.items() if before.get(key) == stamp]
    changed = len(after) - len(same)
    assert 0 < changed < total <= len(after)
    return same[: total - changed]


def a_day_with(mls: Mls, total: int) -> None:
    """Let a day pass after which so many living listings have a new timestamp."""
    mls.fault("mass-touch", f"ids:{','.join(touched(LISTINGS, total))}")
    mls.advance()


@pytest.mark.parametrize("total", [100, 101, 201])
def test_at_any_total_of_changes_it_ends_equal_to_the_truth_and_to_preferred(tmp_path: Path, total: int) -> None:
    with (
        simulated(LISTINGS, 0) as mls,
        running(tmp_path / "i", mls, strategy="incremental") as incremental,
        running(tmp_path / "p", mls) as preferred,
    ):
        assert incremental.sync().changes is None
        preferred.sync()
        a_day_with(mls, total)
        before = mls.stats()["requests"]["Search"]
        report = incremental.sync()
        assert report.changes == total
        assert report.as_json()["fetched"] == total  # the inventory found nothing left to ask for by key
        assert mls.stats()["requests"]["Search"] - before == 1 + -(-total // 100)
        preferred.sync()
        assert incremental.here.differences(mls) == []
        assert everything(incremental.here) == everything(preferred.here)


def test_a_server_that_ignores_offsets_is_healed_by_the_inventory_and_told_of_once(tmp_path: Path) -> None:
    with (
        simulated(LISTINGS, 0) as mls,
        running(tmp_path, mls, strategy="incremental", inventory_every="1d") as incremental,
    ):
        incremental.sync()
        old = mark(incremental.here)
        a_day_with(mls, 201)
        mls.fault("offset-ignored")
        with capture_logs() as logs:
            report = incremental.sync()
        assert sum("offsets are not honoured" in str(line.get("doubt")) for line in logs) == 1
        assert (report.changes, report.inventoried) == (100, True)
        assert incremental.here.differences(mls) == []
        assert mark(incremental.here) > old
        assert incremental.sync().inventoried is False  # what was healed is settled


FAULTS = ("session-lost=3", "cut=first:2", "duplicate-records=0.3", "missing-key=0.1", "deep-nesting=ids:{newest}")


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_in_what_changed_stops_nothing_else(tmp_path: Path, fault: str) -> None:
    with simulated(60, 0) as mls, running(tmp_path, mls, strategy="incremental", page_size=4) as incremental:
        incremental.sync()
        mls.advance(4)
        newest = max(mls.truth(size=""), key=lambda record: str(record["modified"]))["key"]
        name, _, value = fault.partition("=")
        mls.fault(name, value.format(newest=newest))
        (report,) = sync(incremental.app, ["ddf"])
        truth = {record["key"]: record for record in mls.truth(size="")}
        stored = stored_stamps(incremental.here)
        late = {key for key, record in truth.items() if stored.get(key) != record["stamp"]}
        assert late == {key for key in late if truth[key].get("withheld")}
        assert report.in_step == (not late), report.as_json()
        assert ahead(incremental.here, {key: truth[key]["stamp"] for key in truth if key not in late}) == []
        mls.fault(name, "off")
        incremental.sync()
        assert incremental.here.differences(mls) == []


def test_ten_days_with_an_inventory_a_day_bring_each_change_at_once_and_removals_with_the_inventory(
    tmp_path: Path,
) -> None:
    with simulated(60, 1) as mls:
        with running(tmp_path, mls, strategy="incremental", inventory_every="1d") as often:
            often.sync()
            fresh, removed = often.freshness(), 0
            for _ in range(10):
                happened = mls.advance()
                removed += happened["removed"]
                report = often.sync()
                assert (report.inventoried, report.as_json()["inserted"]) == (False, happened["new"])
                truth, stored = stamps(mls), stored_stamps(often.here)
                assert {key: stored.get(key) for key in truth} == truth
                assert len(stored) == len(truth) + removed
            assert often.freshness() > fresh
        assert removed > 5  # at once they would be held: each day's inventory is a day's removals
        with running(tmp_path, mls, strategy="incremental", remove_at_least=100) as daily:
            report = daily.sync()
            assert (report.inventoried, report.as_json()["removed"]) == (True, removed)
            assert daily.here.differences(mls) == []


def test_photos_that_are_left_over_are_fetched_by_a_sync_without_an_inventory(tmp_path: Path) -> None:
    """A queue in memory dies with its process; nobody would say again that these are pending."""
    with (
        simulated(30, 2) as mls,
        running(tmp_path, mls, strategy="incremental", inventory_every="1d") as incremental,
    ):
        incremental.sync()
        names = [name for (name,) in incremental.here.rows("SELECT name FROM media_object LIMIT 3")]
        assert incremental.app.store.objects.lost(names) == 3
        report = incremental.sync()
        assert (report.inventoried, report.changes, report.as_json()["photos"]["stored"]) == (False, 0, 3)


def test_a_process_told_to_stop_asks_for_no_further_page_and_leaves_the_mark(tmp_path: Path) -> None:
    with simulated(60, 0) as mls, running(tmp_path, mls, strategy="incremental", page_size=1) as incremental:
        incremental.sync()
        old, before = mark(incremental.here), mls.stats()["requests"]["Search"]
        mls.fault("mass-touch")
        mls.advance()
        mls.fault("slow", "100")

        def stop() -> None:
            until(lambda: mls.stats()["requests"]["Search"] >= before + 3)
            incremental.app.stopping.set()

        hand = threading.Thread(target=stop)
        hand.start()
        (report,) = sync(incremental.app, ["ddf"])
        hand.join()
        assert report.error == "the process is stopping"
        assert mls.stats()["requests"]["Search"] - before < 40
        assert mark(incremental.here) == old


def test_a_sync_without_an_inventory_says_so(tmp_path: Path) -> None:
    with simulated(5, 0) as mls, running(tmp_path, mls, strategy="incremental", inventory_every="1d") as incremental:
        reports = [incremental.sync(), incremental.sync()]
        shown = [io.StringIO(), io.StringIO()]
        for report, out in zip(reports, shown, strict=True):
            print_sync(Console(file=out, width=120), [report])
        assert "not asked" not in shown[0].getvalue()
        assert "not asked" in shown[1].getvalue()
        assert "removals show with the next master list" in shown[1].getvalue()
        assert "changes" not in reports[0].as_json()
        assert (reports[1].as_json()["changes"], reports[1].as_json()["listed"]) == (0, False)


def test_killed_at_any_instant_it_ends_equal_and_its_mark_is_never_ahead(tmp_path: Path) -> None:
    """Every other time changes alone would do; after a kill the next sync takes an inventory unless the mark moved."""
    rng = random.Random(20_240_305)
    interrupted = 0
    with simulated(KILLED, 2) as mls:
        here = Installation(tmp_path, mls.login_url, {"MLSYNC_FEEDS__DDF__STRATEGY": "incremental",
                                                      "MLSYNC_FEEDS__DDF__PAGE_SIZE": "1",
                                                      "MLSYNC_FEEDS__DDF__REMOVE_AT_LEAST": "1000"})  # fmt: skip
        here.sync()
        mls.fault("slow", "20")
        mls.fault("mass-touch", "0.8")  # a page for each listing: time to die in
        for number in range(KILLS):
            here.settings["MLSYNC_FEEDS__DDF__INVENTORY_EVERY"] = "1d" if number % 2 else "0"
            mls.advance(3)
            old, truth, runs = mark(here), stamps(mls), here.count("run")
            with process([str(MLSYNC), "sync"], here.env, here.folder, subprocess.DEVNULL) as doomed:
                until(lambda runs=runs: here.count("run") > runs)  # type: ignore[misc]
                time.sleep(rng.uniform(0.05, 0.8))
                doomed.kill()
            assert ahead(here, truth) == []
            if not truth.items() <= stored_stamps(here).items():
                interrupted += 1
                assert mark(here) == old
            report = here.sync()
            assert truth.items() <= stored_stamps(here).items()
            assert mark(here) > old
            assert not report["listed"] or here.differences(mls) == []
        here.settings["MLSYNC_FEEDS__DDF__INVENTORY_EVERY"] = "0"
        here.sync()
        assert here.differences(mls) == []
    assert interrupted
