"""A saved answer becomes the same rows as a fetched one, without a network; a broken one becomes nothing."""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from requests.auth import HTTPDigestAuth

from tests.pipeline.simulated import PASSWORD, USERNAME, Installation, Mls, simulated

LISTINGS = 20
TABLES = ("property_record", "property_room", "property_agent", "property_parking", "property_utility", "open_house",
          "member", "member_phone", "member_website", "office", "office_phone", "office_website")  # fmt: skip
NOWHERE = "http://127.0.0.1:1/Login.svc/Login"
"""Where nothing listens: whoever used the network would fail."""


@pytest.fixture(scope="module")
def mls() -> Iterator[Mls]:
    """One simulator to save answers from."""
    with simulated(LISTINGS, 2) as running:
        yield running


def saved(mls: Mls, query: str) -> bytes:
    """The body of a Search answer, fetched by a client that is not ours."""
    with requests.Session() as session:
        session.auth = HTTPDigestAuth(USERNAME, PASSWORD)
        session.trust_env = False
        session.get(mls.login_url, timeout=30).raise_for_status()
        answer = session.get(
            f"{mls.base}/Search.svc/Search",
            params={"SearchType": "Property", "Class": "Property", "QueryType": "DMQL2", "Format": "STANDARD-XML",
                    "Count": "1", "Query": query},
            timeout=30,
        )  # fmt: skip
        answer.raise_for_status()
        return answer.content


@pytest.fixture(scope="module")
def page(mls: Mls) -> bytes:
    """Every listing in one answer."""
    return saved(mls, f"(ID={','.join(mls.keys())})")


@pytest.fixture
def here(tmp_path: Path) -> Installation:
    """An installation whose feed cannot be reached."""
    return Installation(tmp_path, NOWHERE)


def everything(here: Installation) -> dict[str, list[tuple[object, ...]]]:
    """All rows of what people read, but for what codes stand for: a saved answer brings no metadata."""
    found = {table: sorted(here.rows(f"SELECT * FROM {table}"), key=repr) for table in TABLES}
    stamps = here.rows("SELECT listing_key, modification_timestamp FROM property ORDER BY listing_key")
    return found | {"property": stamps}


def test_an_ingested_answer_gives_the_rows_of_a_sync(tmp_path: Path, mls: Mls, page: bytes, here: Installation) -> None:
    (tmp_path / "answer.xml").write_bytes(page)
    done = here.run("ingest", "answer.xml", "--feed", "ddf", "--json")
    assert done.code == 0, done.err
    report = done.json()["feeds"]["ddf"]
    assert (report["inserted"], report["requests"]) == (LISTINGS, 0)
    (tmp_path / "synced").mkdir()
    synced = Installation(tmp_path / "synced", mls.login_url)
    synced.sync()
    assert everything(here) == everything(synced)
    again = here.run("ingest", "answer.xml", "--feed", "ddf", "--json").json()["feeds"]["ddf"]
    assert (again["inserted"], again["updated"], again["unchanged"]) == (0, 0, LISTINGS)


def test_a_sync_after_an_ingest_is_in_step(tmp_path: Path, mls: Mls, page: bytes, here: Installation) -> None:
    (tmp_path / "answer.xml").write_bytes(page)
    assert here.run("ingest", "answer.xml", "--feed", "ddf").code == 0
    here.login_url = mls.login_url
    here.sync()
    assert here.differences(mls) == []


def test_a_zipped_answer_is_read_as_well(tmp_path: Path, page: bytes, here: Installation) -> None:
    (tmp_path / "answer.xml.gz").write_bytes(gzip.compress(page))
    assert here.run("ingest", "answer.xml.gz", "--feed", "ddf").code == 0
    assert here.count("property") == LISTINGS


def test_a_dry_run_prints_typed_records_and_writes_nothing(
    tmp_path: Path, mls: Mls, page: bytes, here: Installation
) -> None:
    (tmp_path / "answer.xml").write_bytes(page)
    done = here.run("ingest", "answer.xml", "--feed", "ddf", "--dry-run", "--json")
    assert done.code == 0, done.err
    records = {record["key"]: record for record in done.json()["records"]}
    assert os.listdir(tmp_path) == ["answer.xml"]
    truth = {record["key"]: record for record in mls.truth(size="")}
    assert records.keys() == truth.keys()
    for key, record in truth.items():
        (row,) = records[key]["rows"]["property_record"]
        assert {name: row.get(name) for name in record["fields"]} == record["fields"]
        assert records[key]["modification_timestamp"] == record["modified"]
        assert len(records[key]["rows"].get("property_room", [])) == len(record["rooms"])
        assert len(records[key]["media"]) == len(record["photos"])


@pytest.mark.parametrize("dry", [[], ["--dry-run"]])
@pytest.mark.parametrize("zipped", [False, True])
def test_a_truncated_answer_is_an_error_and_writes_nothing(
    tmp_path: Path, page: bytes, here: Installation, dry: list[str], zipped: bool
) -> None:
    data = gzip.compress(page) if zipped else page
    (tmp_path / "answer").write_bytes(data[: len(data) * 2 // 3])
    done = here.run("ingest", "answer", "--feed", "ddf", *dry)
    assert done.code == 1
    assert "answer" in done.err + done.out
    assert "Traceback" not in done.err
    assert here.count("property") == 0


def test_a_master_list_is_refused_in_words(tmp_path: Path, mls: Mls, here: Installation) -> None:
    (tmp_path / "list.xml").write_bytes(saved(mls, "(ID=*)"))
    done = here.run("ingest", "list.xml", "--feed", "ddf")
    assert done.code == 1
    assert "master list" in done.err + done.out
    assert here.count("property") == 0


def test_an_answer_that_is_an_error_is_refused_with_its_code(tmp_path: Path, here: Installation) -> None:
    (tmp_path / "error.xml").write_text('<RETS ReplyCode="20206" ReplyText="Invalid Query Syntax"/>')
    done = here.run("ingest", "error.xml", "--feed", "ddf")
    assert done.code == 1
    assert "20206" in done.err + done.out


def test_a_file_that_is_no_answer_is_refused(tmp_path: Path, here: Installation) -> None:
    (tmp_path / "photo.jpg").write_bytes(b"\xff\xd8\xff\xe0 and so on")
    done = here.run("ingest", "photo.jpg", "--feed", "ddf", "--dry-run")
    assert done.code == 1
    assert json.dumps("photo.jpg")[1:-1] in done.err
    assert "Traceback" not in done.err


def test_a_feed_nobody_configured_is_a_usage_error(tmp_path: Path, page: bytes, here: Installation) -> None:
    (tmp_path / "answer.xml").write_bytes(page)
    done = here.run("ingest", "answer.xml", "--feed", "other")
    assert done.code == 2
    assert "other" in done.err
