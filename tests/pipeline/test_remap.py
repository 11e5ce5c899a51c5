"""`mlsync remap` makes of what is stored what a fresh sync would with the mapping of today, and asks for nothing."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import msgspec
import pytest
import zstandard
from msgspec.structs import replace

from services.remap import remap
from services.writer import service as writer
from shared.mapping.mapping import Mapping
from shared.mapping.spec import MappingSpec, load_spec
from shared.messages import SourceRecord
from tests.pipeline.inside import Inside, inside
from tests.pipeline.simulated import Installation, Mls, simulated
from tests.pipeline.test_ingest import TABLES

LISTINGS = 40
SWAPS = {
    "property": {"Price": "MaintenanceFee", "Building/BedroomsTotal": "Building/BathroomTotal", "Plan": "Nowhere"},
    "member": {"Name": "Position"},
    "office": {"Address/City": "Address/Country"},
}
"""Elements that change places, and one that no line of the mapping knows any more."""
PHOTOS = 'resource_record_key, media_key, "order", media_url, wanted_version, stored_version, content_sha256, pending'


@pytest.fixture(scope="module")
def mls() -> Iterator[Mls]:
    """One simulator in which no day passes."""
    with simulated(LISTINGS, 2) as running:
        yield running


def doctored() -> Mapping:
    """DDF's mapping with elements swapped, also within rooms; the tables stay as they are."""
    spec = load_spec("ddf")
    resources = dict(spec.resources)
    for name, swaps in SWAPS.items():
        both = swaps | {other: one for one, other in swaps.items()}
        fields = {both.get(path, path): line for path, line in resources[name].fields.items()}
        resources[name] = replace(resources[name], fields=fields)
    rooms = resources["property"].children["Building/Rooms/Room"]
    swapped = {"Type": "Description", "Description": "Type"}
    rooms = replace(rooms, fields={swapped.get(path, path): line for path, line in rooms.fields.items()})
    children = resources["property"].children | {"Building/Rooms/Room": rooms}
    resources["property"] = replace(resources["property"], children=children)
    return Mapping(MappingSpec(version=spec.version, zone=spec.zone, resources=resources))


def everything(here: Installation) -> dict[str, list[tuple[object, ...]]]:
    """What people read, the photos, and what the ledger says of content."""
    found = {table: sorted(here.rows(f"SELECT * FROM {table}"), key=repr) for table in TABLES}
    found["media"] = sorted(here.rows(f"SELECT {PHOTOS} FROM media"), key=repr)
    found["ledger"] = sorted(here.rows("SELECT key, stored, stamp, hash, modification_timestamp FROM ledger"), key=repr)
    for table in ("record_reference", "embedded_row"):
        found[table] = sorted(here.rows(f"SELECT * FROM {table}"), key=repr)
    return found


def remapped(here: Inside) -> tuple[int, int, int]:
    """Map again as the command does: records, of them changed, and those that cannot be mapped."""
    app = here.app()
    told: list[int] = []
    try:
        app.open()
        (done,) = remap(app, ["ddf"], told.append).values()
    finally:
        app.close()
    assert sum(told) == done.records
    return done.records, done.changed, done.unmappable


def test_after_a_changed_mapping_rows_are_those_of_a_fresh_sync_and_nothing_was_asked(
    tmp_path: Path, mls: Mls, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "here").mkdir()
    (tmp_path / "fresh").mkdir()
    here = inside(tmp_path / "here", mls.login_url)
    here.in_step()
    before = everything(here)
    observed = here.rows("SELECT key, observed_at FROM ledger ORDER BY key")
    files = {path: path.stat().st_mtime_ns for path in here.media.rglob("*.jpg")}
    asked = mls.stats()
    mapping = doctored()
    monkeypatch.setattr(writer, "load", lambda _: mapping)

    assert remapped(here) == (LISTINGS, LISTINGS, 0)

    assert mls.stats() == asked
    assert here.rows("SELECT key, observed_at FROM ledger ORDER BY key") == observed
    assert here.rows("SELECT * FROM history_transactional") == []
    fresh = inside(tmp_path / "fresh", mls.login_url)
    fresh.in_step()
    after = everything(here)
    assert after == everything(fresh)
    changed = ("property_record", "property_room", "member", "office", "ledger")
    assert all(after[table] != before[table] for table in changed)
    assert here.in_step().counts["property"].get("fetched", 0) == 0
    assert everything(here) == after
    assert {path: path.stat().st_mtime_ns for path in here.media.rglob("*.jpg")} == files


def test_it_mends_rows_that_somebody_changed_and_says_what_it_did(tmp_path: Path, mls: Mls) -> None:
    here = inside(tmp_path, mls.login_url)
    here.in_step()
    assert here.differences(mls) == []
    with closing(sqlite3.connect(here.database)) as connection, connection:
        connection.execute("UPDATE property_record SET list_price = 1, city = NULL")
        connection.execute("DELETE FROM property_room")
        connection.execute("DELETE FROM media WHERE object_key IS NULL")
    asked = mls.stats()
    done = here.run("remap")
    assert (done.code, done.out) == (0, f"ddf: {LISTINGS} records mapped again, 0 of them differently\n")
    assert mls.stats() == asked
    assert here.differences(mls) == []
    assert here.rows("SELECT kind, outcome FROM run ORDER BY started_at DESC LIMIT 1") == [("remap", "done")]


def test_a_record_that_can_no_longer_be_mapped_keeps_its_row_and_is_counted(tmp_path: Path, mls: Mls) -> None:
    here = inside(tmp_path, mls.login_url)
    here.in_step()
    key = mls.keys()[0]
    deep: object = "x"
    for _ in range(70):
        deep = {"Deeper": deep}
    body = msgspec.msgpack.encode(SourceRecord(key, "", {"@ID": key, "Strange": deep}))
    with closing(sqlite3.connect(here.database)) as connection, connection:
        connection.execute("UPDATE source_record SET body = ? WHERE key = ?", (zstandard.compress(body), key))
    done = here.run("remap", "--json", "--feed", "ddf")
    assert done.code == 3
    assert done.json() == {"feeds": {"ddf": {"records": LISTINGS - 1, "changed": 0, "unmappable": 1}}}
    assert here.count("property", f"listing_key = '{key}'") == 1
