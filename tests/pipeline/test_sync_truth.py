"""After a sync, database and photo folder are exactly what the MLS has."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path

import pytest

from services.sync import sync
from tests.conftest import SCALE
from tests.pipeline.inside import Inside
from tests.pipeline.simulated import Installation, Mls, synced
from tests.pipeline.truth import Json, differences

LISTINGS, PHOTOS = (100, 3) if SCALE == 1 else (500, 5)
DAYS = 30 if SCALE > 1 else 12
EVERY = 6
"""How many days' syncs to one that is a process of its own; most of such a one is its start."""


@pytest.mark.usefixtures("each_form")
def test_many_days_synced_daily_equal_the_truth_every_day(tmp_path: Path) -> None:
    with synced(tmp_path, LISTINGS, PHOTOS) as (mls, here):
        first = here.sync()
        assert first["inserted"] == LISTINGS
        assert here.differences(mls) == []
        inside = Inside(here.folder, here.login_url)
        for day in range(1, DAYS + 1):
            happened = mls.advance()
            report = here.sync() if day % EVERY == 0 else inside.in_step().as_json()
            assert here.differences(mls) == [], f"after day {day}: {happened}, {report}"
            assert report["inserted"] == happened["new"]
            assert report["removed"] == happened["removed"]


@pytest.mark.usefixtures("each_form")
def test_a_sync_in_which_nothing_changed_costs_one_inventory_and_no_record_request(tmp_path: Path) -> None:
    with synced(tmp_path, LISTINGS, PHOTOS) as (mls, here):
        here.sync()
        before = mls.stats()["requests"]
        report = here.sync()
        after = mls.stats()["requests"]
        asked = {name: count - before.get(name, 0) for name, count in after.items() if count != before.get(name, 0)}
        assert report["fetched"] == report["updated"] == report["photos"]["stored"] == 0
        assert report["inventory"] == LISTINGS
        assert report["requests"] == 4  # the first login is challenged
        assert asked == {"Login": 2, "Search": 1, "Logout": 1}
        assert here.differences(mls) == []


@pytest.mark.usefixtures("each_form")
def test_a_sync_whose_inventory_nobody_compared_is_not_in_step(tmp_path: Path) -> None:
    with synced(tmp_path, 10, 0) as (mls, here):
        inside = Inside(here.folder, here.login_url)
        app = inside.app()
        with app.running(("fetcher",)):
            (report,) = sync(app, ["ddf"], within=0.5)
        assert not report.in_step
        assert "parts of the master list still to compare: 1" in report.remaining[0]
        assert here.rows("SELECT outcome FROM run") == [("unfinished",)]
        here.sync()
        assert here.differences(mls) == []


@pytest.mark.usefixtures("each_form")
@pytest.mark.parametrize("total", [0, 1, 99, 100, 101, 201])
def test_any_total_is_synced_whole(tmp_path: Path, total: int) -> None:
    with synced(tmp_path, total, 0) as (mls, here):
        report = here.sync()
        assert (report["inventory"], report["inserted"]) == (total, total)
        assert here.differences(mls) == []
        assert here.sync()["fetched"] == 0


@pytest.mark.usefixtures("each_form")
def test_both_cultures_are_synced_whole(tmp_path: Path) -> None:
    with synced(tmp_path, 30, 0, culture="fr-CA") as (mls, here):
        here.sync()
        truth = mls.truth(size="", culture="fr-CA")
        assert differences(here.copy, truth) == []
        assert {kind for (kind,) in here.rows("SELECT DISTINCT transaction_type FROM property")} & {"À vendre"}


@pytest.mark.usefixtures("each_form")
@pytest.mark.parametrize("size", ["Photo", "ThumbnailPhoto"])
def test_the_size_asked_for_is_the_size_stored(tmp_path: Path, size: str) -> None:
    with synced(tmp_path, 10, 2, photo_size=size) as (mls, here):
        here.sync()
        assert here.differences(mls, size=size) == []


def _photo(truth: list[Json]) -> Json:
    found: Json = next(photo for record in truth for photo in record["photos"])
    return found


def _spoil_file(mls: Mls, here: Installation, truth: list[Json]) -> None:
    next(path for path in here.media.rglob("*.jpg")).write_bytes(b"other bytes")


SPOILS: dict[str, Callable[[Mls, Installation, list[Json]], object]] = {
    "a value": lambda _mls, _here, truth: truth[0]["fields"].update(city="Elsewhere"),
    "a value that is not stored": lambda _mls, _here, truth: truth[0]["fields"].update(water_body_name="Example"),
    "a value that is not true": lambda _mls, _here, truth: truth[0]["fields"].pop("city"),
    "a timestamp": lambda _mls, _here, truth: truth[0].update(modified="2024-01-01T00:00:00Z"),
    "a listing": lambda _mls, _here, truth: truth.pop(),
    "a room": lambda _mls, _here, truth: next(item for item in truth if item["rooms"])["rooms"].pop(),
    "an agent": lambda _mls, _here, truth: next(item for item in truth if item["agents"])["agents"].pop(),
    "a photo": lambda _mls, _here, truth: next(item for item in truth if item["photos"])["photos"].pop(),
    "a photo's bytes": lambda _mls, _here, truth: _photo(truth).update(sha256="0" * 64),
    "a file's bytes": _spoil_file,
    "a file more": lambda _mls, here, _truth: (here.media / "ddf" / "stranger.jpg").write_bytes(b""),
    "a file half written": lambda _mls, here, _truth: (here.media / "~staging" / "0123").write_bytes(b""),
    "a file less": lambda _mls, here, _truth: next(here.media.rglob("*.jpg")).unlink(),
}


def test_the_comparison_sees_any_single_difference(tmp_path: Path) -> None:
    with synced(tmp_path, 20, 2) as (mls, here):
        here.sync()
        kept = {path: path.read_bytes() for path in here.media.rglob("*") if path.is_file()}
        truth = mls.truth()
        for name, spoil in SPOILS.items():
            spoiled = copy.deepcopy(truth)
            spoil(mls, here, spoiled)
            assert differences(here.copy, spoiled) != [], name
            for path in set(here.media.rglob("*.jpg")) | set(here.media.glob("~staging/*")):
                path.unlink()
            for path, data in kept.items():
                path.write_bytes(data)
        assert differences(here.copy, truth) == []
