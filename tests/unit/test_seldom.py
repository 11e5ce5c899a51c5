"""Looking costs little of the time, however long a look takes."""

from __future__ import annotations

from contextlib import suppress

import pytest

from services.seldom import MOST, Seldom


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize(("took", "pause"), [(0.0, 1.0), (0.05, 1.0), (0.5, 5.0), (60.0, MOST)])
def test_the_longer_a_look_took_the_later_the_next(took: float, pause: float) -> None:
    clock = Clock()
    look = Seldom(1.0, clock)
    assert (look.due, look.pause) == (False, 1.0)
    clock.now += 1.0
    assert look.due
    with suppress(ValueError), look.looking():
        clock.now += took
        raise ValueError
    assert look.pause == pytest.approx(pause)
    clock.now += pause + 0.001
    assert look.due


def test_what_may_be_looked_at_all_the_time_is() -> None:
    clock = Clock()
    look = Seldom(clock=clock)
    for _ in range(3):
        assert look.due
        with look.looking():
            pass
