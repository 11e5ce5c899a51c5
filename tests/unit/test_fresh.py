"""A value made anew only so often, and never waited for too long."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from services.fresh import Fresh


class Making:
    """Makes 1, 2, 3, …; waits for ``go`` each time."""

    def __init__(self) -> None:
        self.made = 0
        self.now = 0.0
        self.takes = 0.0
        self.go = threading.Event()
        self.go.set()
        self.error: Exception | None = None

    def __call__(self) -> int:
        self.go.wait(10)
        self.made += 1
        self.now += self.takes
        if self.error is not None:
            raise self.error
        return self.made


def test_it_is_made_at_most_so_often_however_many_ask() -> None:
    making = Making()
    fresh = Fresh(making, every=15, patience=5, clock=lambda: making.now)
    with ThreadPoolExecutor(8) as many:
        assert set(many.map(lambda _: fresh.get(), range(100))) == {1}
    making.now = 14.9
    assert fresh.get() == 1
    making.now = 15
    assert fresh.get() == 2


def test_what_is_slow_is_made_less_often() -> None:
    making = Making()
    making.takes = 3.0
    fresh = Fresh(making, every=15, patience=5, rest=20, clock=lambda: making.now)
    assert fresh.get() == 1
    making.now = 62.9
    assert fresh.get() == 1
    making.now = 63
    assert fresh.get() == 2


def test_an_error_is_told_and_it_is_tried_again_when_due() -> None:
    making = Making()
    making.takes, making.error = 3.0, ConnectionError("away")
    fresh = Fresh(making, every=15, patience=5, rest=20, clock=lambda: making.now)
    for _ in range(3):
        with pytest.raises(ConnectionError, match="away"):
            fresh.get()
    assert making.made == 1
    making.error, making.now = None, 15
    assert fresh.get() == 2


def test_nobody_waits_longer_than_that_and_it_is_not_begun_twice() -> None:
    making = Making()
    making.go.clear()
    fresh = Fresh(making, every=0, patience=0.1, clock=lambda: making.now)
    began = time.monotonic()
    for _ in range(3):
        with pytest.raises(TimeoutError, match="no answer within"):
            fresh.get()
    assert time.monotonic() - began < 2
    making.go.set()
    while making.made == 0:
        time.sleep(0.01)
    assert making.made == 1


def test_an_older_value_is_given_out_while_a_slow_one_is_made() -> None:
    making = Making()
    fresh = Fresh(making, every=15, patience=0.1, good_for=300, clock=lambda: making.now)
    assert fresh.get() == 1
    making.go.clear()
    making.now = 300
    assert fresh.get() == 1
    making.now = 301
    with pytest.raises(TimeoutError):
        fresh.get()
    making.go.set()
