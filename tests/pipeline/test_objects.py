"""``mlsync object``: objects of every type as the server gives them, and their bytes as files."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from services import objects
from services.simulator.main import Options, Simulator
from services.tabular import Form
from shared.settings import FeedSettings, Settings, SettingsError
from shared.sources.base import SourceRefusedError
from tests.pipeline.simulated import bare_env, command

KEYS = 3


@pytest.fixture(scope="module")
def sim() -> Iterator[Simulator]:
    with Simulator(Options(personality="mls", listings=30, photos=3)) as running:
        yield running


@pytest.fixture
def keys(sim: Simulator) -> Iterator[list[str]]:
    """Listings with three photos at least. Whatever a test switches on is off afterwards."""
    rows = [row for name in ("RES", "COM", "LND") for row in sim.control.rows("Property", name)]
    yield [str(row["LIST_KEY"]) for row in rows if int(row.get("PHOTO_CNT", 0)) >= 3][:KEYS]
    for name in ("single-key", "object-cap", "single-part", "no-object"):
        sim.control.fault(name, "off")


def settings(sim: Simulator, tmp_path: Path, **more: Any) -> Settings:
    given = {"protocol": "rets", "login_url": sim.login_url, "username": "demo", "password": SecretStr("demo")} | more
    return Settings(database_url=f"sqlite:///{tmp_path / 'rows.db'}", feeds={"board": FeedSettings(**given)})


def shown(
    sim: Simulator, tmp_path: Path, kind: str, ids: str, folder: Path | None = None, **more: Any
) -> list[dict[str, Any]]:
    found = objects.objects(settings(sim, tmp_path, **more), "board", "Property", kind, ids, folder, Form.json)
    rows: list[dict[str, Any]] = json.loads(found.text)
    assert found.well is not any(row["error"] for row in rows)
    assert sim.control.stats()["sessions_open"] == 0
    return rows


def hashes(sim: Simulator, key: str) -> list[str]:
    """Of a listing's photos, in order, from the simulator's own mouth."""
    return [photo["sha256"] for record in sim.control.truth() if record["key"] == key for photo in record["photos"]]


def test_all_the_photos_of_a_listing_byte_for_byte(sim: Simulator, tmp_path: Path, keys: list[str]) -> None:
    folder = tmp_path / "new" / "photos"
    rows = shown(sim, tmp_path, "LargePhoto", f"{keys[0]}:*", folder)
    files = [folder / row["file"] for row in rows]
    assert [hashlib.sha256(file.read_bytes()).hexdigest() for file in files] == hashes(sim, keys[0])
    assert [row["size"] for row in rows] == [file.stat().st_size for file in files]
    assert [row["preferred"] for row in rows] == [True] + [False] * (len(rows) - 1)
    assert files[0].name == f"Property-LargePhoto-{keys[0]}-{rows[0]['number']}.jpg"


def test_nothing_is_overwritten(sim: Simulator, tmp_path: Path, keys: list[str]) -> None:
    (tmp_path / f"Property-Plat-{keys[0]}-1.pdf").write_text("mine")
    (row,) = shown(sim, tmp_path, "Plat", f"{keys[0]}:*", tmp_path)
    assert "is there already" in row["error"]
    assert (tmp_path / f"Property-Plat-{keys[0]}-1.pdf").read_text() == "mine"


@pytest.mark.parametrize("fault", [None, "single-key", "object-cap", "single-part"])
def test_several_records_at_once_or_one_by_one(
    sim: Simulator, tmp_path: Path, keys: list[str], fault: str | None
) -> None:
    expected = shown(sim, tmp_path, "Photo", ",".join(f"{key}:1:2:3" for key in keys))
    assert [row["key"] for row in expected] == sorted(row["key"] for row in expected)
    if fault == "single-part":  # of each record it gives one photo alone
        sim.control.fault(fault, "image")
        found = shown(sim, tmp_path, "Photo", ",".join(f"{key}:1:2:3" for key in keys))
        assert [row["key"] for row in found] == keys
        return
    if fault:
        sim.control.fault(fault)
    before = sim.control.stats()["requests"]["GetObject"]
    found = shown(sim, tmp_path, "Photo", ",".join(f"{key}:1:2:3" for key in keys))
    assert found == expected
    asked = sim.control.stats()["requests"]["GetObject"] - before
    assert asked == {None: 1, "single-key": 1 + KEYS, "object-cap": KEYS}[fault]


def test_objects_that_are_no_pictures(sim: Simulator, tmp_path: Path, keys: list[str]) -> None:
    for kind, content, head in (
        ("Plat", "application/pdf", b"%PDF-"),
        ("Video", "video/mp4", b"\x00\x00\x00\x18ftyp"),
        ("Audio", "audio/mpeg", b"ID3"),
    ):
        rows = shown(sim, tmp_path, kind, f"{keys[0]}:*", tmp_path / kind)
        assert [row["type"] for row in rows] == [content] * len(rows)
        assert all((tmp_path / kind / row["file"]).read_bytes().startswith(head) for row in rows)


def test_links_are_listed_and_fetched_only_by_policy(sim: Simulator, tmp_path: Path, keys: list[str]) -> None:
    rows = shown(sim, tmp_path, "LargePhoto", f"{keys[0]}:*", media="location")
    assert all(row["location"].startswith(sim.base) and not row["file"] for row in rows)
    kept = shown(sim, tmp_path, "LargePhoto", f"{keys[0]}:*", tmp_path / "here", media="location")
    assert [hashlib.sha256((tmp_path / "here" / row["file"]).read_bytes()).hexdigest() for row in kept] == hashes(
        sim, keys[0]
    )
    # Elsewhere is not asked for what only has an address there; where there are none bytes come instead.
    films = objects.objects(
        settings(sim, tmp_path, media="location"), "board", "Property", "Video", f"{keys[0]}:1", None, Form.json
    )
    (film,) = json.loads(films.text)
    assert film["location"].startswith("https://media.example/")
    assert (film["preferred"], film["description"]) == (True, f"Video 1 of {keys[0]}")
    assert shown(sim, tmp_path, "Audio", f"{keys[0]}:*", media="location")[0]["size"] > 1_000


def test_what_rets_1_8_tells_besides(sim: Simulator, tmp_path: Path, keys: list[str]) -> None:
    rows = shown(sim, tmp_path, "Photo", f"{keys[0]}:1:2", rets_version="RETS/1.8")
    assert [row["tags"]["ObjectID"] for row in rows] == ["1", "2"]
    assert [row["tags"]["FileSize"] for row in rows] == [str(row["size"]) for row in rows]
    (one,) = shown(sim, tmp_path, "Photo", keys[0], rets_version="RETS/1.8")
    assert one["preferred"]
    assert one["tags"]["IsDefault"] == "1"


def test_what_is_not_there(sim: Simulator, tmp_path: Path, keys: list[str]) -> None:
    (gone,) = [row for row in shown(sim, tmp_path, "Photo", f"{keys[0]}:1:99") if row["error"]]
    assert gone["number"] == 99
    assert "20403" in gone["error"]
    assert shown(sim, tmp_path, "Photo", "29999999:*") == []
    with pytest.raises(SourceRefusedError, match="type"):
        shown(sim, tmp_path, "Sculpture", f"{keys[0]}:*")


@pytest.mark.parametrize("ids", ["", "a b", "1:x", "1:*:2", "1:*,1:2", "1:", ",", ",".join(str(n) for n in range(101))])
def test_ids_that_are_none(sim: Simulator, tmp_path: Path, ids: str) -> None:
    with pytest.raises(SettingsError, match="ID"):
        shown(sim, tmp_path, "Photo", ids)


def test_names_are_never_paths(sim: Simulator, tmp_path: Path, keys: list[str]) -> None:
    assert objects._plain("../../etc/passwd") != objects._plain(".._.._etc_passwd")
    assert not {"/", ".", "\\", "\0", " "} & set(objects._plain("../a\\b\0 ..."))
    held = tmp_path / "held"
    held.write_text("a file")
    with pytest.raises(SettingsError, match="-o"):
        shown(sim, tmp_path, "Photo", f"{keys[0]}:*", held)


def test_the_command(sim: Simulator, tmp_path: Path, keys: list[str]) -> None:
    names = {"PROTOCOL": "rets", "LOGIN_URL": sim.login_url, "USERNAME": "demo", "PASSWORD": "demo"}
    env = bare_env() | {f"MLSYNC_FEEDS__BOARD__{name}": value for name, value in names.items()}
    done = command("object", "board", "Property", "Photo", f"{keys[0]}:1", "-o", "kept", env=env, cwd=tmp_path)
    assert done.code == 0, done.err
    assert done.out.splitlines()[0].split() == list(objects.COLUMNS)
    assert [path.name for path in (tmp_path / "kept").iterdir()] == [f"Property-Photo-{keys[0]}-1.jpg"]
    again = command("object", "board", "Property", "Photo", f"{keys[0]}:1", "-o", "kept", env=env, cwd=tmp_path)
    assert again.code == 3
    assert command("object", "board", "Property", "Photo", "1:x", env=env, cwd=tmp_path).code == 2
