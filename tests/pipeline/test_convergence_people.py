"""The promise for agents and offices: own records, copies in listings and portraits, whatever happens on the way.

They appear, change, lose their own record and come back while the listings that name them change, and now and then the
process comes back with another setting of ``resources``.
"""

from __future__ import annotations

import itertools
import random
import shutil
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from shared.messages import SourceRecord
from shared.sources.base import Inventory, Page, PhotoObject
from tests.conftest import SCALE
from tests.pipeline.model import START, ModelMls, ModelSource, picture, when
from tests.pipeline.test_convergence import FEED, World, template, world

__all__ = ["template"]
PEOPLE = ("member", "office")
SETTINGS = (("property", *PEOPLE), ("property", *PEOPLE), ("property", "office"), ("property",))
STAMPS = {"member": "PhotoLastUpdated", "office": "LogoLastUpdated"}


@dataclass(frozen=True)
class Person:
    """An agent's or office's own record."""

    stamp: int
    name: str
    phones: int
    photo: int


class PeopleMls(ModelMls):
    """Three agents and two offices, some of which have records of their own."""

    def __init__(self, rng: random.Random, listings: int) -> None:
        self.people: dict[str, dict[str, Person]] = {name: {} for name in PEOPLE}
        self.gone: dict[str, dict[str, Person]] = {name: {} for name in PEOPLE}
        super().__init__(rng, listings)
        for name in PEOPLE:
            self.person_appears(name)

    def person_appears(self, resource: str) -> None:
        key = str(self.rng.randrange(4))
        if key in self.people[resource]:
            return
        came = self.gone[resource].pop(key, None)
        if came is None or self.rng.random() < 0.5:
            came = self._drawn(resource, key)
        self.people[resource][key] = came  # it may come back just as it was

    def person_changes(self, resource: str) -> None:
        key = self.rng.choice(sorted(self.people[resource]))
        old, new = self.people[resource][key], self._drawn(resource, key)
        if self.rng.random() < 0.3:
            new = replace(new, photo=old.photo)
        self.people[resource][key] = new

    def person_disappears(self, resource: str) -> None:
        if len(self.people[resource]) > 1:  # an empty inventory is held, whatever its size
            key = self.rng.choice(sorted(self.people[resource]))
            self.gone[resource][key] = self.people[resource].pop(key)

    def _drawn(self, resource: str, key: str) -> Person:
        self.pictures += 1
        stamp = self.tick()
        photo = self.pictures if self.rng.random() < 0.6 else 0
        return Person(stamp, f"Own {resource} {key} at {stamp}", self.rng.randrange(3), photo)

    def step(self) -> None:
        if self.rng.random() < 0.5:
            super().step()
            return
        resource = self.rng.choice(PEOPLE)
        self.rng.choice((self.person_appears, self.person_changes, self.person_disappears))(resource)

    def record(self, key: str) -> SourceRecord:
        made = super().record(key)
        agent: dict[str, Any] = made.fields["AgentDetails"]
        office = {"@ID": str(self.listings[key].agent % 2), "Name": office_name(self.listings[key].agent_name)}
        return SourceRecord(made.key, made.stamp, made.fields | {"AgentDetails": agent | {"Office": office}})

    def own(self, resource: str, key: str) -> SourceRecord:
        it = self.people[resource][key]
        phones = [f"555-{number:04}" for number in range(it.phones)]
        fields: dict[str, Any] = {"@ID": key, "Name": it.name, "Phones": {"Phone": phones}}
        if it.photo:
            fields[STAMPS[resource]] = when(START + it.photo)
        return SourceRecord(key, when(it.stamp), fields)


def office_name(agent_name: str) -> str:
    """What a listing's copy calls the office: listings of one office disagree."""
    return f"Office of {agent_name}"


class PeopleSource(ModelSource):
    """The model MLS with the lists of agents and offices."""

    mls: PeopleMls

    def inventory(self, resource: str) -> Inventory:
        if resource == "property":
            return super().inventory(resource)
        people = self.mls.people[resource]
        return Inventory(sorted(f"{key}\0{when(it.stamp)}".encode() for key, it in people.items()), self._date, True)

    def records(self, resource: str, keys: Sequence[str]) -> Page:
        if resource == "property":
            return super().records(resource, keys)
        people = self.mls.people[resource]
        return Page([self.mls.own(resource, key) for key in keys if key in people], self._date)

    def photos(self, resource: str, key: str, *, location: bool, orders: Collection[int] = ()) -> Iterator[PhotoObject]:
        if resource == "property":
            yield from super().photos(resource, key, location=location)
        elif (it := self.mls.people[resource].get(key)) is not None and it.photo:
            yield PhotoObject(0, "image/png", picture(it.photo))


class PeopleWorld(World):
    """A world whose process reads agents and offices too, or not, as it was told when it started."""

    mls: PeopleMls
    mls_type = PeopleMls
    source_type = PeopleSource
    settings: Sequence[tuple[str, ...]] = SETTINGS

    def boot(self) -> None:
        self.resources = self.rng.choice(self.settings)
        super().boot()

    def inventory(self) -> None:
        self.clock += 1
        self.guarded(self.sync)

    def sync(self) -> None:
        self.writer.give_up(FEED, "run")
        self.writer.remap(FEED, "run")
        for resource in self.resources:
            self.fetcher.take_inventory(FEED, resource, "run")

    def listed(self, resource: str) -> dict[str, Person]:
        return self.mls.people[resource] if resource in self.resources else {}

    def photos(self) -> dict[tuple[str, str, int], int]:
        own = {
            (resource, key, 1): it.photo for resource in PEOPLE for key, it in self.listed(resource).items() if it.photo
        }
        return super().photos() | own

    def members_expected(self) -> dict[str, str]:
        return super().members_expected() | {key: it.name for key, it in self.listed("member").items()}

    def offices_expected(self) -> dict[str, str]:
        seen = dict(self.rows("SELECT key, observed_at FROM ledger WHERE resource = 'property' AND stored"))
        found: dict[str, tuple[int, str, str]] = {}
        for key, item in self.mls.listings.items():
            copy, office = (seen[key], key, office_name(item.agent_name)), str(item.agent % 2)
            found[office] = max(found.get(office, copy), copy)
        copies = {office: name for office, (_, _, name) in found.items()}
        return copies | {key: it.name for key, it in self.listed("office").items()}

    def assert_in_step(self) -> None:
        super().assert_in_step()
        assert dict(self.rows("SELECT office_key, office_name FROM office")) == self.offices_expected()
        for resource in PEOPLE:
            own = self.listed(resource)
            mine = "TRUE" if resource not in self.resources else "stored"  # what is not read has no tombstones either
            lines = dict(self.rows(f"SELECT key, stamp FROM ledger WHERE resource = '{resource}' AND {mine}"))
            assert lines == {key: when(it.stamp) for key, it in own.items()}
            assert set(self.rows(f"SELECT key FROM source_record WHERE resource = '{resource}'")) == {(k,) for k in own}
            phones = dict(self.rows(f"SELECT {resource}_key, count(*) FROM {resource}_phone GROUP BY 1"))
            assert phones == {key: it.phones for key, it in own.items() if it.phones}
            rows = {key for (key,) in self.rows(f"SELECT {resource}_key FROM {resource}")}
            copies = {key for (key,) in self.rows(f"SELECT key FROM embedded_row WHERE resource = '{resource}'")}
            assert copies == rows - own.keys()


class AlwaysAll(PeopleWorld):
    """The same, every resource always read."""

    settings = SETTINGS[:1]


class ListingsAlone(PeopleWorld):
    """The same with nothing but listings."""

    settings = SETTINGS[3:]


@given(rng=st.randoms(use_true_random=False), steps=st.integers(0, 120))
@hypothesis_settings(max_examples=10 * SCALE)
def test_any_history_of_people_ends_in_step(memory_dir: Path, template: Path, rng: random.Random, steps: int) -> None:
    with world(memory_dir, template, rng, made_of=PeopleWorld) as it:
        it.live(steps)
        it.quiet()
        it.assert_in_step()


@pytest.mark.parametrize("made_of", [PeopleWorld, AlwaysAll])
@pytest.mark.parametrize("seed", range(3 * SCALE))
def test_any_long_history_of_people_ends_in_step(
    memory_dir: Path, template: Path, seed: int, made_of: type[World]
) -> None:
    with world(memory_dir, template, random.Random(seed), 6, made_of) as it:
        for _ in range(3):
            it.live(150)
            it.quiet()
            it.assert_in_step()


def test_inventories_of_a_resource_given_up_meanwhile_come_too_late(memory_dir: Path, template: Path) -> None:
    with world(memory_dir, template, random.Random(4), 3, AlwaysAll) as it:
        it.inventory()
        it.old, it.bag.bodies = it.bag.bodies, []
        it.settings = ListingsAlone.settings  # type: ignore[attr-defined]
        it.boot()
        it.quiet()
        it.assert_in_step()


def test_every_single_crash_of_giving_resources_up_is_survived(memory_dir: Path, template: Path) -> None:
    kept = memory_dir / "kept"
    with world(memory_dir, template, random.Random(3), 3, AlwaysAll) as it:
        it.quiet()
        it.assert_in_step()
        mls, clock, folder = it.mls, it.clock, it.sqlite.path.parent
    shutil.copytree(folder, kept)
    for step in itertools.count():
        with world(memory_dir, kept / "mlsync.db", random.Random(3), 0, ListingsAlone) as it:
            shutil.copytree(kept / "media", folder / "media", dirs_exist_ok=True)
            it.mls, it.clock = mls, clock
            it.bomb.left = step
            it.inventory()
            it.drain()
            survived = it.bomb.left is not None
            it.quiet()
            it.assert_in_step()
        if survived:
            break
    assert step > 20
