"""The promise: whatever happens to messages and processes, one more inventory of a quiet MLS brings all in step."""

from __future__ import annotations

import itertools
import random

import pytest

from services.fetcher.service import Fetcher
from shared.messages import ListingsGone, decode
from tests.conftest import SCALE
from tests.simulation.check import differences, mark_holds
from tests.simulation.history import play
from tests.simulation.machine import Machine
from tests.simulation.many import command
from tests.simulation.plan import Setup, drawn
from tests.simulation.world import Job, World

PARTS = 4
HISTORIES = 40 * SCALE * SCALE


@pytest.mark.parametrize("part", range(PARTS))
def test_any_history_ends_in_step(machine: Machine, part: int) -> None:
    wrong = {}
    for seed in range(part * HISTORIES, (part + 1) * HISTORIES):
        ended = play(machine, drawn(seed))
        if ended.wrong:
            wrong[command(seed, None)] = ended.wrong
    assert not wrong


def test_a_history_goes_the_same_way_again(machine: Machine) -> None:
    for seed in range(1_000_000, 1_000_003):
        stories: list[list[str]] = [[], []]
        for story in stories:
            play(machine, drawn(seed), story)
        assert len(stories[0]) > 50
        assert stories[0] == stories[1]


@pytest.mark.parametrize("seed", range(2 * SCALE))
def test_a_mark_is_never_ahead_of_what_is_stored(machine: Machine, seed: int) -> None:
    rng = random.Random(seed)
    it = World(machine, Setup(listings=6, range_size=3, page_size=4, incremental=True), seed)
    for _ in range(15):
        for _ in range(rng.randrange(4)):
            it.mls.step()
        it.jobs.append(Job("sync", rng.getrandbits(8)))
        if rng.random() < 0.3:
            it.work(rng.randrange(60))
            it.crash(0)
            it.boot_one(0)
        if rng.random() < 0.7:
            it.quiet()
        it.jobs.append(Job("settle"))
        it.work(20)
        mark_holds(it)
    assert it.rows("SELECT reached FROM mark WHERE settled_at IS NOT NULL")
    it.finish()
    mark_holds(it)


def test_every_single_crash_of_a_first_sync_is_survived(machine: Machine) -> None:
    for steps in itertools.count():
        it = World(machine, Setup(listings=4, range_size=2, page_size=2), 7)
        it.jobs.append(Job("sync"))
        it.work(steps)
        survived = not it.busy
        it.restart()
        it.finish()
        if survived:
            break
    assert steps > 30  # the history has that many places to die


def test_a_second_sync_of_a_quiet_mls_asks_for_nothing(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    it = World(machine, Setup(listings=6, range_size=3, page_size=4), 1)
    it.mls.now += 10  # nothing is read so soon after its timestamp that it must be read again
    it.sync()
    asked: list[object] = []
    monkeypatch.setattr(Fetcher, "handle", lambda *handled: asked.append(handled))
    before = len(it.bag.published)
    it.sync()
    assert not differences(it)
    assert not asked
    assert len(it.bag.published) == before + 2  # the two ranges


def test_a_late_removal_does_not_touch_what_a_later_inventory_listed(machine: Machine) -> None:
    it = World(machine, Setup(listings=6, range_size=3, page_size=4), 2)
    it.sync()
    key = sorted(it.mls.listings)[0]
    back = it.mls.listings.pop(key)
    it.sync()
    late = [body for body in it.bag.published if isinstance(decode(body)[1], ListingsGone)]
    assert late
    assert key not in dict(it.rows("SELECT listing_key, list_price FROM property"))
    it.mls.listings[key] = back
    it.sync()
    for body in late:
        it.bag.publish("writer", body)
    it.quiet()
    assert not differences(it)
