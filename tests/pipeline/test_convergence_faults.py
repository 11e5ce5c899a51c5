"""The promise holds at an MLS that answers from copies that are behind, or fails over a record."""

from __future__ import annotations

import copy
import random
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from shared.effects import BREAKS_ANSWERS
from shared.sources.base import Inventory, Page, SourceError, SourceRefusedError, SourceUnreadableError
from tests.conftest import SCALE
from tests.pipeline import test_convergence
from tests.pipeline.model import Listing, ModelSource
from tests.pipeline.test_convergence import World

template = test_convergence.template
DAYS = 2 * 86_400.0
"""Longer than any back-off."""


class LaggingWorld(World):
    """Every other answer, inventory or records, is that of a replica which is behind."""

    lagging = True

    def source(self) -> ModelSource:
        return LaggingSource(self)

    def remember(self) -> None:
        self.copies = [*getattr(self, "copies", [])[-3:], copy.deepcopy(self.mls.listings)]

    def live(self, steps: int) -> None:
        for _ in range(0, steps, 10):
            self.remember()
            super().live(10)

    def assert_mark_holds(self) -> None:
        """Not here: what changes brought, a later answer of a replica that is behind takes back until the next one."""

    def quiet(self) -> None:
        self.lagging = False
        self.clock += DAYS
        super().quiet()
        self.lagging = True


class LaggingSource(ModelSource):
    """Sees one replica per answer."""

    def __init__(self, world: LaggingWorld) -> None:
        super().__init__(world.mls)
        self.world = world

    @contextmanager
    def replica(self) -> Iterator[None]:
        now: dict[str, Listing] = self.mls.listings
        if self.world.lagging and self.world.rng.random() < 0.5:
            self.mls.listings = self.world.rng.choice(self.world.copies)
        try:
            yield
        finally:
            self.mls.listings = now

    def inventory(self, resource: str) -> Inventory:
        with self.replica():
            return super().inventory(resource)

    def records(self, resource: str, keys: Sequence[str]) -> Page:
        with self.replica():
            return super().records(resource, keys)


class FailingWorld(World):
    """No answer that holds one of ``failing`` can be read; every request is noted."""

    failing: frozenset[str] = frozenset()
    error: type[SourceError] = SourceUnreadableError

    def source(self) -> ModelSource:
        return FailingSource(self)

    def requests(self) -> list[list[str]]:
        """What is asked for by one more inventory."""
        self.asked: list[list[str]] = []
        self.inventory()
        self.drain()
        return self.asked

    def attempts(self) -> dict[str, int]:
        return dict(self.rows("SELECT key, attempts FROM ledger WHERE wanted_by IS NOT NULL"))


class FailingSource(ModelSource):
    def __init__(self, world: FailingWorld) -> None:
        super().__init__(world.mls)
        self.world = world

    def records(self, resource: str, keys: Sequence[str]) -> Page:
        self.world.asked.append(list(keys))
        if self.world.failing & set(keys):
            raise self.world.error("broken")
        return super().records(resource, keys)


@contextmanager
def world_of(kind: type[World], memory_dir: Path, template: Path, rng: random.Random, listings: int) -> Iterator[World]:
    folder = memory_dir / "faulty"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    made = kind(folder, template, rng, listings)
    try:
        yield made
    finally:
        made.sqlite.close()


@given(rng=st.randoms(use_true_random=False), steps=st.integers(0, 12))
@hypothesis_settings(max_examples=8 * SCALE)
def test_any_history_at_lagging_replicas_ends_in_step(
    memory_dir: Path, template: Path, rng: random.Random, steps: int
) -> None:
    with world_of(LaggingWorld, memory_dir, template, rng, 8) as it:
        it.live(10 * steps)
        it.quiet()
        it.assert_in_step()


@pytest.mark.parametrize("seed", range(2 * SCALE))
def test_any_long_history_at_lagging_replicas_ends_in_step(memory_dir: Path, template: Path, seed: int) -> None:
    with world_of(LaggingWorld, memory_dir, template, random.Random(seed), 12) as it:
        for _ in range(3):
            it.live(100)
            it.quiet()
            it.assert_in_step()


def test_records_that_break_answers_are_searched_for_once_and_then_asked_for_alone_till_they_rest(
    memory_dir: Path, template: Path
) -> None:
    with world_of(FailingWorld, memory_dir, template, random.Random(3), 12) as it:
        assert isinstance(it, FailingWorld)
        keys = sorted(it.mls.listings)
        it.failing = frozenset((keys[1], keys[2], keys[7]))
        assert len(it.requests()) > len(it.failing) + 3  # pages of four, halved
        assert it.attempts() == dict.fromkeys(it.failing, 1)
        reasons = it.rows("SELECT DISTINCT reason FROM ledger WHERE wanted_by IS NOT NULL")
        assert reasons == [(f"{BREAKS_ANSWERS}broken",)]
        stored = {key for (key,) in it.rows("SELECT listing_key FROM property")}
        assert stored == set(keys) - it.failing
        fresh = it.mls.listings[keys[3]]
        fresh.stamp, fresh.price = it.mls.tick(), 7
        assert sorted(it.requests()) == sorted([[keys[3]], *([key] for key in it.failing)])
        assert sorted(it.requests()) == sorted([key] for key in it.failing)
        assert it.attempts() == dict.fromkeys(it.failing, 3)
        assert it.requests() == []  # in back-off
        it.clock += DAYS
        it.failing = frozenset()
        it.requests()
        it.quiet()
        it.assert_in_step()


def test_an_mls_that_refuses_every_request_is_left_alone_until_the_next_inventory(
    memory_dir: Path, template: Path
) -> None:
    with world_of(FailingWorld, memory_dir, template, random.Random(3), 60) as it:
        assert isinstance(it, FailingWorld)
        it.failing = frozenset(it.mls.listings)
        it.error = SourceRefusedError
        assert [len(it.requests()) for _ in range(2)] == [10, 10]
