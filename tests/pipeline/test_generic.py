"""Any RETS server by settings alone: three classes of listings, agents, offices, open houses and photos."""

from __future__ import annotations

from pathlib import Path

import pytest

from services.simulator.main import Simulator
from tests.conftest import SCALE
from tests.pipeline.board import CLASSES, board

LISTINGS, CAP = (40, 9) if SCALE == 1 else (5_000, 500)
SERVERS = {
    "as it should be": (),
    "capped": (f"row-cap={CAP}",),
    "capped, offsets ignored": (f"row-cap={CAP}", "offset-ignored"),
    "capped, offsets refused": (f"row-cap={CAP}", "offset-refused"),
    "STANDARD-XML alone": ("one-format=STANDARD-XML",),
    "STANDARD-XML alone, capped": ("one-format=STANDARD-XML", "xml-shape=groups", f"row-cap={CAP}", "offset-ignored"),
}


def searches(sim: Simulator) -> int:
    found: int = sim.control.stats()["requests"]["Search"]
    return found


@pytest.mark.usefixtures("each_form")
@pytest.mark.parametrize("server", SERVERS)
def test_a_feed_by_settings_alone_equals_the_truth_and_follows_it(tmp_path: Path, server: str) -> None:
    with board(tmp_path, *SERVERS[server], listings=LISTINGS) as here:
        report = here.sync()
        assert report["inserted"] == LISTINGS
        assert here.differences() == []
        assert {row["#class"] for row in here.rows("property", "listing_key").values()} == set(CLASSES)
        assert here.rows("open_house", "open_house_key")
        assert {each.name for each in here.described("Property").classes} == set(CLASSES)
        photos = here.rows("media", "resource_name", "resource_record_key", "media_key")
        assert {resource for resource, _, _ in photos} == {"property", "member", "office"}
        before = searches(here.sim)
        assert here.sync()["fetched"] == 0
        if not SERVERS[server]:  # each class twice, and the others once
            assert searches(here.sim) == before + 2 * len(CLASSES) + 3
        here.sim.control.advance(2)
        assert here.sync()["updated"]
        assert here.differences() == []


@pytest.mark.parametrize("said", ["20208", "count"])
def test_quirk_35_what_disappears_is_removed_also_behind_a_cap_however_it_is_told(tmp_path: Path, said: str) -> None:
    with board(tmp_path, f"row-cap=9:{said}", "offset-ignored", photos=0) as here:
        here.sync()
        assert here.differences() == []
        here.sim.control.advance(12)
        here.feed["remove_at_least"] = len(here.rows("property", "listing_key"))
        assert here.sync()["removed"]
        assert here.differences() == []


@pytest.mark.usefixtures("each_form")
def test_the_views_of_its_classes_show_what_the_mls_has(tmp_path: Path) -> None:
    with board(tmp_path) as here:
        here.sync()
        assert list(here.viewed()) == []
        here.sim.control.advance(2)
        here.sync()
        assert list(here.viewed()) == []


def test_portraits_and_logos_come_change_and_go(tmp_path: Path) -> None:
    """Over so many days that each has happened."""
    seen: set[str] = set()
    with board(tmp_path, listings=200, photos=0, resources=["property", "member", "office"]) as here:
        before: dict[tuple[str, str, str], str] = {}
        for _ in range(6):
            here.sync()
            assert here.differences() == []
            now = dict(here.photos())
            for person in before.keys() | now.keys():
                old, new = before.get(person), now.get(person)
                if old != new:
                    seen.add("came" if old is None else "went" if new is None else "changed")
            before = now
            if seen == {"came", "changed", "went"}:
                return
            here.feed["remove_at_least"] = 200
            here.sim.control.advance(30)
    pytest.fail(f"only {seen}")


def test_a_feeds_own_mapping_file_is_applied_to_what_is_stored(tmp_path: Path) -> None:
    with board(tmp_path, media="none") as here:
        here.sync()
        before = here.rows("property", "listing_key")
        file = tmp_path / "board.yaml"
        file.write_text("property:\n  TransactionType: [city_region, text, What it is offered for]\n")
        here.feed["mapping_file"] = file
        assert here.sync()["fetched"] == 0
        after = here.rows("property", "listing_key")
        assert {key: row.get("city_region") for key, row in after.items()} == {
            key: row.get("transaction_type") for key, row in before.items()
        }


def test_changes_since_the_last_sync_are_enough(tmp_path: Path) -> None:
    with board(tmp_path, strategy="incremental", inventory_every="1d", media="location") as here:
        here.sync()
        assert here.differences() == []
        here.sim.control.advance(1)
        assert here.sync()["updated"]
        assert [line for line in here.differences() if not line.endswith("at the MLS it is None")] == []
        del here.feed["inventory_every"]  # only a master list tells of what is gone
        here.sync()
        assert here.differences() == []


@pytest.mark.usefixtures("each_form")
def test_metadata_kept_are_read_again_by_a_new_process_only_when_the_login_tells_of_others(tmp_path: Path) -> None:
    with board(tmp_path, listings=10, photos=0) as here:

        def read() -> int:
            before = here.sim.control.stats()["requests"].get("GetMetadata", 0)
            here.sync()
            found: int = here.sim.control.stats()["requests"]["GetMetadata"] - before
            return found

        assert read() > 0
        assert [read(), read()] == [0, 0]
        here.sim.control.publish()
        assert read() > 0
        assert read() == 0
        assert list(here.viewed()) == []
        assert here.differences() == []
