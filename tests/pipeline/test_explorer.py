"""Looking at an MLS without storing anything: ``metadata``, ``search``, ``info``."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from services import explorer
from services.simulator.main import Options, Simulator
from services.tabular import Form, harmless, rendered
from shared.settings import FeedSettings, Settings, SettingsError
from tests.pipeline.simulated import bare_env, command

LISTINGS = 20


@pytest.fixture(scope="module")
def sim() -> Iterator[Simulator]:
    with Simulator(Options(personality="mls", listings=LISTINGS, photos=0)) as running:
        yield running


@pytest.fixture
def settings(sim: Simulator, tmp_path: Path) -> Settings:
    feed = FeedSettings(protocol="rets", login_url=sim.login_url, username="demo", password=SecretStr("demo"))
    return Settings(database_url=f"sqlite:///{tmp_path / 'rows.db'}", feeds={"board": feed})


def as_json(text: str) -> Any:
    return json.loads(text)


def test_metadata_by_their_levels(settings: Settings, sim: Simulator) -> None:
    tree = explorer.metadata(settings, "board", None, None, Form.table).splitlines()
    assert len(tree) == 7
    assert "Property" in tree[1]
    system = as_json(explorer.metadata(settings, "board", None, None, Form.json))
    assert [each["resource_id"] for each in system["resources"]] == ["Property", "Agent", "Office", "OpenHouse"]
    listed = as_json(explorer.metadata(settings, "board", "Property", None, Form.json))
    assert {each["lookup_name"] for each in listed["lookups"]} >= {"PropertyType", "HeatingType"}
    rows = list(csv.DictReader(io.StringIO(explorer.metadata(settings, "board", "Property", "LND", Form.csv))))
    assert len(rows) == 19
    assert rows[0]["system_name"] == "LIST_KEY"
    assert sim.control.stats()["sessions_open"] == 0


@pytest.mark.parametrize(("resource", "name"), [("Tax", None), ("Property", "XXX")])
def test_what_the_metadata_do_not_have_is_said_with_what_they_have(
    settings: Settings, resource: str, name: str | None
) -> None:
    with pytest.raises(SettingsError, match="Property"):
        explorer.metadata(settings, "board", resource, name, Form.table)


def test_records_as_the_server_writes_them(settings: Settings, sim: Simulator) -> None:
    there = {row["LIST_KEY"] for row in sim.control.rows("Property", "RES")}
    text, said = explorer.search(settings, "board", "Property", "RES", "(LIST_KEY=0+)", [], 100, Form.json)
    assert {row["LIST_KEY"] for row in as_json(text)} == there
    assert len(as_json(text)[0]) == 25
    assert said == f"{len(there)} of {len(there)}"
    text, said = explorer.search(
        settings, "board", "Property", "RES", "(LIST_KEY=0+)", ["LIST_KEY", "PRICE"], 2, Form.csv
    )
    assert text.splitlines()[0] == "LIST_KEY,PRICE"
    assert (len(text.splitlines()), said) == (3, f"2 of {len(there)}")
    for fault in ("one-format", "format-ignored"):
        sim.control.fault(fault, "STANDARD-XML" if fault == "one-format" else "1")
        try:
            asked = (settings, "board", "Property", "RES", "(LIST_KEY=0+)", ["MOD_TS", "CITY"], 2, Form.csv)
            text, said = explorer.search(*asked)
        finally:
            sim.control.fault(fault, "off")
        assert (text, said) == explorer.search(*asked)
        assert (text.splitlines()[0], said) == ("MOD_TS,CITY", f"2 of {len(there)}")
    with pytest.raises(SettingsError, match="the query"):
        explorer.search(settings, "board", "Property", "RES", "(LIST_KEY=", [], 2, Form.csv)


def test_who_logged_in_and_what_is_offered(settings: Settings) -> None:
    found = as_json(explorer.info(settings, "board", as_json=True))
    assert found["user"] == {"id": "demo", "level": "4", "class": "AGENT", "agent": "A-77"}
    assert {"Login", "Search", "GetMetadata", "GetObject", "Logout"} <= found["offers"].keys()
    assert "Maintenance is on Sundays" in found["notice"]
    assert {"name": "MinimumLimit", "value": "NONE", "resource": "Property", "class_name": "LND"} in found[
        "server_information"
    ]
    assert "timeout_seconds: 1800" in explorer.info(settings, "board", as_json=False)


@pytest.mark.parametrize(
    ("cell", "shown"),
    [
        ("=1+1", "'=1+1"), ("@SUM(A1)", "'@SUM(A1)"), ("+cmd|' /C calc'!A0", "'+cmd|' /C calc'!A0"), ("-2+3", "'-2+3"),
        ("  =1", "'  =1"), ("-12.5", "-12.5"), ("+7", "+7"), ("Main St", "Main St"), ("", ""),
    ],
)  # fmt: skip
def test_no_cell_is_a_formula(cell: str, shown: str) -> None:
    assert harmless(cell) == shown
    (row,) = list(csv.DictReader(io.StringIO(rendered(["A", "B"], [{"A": cell, "B": "x"}], Form.csv))))
    assert row == {"A": shown, "B": "x"}


def test_nothing_drives_the_terminal() -> None:
    assert "\x1b" not in rendered(["A"], [{"A": "\x1b[31mred"}], Form.table)


def test_the_commands(sim: Simulator, tmp_path: Path) -> None:
    names = {"PROTOCOL": "rets", "LOGIN_URL": sim.login_url, "USERNAME": "demo", "PASSWORD": "demo"}
    env = bare_env() | {f"MLSYNC_FEEDS__BOARD__{name}": value for name, value in names.items()}
    done = command("search", "board", "Office", "OFF", "(OFFICE_KEY=0+)", "--format", "csv", env=env, cwd=tmp_path)
    assert done.code == 0, done.err
    assert done.out.startswith("OFFICE_KEY,MOD_TS,NAME")
    refused = command("search", "board", "Office", "OFF", "(NOPE=1)", "--select", "NAME", env=env, cwd=tmp_path)
    assert refused.code == 1
    assert "unknown query field" in refused.err
    stored = command("query", "board", "OFF", "(OFFICE_KEY=0+)", env=env, cwd=tmp_path)
    assert (stored.code, stored.out) == (1, "")
    assert "mlsync sync" in stored.err
    wrong = command("metadata", "board", "Tax", env=env, cwd=tmp_path)
    assert (wrong.code, wrong.out) == (2, "")
    assert list(tmp_path.iterdir()) == []
