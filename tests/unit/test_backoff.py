"""When to ask again for what was asked for in vain (design rule 11)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.backoff import DAY, HOUR, next_attempt_at

NOW = 1_700_000_000_000_000


@pytest.mark.parametrize("attempts", [0, 1, 2])
def test_the_first_three_attempts_wait_for_nothing_but_the_next_inventory(attempts: int) -> None:
    assert next_attempt_at(attempts, NOW) is None


@pytest.mark.parametrize(("attempts", "hours"), [(3, 1), (4, 2), (5, 4), (6, 8), (7, 16), (8, 24), (9, 24), (500, 24)])
def test_intervals_double_from_an_hour_up_to_a_day(attempts: int, hours: int) -> None:
    assert next_attempt_at(attempts, NOW) == NOW + hours * HOUR


@given(st.integers(3, 1_000_000), st.integers(0, 10**17))
def test_no_back_off_is_shorter_than_an_hour_or_longer_than_a_day(attempts: int, now: int) -> None:
    due = next_attempt_at(attempts, now)
    assert due is not None
    assert now + HOUR <= due <= now + DAY
