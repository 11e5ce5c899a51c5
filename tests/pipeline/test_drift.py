"""Metadata that change while an MLS is read: nothing is lost, all of it is told, and nobody need do anything.

A process that runs meets them, in the midst of its syncs or between two. What is stored is compared with the simulated
MLS's own rows, by SystemName; which column or member of ``extra`` belongs to which is written out here.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pytest
from prometheus_client import REGISTRY
from pydantic import SecretStr

from services import drifted, operator
from services.app import App
from services.report import status_json, statuses
from services.simulator.main import Options, Simulator
from services.sync import sync
from shared.settings import FeedSettings, Override, Settings
from shared.store.base import StoreError
from tests.pipeline.simulated import PASSWORD, USERNAME, Installation

FEED = "ddf"
LISTINGS = 40
CLASSES = ("RES", "LND", "COM")
COLUMNS = {
    "PRICE": "list_price", "BEDS": "bedrooms_total", "BEDROOMS": "bedrooms_total", "STREET": "unparsed_address",
    "YEAR": "year_built", "HEAT": "heating", "PARKING": "parking_total", "MORE_INFO": "MORE_INFO",
    "INFO_LINK": "MORE_INFO", "MOD_TS": "modification_timestamp", "REMARKS": "public_remarks",
}  # fmt: skip
"""Where the fields belong that are looked at; what is in no table is a member of ``extra``."""
LATER = {"PARKING", "MORE_INFO", "INFO_LINK"}
"""Fields that come later: what was read before and did not change since lacks them."""


@dataclass
class Board:
    """A generic MLS, and an mlsync that runs and knows it."""

    sim: Simulator
    here: Installation
    sync: Callable[[], dict[str, Any]]
    settings: Settings
    names: dict[str, str] = field(default_factory=lambda: dict(COLUMNS))

    def drift(self, kinds: str, after: int | None = None) -> None:
        """Now, or in the midst of searches, when so many more have been answered."""
        if after is None:
            self.sim.control.drift(kinds)
        else:
            self.sim.control.fault("metadata-drift", f"{kinds}:{after}")

    def drifted(self) -> bool:
        """Whether what was to come in the midst of searches has come."""
        return "metadata-drift" not in self.sim.control.fault("slow", "off")

    def truth(self) -> dict[str, Mapping[str, Any]]:
        """Every listing of the MLS, with its class."""
        return {
            str(row.get("LIST_KEY", row.get("LIST_ID"))): {**row, "#class": name}
            for name in CLASSES
            for row in self.sim.control.rows("Property", name)
        }

    def stored(self) -> dict[str, dict[str, Any]]:
        """Every listing stored; what ``extra`` holds stands beside the columns."""
        rows = self.here.copy.database.table("property")
        return {row["listing_key"]: row.pop("extra", {}) | row for row in rows}

    def differences(self, kept: Mapping[str, Mapping[str, Any]] = {}) -> list[str]:
        """What is not stored as it is at the MLS, or, of fields that are gone there, as it was ``kept``."""
        truth, stored = self.truth(), self.stored()
        lines = [f"{key}: only here or there" for key in truth.keys() ^ stored.keys()]
        for key in truth.keys() & stored.keys():
            for name, column in self.names.items():
                if name not in truth[key] and column in {
                    self.names[other] for other in truth[key] if other in self.names
                }:
                    continue
                want = truth[key].get(name, kept.get(key, {}).get(column) if name not in LATER else None)
                have = stored[key].get(column)
                if name in LATER and (have is None or name not in truth[key]):
                    continue
                if plain(want) != plain(have):
                    lines.append(f"{key}: {name} is {have!r}, not {want!r}")
        return lines

    def viewed(self, *columns: str, class_name: str = "RES") -> dict[str, tuple[Any, ...]]:
        """These columns of the view of a class, by key."""
        shown = ", ".join(f'v."{name}"' for name in ("LIST_KEY", *columns))
        rows = self.here.rows(f'SELECT {shown} FROM "mls_ddf_Property_{class_name}" v')
        return {key: tuple(values) for key, *values in rows}

    def expected(self, *names: str, class_name: str = "RES") -> dict[str, tuple[Any, ...]]:
        """What is stored of listings of a class under these names, by key."""
        inside = {key: row for key, row in self.stored().items() if row["#class"] == class_name}
        return {key: tuple(row.get(name) for name in names) for key, row in inside.items()}

    def told(self) -> list[str]:
        """All that is recorded as differences."""
        return [told for (told,) in self.here.rows("SELECT told FROM metadata_difference ORDER BY number, place")]

    def status(self) -> dict[str, Any]:
        """What ``mlsync status --json`` says of the feed."""
        return status_json(statuses(self.settings)[FEED])

    def field(self, element: str, class_name: str = "RES") -> tuple[Any, ...]:
        """SystemName and state of a field by the name that its values have."""
        (found,) = self.here.rows(
            "SELECT system_name, state FROM metadata_field WHERE resource = 'property' "
            f"AND class_name = '{class_name}' AND element = '{element}'"
        )
        return found


def plain(value: Any) -> Any:
    """Values compared by what they say."""
    if isinstance(value, list | tuple):
        return tuple(value)
    text = str(value).replace(" ", "T").replace("+00:00", "").removesuffix("Z")
    try:
        return float(text)
    except ValueError:
        return text


def simulated(photos: int = 0) -> Simulator:
    return Simulator(
        Options(personality="mls", listings=LISTINGS, photos=photos, username=USERNAME, password=PASSWORD, control=True)
    )


@contextmanager
def board(
    folder: Path, *, resources: str = "property", overrides: Mapping[str, Override] | None = None, photos: int = 0,
    media: str = "none", sim: Simulator | None = None,
) -> Iterator[Board]:  # fmt: skip
    """It runs, in the form of the test, until the end; nothing is synced yet."""
    if sim is None:
        with (
            simulated(photos) as own,
            board(folder, resources=resources, overrides=overrides, media=media, sim=own) as found,
        ):
            yield found
        return
    env = {"PROTOCOL": "rets", "RESOURCES": resources, "MEDIA": media, "EVERY": "1d", "REMOVE_AT_LEAST": "1000"}
    here = Installation(folder, sim.login_url, {f"MLSYNC_FEEDS__DDF__{name}": text for name, text in env.items()})
    feed = FeedSettings(
        protocol="rets", login_url=sim.login_url, username=USERNAME, password=SecretStr(PASSWORD), media=media,
        remove_at_least=1000, resources=resources.split(","), overrides=dict(overrides or {}),
    )  # fmt: skip
    settings = Settings.model_construct(
        database_url=f"sqlite:///{here.database}", media_url=f"file:{here.media}", feeds={FEED: feed}
    )
    if here.place is not None:
        with here.start("run"):
            yield Board(sim, here, here.sync, settings)
        return
    app = App(settings)
    with app.running():
        yield Board(sim, here, lambda: report_of(app), settings)


def report_of(app: App) -> dict[str, Any]:
    (report,) = sync(app, [FEED])
    return report.as_json()


def counted(subject: str, change: str) -> float:
    labels = {"feed": FEED, "kind": subject, "change": change}
    return REGISTRY.get_sample_value("mlsync_metadata_differences_total", labels) or 0.0


@pytest.mark.usefixtures("each_form")
def test_each_kind_of_drift_in_the_midst_of_a_sync_loses_nothing(tmp_path: Path) -> None:
    with board(tmp_path) as here:
        here.sync()
        assert here.differences() == []
        assert here.told() == []
        logins = here.sim.control.stats()["requests"]["Login"]
        here.sim.control.advance(5)
        here.drift("added", after=7)
        assert "error" not in here.sync()
        here.sim.control.advance(5)
        here.sync()
        assert here.differences() == []
        assert any("MORE_INFO" in row and "parking_total" in row for row in here.stored().values())

        here.sim.control.advance(5)
        here.drift("renamed", after=7)
        here.sync()
        assert here.drifted()
        assert here.differences() == []
        assert here.field("MORE_INFO") == ("INFO_LINK", "")
        assert here.field("BedroomsTotal") == ("BEDROOMS", "")
        assert here.here.count("history_transactional", "field_name = 'extra' AND new_value LIKE '%INFO_LINK%'") == 0
        assert here.viewed("BEDROOMS", "INFO_LINK") == here.expected("bedrooms_total", "MORE_INFO")

        here.names["MORE_INFO"] = "MORE_INFO_2"
        here.drift("taken+lookups", after=3)
        here.sync()
        here.sync()
        assert here.differences() == []
        assert here.field("MORE_INFO_2") == ("MORE_INFO", "")
        assert here.viewed("INFO_LINK", "MORE_INFO") == here.expected("MORE_INFO", "MORE_INFO_2")
        texts = dict(here.here.rows("SELECT code, lookup_value FROM lookup WHERE lookup_name = 'HeatingType'"))
        assert (texts["ForcedAir"], texts["Geothermal"]) == ("Forced air, any fuel", "Geothermal")
        removed = "lookup_name = 'HeatingType' AND removed_at IS NOT NULL"
        assert here.here.rows(f"SELECT code FROM lookup WHERE {removed}") == [("BaseboardHeaters",)]

        before = here.stored()
        here.sim.control.advance(5)
        here.drift("removed", after=7)
        here.sync()
        here.sync()
        assert here.drifted()
        assert here.differences(before) == []
        assert sum("heating" in row for row in here.stored().values()) > LISTINGS // 4
        assert here.field("Heating") == ("HEAT", "removed")
        assert here.viewed("BEDROOMS", "PARKING") == here.expected("bedrooms_total", "parking_total")
        with pytest.raises((sqlite3.OperationalError, psycopg.errors.UndefinedColumn)):
            here.viewed("INFO_LINK")
        assert here.told() == [
            "Property RES: field PARKING added",
            "Property RES: field MORE_INFO added",
            "Property RES: field BEDS is now BEDROOMS",
            "Property RES: field MORE_INFO is now INFO_LINK",
            "Property RES: field MORE_INFO added",
            "Property HeatingType: lookup value ForcedAir changed (long_value: Forced air → Forced air, any fuel; "
            "short_value: Forced air → Forced air, any fuel)",
            "Property HeatingType: lookup value Geothermal added",
            "Property HeatingType: lookup value BaseboardHeaters removed",
            "Property RES: field HEAT removed",
            "Property RES: field INFO_LINK removed",
            "Property RES: field MORE_INFO removed",
        ]
        assert here.sim.control.stats()["requests"]["Login"] > logins


@pytest.mark.parametrize(
    ("drift", "stopped", "said"),
    [
        ("key", "RES", "Property, class RES: its key was LIST_KEY, .*overrides.property.key_field"),
        ("timestamp", "LND", "Property, class LND: its timestamp was MOD_TS, .*overrides.property.timestamp_field"),
        ("class", "LND", "class LND is gone from the metadata; .*mlsync metadata approve"),
    ],
)
def test_a_class_without_its_key_or_timestamp_stops_alone(tmp_path: Path, drift: str, stopped: str, said: str) -> None:
    with board(tmp_path, resources="property,member") as here:
        here.sync()
        before = here.stored()
        inside = {key for key, row in before.items() if row["#class"] == stopped}
        assert inside
        here.drift(drift, after=3)
        here.sim.control.advance(5)
        here.sync()
        report = here.sync()
        assert re.search(said, report["untold"][0])
        assert len(report["untold"]) == 1
        stored, truth = here.stored(), here.truth()
        assert {key: stored[key] for key in inside} == {key: before[key] for key in inside}
        others = {key: row for key, row in truth.items() if row["#class"] != stopped}
        assert {key for key in stored if stored[key]["#class"] != stopped} == others.keys()
        assert all(
            plain(stored[key]["list_price"]) == plain(row["PRICE"]) for key, row in others.items() if "PRICE" in row
        )
        assert here.viewed("PRICE", class_name=stopped).keys() == inside
        status = here.status()
        assert status["metadata"]["untold"] == report["untold"]
        assert status["last_run"]["outcome"] == "unfinished"
        here.drift("restored")
        report = here.sync()
        assert "untold" not in report
        here.sync()
        assert here.differences() == []


def test_a_key_under_another_name_is_believed_when_the_settings_name_it(tmp_path: Path) -> None:
    named = {"property": Override(key_field="LIST_ID")}
    with simulated() as sim:
        with board(tmp_path, sim=sim) as here:
            here.sync()
            here.sim.control.advance(3)
            here.drift("keys")
            report = here.sync()
            assert len(report["untold"]) == len(CLASSES)
            assert report["removed"] == 0
        with board(tmp_path, overrides=named, sim=sim) as again:
            assert "untold" not in again.sync()
            assert again.differences() == []


def test_a_server_that_refuses_the_key_it_names_stops_that_class_alone(tmp_path: Path) -> None:
    with board(tmp_path) as here:
        here.sync()
        stored = here.stored()
        here.sim.control.fault("refused-field", "RES.LIST_KEY")
        here.sim.control.advance(2)
        report = here.sync()
        assert "refuses" in report["untold"][0]
        assert {key for key, row in stored.items() if row["#class"] == "RES"} <= here.stored().keys()
        here.sim.control.fault("refused-field", "off")
        assert "untold" not in here.sync()
        assert here.differences() == []


def test_many_fields_vanishing_at_once_are_held_and_nothing_is_blanked(tmp_path: Path) -> None:
    with board(tmp_path) as here:
        here.sync()
        before = here.stored()
        here.drift("third")
        here.sim.control.advance(5)
        report = here.sync()
        assert re.search(
            r"class RES: 9 of 25 fields vanished at once, held: .*mlsync metadata approve", report["untold"][0]
        )
        stored = here.stored()
        both = [key for key in stored.keys() & before.keys() if before[key]["#class"] == "RES"]
        assert any(stored[key]["modification_timestamp"] != before[key]["modification_timestamp"] for key in both)
        assert all(stored[key].get("unparsed_address") == before[key].get("unparsed_address") for key in both)
        assert here.field("UnparsedAddress") == ("STREET", "held")
        assert here.viewed("STREET") == here.expected("unparsed_address")
        assert here.status()["metadata"]["untold"] == report["untold"]
        here.drift("restored")
        assert "untold" not in here.sync()
        assert here.differences() == []  # also of what was read meanwhile
        assert here.field("UnparsedAddress") == ("STREET", "")
        here.drift("third")
        assert "untold" in here.sync()
        with operator.opened(here.settings) as store:
            assert drifted.approve(store, FEED, "property", "RES") == 9
        assert "untold" not in here.sync()
        assert here.field("UnparsedAddress") == ("STREET", "removed")
        with pytest.raises(sqlite3.OperationalError):
            here.viewed("STREET")
        stored = here.stored()
        assert all(stored[key].get("unparsed_address") for key in both if key in stored)


def test_photos_that_are_counted_no_more_stay(tmp_path: Path) -> None:
    with board(tmp_path, photos=1, media="bytes") as here:
        here.sync()
        before = {key for (key,) in here.here.rows("SELECT resource_record_key FROM media")}
        here.drift("photos")
        here.sim.control.advance(5)
        here.sync()
        assert here.here.count("media", "content_sha256 IS NULL") == 0
        inside = {key for key, row in here.stored().items() if row["#class"] == "RES"} & before
        assert inside
        assert inside <= {key for (key,) in here.here.rows("SELECT resource_record_key FROM media")}


def test_differences_are_counted_and_shown(tmp_path: Path) -> None:
    before = {name: counted("field", name) for name in ("added", "renamed", "removed")}
    values = counted("lookup value", "added")
    with board(tmp_path) as here:
        here.sync()
        for kinds in ("added+lookups", "renamed", "removed"):
            here.drift(kinds)
            here.sync()
        assert {name: counted("field", name) - before[name] for name in before} == {
            "added": 2, "renamed": 2, "removed": 2
        }  # fmt: skip
        assert counted("lookup value", "added") - values == 1
        status = here.status()
        assert status["metadata"]["changes"][0] == "Property RES: field HEAT removed"
        assert "property RES: HEAT (Heating)" in status["metadata"]["removed_fields"]
        told = here.told()
        with operator.opened(here.settings) as store:
            lines = list(drifted.in_words(store, FEED))
            found = drifted.as_json(store, FEED)
            with pytest.raises(StoreError, match="no field of property RES is held"):
                drifted.approve(store, FEED, "property", "RES")
    assert [line.strip() for line in lines if line.startswith("  Property")] == told
    assert any("property RES: HEAT (Heating): removed since" in line for line in lines)
    assert [each["told"] for each in found["differences"]] == told
    assert {each["element"] for each in found["fields"]} == {"Heating", "MORE_INFO"}
    shown = here.here.run("metadata", "diff", FEED)
    assert (shown.code, shown.out.splitlines()) == (0, lines)
    newest, *_ = drifted.status_lines(FEED, statuses(here.settings)[FEED])
    assert "field HEAT removed" in newest
