"""Photo hosts that want to be left alone."""

from __future__ import annotations

import pytest

from shared.photos.hosts import HostPauses


class Clock:
    """Seconds the test moves."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def hosts(clock: Clock) -> HostPauses:
    return HostPauses(clock)


def test_a_host_is_left_alone_for_as_long_as_it_said_and_no_other(hosts: HostPauses, clock: Clock) -> None:
    assert hosts.refused("a", 60) == 60
    assert (hosts.left("a"), hosts.left("b")) == (60, 0)
    assert hosts.all() == {"a": 60}
    clock.now += 60
    assert hosts.left("a") == 0
    assert hosts.all() == {}


@pytest.mark.parametrize(("said", "seconds"), [(None, 5), (0, 1), (7_200, 7_200), (3e8, 86_400)])
def test_a_pause_is_as_long_as_was_said_within_reason(hosts: HostPauses, said: float | None, seconds: float) -> None:
    assert hosts.refused("a", said) == seconds


def test_pauses_grow_while_refusals_follow_one_another(hosts: HostPauses, clock: Clock) -> None:
    lengths = []
    for _ in range(12):
        lengths.append(hosts.refused("a", None))
        clock.now += lengths[-1]
    assert lengths == [5, 10, 20, 40, 80, 160, 320, 640, 1280, 2560, 3600, 3600]
    hosts.answered("a")
    assert hosts.refused("a", None) == 5


def test_refusals_at_once_are_one_and_the_longest_pause_holds(hosts: HostPauses, clock: Clock) -> None:
    assert hosts.refused("a", 60) == 60
    clock.now += 1
    assert hosts.refused("a", 5) == 59
    assert hosts.refused("a", 100) == 100


def test_an_answer_to_what_was_asked_before_does_not_end_a_pause(hosts: HostPauses) -> None:
    hosts.refused("a", 60)
    hosts.answered("a")
    assert hosts.left("a") == 60


def test_however_many_hosts_there_are_few_are_remembered(hosts: HostPauses) -> None:
    for number in range(3_000):
        hosts.refused(f"host{number}", 100 + number)
    assert len(hosts.all()) <= 1_024
    assert hosts.left("host2999") == 3_099
