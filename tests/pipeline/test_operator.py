"""What an operator sees and decides: removals held, and things set aside."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest

from shared.messages import PhotosPending, SourceRecord
from tests.pipeline.simulated import Installation, simulated, synced

pytestmark = pytest.mark.usefixtures("each_form")

LISTINGS = 40
DAYS = 40
"""Enough that more listings go than is believed in one inventory."""


def test_approved_removals_go_with_the_next_inventory_and_weigh_on_no_later_one(tmp_path: Path) -> None:
    with synced(tmp_path, LISTINGS, 1) as (mls, here):
        here.sync()
        mls.advance(DAYS)
        held = here.sync(code=3)["held"]
        assert held > 5
        assert f"{held} of property are held" in here.run("removals", "list").out
        assert len(here.run("removals", "show", "ddf").out.splitlines()) == held
        assert here.run("removals", "approve", "ddf").code == 0
        assert here.status()["held"] == 0
        assert {item["state"] for item in json.loads(here.run("removals", "list", "--json").out)} == {"approved"}
        assert here.sync()["removed"] == held
        assert here.differences(mls) == []
        mls.advance()
        here.sync()
        assert here.differences(mls) == []


def test_only_the_keys_approved_go(tmp_path: Path) -> None:
    with synced(tmp_path, LISTINGS, 0) as (mls, here):
        here.sync()
        mls.advance(DAYS)
        held = here.sync(code=3)["held"]
        keys = [item["key"] for item in json.loads(here.run("removals", "list", "--json").out)]
        here.run("removals", "approve", "ddf", keys[0], keys[1])
        report = here.sync(code=3)
        assert (report["removed"], report["held"]) == (2, held - 2)


def test_a_discarded_removal_is_held_again_by_an_inventory_that_lacks_the_listing(tmp_path: Path) -> None:
    with synced(tmp_path, LISTINGS, 0) as (mls, here):
        here.sync()
        mls.advance(DAYS)
        held = here.sync(code=3)["held"]
        assert f"{held} discarded" in here.run("removals", "discard", "ddf").out
        assert here.status()["held"] == 0
        assert here.sync(code=3)["held"] == held


def test_what_inventories_lack_for_long_enough_goes_by_itself(tmp_path: Path) -> None:
    with synced(tmp_path, LISTINGS, 1) as (mls, here):
        here.settings["MLSYNC_FEEDS__DDF__CONFIRM_AFTER"] = "0s"
        here.sync()
        mls.advance(DAYS)
        assert here.sync()["held"] == 0
        assert here.differences(mls) == []


def test_an_empty_inventory_confirms_nothing(tmp_path: Path) -> None:
    with synced(tmp_path, LISTINGS, 0) as (mls, here):
        here.settings["MLSYNC_FEEDS__DDF__CONFIRM_AFTER"] = "0s"
        here.sync()
        mls.fault("empty-inventory")
        for _ in range(3):
            assert here.sync(code=3)["held"] == LISTINGS
        assert here.count("property") == LISTINGS


def parked(here: Installation) -> list[dict[str, str]]:
    found: list[dict[str, str]] = json.loads(here.run("quarantine", "list", "--json").out)
    return found


def test_a_message_set_aside_can_be_seen_and_replayed(tmp_path: Path) -> None:
    with synced(tmp_path, 5, 1) as (mls, here):
        here.sync()
        store = here.store()
        message = msgspec.msgpack.encode(PhotosPending(feed="ddf", resource="property", key=mls.keys()[0]))
        store.quarantine.put("ddf", "property", "photos.pending.v1 x", "message", "for the test", message, 1)
        store.close()
        (item,) = parked(here)
        assert here.status()["quarantined"] == 1
        assert mls.keys()[0] in here.run("quarantine", "show", item["id"]).out
        replayed = here.run("quarantine", "replay", item["id"])
        assert (replayed.code, replayed.out) == (0, "1 replayed, 0 still in quarantine\n")
        assert parked(here) == []


def test_a_record_that_still_cannot_be_mapped_stays_until_it_is_dropped(tmp_path: Path) -> None:
    with synced(tmp_path, 5, 0) as (_, here):
        here.sync()
        store = here.store()
        record = msgspec.msgpack.encode(SourceRecord("", "", {"Price": "1"}))
        store.quarantine.put("ddf", "property", "", "record", "no key", record, 1)
        store.close()
        (item,) = parked(here)
        assert here.run("quarantine", "replay", item["id"]).code == 3
        assert [left["id"] for left in parked(here)] == [item["id"]]
        assert here.run("quarantine", "drop", item["id"]).code == 0
        assert parked(here) == []
        here.sync()


def test_an_unknown_id_is_named(tmp_path: Path) -> None:
    with simulated(1, 0) as mls:
        here = Installation(tmp_path, mls.login_url)
        here.sync()
        done = here.run("quarantine", "drop", "nosuchid")
        assert done.code == 1
        assert "nosuchid is not in quarantine" in done.err
