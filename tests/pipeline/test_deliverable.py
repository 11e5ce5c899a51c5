"""The comparison under faults excuses nothing: whatever is spoiled, stored or said, is seen."""

from __future__ import annotations

import copy
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from shared.settings import load
from tests.pipeline.copies import in_files
from tests.pipeline.deliverable import Client, Lacks, unexplained
from tests.pipeline.hasty import Hasty, configure, quiet, status, sync_here
from tests.pipeline.simulated import Mls, simulated
from tests.pipeline.truth import Json, differences

FAULTS = ("missing-record=0.2", "ghost-photo=0.3", "unfit-values=0.5", "unknown-elements=0.5")
LACKS = Lacks(records={"missing-record": "does not deliver"}, photos={"ghost-photo": "http_404"})


class Looked:
    """A feed after a sync with several faults on, and what should be said of it."""

    def __init__(self, mls: Mls, folder: Path, told: Json) -> None:
        self.folder, self.told = folder, told
        self.client = Client(LACKS)
        self.client.synced(mls.truth(), told)

    def found(self, folder: Path | None = None) -> list[str]:
        where = folder or self.folder
        return differences(
            in_files(where / "mlsync.db", where / "media"), self.client.stored(), open_ends=self.client.open_ends
        )


@pytest.fixture(scope="module")
def looked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Looked]:
    folder = tmp_path_factory.mktemp("looked")
    quiet()
    with simulated(40, 2, faults=FAULTS) as mls:
        settings = load(configure(folder, mls.login_url, {}, {}))
        with Hasty(settings).running() as app:
            assert sync_here(app).code == 3
        yield Looked(mls, folder, status(settings))


def test_what_was_synced_is_all_that_could_be_had_and_told(looked: Looked) -> None:
    assert looked.client.struck > 10
    assert looked.found() == []
    assert list(unexplained(looked.client, looked.told)) == []


FAILED = "failed_reason IS NOT NULL"
SPOILS: dict[str, str] = {
    "a value kept verbatim": "UPDATE property_record SET extra = replace(extra, 'Price', 'price')",
    "a value that did not fit": "UPDATE property_record SET list_price = 1 WHERE extra LIKE '%\"Price\"%'",
    "an unknown element": "UPDATE property_record SET extra = json_remove(extra, '$.Beacon')",
    "a failed photo without a reason": f"UPDATE media SET failed_reason = NULL WHERE {FAILED}",
    "a failed photo that nothing wants": f"UPDATE media SET pending = 0 WHERE {FAILED}",
    "a failed photo never tried": f"UPDATE media SET attempts = 0 WHERE {FAILED}",
    "a failed photo with bytes": f"UPDATE media SET content_sha256 = 'x' WHERE {FAILED}",
    "a good photo that failed": "UPDATE media SET failed_reason = 'x' WHERE failed_reason IS NULL",
    "a set called whole": "UPDATE media_set SET photos_stored = photos_count",
    "a listing withheld and not wanted": "UPDATE ledger SET wanted_by = NULL WHERE wanted_by IS NOT NULL",
    "a good listing wanted": "UPDATE ledger SET wanted_by = 1 WHERE stored AND wanted_by IS NULL",
    "a removal held": "INSERT INTO removal_candidate VALUES ('ddf', 'property', '20000001', 1, 1, 'held')",
    "something in quarantine": "INSERT INTO quarantine "
    "VALUES ('i', 'ddf', 'property', '', 'record', 'no', 1, 1, x'00')",
}


@pytest.mark.parametrize("spoil", SPOILS)
def test_whatever_is_spoiled_in_the_rows_is_seen(looked: Looked, tmp_path: Path, spoil: str) -> None:
    shutil.copytree(looked.folder, tmp_path / "copy")
    with closing(sqlite3.connect(tmp_path / "copy" / "mlsync.db")) as connection, connection:
        assert connection.execute(SPOILS[spoil]).rowcount > 0
    assert looked.found(tmp_path / "copy") != []


def test_a_file_in_place_of_a_photo_that_cannot_be_had_is_seen(looked: Looked, tmp_path: Path) -> None:
    shutil.copytree(looked.folder, tmp_path / "copy")
    (tmp_path / "copy" / "media" / "ddf" / "stranger.jpg").write_bytes(b"")
    assert looked.found(tmp_path / "copy") != []


def _drop(told: Json, kind: str) -> None:
    told["problems"] = [item for item in told["problems"] if item["kind"] != kind]


def _first(told: Json, kind: str) -> Json:
    found: Json = next(item for item in told["problems"] if item["kind"] == kind)
    return found


STATUS: dict[str, Callable[[Json], Any]] = {
    "no listing": lambda told: _drop(told, "unavailable"),
    "no photo": lambda told: _drop(told, "photo"),
    "one thing twice": lambda told: told["problems"].append(_first(told, "photo")),
    "one thing more": lambda told: told["problems"].append({**_first(told, "photo"), "key": "20000001:99"}),
    "another reason": lambda told: _first(told, "unavailable").update(reason="for some reason"),
    "no reason": lambda told: _first(told, "photo").update(reason=""),
    "another number of listings": lambda told: told.update(unavailable=0),
    "another number of photos": lambda told: told["photos"].update(failed=told["photos"]["failed"] + 1),
    "photos pending": lambda told: told["photos"].update(pending=1),
    "a removal held": lambda told: told.update(held=1),
    "something in quarantine": lambda told: told.update(quarantined=1),
}


@pytest.mark.parametrize("spoil", STATUS)
def test_whatever_status_leaves_out_or_adds_is_seen(looked: Looked, spoil: str) -> None:
    told = copy.deepcopy(looked.told)
    STATUS[spoil](told)
    assert list(unexplained(looked.client, told)) != []


def listing(key: str, stamp: str, photos: int = 1, **more: Any) -> Json:
    shown = [
        {"order": order, "large_photo_url": f"{key}/{stamp}/{order}", "sha256": f"{stamp}{order}", "bytes": 1}
        for order in range(1, photos + 1)
    ]
    return {"key": key, "stamp": stamp, "fields": {}, "photos": shown, **more}


QUIET: Json = {"problems": []}


def test_a_listing_held_back_later_stays_as_it_was_and_is_told_of_once_it_changes() -> None:
    client = Client(LACKS)
    held_back: Json = {"withheld": True, "withheld_reason": "missing-record"}
    client.synced([listing("1", "a")], QUIET)
    client.synced([listing("1", "a", **held_back)], QUIET)
    assert client.problems == {}
    client.synced([listing("1", "b", **held_back)], QUIET)
    assert client.problems == {("unavailable", "property", "1"): "does not deliver"}
    assert [record["stamp"] for record in client.stored()] == ["a"]


def test_a_photo_held_back_later_leaves_the_one_before_it_in_its_place() -> None:
    client = Client(LACKS)
    client.synced([listing("1", "a", photos=2)], QUIET)
    ghosts = listing("1", "b", photos=3)
    for photo in ghosts["photos"][1:]:
        photo |= {"withheld": True, "withheld_reason": "ghost-photo"}
    client.synced([ghosts], QUIET)
    (record,) = client.stored()
    assert [photo.get("kept") for photo in record["photos"]] == [None, {"sha256": "a2", "bytes": 1}, None]
    assert set(client.problems) == {("photo", "property", "1:2"), ("photo", "property", "1:3")}


def test_what_a_fault_keeps_back_that_the_table_does_not_know_is_an_error() -> None:
    with pytest.raises(AssertionError, match="knows nothing"):
        Client(Lacks()).synced([listing("1", "a", withheld=True, withheld_reason="missing-record")], QUIET)
    ghost = listing("1", "a")
    ghost["photos"][0] |= {"withheld": True, "withheld_reason": "ghost-photo"}
    with pytest.raises(AssertionError, match="knows nothing"):
        Client(Lacks()).synced([ghost], QUIET)


def test_chance_excuses_a_few_photos_for_its_own_reasons_only() -> None:
    client = Client(Lacks(chance="^timeout$"))
    truth = [listing(str(number), "a") for number in range(40)]
    told = {"problems": [{"kind": "photo", "key": "3:1", "reason": "timeout"}]}
    client.synced(truth, told)
    assert client.problems == {("photo", "property", "3:1"): "timeout"}
    told["problems"][0]["reason"] = "http_404"
    client.synced(truth, told)
    assert client.problems == {}
    told = {"problems": [{"kind": "photo", "key": f"{number}:1", "reason": "timeout"} for number in range(20)]}
    with pytest.raises(AssertionError, match="no bad luck"):
        client.synced(truth, told)
