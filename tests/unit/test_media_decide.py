"""What becomes of photos that could not be had (design rule 11)."""

from __future__ import annotations

import pytest

from services.media.decide import ATTEMPTS_IN_A_RUN, given_up, retry_delay, to_retry
from shared.backoff import HOUR
from shared.store.base import PhotoFailed, PhotoWant

NOW = 1_700_000_000_000_000


def want(attempts: int) -> PhotoWant:
    return PhotoWant("3", 3, "http://x/3", "large v7", None, None, None, attempts, recheck=False, horizon=10)


def test_a_passing_failure_is_tried_again_within_the_run() -> None:
    assert all(to_retry(permanent=False, attempt=n) for n in range(1, ATTEMPTS_IN_A_RUN))


def test_a_photo_that_fails_to_the_last_attempt_is_left_for_later_inventories() -> None:
    assert not to_retry(permanent=False, attempt=ATTEMPTS_IN_A_RUN)
    assert not to_retry(permanent=False, attempt=ATTEMPTS_IN_A_RUN + 5)


def test_a_permanent_failure_is_not_tried_again_within_the_run() -> None:
    assert not to_retry(permanent=True, attempt=1)


def test_giving_up_names_the_photo_the_version_and_the_reason() -> None:
    assert given_up(want(0), "not_found", NOW) == PhotoFailed("3", "large v7", 10, "not_found", None)


def test_what_the_server_said_stands_behind_the_reason() -> None:
    failed = given_up(want(0), "object_error", NOW, None, "20407 not authorised")
    assert failed.reason == "object_error: 20407 not authorised"


def test_an_address_that_is_good_no_longer_has_its_record_read_again_three_times_a_version() -> None:
    assert [given_up(want(attempts), "http_404", NOW).reread for attempts in (0, 1, 2, 3, 9)] == [
        True,
        True,
        True,
        False,
        False,
    ]
    assert not given_up(want(0), "timeout", NOW).reread


@pytest.mark.parametrize("attempts_before", [0, 1, 2])
def test_a_photo_given_up_is_tried_again_at_the_next_three_inventories(attempts_before: int) -> None:
    assert given_up(want(attempts_before), "timeout", NOW).next_attempt_at is None


@pytest.mark.parametrize(("attempts_before", "hours"), [(3, 1), (4, 2), (5, 4), (20, 24)])
def test_after_three_more_inventories_intervals_grow_from_an_hour_to_a_day(attempts_before: int, hours: int) -> None:
    assert given_up(want(attempts_before), "timeout", NOW).next_attempt_at == NOW + hours * HOUR


@pytest.mark.parametrize(("attempts_before", "reread"), [(0, True), (2, True), (3, False)])
def test_a_record_whose_photos_address_is_good_no_longer_is_read_again_a_few_times(
    attempts_before: int, reread: bool
) -> None:
    assert given_up(want(attempts_before), "http_403", NOW).reread == reread
    assert not given_up(want(attempts_before), "timeout", NOW).reread


def test_retries_within_a_run_wait_longer_each_time() -> None:
    delays = [retry_delay(attempt, []) for attempt in range(1, ATTEMPTS_IN_A_RUN)]
    assert delays == sorted(delays)
    assert delays[0] > 0


def test_a_retry_waits_as_long_as_the_most_patient_server_asks() -> None:
    assert retry_delay(1, [5.0, 30.0]) == 30.0


def test_a_retry_never_waits_less_than_usual() -> None:
    assert retry_delay(1, [0.0]) == retry_delay(1, [])
