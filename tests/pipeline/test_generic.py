"""Any RETS server by settings alone: three classes of listings, agents, offices, open houses and photos.

What is stored is compared with the simulated MLS's own rows, which it gives by SystemName: the table that says which of
them belongs in which column is written out here, and nothing of the mapping is used.
"""

from __future__ import annotations

import hashlib
import json
import re
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from services.app import App
from services.asking import sync_or_ask
from services.simulator.main import Options, Simulator
from shared.rets.schema.document import system_of
from shared.rets.schema.types import Resource
from shared.settings import FeedSettings, Settings
from shared.store.sqlite.store import SqliteStore

LISTINGS, PHOTOS = 40, 1
FEED = "board"
CLASSES = ("RES", "LND", "COM")
LISTING = {
    "MLS_NUM": "listing_id", "MOD_TS": "modification_timestamp", "PHOTO_TS": "photos_change_timestamp",
    "PHOTO_CNT": "photos_count", "PROP_TYPE": "property_sub_type", "TRANS": "transaction_type", "PRICE": "list_price",
    "LEASE": "lease_amount", "LIST_DATE": "listing_contract_date", "STREET": "unparsed_address", "CITY": "city",
    "PROVINCE": "state_or_province", "POSTAL": "postal_code", "LAT": "latitude", "LON": "longitude",
    "FEATURES": "lot_features", "REMARKS": "public_remarks", "AGENT_KEY": "list_agent_key", "BEDS": "bedrooms_total",
    "BATHS": "bathrooms_total_integer", "YEAR": "year_built", "STORIES": "stories", "HEAT": "heating",
    "FIREPLACE": "fireplace_yn",
}  # fmt: skip
AGENT = {"MOD_TS": "modification_timestamp", "NAME": "member_full_name", "POSITION": "job_title",
         "PHONE": "MemberPreferredPhone", "OFFICE_KEY": "office_key"}  # fmt: skip
OFFICE = {"MOD_TS": "modification_timestamp", "NAME": "office_name", "STREET": "office_address1", "CITY": "office_city",
          "PHONE": "OfficePhone"}  # fmt: skip
SHOWING = {"LIST_KEY": "listing_key", "START_TS": "open_house_start_time", "END_TS": "open_house_end_time",
           "COMMENTS": "open_house_remarks"}  # fmt: skip
NOWHERE = ("OpenHouse", "MOD_TS")
UNCLASSED = {"coordinates_source", "coordinates_precision", "list_aor"}


@dataclass
class Board:
    """An mlsync with one feed of a generic MLS, in this process."""

    folder: Path
    sim: Simulator
    feed: dict[str, Any] = field(default_factory=dict)

    @property
    def database(self) -> Path:
        return self.folder / "rows.db"

    def sync(self) -> dict[str, Any]:
        """A sync by a process that knows nothing yet; all must be in step."""
        resources = ["property", "member", "office"]
        feed = FeedSettings(
            protocol="rets", login_url=self.sim.login_url, username="demo", password=SecretStr("demo"),
            **{"resources": resources, **self.feed},
        )  # fmt: skip
        settings = Settings(
            database_url=f"sqlite:///{self.database}", media_url=f"file:{self.folder / 'media'}", feeds={FEED: feed}
        )
        with closing(App(settings)) as app:
            (report,) = sync_or_ask(app, (FEED,), limit=None, wait=60.0, watch=lambda _run_id: None)
        assert report.in_step, report
        return report.as_json()

    def rows(self, table: str, *keys: str) -> dict[Any, dict[str, Any]]:
        """A table's rows by key without what is NULL; what ``extra`` holds stands beside the columns."""
        with closing(sqlite3.connect(self.database)) as connection:
            connection.row_factory = sqlite3.Row
            found = [dict(row) for row in connection.execute(f"SELECT * FROM {table} WHERE feed = '{FEED}'")]
        held = {}
        for row in found:
            key = tuple(row.pop(name) for name in keys)
            extra = json.loads(row.pop("extra", None) or "{}")
            held[key[0] if len(key) == 1 else key] = extra | {
                name: value for name, value in row.items() if value is not None and name not in {"feed", *UNCLASSED}
            }
        return held

    def described(self, resource: str) -> Resource:
        """A resource by the metadata kept, of which there is one version."""
        with closing(SqliteStore(self.database)) as store:
            (kept,) = store.metadata.versions(FEED)
            found = system_of(store.metadata.document(FEED, kept.number) or b"").resource(resource)
        assert found is not None
        return found

    def differences(self) -> list[str]:
        """What is not as it is at the MLS."""
        said = self.sim.control
        listings = {}
        for name in CLASSES:
            for row in said.rows("Property", name):
                listings[row["LIST_KEY"]] = _expected(row, LISTING, "LIST_KEY") | {"#class": name}
        agents = {row["AGENT_KEY"]: _expected(row, AGENT, "AGENT_KEY") for row in said.rows("Agent", "AGT")}
        offices = {row["OFFICE_KEY"]: _expected(row, OFFICE, "OFFICE_KEY") for row in said.rows("Office", "OFF")}
        shows = {row["OH_KEY"]: _expected(row, SHOWING, "OH_KEY", "MOD_TS") for row in said.rows("OpenHouse", "OPH")}
        stored = self.rows("open_house", "open_house_key")
        for row in stored.values():
            del row["order"]
        return [
            *_compared("listing", listings, self.rows("property", "listing_key")),
            *_compared("agent", _classed(agents, "AGT"), self.rows("member", "member_key")),
            *_compared("office", _classed(offices, "OFF"), self.rows("office", "office_key")),
            *_compared("open house", shows, stored),
            *self._photos(),
        ]

    def viewed(self) -> Iterator[str]:
        """What the views of the classes show that is not as it is at the MLS."""
        for resource, name, key in (*(("Property", name, "LIST_KEY") for name in CLASSES),
                                    ("Agent", "AGT", "AGENT_KEY"), ("Office", "OFF", "OFFICE_KEY"),
                                    ("OpenHouse", "OPH", "OH_KEY")):  # fmt: skip
            truth = {
                row[key]: {field: _stored(value) for field, value in row.items() if (resource, field) != NOWHERE}
                for row in self.sim.control.rows(resource, name)
            }
            with closing(sqlite3.connect(self.database)) as connection:
                connection.row_factory = sqlite3.Row
                rows = connection.execute(f'SELECT * FROM "mls_{FEED}_{resource}_{name}"').fetchall()
            found = {
                row[key]: {field: row[field] for field in row.keys() if row[field] is not None}  # noqa: SIM118
                for row in rows
            }
            yield from _compared(name, truth, {key: _undecoded(row) for key, row in found.items()})

    def _photos(self) -> Iterator[str]:
        truth = {
            (record["key"], str(place)): photo["sha256"]
            for record in self.sim.control.truth()
            for place, photo in enumerate(record["photos"], start=1)
        }
        rows = self.rows("media", "resource_record_key", "media_key")
        yield from _compared("photo", truth, {key: row.get("content_sha256") for key, row in rows.items()})
        files = {path for path in (self.folder / "media").rglob("*") if path.is_file()}
        named = {self.folder / "media" / row["object_key"] for row in rows.values() if "object_key" in row}
        if files != named:
            yield f"{len(files)} files, {len(named)} of them known"
        sums = {row["object_key"]: row["content_sha256"] for row in rows.values() if "object_key" in row}
        for name, sha256 in sums.items():
            if hashlib.sha256((self.folder / "media" / name).read_bytes()).hexdigest() != sha256:
                yield f"{name} has other bytes"


def _expected(row: Mapping[str, Any], columns: Mapping[str, str], *others: str) -> dict[str, Any]:
    return {columns[name]: _stored(value) for name, value in row.items() if name not in others}


def _stored(value: Any) -> Any:
    """As SQLite holds it."""
    match value:
        case bool():
            return int(value)
        case Decimal():
            return float(value)
        case datetime():
            return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
        case date():
            return value.isoformat()
        case tuple():
            return json.dumps(list(value))
    return value


def _undecoded(row: Mapping[str, Any]) -> dict[str, Any]:
    return {field: value for field, value in row.items() if not field.endswith("_decoded")}


def _classed(records: Mapping[str, dict[str, Any]], name: str) -> dict[str, dict[str, Any]]:
    return {key: record | {"#class": name} for key, record in records.items()}


def _compared(what: str, expected: Mapping[Any, Any], found: Mapping[Any, Any]) -> Iterator[str]:
    for key in sorted(expected.keys() | found.keys(), key=str):
        want, have = _plain(expected.get(key)), _plain(found.get(key))
        if not isinstance(want, dict) or not isinstance(have, dict):
            if want != have:
                yield f"{what} {key}: {have} is stored, at the MLS it is {want}"
            continue
        for name in sorted(want.keys() | have.keys()):
            if want.get(name) != have.get(name):
                yield f"{what} {key}: {name} is {have.get(name)!r}, at the MLS {want.get(name)!r}"


def _plain(row: Any) -> Any:
    """Instants and lists compared by what they say, not by how they are written."""
    if not isinstance(row, dict):
        return row
    found = {}
    for name, value in row.items():
        text = value
        if isinstance(value, str) and value.startswith("["):
            text = json.loads(value)
        elif isinstance(value, str) and re.match(r"\d{4}-\d\d-\d\d[T ]", value):
            text = datetime.fromisoformat(value).timestamp()
        found[name] = text
    return found


@contextmanager
def board(folder: Path, *faults: str, listings: int = LISTINGS, **feed: Any) -> Iterator[Board]:
    with Simulator(Options(personality="mls", listings=listings, photos=PHOTOS, faults=list(faults))) as sim:
        yield Board(folder, sim, feed)


def searches(sim: Simulator) -> int:
    found: int = sim.control.stats()["requests"]["Search"]
    return found


def test_a_feed_by_its_metadata_equals_the_truth_and_follows_it(tmp_path: Path) -> None:
    with board(tmp_path) as here:
        report = here.sync()
        assert report["inserted"] == LISTINGS
        assert here.differences() == []
        assert {row["#class"] for row in here.rows("property", "listing_key").values()} == set(CLASSES)
        assert here.rows("open_house", "open_house_key")
        assert {each.name for each in here.described("Property").classes} == set(CLASSES)
        before = searches(here.sim)
        assert here.sync()["fetched"] == 0
        assert searches(here.sim) == before + 2 * len(CLASSES) + 3  # each class twice, and the others once
        for _ in range(2):
            here.sim.control.advance(2)
            here.sync()
            assert here.differences() == []
        assert list(here.viewed()) == []


@pytest.mark.parametrize("cap", ["9:maxrows", "9:20208", "9:count"])
def test_a_server_that_caps_its_answers_is_read_to_the_end(tmp_path: Path, cap: str) -> None:
    with board(tmp_path, f"row-cap={cap}", "offset-ignored", media="none") as here:
        here.sync()
        assert [line for line in here.differences() if not line.startswith("photo")] == []
        gone = len(here.rows("property", "listing_key"))
        here.sim.control.advance(12)
        here.feed["remove_at_least"] = gone
        assert here.sync()["removed"]
        assert [line for line in here.differences() if not line.startswith("photo")] == []


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
