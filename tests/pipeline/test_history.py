"""History tells what changed at the MLS, day by day, for people and scripts, for as long as it is to be kept."""

from __future__ import annotations

import io
import json
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from services.history import check_field, feeds_with
from services.ingest import run_ingest
from shared.history import NOISE
from shared.settings import SettingsError
from shared.store.base import StoreError
from tests.conftest import SCALE
from tests.pipeline.inside import Inside, inside
from tests.pipeline.simulated import Installation, simulated
from tests.pipeline.test_ingest import saved
from tests.pipeline.truth import Json

LISTINGS, DAYS = (60, 4) if SCALE == 1 else (500, 30)
NAMES = (
    "feed", "history_transactional_key", "resource_name", "resource_record_key", "resource_record_id", "field_name",
    "previous_value", "new_value", "change_type", "modification_timestamp", "observed_at",
)  # fmt: skip
PARTS = {"rooms": "property_room", "open_houses": "open_house", "parking": "property_parking",
         "utilities": "property_utility"}  # fmt: skip
PRICES = ("list_price", "lease_amount")


def entries(here: Installation, after: int = 0) -> list[Json]:
    """History observed after that instant."""
    sql = f"SELECT {', '.join(NAMES)} FROM history_transactional WHERE observed_at > {after} ORDER BY observed_at, 6"
    return [dict(zip(NAMES, row, strict=True)) for row in here.rows(sql)]


def entries_of(here: Installation, key: str) -> list[Json]:
    """History of one record."""
    return [item for item in entries(here) if item["resource_record_key"] == key]


# --- what is true, worked out from the simulator's own account


class Expected:
    """What history must say of a day, from what the MLS had before and after it."""

    def __init__(self, here: Installation, before: list[Json], after: list[Json]) -> None:
        self._types = {name: kind for _, name, kind, *_ in here.rows("PRAGMA table_info(property_record)")}
        self._before = {record["key"]: record for record in before}
        self._after = {record["key"]: record for record in after}

    def changes(self) -> dict[tuple[str, str | None], tuple[Any, Any, str | None, str | None]]:
        """By listing and field: what it was, what it became, the kind of change, the listing's own timestamp."""
        found: dict[tuple[str, str | None], tuple[Any, Any, str | None, str | None]] = {}
        for key, old in self._before.items():
            new = self._after.get(key)
            if new is None:
                field = next((name for name in PRICES if name in old["fields"]), None)
                found[key, field] = (old["fields"].get(field), None, "Deleted", None)
                continue
            for field, was, now in self._differences(old, new):
                kind = "Price Change" if field == "list_price" else None
                found[key, field] = (was, now, kind, new["modified"])
        return found

    def _differences(self, old: Json, new: Json) -> Iterator[tuple[str, Any, Any]]:
        one, other = old["fields"], new["fields"]
        for name in sorted(one.keys() | other.keys()):
            if one.get(name) != other.get(name) and name not in NOISE:
                yield name, one.get(name), other.get(name)
        for name, table in PARTS.items():
            if old[name] != new[name]:
                yield table, old[name] or None, new[name] or None
        agents = [[_agent(agent) for agent in record["agents"]] for record in (old, new)]
        if agents[0] != agents[1]:
            yield "property_agent", agents[0] or None, agents[1] or None
        was, now = _photos(old, new)
        if was or now:
            yield "media", was or None, now or None

    def read(self, field: str | None, text: str | None) -> Any:
        """A value of history as the truth has it."""
        kind = self._types.get(field or "", "JSON")
        if text is None or kind in ("TEXT", "DATE", "DATETIME"):
            return text
        if kind.startswith("NUMERIC"):
            return Decimal(text)
        return json.loads(text, parse_float=Decimal)


def _agent(agent: Json) -> Json:
    return {"member_key": agent["member"]["key"]} | ({"office_key": agent["office"]["key"]} if agent["office"] else {})


def _photos(old: Json, new: Json) -> tuple[Json, Json]:
    was = {str(photo["order"]): photo for photo in old["photos"]}
    now = {str(photo["order"]): photo for photo in new["photos"]}
    both = [key for key in now if key in was]
    replaced = [
        key for key in both if any(was[key][name] != now[key][name] for name in ("modification_timestamp", "url"))
    ]
    told = [key for key in both if was[key].get("long_description") != now[key].get("long_description")]
    before = {"removed": [key for key in was if key not in now], "replaced": replaced,
              "captions": {key: was[key].get("long_description") for key in told}}  # fmt: skip
    after = {"added": [key for key in now if key not in was], "replaced": replaced,
             "captions": {key: now[key].get("long_description") for key in told}}  # fmt: skip
    return ({name: value for name, value in before.items() if value},
            {name: value for name, value in after.items() if value})  # fmt: skip


def plain(value: Any) -> Any:
    """Numbers as numbers: the truth writes exact ones as text."""
    if isinstance(value, dict):
        return {name: plain(item) for name, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, str) and re.fullmatch(r"-?\d+(\.\d+)?", value):
        return Decimal(value)
    return Decimal(value) if isinstance(value, int) and not isinstance(value, bool) else value


def test_history_is_what_changed_at_the_mls_day_by_day(tmp_path: Path) -> None:
    with simulated(LISTINGS, 3) as mls:
        here = inside(tmp_path, mls.login_url, media="link")
        here.in_step()
        assert entries(here) == []
        before, mark, fields = mls.truth(size=""), 0, set()
        for _ in range(DAYS):
            mls.advance(3)
            here.in_step()
            after = mls.truth(size="")
            expected = Expected(here, before, after)
            wanted = expected.changes()
            found = {(item["resource_record_key"], item["field_name"]): item for item in entries(here, mark)}
            assert {key: (plain(was), plain(now), kind) for key, (was, now, kind, _) in wanted.items()} == {
                key: (
                    plain(expected.read(key[1], item["previous_value"])),
                    plain(expected.read(key[1], item["new_value"])),
                    item["change_type"],
                )
                for key, item in found.items()
            }
            for key, (_, _, kind, modified) in wanted.items():
                assert kind == "Deleted" or found[key]["modification_timestamp"] == modified
            ids = {record["key"]: record["fields"].get("listing_id") for record in before}
            assert all(item["resource_record_id"] == ids[key] for (key, _), item in found.items())
            fields |= {field for _, field in wanted}
            before, mark = after, max((item["observed_at"] for item in entries(here)), default=0)
        assert {"list_price", "media"} <= fields
        here.in_step()
        assert entries(here, mark) == []


# --- the command


def test_the_command_shows_a_listings_history_to_people_and_scripts(tmp_path: Path) -> None:
    with simulated(30, 0, faults=("terminal-escapes=0.5",)) as mls:
        here = inside(tmp_path, mls.login_url, remove_at_least=30)
        here.in_step()
        mls.advance(10)
        here.in_step()
        (changed,) = here.rows(
            "SELECT resource_record_key FROM history_transactional WHERE field_name = 'public_remarks' "
            "AND new_value GLOB '*' || char(0x202e) || '*' LIMIT 1"
        )
        done = here.run("history", changed[0], "--json")
        assert done.code == 0
        shown = [json.loads(line) for line in done.out.splitlines()]
        stored = [item for item in entries(here) if item["resource_record_key"] == changed[0]]
        assert [tuple(item) for item in shown] == [NAMES] * len(stored)
        for one, other in zip(shown, stored, strict=True):
            assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", one.pop("observed_at"))
            other.pop("observed_at")
            assert one == other
        out = here.run("history", changed[0], "--field", "public_remarks").out
        assert "public_remarks" in out
        unsafe = "[\x00-\x09\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]"
        assert not re.search(unsafe, out + done.out)


def test_what_cannot_be_shown_is_said(tmp_path: Path) -> None:
    with simulated(5, 0) as mls:
        here = inside(tmp_path, mls.login_url)
        early = here.run("history", "1")
        assert (early.code, "no database" in early.err) == (1, True)
        here.in_step()
        key = mls.keys()[0]
        nothing = here.run("history", key)
        assert (nothing.code, nothing.out) == (0, f"ddf: property {key}: no change seen since it was first read\n")
        unknown = here.run("history", "nobody\x1b[31m")
        assert unknown.code == 1
        assert "no feed has a property nobody\\x1b[31m or a history of one" in unknown.err
        store = here.app().store
        with pytest.raises(StoreError, match=f"other has no property {key} and no history of one; ddf does"):
            feeds_with(store, "property", key, "other")
        with pytest.raises(StoreError, match="no feed has a member"):
            feeds_with(store, "member", key, None)
        store.close()
        check_field("list_price")
        with pytest.raises(SettingsError, match=r"--field list_prise: .* did you mean list_price\?"):
            check_field("list_prise")


def test_a_key_in_several_feeds_is_shown_for_each(tmp_path: Path) -> None:
    with simulated(30, 0) as mls:
        here = inside(tmp_path, mls.login_url)
        here.in_step()
        mls.advance(2)
        here.in_step()
        (key,) = here.rows("SELECT resource_record_key FROM history_transactional WHERE change_type = 'Price Change'")[
            0
        ]
        change(
            here,
            "INSERT INTO feed VALUES ('twin', 1, 1, NULL)",
            "INSERT INTO history_transactional (feed, history_transactional_key, resource_name, resource_record_key, "
            "modification_timestamp, observed_at) SELECT 'twin', history_transactional_key, resource_name, "
            "resource_record_key, modification_timestamp, observed_at FROM history_transactional",
        )
        out = here.run("history", key).out
        assert 0 <= out.index(f"ddf: property {key}") < out.index(f"twin: property {key}")
        lines = here.run("history", key, "--json", "--feed", "twin").out.splitlines()
        assert {json.loads(line)["feed"] for line in lines} == {"twin"}


# --- what counts as an observation


def test_an_ingested_answer_is_an_observation_and_leaves_history(tmp_path: Path) -> None:
    with simulated(20, 2) as mls:
        here = inside(tmp_path, mls.login_url)
        for name in ("first", "second"):
            (tmp_path / f"{name}.xml").write_bytes(saved(mls, f"(ID={','.join(mls.keys())})"))
            mls.advance(10)
        ingest(here, "first.xml")
        assert entries(here) == []
        ingest(here, "second.xml")
        found = entries(here)
        assert {item["field_name"] for item in found} >= {"list_price"}
        ingest(here, "second.xml")
        assert entries(here) == found


def ingest(here: Inside, name: str) -> None:
    """As the command does."""
    console = Console(file=io.StringIO())
    file = here.folder / name
    assert run_ingest(here.app().settings, "ddf", [file], dry_run=False, as_json=False, console=console) == 0


# --- how long it is kept


def left_of(here: Installation, key: str) -> set[str]:
    """The tables that still know a record."""
    found = set()
    for (table,) in here.rows("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"):
        columns = {name for _, name, *_ in here.rows(f"PRAGMA table_info({table})")}
        for column in columns & {"listing_key", "key", "resource_record_key"}:
            if here.count(table, f"{column} = '{key}'"):
                found.add(table)
    return found


def test_of_a_removed_listing_only_history_stays(tmp_path: Path) -> None:
    with simulated(60, 2) as mls:
        here = inside(tmp_path, mls.login_url, remove_at_least=60)
        here.in_step()
        before = {record["key"]: record for record in mls.truth(size="")}
        folders = {path.name for path in (here.media / "ddf").iterdir()}
        mls.advance(6)
        here.in_step()
        gone = sorted(before.keys() - set(mls.keys()))
        assert any(key in folders for key in gone)
        for key in gone:
            assert left_of(here, key) == {"ledger", "history_transactional"}  # the line as a tombstone
            assert not (here.media / "ddf" / key).exists()
        assert here.count("ledger", "NOT stored") == len(gone)
        here.in_step()
        for key in gone:
            assert left_of(here, key) == {"history_transactional"}
            last = entries_of(here, key)[-1]
            asked = next((before[key]["fields"][name] for name in PRICES if name in before[key]["fields"]), None)
            assert (last["change_type"], last["new_value"]) == ("Deleted", None)
            assert plain(last["previous_value"]) == plain(asked)
        assert here.differences(mls) == []


def change(here: Installation, *statements: str) -> None:
    """Change the database behind mlsync's back."""
    with closing(sqlite3.connect(here.database)) as connection, connection:
        for statement in statements:
            connection.execute(statement)


def age(here: Installation, days: int) -> None:
    """Make all history older."""
    ago = days * 86_400_000_000
    change(
        here,
        f"UPDATE history_transactional SET observed_at = observed_at - {ago}, history_transactional_key = "
        f"printf('%014x', observed_at - {ago}) || substr(history_transactional_key, 15)",
    )


def test_history_is_kept_for_ever_or_for_as_many_days_as_the_feed_says(tmp_path: Path) -> None:
    with simulated(60, 0) as mls:
        here = inside(tmp_path, mls.login_url)
        here.in_step()
        mls.advance(3)
        here.in_step()
        first = entries(here)
        age(here, 31)
        here.in_step()
        assert len(entries(here)) == len(first) > 0
        here.feed["history_days"] = 30
        mls.advance(3)
        here.in_step()
        young = entries(here)
        assert young
        assert min(item["observed_at"] for item in young) > max(item["observed_at"] for item in first)
        age(here, 29)
        here.in_step()
        assert len(entries(here)) == len(young)
        assert here.differences(mls) == []


def test_a_feed_may_keep_no_history_or_none_of_some_fields(tmp_path: Path) -> None:
    with simulated(60, 0) as mls:
        here = inside(tmp_path, mls.login_url, history_exclude=["*"])
        here.in_step()
        mls.advance(3)
        here.in_step()
        assert entries(here) == []
        here.feed["history_exclude"] = ["list_price"]
        mls.advance(3)
        here.in_step()
        found = entries(here)
        assert found
        assert not [item for item in found if item["field_name"] == "list_price"]
