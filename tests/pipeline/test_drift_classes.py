"""Classes of records that stop, or vanish in the midst of a sync: the others go on, and whoever looks is told so."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from services.simulator.main import Simulator
from tests.pipeline.simulated import Installation
from tests.pipeline.test_drift import CLASSES, Board, board, plain, simulated

KEY = ("ddf: not read: property: Property, class RES: its key was LIST_KEY, which the metadata no longer name as that; "
       ".*overrides.property.key_field")  # fmt: skip
TIMESTAMP = ("ddf: not read: property: Property, class LND: its timestamp was MOD_TS, .*"
             "overrides.property.timestamp_field")  # fmt: skip
HELD = "ddf: not read: property: class RES: 9 of 25 fields vanished at once, held: .*mlsync metadata approve"
STOPS = (("key+timestamp", {"RES", "LND"}, [TIMESTAMP, KEY]), ("third", {"RES"}, [HELD]))
"""What becomes of the metadata, of which classes not all is read then, and the lines that say so."""


def at_the_mls(sim: Simulator) -> dict[str, Mapping[str, Any]]:
    return {
        str(row.get("LIST_KEY", row.get("LIST_ID"))): {**row, "#class": name}
        for name in CLASSES
        for row in sim.control.rows("Property", name)
    }


def prices(here: Installation) -> dict[str, str]:
    rows = here.rows("SELECT listing_key, list_price FROM property")
    return {str(key): plain(price) for key, price in rows}


def test_a_sync_with_a_class_that_is_not_read_ends_with_3_and_names_class_and_remedy(tmp_path: Path) -> None:
    """By the command itself, each time a process of its own."""
    with simulated() as sim:
        feed = {"PROTOCOL": "rets", "RESOURCES": "property", "MEDIA": "none", "REMOVE_AT_LEAST": "1000"}
        here = Installation(
            tmp_path, sim.login_url, {f"MLSYNC_FEEDS__DDF__{name}": text for name, text in feed.items()}
        )
        here.sync()
        for drift, stopped, said in STOPS:
            before = prices(here)
            sim.control.drift(f"restored+{drift}")
            sim.control.advance(5)
            done = here.run("sync")
            assert done.code == 3, done.err
            lines = sorted(line for line in done.out.splitlines() if "not read" in line)
            assert len(lines) == len(said)
            for line, expected in zip(lines, sorted(said), strict=True):
                assert re.fullmatch(expected, line)
            assert "in step" not in done.out
            stored, truth = prices(here), at_the_mls(sim)
            others = {key: plain(row.get("PRICE")) for key, row in truth.items() if row["#class"] not in stopped}
            assert others
            assert others.items() <= stored.items()
            kept = {key: price for key, price in stored.items() if key not in others}
            assert kept.items() <= before.items() or drift == "third"
        sim.control.drift("restored")
        done = here.run("sync")
        assert (done.code, "in step" in done.out) == (0, True), done.out
        assert prices(here) == {key: plain(row.get("PRICE")) for key, row in at_the_mls(sim).items()}
        read = sim.control.stats()["requests"]["GetMetadata"]
        assert here.run("sync").code == 0
        assert sim.control.stats()["requests"]["GetMetadata"] == read  # the version is the one that was kept


def synced(here: Board, code: int) -> dict[str, Any]:
    """A sync, whose exit code as a command is, or would be, ``code``."""
    if here.here.place is not None:
        found: dict[str, Any] = here.here.sync(code=code)
        return found
    report = here.sync()
    assert ("error" in report, bool(report.get("untold"))) == (False, code == 3), report
    return report


@pytest.mark.usefixtures("each_form")
def test_a_class_that_vanishes_in_the_midst_of_a_sync_stops_alone_in_that_sync(tmp_path: Path) -> None:
    """Before the first search for it, between those of a list, and when its records are asked for."""
    with board(tmp_path) as here:
        synced(here, 0)
        for after in (1, 4, 7):
            before = here.stored()
            inside = {key for key, row in before.items() if row["#class"] == "LND"}
            here.sim.control.advance(5)
            if after == 7:  # by then the list of them was whole, and what it lacks is gone
                inside &= here.truth().keys()
            here.drift("class", after=after)
            report = synced(here, 3)
            assert here.drifted()
            (said,) = report["untold"]
            assert re.search("class LND is gone from the metadata; .*mlsync metadata approve", said)
            stored, truth = here.stored(), here.truth()
            assert {key: row for key, row in stored.items() if row["#class"] == "LND"}.keys() >= inside
            others = {key for key, row in stored.items() if row["#class"] != "LND"}
            assert others == truth.keys()
            assert {key: plain(stored[key].get("list_price")) for key in others} == {
                key: plain(row.get("PRICE")) for key, row in truth.items()
            }
            here.drift("restored")
            synced(here, 0)
            assert here.differences() == []
