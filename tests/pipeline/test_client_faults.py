"""What a server does wrong in its answers, one thing at a time: what can be had is stored, the rest is named."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from services.app import App
from services.ingest import run_ingest
from services.operator import parked_json, replay
from services.outcome import FeedReport
from services.report import statuses
from services.simulator.main import Options, Simulator
from services.sync import sync
from shared.settings import FeedSettings, Settings
from shared.store.base import FeedStatus
from tests.pipeline.copies import in_files
from tests.pipeline.truth import OpenEnds, differences
from tests.unit.rets_server import Asked, Say, ScriptedServer
from tests.unit.test_ddf_source import ONE, TWO, listed

LISTINGS, PHOTOS = 20, 2
SIZE = "ThumbnailPhoto"


class Here:
    """An mlsync in this process; each sync opens it anew, as a command does."""

    def __init__(self, folder: Path, login_url: str, **feed: Any) -> None:
        self.folder = folder
        self._feed = {"protocol": "ddf", "login_url": login_url, "username": "demo", "password": "demo"} | feed
        self._feed.setdefault("photo_size", SIZE)

    def set(self, **feed: Any) -> None:
        """Change settings of the feed."""
        self._feed |= feed

    @property
    def settings(self) -> Settings:
        return Settings(
            database_url=f"sqlite:///{self.folder}/mlsync.db",
            media_url=f"file:{self.folder}/media",
            feeds={"ddf": FeedSettings(**self._feed)},
        )

    def sync(self) -> FeedReport:
        app = App(self.settings)
        with app.running():
            (report,) = sync(app, ["ddf"])
        return report

    def status(self) -> FeedStatus:
        return statuses(self.settings)["ddf"]

    def reasons(self, kind: str) -> dict[str, str]:
        """Why what is not in step is not, by key."""
        return {str(item["key"]): str(item["reason"]) for item in self.status().problems if item["kind"] == kind}

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(f"file:{self.folder}/mlsync.db?mode=ro", uri=True)) as connection:
            return connection.execute(sql).fetchall()


class World:
    """A simulator and an mlsync that reads it."""

    def __init__(self, simulator: Simulator, here: Here) -> None:
        self.control = simulator.control
        self.here = here

    def searches(self) -> int:
        """Inventories and requests for records so far."""
        return int(self.control.stats()["requests"].get("Search", 0))

    def differences(self, *, withheld: bool = False) -> list[str]:
        truth = list(self.control.truth(size=SIZE))
        lacking = frozenset(record["key"] for record in truth if withheld and record.get("withheld"))
        truth = [record for record in truth if record["key"] not in lacking]
        copy = in_files(self.here.folder / "mlsync.db", self.here.folder / "media")
        return differences(copy, truth, open_ends=OpenEnds(wanted=lacking))


@contextmanager
def world(folder: Path, *faults: str, **feed: Any) -> Iterator[World]:
    with Simulator(Options(listings=LISTINGS, photos=PHOTOS, seed=1, faults=list(faults))) as simulator:
        yield World(simulator, Here(folder, simulator.login_url, **feed))


@pytest.mark.parametrize(
    "fault",
    ["double-escaping=0.5", "terminal-escapes", "late-status=20201:first:1", "broken-gzip=corrupt", "needs-accept"],
)
def test_a_sync_ends_in_step_in_spite_of(tmp_path: Path, fault: str) -> None:
    with world(tmp_path, fault) as it:
        assert it.here.sync().in_step
        assert it.differences() == []


def test_quirk_18_text_escaped_twice_follows_the_setting_without_being_fetched_again(tmp_path: Path) -> None:
    with world(tmp_path, "double-escaping") as it:
        it.here.set(unescape="never")
        it.here.sync()
        escaped = "SELECT count(*) FROM property WHERE analytics_view LIKE '&lt;![CDATA[%'"
        assert it.here.rows(escaped) == [(LISTINGS,)]
        before = it.searches()
        it.here.set(unescape="auto")
        it.here.sync()
        assert it.searches() == before + 1
        assert it.differences() == []


def test_placeholders_are_named_by_status_and_once_listed_never_stored(tmp_path: Path) -> None:
    with world(tmp_path, "placeholder-photo=1") as it:
        photos = sum(len(record["photos"]) for record in it.control.truth())
        assert it.here.sync().in_step
        (repeated,) = it.here.status().repeated
        assert repeated.listings > 10
        it.here.set(placeholders=[repeated.sha256.upper()])
        report = it.here.sync()
        assert not report.in_step
        assert report.left.photos_failed == photos
        assert set(it.here.reasons("photo").values()) == {"placeholder"}
        assert it.differences(withheld=True) == []  # no file is left either
        it.control.fault("placeholder-photo", "off")
        assert it.here.sync().in_step
        assert it.differences() == []


@pytest.mark.parametrize("fault", ["single-part=image", "multipart-defects=missing-ids"])
def test_photos_given_one_at_a_time_are_all_had(tmp_path: Path, fault: str) -> None:
    with world(tmp_path, fault, media="bytes") as it:
        assert it.here.sync().in_step
        assert it.differences() == []
        asked = it.control.stats()["requests"]["GetObject"]
        photos = sum(len(record["photos"]) for record in it.control.truth())
        assert asked <= photos + LISTINGS


def test_photos_refused_altogether_are_asked_for_once_a_sync_and_the_reason_is_told(tmp_path: Path) -> None:
    with world(tmp_path, "no-object=20402", media="bytes") as it:
        for _ in range(2):
            before = it.control.stats()["requests"].get("GetObject", 0)
            it.here.sync()
            listings = {key.partition(":")[0] for key in it.here.reasons("photo")}
            assert it.control.stats()["requests"]["GetObject"] - before == len(listings) > 2
        assert set(it.here.reasons("photo").values()) == {"object_error: 20402 unknown identifier: No Object Found"}


def test_an_older_copy_than_listed_is_shown_and_asked_for_until_it_is_new(tmp_path: Path) -> None:
    with world(tmp_path) as it:
        it.here.sync()
        while not it.control.advance()["changed"]:
            it.here.sync()
        it.control.fault("stale-copy", "1")
        stale = [record["key"] for record in it.control.truth() if "sent" in record]
        assert stale
        for attempt in (1, 2):
            before = it.searches()
            assert not it.here.sync().in_step
            assert it.searches() == before + 2
            assert it.here.rows("SELECT DISTINCT attempts FROM ledger WHERE wanted_by IS NOT NULL") == [(attempt,)]
            reasons = it.here.reasons("unavailable")
            assert all("an older copy than it lists" in reasons[key] for key in stale)
        it.control.fault("stale-copy", "off")
        assert it.here.sync().in_step
        assert it.differences() == []


def test_a_record_no_parser_reads_is_set_aside_alone_and_asked_for_with_restraint(tmp_path: Path) -> None:
    with world(tmp_path) as it:
        key = list(it.control.truth())[4]["key"]
        it.control.fault("deep-nesting", f"ids:{key}")
        for searches in (2, 2, 2, 1):  # the fourth time it is in back-off
            before = it.searches()
            report = it.here.sync()
            assert it.searches() == before + searches
            assert (report.left.unavailable, report.left.quarantined) == (1, 1)
        assert [line for line in it.differences(withheld=True) if not line.startswith("quarantine")] == []
        assert "nests elements deeper than" in it.here.reasons("quarantined")[key]
        assert "nests elements deeper than" in it.here.reasons("unavailable")[key]
        app = App(it.here.settings)
        (parked,) = app.store.quarantine.list()
        app.close()
        assert f'<PropertyDetails ID="{key}"' in parked_json(parked)["body"]
        assert replay(it.here.settings, [parked.id]) == (1, 1)


def test_a_record_set_aside_as_xml_is_stored_when_a_replay_can_read_it(tmp_path: Path) -> None:
    with world(tmp_path) as it:
        it.here.sync()
        app = App(it.here.settings)
        later = app.store.feeds.observe("ddf")
        xml = (
            b'<PropertyDetails ID="7" LastUpdated="Tue, 05 Mar 2024 14:00:00 GMT"><Price>5.00</Price></PropertyDetails>'
        )
        app.store.quarantine.put("ddf", "property", "7", "xml", "for the test", xml, later)
        (parked,) = app.store.quarantine.list()
        app.close()
        assert replay(it.here.settings, [parked.id]) == (1, 0)
        assert it.here.rows("SELECT list_price FROM property WHERE listing_key = '7'") == [(5,)]


def test_a_saved_answer_with_a_broken_record_gives_the_others(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "saved.xml"
    record = '<PropertyDetails ID="{}" LastUpdated="Tue, 05 Mar 2024 14:00:00 GMT">{}</PropertyDetails>'
    file.write_text(listed(record.format(1, "<Price>5.00</Price>") + record.format(2, "<Price></Prize>"), count="2"))
    here = Here(tmp_path, "http://127.0.0.1:1/login")
    for dry_run in (True, False):
        assert run_ingest(here.settings, "ddf", [file], dry_run=dry_run, as_json=True, console=Console()) == 3
    assert here.rows("SELECT listing_key FROM property") == [("1",)]
    assert "broken XML" in here.reasons("quarantined")["2"]
    assert "broken XML" in capsys.readouterr().out


def test_a_ghost_photo_has_its_record_read_again_three_times_a_version(tmp_path: Path) -> None:
    with world(tmp_path, "ghost-photo=1") as it:
        searches = []
        for _ in range(6):
            before = it.searches()
            it.here.sync()
            searches.append(it.searches() - before)
        assert searches == [2, 2, 2, 2, 1, 1]
        assert set(it.here.reasons("photo").values()) == {"http_404"}


def test_a_maintenance_page_in_place_of_records_stops_the_sync_and_counts_against_no_record(tmp_path: Path) -> None:
    page = Say("<html><title>Scheduled maintenance</title></html>", content_type="text/html")
    searches: list[str] = []

    def answer(asked: Asked) -> Say | None:
        if asked.path != "/search":
            return None
        searches.append(asked.arguments["Query"])
        return Say(listed(ONE + TWO, count="2")) if searches[-1] == "(ID=*)" else page

    with ScriptedServer(answer) as server:
        here = Here(tmp_path, f"{server.base}/login", page_size=1)
        report = here.sync()
    assert searches == ["(ID=*)", "(ID=1)", "(ID=1)", "(ID=1)"]  # the second page is not even tried
    assert not report.in_step
    assert (report.left.wanted, report.left.unavailable) == (2, 0)
    assert "an HTML page: Scheduled maintenance" in report.remaining[0]
    assert "an HTML page: Scheduled maintenance" in str((here.status().last_run or {})["error"])
    assert here.rows("SELECT attempts, reason FROM ledger") == [(0, None), (0, None)]
