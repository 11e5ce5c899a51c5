"""An MLS that fails over some records, or refuses every request, is neither asked for ever nor stops the others."""

from __future__ import annotations

from collections.abc import Sequence

from shared.effects import BREAKS_ANSWERS
from shared.sources.base import Page, SourceError, SourceRefusedError, SourceUnreadableError
from tests.simulation.machine import Machine
from tests.simulation.mls import MlsSource
from tests.simulation.plan import Setup
from tests.simulation.world import DAYS, World


class FailingWorld(World):
    """No answer that holds one of ``failing`` can be read; every request is noted."""

    failing: frozenset[str] = frozenset()
    error: type[SourceError] = SourceUnreadableError

    def source(self) -> MlsSource:
        return FailingSource(self)

    def requests(self) -> list[list[str]]:
        """What is asked for by one more inventory."""
        self.asked: list[list[str]] = []
        self.sync()
        return self.asked

    def attempts(self) -> dict[str, int]:
        return dict(self.rows("SELECT key, attempts FROM ledger WHERE wanted_by IS NOT NULL"))


class FailingSource(MlsSource):
    def __init__(self, world: FailingWorld) -> None:
        super().__init__(world.mls, world.machine.scheduler.point)
        self.world = world

    def records(self, resource: str, keys: Sequence[str]) -> Page:
        self.world.asked.append(list(keys))
        if self.world.failing & set(keys):
            raise self.world.error("broken")
        return super().records(resource, keys)


def test_records_that_break_answers_are_searched_for_once_and_then_asked_for_alone_till_they_rest(
    machine: Machine,
) -> None:
    it = FailingWorld(machine, Setup(listings=18, range_size=3, page_size=4), 3)
    keys = sorted(it.mls.listings)
    it.failing = frozenset((keys[1], keys[2], keys[7]))
    it.mls.now += 10  # nothing is read so soon after its timestamp that it must be read again
    assert len(it.requests()) > len(it.failing) + 3  # pages of four, halved
    assert it.attempts() == dict.fromkeys(it.failing, 1)
    reasons = it.rows("SELECT DISTINCT reason FROM ledger WHERE wanted_by IS NOT NULL")
    assert reasons == [(f"{BREAKS_ANSWERS}broken",)]
    stored = {key for (key,) in it.rows("SELECT listing_key FROM property")}
    assert stored == set(keys) - it.failing
    fresh = it.mls.listings[keys[3]]
    fresh.stamp, fresh.price = it.mls.tick(), 7
    it.mls.now += 10
    assert sorted(it.requests()) == sorted([[keys[3]], *([key] for key in it.failing)])
    assert sorted(it.requests()) == sorted([key] for key in it.failing)
    assert it.attempts() == dict.fromkeys(it.failing, 3)
    assert it.requests() == []  # in back-off
    machine.now += DAYS
    it.failing = frozenset()
    it.requests()
    it.finish()


def test_an_mls_that_refuses_every_request_is_left_alone_until_the_next_inventory(machine: Machine) -> None:
    it = FailingWorld(machine, Setup(listings=90, range_size=3, page_size=3), 3)
    it.failing = frozenset(it.mls.listings)
    it.error = SourceRefusedError
    assert [len(it.requests()) for _ in range(2)] == [10, 10]
