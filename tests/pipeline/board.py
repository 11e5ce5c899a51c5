"""An mlsync with one feed of a generic MLS, and whether what it stores is what that MLS has.

What is stored is compared with the simulated MLS's own rows, which it gives by SystemName: the table that says which of
them belongs in which column is written out here, and nothing of the mapping is used.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from services.simulator.main import Options, Simulator
from services.simulator.mls.tables import OTHER_TYPES
from shared.rets.schema.document import system_of
from shared.rets.schema.types import Resource
from tests.pipeline.inside import Inside

FEED = "board"
CLASSES = ("RES", "LND", "COM")
PEOPLE = {"member": "AGENT", "office": "OFFICE"}
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
         "PHONE": "member_preferred_phone", "OFFICE_KEY": "office_key", "PHOTO_TS": "photo_last_updated",
         "PHOTO_CNT": "PhotosCount"}  # fmt: skip
OFFICE = {"MOD_TS": "modification_timestamp", "NAME": "office_name", "STREET": "office_address1", "CITY": "office_city",
          "PHONE": "office_phone", "LOGO_TS": "logo_last_updated"}  # fmt: skip
SHOWING = {"LIST_KEY": "listing_key", "START_TS": "open_house_start_time", "END_TS": "open_house_end_time",
           "COMMENTS": "open_house_remarks"}  # fmt: skip
VIEWED = (
    *(("Property", name, "LIST_KEY") for name in CLASSES), ("Agent", "AGT", "AGENT_KEY"),
    ("Office", "OFF", "OFFICE_KEY"), ("OpenHouse", "OPH", "OH_KEY"),
)  # fmt: skip
"""Classes that have views, each with its key."""
NOWHERE = ("OpenHouse", "MOD_TS")
"""What is stored nowhere."""
UNCLASSED = {"coordinates_source", "coordinates_precision", "list_aor"}
_INSTANT = re.compile(r"\d{4}-\d\d-\d\d[T ]")


@dataclass
class Board:
    """An mlsync in this process, ``feed`` the settings of its one feed."""

    folder: Path
    sim: Simulator
    feed: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        login = {"username": "demo", "password": SecretStr("demo")}
        self.feed = {"protocol": "rets", "resources": ["property", "member", "office"]} | login | self.feed
        self.here = Inside(self.folder, self.sim.login_url, feed=self.feed, feeds=(FEED,))

    def sync(self) -> dict[str, Any]:
        """A sync by a process that knows nothing yet; all must be in step."""
        return self.here.in_step().as_json()

    def rows(self, table: str, *keys: str) -> dict[Any, dict[str, Any]]:
        """A table's rows by key without what is NULL; what ``extra`` holds stands beside the columns."""
        held = {}
        for row in self.here.copy.database.table(table, f"feed = '{FEED}'"):
            key = tuple(row.pop(name) for name in keys)
            extra = row.pop("extra", {})
            held[key[0] if len(key) == 1 else key] = extra | {
                name: value for name, value in row.items() if name not in {"feed", *UNCLASSED}
            }
        return held

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
            *self._objects(),
        ]

    def described(self, resource: str) -> Resource:
        """A resource by the metadata kept, of which there is one version."""
        with closing(self.here.store()) as store:
            (kept,) = store.metadata.versions(FEED)
            found = system_of(store.metadata.document(FEED, kept.number) or b"").resource(resource)
        assert found is not None
        return found

    def viewed(self) -> Iterator[str]:
        """What the views of the classes show that is not as it is at the MLS."""
        for resource, name, key in VIEWED:
            truth = {
                row[key]: {field: value for field, value in row.items() if (resource, field) != NOWHERE}
                for row in self.sim.control.rows(resource, name)
            }
            found = {
                row[key]: {
                    field: _typed(value, truth.get(row[key], {}).get(field))
                    for field, value in row.items()
                    if not field.endswith("_decoded")
                }
                for row in self.here.copy.database.table(f'"mls_{FEED}_{resource}_{name}"')
            }
            yield from _compared(name, truth, found)

    def photos(self) -> Iterator[tuple[tuple[str, str, str], str]]:
        """Every photo of the MLS, of listings and people, with the digest of its bytes."""
        said = self.sim.control
        for record in said.truth():
            for place, photo in enumerate(record["photos"], start=1):
                yield ("property", record["key"], str(place)), photo["sha256"]
        for resource in PEOPLE:
            for record in said.truth(resource):
                if "photo" in record:
                    yield (resource, record["key"], "1"), record["photo"]["sha256"]

    def _photos(self) -> Iterator[str]:
        copy = self.here.copy
        rows = self.rows("media", "resource_name", "resource_record_key", "media_key")
        yield from _compared(
            "photo", dict(self.photos()), {key: row.get("content_sha256") for key, row in rows.items()}
        )
        objects = self.rows("record_object", "resource_record_key", "object_type", "order")
        sums = {
            row["object_key"]: row["content_sha256"]
            for row in (*rows.values(), *objects.values())
            if "object_key" in row
        }
        if (names := copy.photos.names()) != sums.keys():
            yield f"{len(names)} objects, {len(sums)} of them known"
        for name, sha256 in sums.items():
            if hashlib.sha256(copy.photos.read(name)).hexdigest() != sha256:
                yield f"{name} has other bytes"

    def _objects(self) -> Iterator[str]:
        """Of listings, and only these; of their sets nothing is open."""
        chosen = self.feed.get("overrides", {}).get("property", {})
        expected: dict[tuple[str, str, int], dict[str, Any]] = {}
        for item in self.sim.control.others():
            described = {"resource_name": "property", "long_description": item.description}
            if item.kind in chosen.get("objects", ()):
                digest = hashlib.sha256(item.data).hexdigest()
                said = {"mime_type": OTHER_TYPES[item.kind], "byte_size": len(item.data), "content_sha256": digest}
                expected[item.key, item.kind, item.order] = described | said
            elif item.kind in chosen.get("object_links", ()):
                expected[item.key, item.kind, item.order] = described | {"media_url": item.address}
        found = self.rows("record_object", "resource_record_key", "object_type", "order")
        for row in found.values():
            row.pop("object_key", None)
            del row["stored_version"]
        yield from _compared("object", expected, found)
        for key, row in self.rows("record_object_set", "resource_record_key", "object_type").items():
            if row["pending"] or row["stored_version"] != row["wanted_version"]:
                yield f"objects {key}: not settled"


def _typed(value: Any, like: Any) -> Any:
    """A value of a view as of the type that the MLS has, which SQLite lacks."""
    match like:
        case bool():
            return bool(value)
        case Decimal():
            return Decimal(str(value))
        case tuple() if isinstance(value, str):
            return json.loads(value)
    return value


def _expected(row: Mapping[str, Any], columns: Mapping[str, str], *others: str) -> dict[str, Any]:
    return {columns[name]: value for name, value in row.items() if name not in others}


def _classed(records: Mapping[str, dict[str, Any]], name: str) -> dict[str, dict[str, Any]]:
    return {key: record | {"#class": name} for key, record in records.items()}


def _compared(what: str, expected: Mapping[Any, Any], found: Mapping[Any, Any]) -> Iterator[str]:
    for key in sorted(expected.keys() | found.keys(), key=str):
        want, have = expected.get(key), found.get(key)
        if not isinstance(want, dict) or not isinstance(have, dict):
            if want != have:
                yield f"{what} {key}: {have} is stored, at the MLS it is {want}"
            continue
        for name in sorted(want.keys() | have.keys()):
            if _plain(want.get(name)) != _plain(have.get(name)):
                yield f"{what} {key}: {name} is {have.get(name)!r}, at the MLS {want.get(name)!r}"


def _plain(value: Any) -> Any:
    """Values compared by what they say: elements in ``extra`` are texts."""
    match value:
        case bool():
            return value
        case int() | Decimal():
            return format(Decimal(value).normalize(), "f")
        case datetime():
            return value.astimezone(UTC)
        case date():
            return value.isoformat()
        case tuple():
            return list(value)
        case str() if _INSTANT.match(value):
            return datetime.fromisoformat(value).astimezone(UTC)
    return value


@contextmanager
def board(folder: Path, *faults: str, listings: int = 40, photos: int = 1, **feed: Any) -> Iterator[Board]:
    """A simulated MLS and an mlsync that has not synced it yet."""
    with Simulator(Options(personality="mls", listings=listings, photos=photos, faults=list(faults))) as sim:
        yield Board(folder, sim, feed)
