"""What cannot be believed or had is visible, is asked for with restraint, and comes right by itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.pipeline.simulated import Installation, Mls, simulated, synced
from tests.pipeline.truth import Json

pytestmark = pytest.mark.usefixtures("each_form")

LISTINGS = 40
HOUR = 3_600_000_000


def searches(mls: Mls) -> int:
    """Inventories and requests for records so far."""
    return int(mls.stats()["requests"].get("Search", 0))


def photos_asked(mls: Mls) -> int:
    """Photos asked for so far, by their URLs."""
    return int(mls.stats()["requests"].get("Photo", 0))


def problems(here: Installation, kind: str) -> list[Json]:
    """What ``mlsync status`` says is not in step."""
    return [item for item in here.status()["problems"] if item["kind"] == kind]


@pytest.mark.parametrize("code", ["0", "20201"])
def test_an_empty_inventory_removes_nothing_and_is_held(tmp_path: Path, code: str) -> None:
    with synced(tmp_path, LISTINGS, 1) as (mls, here):
        here.sync()
        mls.fault("empty-inventory", code)
        for _ in range(2):
            report = here.sync(code=3)
            assert (report["inventory"], report["removed"], report["held"]) == (0, 0, LISTINGS)
            assert here.status()["held"] == LISTINGS
            assert here.count("property") == LISTINGS
        mls.fault("empty-inventory", "off")
        mls.advance()
        report = here.sync()
        assert report["held"] == 0
        assert here.differences(mls) == []


def test_a_halved_inventory_removes_nothing_and_is_held(tmp_path: Path) -> None:
    with synced(tmp_path, LISTINGS, 1) as (mls, here), simulated(LISTINGS // 2, 1) as half:
        here.sync()
        whole, here.login_url = here.login_url, half.login_url
        report = here.sync(code=3)
        assert (report["removed"], report["held"]) == (0, LISTINGS // 2)
        assert here.count("property") == LISTINGS
        assert any("held" in line for line in report["remaining"])
        here.login_url = whole
        mls.advance()
        report = here.sync()
        assert report["held"] == 0
        assert here.differences(mls) == []


def test_an_inventory_that_announces_more_than_it_lists_removes_nothing(tmp_path: Path) -> None:
    with synced(tmp_path, LISTINGS, 1) as (mls, here):
        here.sync()
        while mls.advance()["removed"] == 0:
            pass
        mls.fault("count-mismatch", "2")
        report = here.sync(code=3)
        assert report["doubt"]
        assert report["removed"] == report["held"] == 0
        mls.fault("count-mismatch", "off")
        assert here.sync()["removed"] > 0
        assert here.differences(mls) == []


def test_a_listed_record_that_is_never_delivered_is_shown_and_asked_for_once_a_sync(tmp_path: Path) -> None:
    with synced(tmp_path, LISTINGS, 1) as (mls, here):
        missing = mls.keys()[3:5]
        mls.fault("missing-record", f"ids:{','.join(missing)}")
        for attempt in (1, 2, 3):
            before = searches(mls)
            report = here.sync(code=3)
            assert searches(mls) - before == 2  # the inventory, and one request for all
            assert report["unavailable"] == 2
            assert report["remaining"]
            assert here.rows("SELECT DISTINCT attempts FROM ledger WHERE wanted_by IS NOT NULL") == [(attempt,)]
        before = searches(mls)
        assert here.sync(code=3)["unavailable"] == 2
        assert searches(mls) - before == 1  # in back-off: not asked for
        assert here.differences(mls, withheld=True) == []
        shown = problems(here, "unavailable")
        assert {item["key"] for item in shown} == set(missing)
        assert all(item["reason"] and item["next_attempt_at"] for item in shown)


def test_a_missing_record_that_appears_is_stored_by_the_next_sync(tmp_path: Path) -> None:
    with synced(tmp_path, LISTINGS, 1, faults=("missing-record=3",)) as (mls, here):
        assert here.sync(code=3)["unavailable"] > 0
        mls.fault("missing-record", "off")
        assert here.sync()["unavailable"] == 0
        assert here.differences(mls) == []


@pytest.mark.parametrize(
    ("fault", "media"), [("ghost-photo", "url"), ("not-an-image", "url"), ("ghost-photo", "bytes")]
)
def test_a_photo_that_cannot_be_had_is_tried_by_the_next_three_syncs_then_rests(
    tmp_path: Path, fault: str, media: str
) -> None:
    with synced(tmp_path, LISTINGS, 2, media=media) as (mls, here):
        victim = next(record for record in mls.truth(size="") if len(record["photos"]) >= 2)
        count = len(victim["photos"])
        mls.fault(fault, f"ids:{victim['key']}")
        for attempt in (1, 2, 3, 4):
            report = here.sync(code=3)
            assert report["photos"]["failed"] == count
            assert here.rows("SELECT DISTINCT attempts FROM media WHERE failed_reason IS NOT NULL") == [(attempt,)]
        requests = mls.stats()["requests"]
        assert here.sync(code=3)["photos"]["failed"] == count
        after = mls.stats()["requests"]
        for kind in ("Photo", "GetObject"):
            assert after.get(kind, 0) == requests.get(kind, 0)  # in back-off: not asked for
        assert here.differences(mls, withheld=True) == []
        shown = problems(here, "photo")
        assert {item["key"].partition(":")[0] for item in shown} == {victim["key"]}
        assert len(shown) == count
        assert all(item["reason"] and item["next_attempt_at"] for item in shown)


@pytest.mark.parametrize("fault", ["ghost-photo=3", "not-an-image=3"])
def test_a_failed_photo_that_appears_is_stored_by_the_next_sync(tmp_path: Path, fault: str) -> None:
    with synced(tmp_path, LISTINGS, 2, faults=(fault,)) as (mls, here):
        failed = here.sync(code=3)["photos"]["failed"]
        assert failed > 0
        mls.fault(fault.partition("=")[0], "off")
        report = here.sync()
        assert report["photos"] == {"stored": failed, "deleted": 0, "failed": 0}
        assert here.differences(mls) == []


def test_a_new_picture_of_a_failed_photo_starts_afresh(tmp_path: Path) -> None:
    with synced(tmp_path, LISTINGS, 2, faults=("ghost-photo=1",)) as (mls, here):
        for _ in range(5):
            here.sync(code=3)
        mls.fault("ghost-photo", "off")
        here.sync(code=3)
        assert here.count("media", "stored_version IS NOT NULL") == 0  # all rest
        changed = {record["key"]: record for record in mls.truth(size="")}
        while mls.advance()["rephotographed"] == 0:
            pass
        here.sync(code=3)
        fresh = {
            (record["key"], photo["order"])
            for record in mls.truth(size="")
            for photo in record["photos"]
            if photo not in changed.get(record["key"], {"photos": []})["photos"]
        }
        stored = here.rows('SELECT listing_key, "order" FROM media WHERE stored_version IS NOT NULL')
        assert fresh
        assert set(stored) == fresh


def test_a_photo_whose_address_expired_is_had_by_reading_its_record_again(tmp_path: Path) -> None:
    with synced(tmp_path, 10, 2) as (mls, here):
        mls.fault("expired-photo-url", "1")
        assert here.sync(code=3)["photos"]["failed"] > 0
        again = here.sync()
        assert again["fetched"] > 0
        assert again["photos"]["stored"] > 0
        assert here.differences(mls) == []
