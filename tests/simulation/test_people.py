"""Agents and offices with lists of their own, in a process that is told to list them no more."""

from __future__ import annotations

import itertools

from tests.simulation.machine import Machine
from tests.simulation.plan import Setup
from tests.simulation.world import SETTINGS, Job, World

EVERYBODY, LISTINGS_ALONE = SETTINGS[:1], SETTINGS[-1:]


def _world(machine: Machine, seed: int) -> World:
    """One that lists everybody."""
    it = World(machine, Setup(listings=2, range_size=2, page_size=2, people=True), seed)
    it.choices = EVERYBODY
    it.restart()
    return it


def test_inventories_of_a_resource_given_up_meanwhile_come_too_late(machine: Machine) -> None:
    it = _world(machine, 4)
    it.jobs.append(Job("inventory"))
    while it.jobs or not any(item.queue == "reconciler" for item in it.bag.waiting):
        it.work(1)
    late = [(item.queue, item.body) for item in it.bag.waiting]
    it.choices = LISTINGS_ALONE
    it.restart()
    for queue, body in late:
        it.bag.publish(queue, body)
    it.finish()


def test_every_single_crash_of_giving_resources_up_is_survived(machine: Machine) -> None:
    for steps in itertools.count():
        it = _world(machine, 3)
        it.sync()
        it.choices = LISTINGS_ALONE
        it.restart()
        it.jobs.append(Job("sync"))
        it.work(steps)
        survived = not it.busy
        it.restart()
        it.finish()
        if survived:
            break
    assert steps > 20
