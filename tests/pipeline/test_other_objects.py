"""Objects that are no photos: plats and recordings stored as they came, films kept as links."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from services.asking import sync_or_ask
from services.audit import audit
from services.outcome import FeedReport
from services.simulator.main import Simulator
from tests.pipeline.board import FEED, Board, board
from tests.pipeline.forms import distributed

ALL = {"property": {"objects": ["Plat", "Audio"], "object_links": ["Video"]}}
PLATS = {"property": {"objects": ["Plat"]}}


def asked(sim: Simulator) -> int:
    found: int = sim.control.stats()["requests"].get("GetObject", 0)
    return found


def synced(here: Board) -> FeedReport:
    """A sync that need not end in step."""
    with closing(here.here.app()) as app:
        (report,) = sync_or_ask(app, (FEED,), limit=None, wait=60.0, watch=lambda _run_id: None)
    return report


def problems(here: Board) -> list[tuple[Any, Any, Any]]:
    with closing(here.here.store()) as store:
        return [(item["kind"], item["key"], item["reason"]) for item in store.feeds.status(FEED).problems]


def objects(here: Board) -> dict[tuple[str, str, int], dict[str, Any]]:
    return here.rows("record_object", "resource_record_key", "object_type", "order")


def keys(here: Board) -> list[str]:
    return sorted({item.key for item in here.sim.control.others()})


@pytest.fixture(params=["embedded", "distributed"])
def form(request: pytest.FixtureRequest) -> Iterator[None]:
    """Both, at every size."""
    if request.param == "embedded":
        yield
        return
    with distributed(request.getfixturevalue("servers")):
        yield


@pytest.mark.usefixtures("form")
def test_they_equal_the_truth_and_follow_it_and_go_with_their_listings(tmp_path: Path) -> None:
    with board(tmp_path, listings=20, photos=1, overrides=ALL, remove_at_least=20) as here:
        report = here.sync()
        assert here.differences() == []
        assert report["objects"]["stored"] == 2 * 20
        before = objects(here)
        names = [row["object_key"] for row in before.values() if "object_key" in row]
        assert {name.rsplit("/", 1)[1][:4] for name in names} == {"plat", "audi"}
        assert {name.rsplit(".", 1)[1] for name in names} == {"pdf", "mp3"}
        count = asked(here.sim)
        here.sync()
        assert asked(here.sim) == count
        here.sim.control.advance(8)
        here.sync()
        assert here.differences() == []
        after = objects(here)
        assert {key for key, _, _ in before} - {key for key, _, _ in after}, "no listing has gone"
        assert [key for key in before.keys() & after.keys() if before[key] != after[key]], "no listing has changed"


@pytest.mark.parametrize(("way", "reason"), [("half", "truncated"), ("empty", "empty"), ("page", "text")])
def test_what_is_no_object_is_refused_named_and_asked_for_again(tmp_path: Path, way: str, reason: str) -> None:
    with board(tmp_path, listings=4, photos=0, overrides=PLATS) as here:
        chosen, *others = keys(here)
        here.sim.control.fault("odd-object", f"{way}:ids:{chosen}")
        report = synced(here)
        assert (report.left.photos_failed, report.in_step) == (1, False)
        assert {key for key, _, _ in objects(here)} == set(others)
        ((kind, key, said),) = problems(here)
        assert (kind, key) == ("object", f"{chosen}:Plat")
        assert said.startswith(f"{reason}: ")
        here.sim.control.fault("odd-object", "off")
        assert here.sync()["objects"]["stored"] == 1
        assert here.differences() == []
        assert problems(here) == []


def test_what_was_stored_stays_until_all_of_the_new_is_there(tmp_path: Path) -> None:
    with board(tmp_path, listings=6, photos=0, overrides=PLATS, remove_at_least=6) as here:
        here.sync()
        before = objects(here)
        here.sim.control.advance(20)
        here.sim.control.fault("odd-object", "page:1")
        report = synced(here)
        left = objects(here)
        assert report.left.photos_failed
        assert left
        assert all(before[key] == row for key, row in left.items() if key in before)
        here.sim.control.fault("odd-object", "off")
        here.sync()
        assert here.differences() == []


def test_a_text_that_is_an_address_is_a_link(tmp_path: Path) -> None:
    with board(tmp_path, "odd-object=address:1", listings=3, photos=0, overrides=PLATS) as here:
        here.sync()
        expected = {item.key: item.address for item in here.sim.control.others() if item.kind == "Plat"}
        assert {key: row["media_url"] for (key, _, _), row in objects(here).items()} == expected


def test_what_the_store_lost_is_found_and_fetched_again(tmp_path: Path) -> None:
    with board(tmp_path, listings=4, photos=1, overrides=PLATS) as here:
        here.sync()
        gone, damaged, *_ = sorted(here.here.media.rglob("plat-*.pdf"))
        gone.unlink()
        damaged.write_bytes(damaged.read_bytes()[:-10])
        with closing(here.here.app()) as app:
            app.open()
            assert audit(app.store, app.blobs, [FEED]).lost == 2
            assert app.store.feeds.outstanding(FEED).photos == 2
        assert here.sync()["objects"]["stored"] == 2
        assert here.differences() == []


def test_types_chosen_later_or_no_longer_need_no_record_read_again(tmp_path: Path) -> None:
    with board(tmp_path, listings=4, photos=0) as here:
        here.sync()
        here.feed["overrides"] = ALL
        assert here.sync()["fetched"] == 0
        assert here.differences() == []
        here.feed["overrides"] = {"property": {"object_links": ["Plat"]}}
        assert here.sync()["fetched"] == 0
        assert here.differences() == []
        assert not any("plat" in name for name in here.here.copy.photos.names())


def test_a_type_that_the_mls_lacks_is_an_error_that_names_the_setting(tmp_path: Path) -> None:
    wrong = {"property": {"objects": ["Floorplan"]}}
    with board(tmp_path, listings=3, photos=0, overrides=wrong) as here:
        error = synced(here).error or ""
        assert "overrides.property.objects: Property has no objects of type Floorplan" in error
        assert "Plat, Video, Audio" in error
