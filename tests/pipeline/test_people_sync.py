"""Agents and offices by their own lists: rows, parts, portraits and logos are what the MLS has, every day."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any, Protocol

import pytest

from services.app import App
from services.asking import sync_or_ask
from shared.settings import load
from tests.conftest import SCALE
from tests.pipeline.simulated import Installation, Mls, simulated, synced
from tests.pipeline.test_kill import killed_after
from tests.pipeline.truth import Json

ALL = "property,member,office"
PEOPLE = ("member", "office")
LISTINGS, PHOTOS, DAYS = (180, 1, 5) if SCALE == 1 else (300, 5, 30)
KILLS = 2 if SCALE == 1 else 12


class Sync(Protocol):
    """Brings an installation in step."""

    def __call__(self, here: Installation, limit: int | None = None) -> Json: ...


@pytest.fixture
def inside(monkeypatch: pytest.MonkeyPatch) -> Sync:
    """A sync in this process: what a command does without the seconds it takes to start."""

    def run(here: Installation, limit: int | None = None) -> Json:
        monkeypatch.chdir(here.folder)
        for name, value in here.env.items():
            if name.startswith("MLSYNC_"):
                monkeypatch.setenv(name, value)
        with closing(App(load())) as app:
            (report,) = sync_or_ask(app, ["ddf"], limit=limit, wait=60.0, watch=lambda _run_id: None)
        return report.as_json()

    return run


def rows(here: Installation) -> dict[str, int]:
    """How many rows there are of each resource."""
    return {name: here.count(name) for name in ("property", *PEOPLE)}


def grown(before: Mapping[str, int], report: Json) -> dict[str, int]:
    """How many rows there should be after a sync, by what it says it did."""
    counts = {"property": report, **report["resources"]}
    return {
        name: before[name] + counts.get(name, {}).get("inserted", 0) - counts.get(name, {}).get("removed", 0)
        for name in before
    }


def asked(mls: Mls, before: Mapping[str, int] = {}) -> dict[str, int]:
    """Requests of each kind since ``before``."""
    now: dict[str, int] = mls.stats()["requests"]
    return {name: count - before.get(name, 0) for name, count in now.items() if count != before.get(name, 0)}


@pytest.mark.usefixtures("each_form")
def test_days_of_all_resources_equal_the_truth_every_day(tmp_path: Path, inside: Sync) -> None:
    seen: Counter[str] = Counter()
    with synced(tmp_path, LISTINGS, PHOTOS, resources=ALL) as (mls, here):
        before = dict.fromkeys(("property", *PEOPLE), 0)
        for day in range(DAYS + 1):
            report = inside(here)
            assert here.differences(mls) == [], f"after day {day}: {report}"
            now = rows(here)
            assert grown(before, report) == now, f"after day {day}: {report}"
            before = now
            for name in PEOPLE:
                listed = mls.truth(size="", resource=name)
                assert report["resources"][name]["inventory"] == len(listed)
                seen["by copies alone"] += here.count(name) - len(listed)
                seen["portraits"] += here.count("media", f"resource_name = '{name}'")
            mls.advance()
        assert set(+seen) == {"by copies alone", "portraits"}
        here.sync()
        requests = mls.stats()["requests"]
        assert here.sync()["requests"] == 6  # the first login is challenged
        assert asked(mls, requests) == {"Login": 2, "Search": 3, "Logout": 1}
        status = here.status()
        for name in PEOPLE:
            own = here.count("ledger", f"resource = '{name}' AND stored")
            resource = status["resources"][name]
            assert (resource["stored"], resource["own"], resource["at_mls"]) == (here.count(name), own, own)
            assert 0 <= resource["freshness_seconds"] < 600


def children(record: Json) -> Iterator[tuple[str, list[Any]]]:
    """Everything of a record that is replaced as a set, by name; scalar groups as one entry for each column."""
    for name in ("rooms", "open_houses", "parking", "utilities", "phones", "websites"):
        if name in record:
            yield name, record[name]
    fields = record["fields"]
    for name in ("specialties", "member_designation", "member_languages", "trading_areas"):
        if name in fields:
            yield name, fields[name]
    if "rooms" in record:
        yield "business", sorted(item for item in fields.items() if item[0].startswith("business_"))
        links = ("brochure_link", "map_link", "photo_link", "sound_link", "video_link")
        yield "alternate URLs", [(name, fields[name]) for name in links if name in fields]


EVERY_CHANGE = {
    *(("property", name) for name in ("rooms", "open_houses", "parking", "utilities", "business", "alternate URLs")),
    *(("member", name) for name in ("phones", "websites", "specialties", "member_designation", "member_languages")),
    ("member", "trading_areas"), ("office", "phones"), ("office", "websites"),
}  # fmt: skip


def test_parts_of_every_kind_are_replaced_as_a_set(tmp_path: Path, inside: Sync) -> None:
    """Far apart, so that every part of every resource has grown, shrunk and changed."""
    seen: set[tuple[str, str, str]] = set()
    every = {(*what, change) for what in EVERY_CHANGE for change in ("added", "removed", "changed")}
    with synced(tmp_path, 200, 0, resources=ALL, remove_share="1") as (mls, here):
        before: dict[tuple[str, str], dict[str, list[Any]]] = {}
        for _ in range(8):
            inside(here)
            assert here.differences(mls) == []
            now = {
                (resource, record["key"]): dict(children(record))
                for resource in ("property", *PEOPLE)
                for record in mls.truth(size="", resource=resource)
            }
            for (resource, key), parts in now.items():
                for name, items in parts.items():
                    old = before.get((resource, key), {}).get(name)
                    if old is None or old == items:
                        continue
                    change = "added" if len(items) > len(old) else "removed" if len(items) < len(old) else "changed"
                    seen.add((resource, name, change))
            if seen == every:
                break
            before = now
            mls.advance(60)
    assert seen == every


def test_a_sync_killed_at_random_instants_ends_equal_to_the_mls(tmp_path: Path) -> None:
    """Every other kill falls into a first sync, every other into that of a few days later."""
    rng = random.Random(5)
    killed = 0
    with synced(tmp_path / "unharmed", LISTINGS, PHOTOS, resources=ALL) as (mls, unharmed):
        unharmed.folder.mkdir()
        started = time.monotonic()
        unharmed.sync()
        length = time.monotonic() - started
        for number in range(KILLS):
            here = Installation(tmp_path / str(number // 2), mls.login_url, unharmed.settings)
            here.folder.mkdir(exist_ok=True)
            killed += killed_after(here, rng.uniform(0.4, 0.9) * length)
            here.sync()
            assert here.differences(mls) == [], f"kill {number} of {KILLS}"
            mls.advance(4)
    assert killed >= KILLS // 4  # the rest had finished before


@pytest.mark.usefixtures("each_form")
def test_a_resource_no_longer_listed_is_given_up_and_can_be_listed_again(tmp_path: Path, inside: Sync) -> None:
    with synced(tmp_path, 60, 1, resources=ALL) as (mls, here):
        inside(here)
        portraits = here.count("media", "resource_name <> 'property'")
        people = rows(here)
        for resources in ("property,office", "property"):
            here.settings["MLSYNC_FEEDS__DDF__RESOURCES"] = resources
            report = inside(here)
            assert here.differences(mls) == []
            assert report["fetched"] == report["updated"] == 0
            portraits -= report["photos"]["deleted"]
        assert portraits == 0
        assert rows(here)["property"] == people["property"]
        assert [name for name in here.copy.photos.names() if name.startswith("ddf/_")] == []
        requests = mls.stats()["requests"]
        inside(here)
        assert asked(mls, requests)["Search"] == 1
        here.settings["MLSYNC_FEEDS__DDF__RESOURCES"] = ALL
        report = inside(here)
        assert here.differences(mls) == []
        assert rows(here) == people
        assert (report["held"], report["fetched"]) == (0, 0)
        assert report["resources"]["member"]["updated"] == here.count("ledger", "resource = 'member' AND stored")


def test_a_resource_that_is_refused_stops_no_other(tmp_path: Path, inside: Sync) -> None:
    with synced(tmp_path, 60, 1, resources=ALL) as (mls, here):
        mls.fault("refused-resource", "Agent")
        report = here.sync(code=1)
        assert report["error"].startswith("member: Search at ")
        assert report["inserted"] == 60
        assert report["photos"]["stored"] == here.count("media") > 0
        assert here.differences(mls, own={"office": mls.truth(resource="office")}) == []
        mls.fault("refused-resource", "off")
        inside(here)
        assert here.differences(mls) == []
        mls.fault("refused-resource", "Agent")
        mls.advance(2)
        inside(here)
        assert here.count("ledger", "resource = 'member' AND stored") == 9  # refused is not gone


@pytest.mark.usefixtures("each_form")
def test_a_limited_sync_takes_listings_alone(tmp_path: Path, inside: Sync) -> None:
    with synced(tmp_path, 60, 0, resources=ALL) as (mls, here):
        report = inside(here, limit=5)
        assert asked(mls)["Search"] == 2
        assert report["inserted"] == 5
        assert {name: counts["inventory"] for name, counts in report["resources"].items()} == {"member": 0, "office": 0}
        inside(here)
        assert here.differences(mls) == []


@pytest.fixture(scope="module")
def mls() -> Iterator[Mls]:
    with simulated(60, 1) as running:
        yield running


@pytest.mark.parametrize("policy", ["none", "link", "location", "bytes"])
def test_portraits_are_had_wherever_photos_are_downloaded(tmp_path: Path, mls: Mls, inside: Sync, policy: str) -> None:
    settings = {"MLSYNC_FEEDS__DDF__RESOURCES": ALL, "MLSYNC_FEEDS__DDF__MEDIA": policy}
    here = Installation(tmp_path, mls.login_url, settings)
    inside(here)
    kept = "stored" if policy in ("location", "bytes") else policy
    assert here.differences(mls, media=kept) == []  # type: ignore[arg-type]
    assert (here.count("media", "resource_name <> 'property'") > 0) == (kept == "stored")


@pytest.mark.parametrize("size", ["Photo", "ThumbnailPhoto"])
def test_portraits_come_in_the_size_asked_for_or_the_next_best(
    tmp_path: Path, mls: Mls, inside: Sync, size: str
) -> None:
    settings = {"MLSYNC_FEEDS__DDF__RESOURCES": ALL, "MLSYNC_FEEDS__DDF__PHOTO_SIZE": size}
    here = Installation(tmp_path, mls.login_url, settings)
    inside(here)
    assert here.differences(mls, size=size) == []


def test_a_portrait_that_is_stated_but_not_there_has_failed_and_is_had_once_it_is_there(
    tmp_path: Path, inside: Sync
) -> None:
    with synced(tmp_path, 60, 0, faults=("no-object=20403:1",), resources=ALL) as (mls, here):
        report = here.sync(code=3)
        stated = sum("photo" in record for name in PEOPLE for record in mls.truth(resource=name))
        assert report["photos"] == {"stored": 0, "deleted": 0, "failed": stated}
        assert here.differences(mls) == []
        assert asked(mls)["GetObject"] == stated  # a definite answer is not asked for again in one run
        problems = here.status()["problems"]
        assert {(item["kind"], item["resource"], item["reason"]) for item in problems} == {
            ("photo", name, "missing") for name in PEOPLE
        }
        requests = mls.stats()["requests"]
        assert inside(here)["photos"]["failed"] == stated
        assert asked(mls, requests)["GetObject"] == stated  # once for each inventory
        mls.fault("no-object", "off")
        assert inside(here)["photos"] == {"stored": stated, "deleted": 0, "failed": 0}
        assert here.differences(mls) == []


def test_the_audit_has_lost_portraits_fetched_again(tmp_path: Path, inside: Sync) -> None:
    with synced(tmp_path, 60, 0, resources=ALL) as (mls, here):
        inside(here)
        portraits = sorted(here.media.rglob("*.jpg"))
        portraits[0].unlink()
        portraits[1].write_bytes(b"other bytes")
        assert here.run("audit", "media").code == 3  # something was lost
        assert inside(here)["photos"]["stored"] == 2
        assert here.differences(mls) == []


SPOILS: dict[str, Callable[[Json], object]] = {
    "a value": lambda own: own["member"][0]["fields"].update(member_full_name="Somebody Else"),
    "a list": lambda own: own["member"][0]["fields"].update(member_languages=["Esperanto"]),
    "a phone": lambda own: own["office"][0]["phones"].append({"phone_number": "1"}),
    "a web site": lambda own: own["member"][0]["websites"].append({"website_url": "x"}),
    "a timestamp": lambda own: own["member"][0].update(modified="2024-01-01T00:00:00Z"),
    "a source timestamp": lambda own: own["office"][0].update(stamp="other"),
    "a record": lambda own: own["member"].pop(),
    "a portrait": lambda own: portrait_of(own["member"]).pop("photo"),
    "a logo's bytes": lambda own: portrait_of(own["office"])["photo"].update(sha256="0" * 64),
    "a resource": lambda own: own.pop("office"),
}


def portrait_of(records: list[Json]) -> Json:
    return next(record for record in records if "photo" in record)


def test_the_comparison_sees_any_single_difference(tmp_path: Path, inside: Sync) -> None:
    with synced(tmp_path, 30, 0, resources=ALL) as (mls, here):
        inside(here)
        for name, spoil in SPOILS.items():
            own = {resource: mls.truth(resource=resource) for resource in PEOPLE}
            assert here.differences(mls, own=own) == []
            spoil(own)
            assert here.differences(mls, own=own) != [], name
