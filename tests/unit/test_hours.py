"""Hours of the day: as written, over midnight, and on the two days a year that have 23 and 25 hours."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.hours import parse_hours

MINUTE = 60_000_000
TORONTO = "09:00-03:00 America/Toronto"


def at(text: str) -> int:
    """Microseconds of an instant in UTC, ``2024-03-10 07:00``."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1_000_000


def shown(instant: int) -> str:
    return datetime.fromtimestamp(instant / 1_000_000, UTC).strftime("%Y-%m-%d %H:%M")


@pytest.mark.parametrize(
    ("hours", "instant", "within"),
    [
        (TORONTO, "2024-01-15 14:00", True),  # 09:00 there
        (TORONTO, "2024-01-15 13:59", False),
        (TORONTO, "2024-01-15 07:59", True),  # 02:59, of the day before
        (TORONTO, "2024-01-15 08:00", False),
        (TORONTO, "2024-07-15 13:00", True),  # summer time
        ("08:00-12:00, 13:00-18:00", "2024-07-15 12:30", False),
        ("08:00-12:00,13:00-18:00 UTC", "2024-07-15 13:00", True),
        ("22:00-24:00", "2024-07-15 23:59", True),
        ("22:00-24:00", "2024-07-15 00:00", False),
    ],
)
def test_an_instant_is_within_by_the_wall_clock_there(hours: str, instant: str, within: bool) -> None:
    assert parse_hours(hours).contain(at(instant)) is within


@pytest.mark.parametrize(
    ("hours", "since", "within", "until"),
    [
        (TORONTO, "2024-01-15 09:00", True, "2024-01-15 14:00"),
        (TORONTO, "2024-01-15 15:30", True, "2024-01-15 15:30"),
        (TORONTO, "2024-01-15 15:30", False, "2024-01-16 08:00"),
        # 10 March 2024: the clock in Toronto jumps from 02:00 to 03:00, at 07:00 UTC
        (TORONTO, "2024-03-10 06:30", False, "2024-03-10 07:00"),
        (TORONTO, "2024-03-10 07:00", True, "2024-03-10 13:00"),
        ("02:15-02:45 America/Toronto", "2024-03-10 05:00", True, "2024-03-11 06:15"),
        ("23:00-02:30 America/Toronto", "2024-03-10 05:00", False, "2024-03-10 07:00"),
        # 3 November 2024: it shows 01:00 to 02:00 twice, from 05:00 to 07:00 UTC
        (TORONTO, "2024-11-03 05:30", False, "2024-11-03 08:00"),
        ("01:15-01:45 America/Toronto", "2024-11-03 05:50", True, "2024-11-03 06:15"),
        ("01:15-01:45 America/Toronto", "2024-11-03 06:50", True, "2024-11-04 06:15"),
    ],
)
def test_the_following_instant_within_or_without(hours: str, since: str, within: bool, until: str) -> None:
    assert shown(parse_hours(hours).following(at(since), within=within)) == until


@given(
    st.lists(st.tuples(st.integers(0, 1439), st.integers(1, 1430)), min_size=1, max_size=3),
    st.sampled_from(["America/Toronto", "Australia/Lord_Howe", "Asia/Kathmandu", "UTC"]),
    st.integers(0, 366 * 86_400) | st.sampled_from([69 * 86_400 - 14_400, 307 * 86_400 - 14_400]),
    st.booleans(),
)
def test_following_is_the_first_of_all_minutes_that_is_as_asked(
    ranges: list[tuple[int, int]], zone: str, second: int, within: bool
) -> None:
    minutes = {(begin + step) % 1440 for begin, length in ranges for step in range(length)}
    written = ",".join(
        f"{b // 60:02}:{b % 60:02}-{(b + n) % 1440 // 60:02}:{(b + n) % 1440 % 60:02}" for b, n in ranges
    )
    if len(minutes) == 1440:
        with pytest.raises(ValueError, match="all hours"):
            parse_hours(f"{written} {zone}")
        return
    hours = parse_hours(f"{written} {zone}")
    since = datetime(2024, 1, 1, tzinfo=UTC) + timedelta(seconds=second)
    start = int(since.timestamp()) * 1_000_000
    found = hours.following(start, within=within)
    assert found >= start
    moment = since.replace(second=0, microsecond=0)
    while True:
        local = moment.astimezone(ZoneInfo(zone))
        if (local.hour * 60 + local.minute in minutes) is within:
            break
        moment += timedelta(minutes=1)
    assert found == max(start, int(moment.timestamp()) * 1_000_000)
    assert hours.contain(found) is within


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("9 to 5", "give hours such as"),
        ("", "give hours such as"),
        ("09:00-17:00 America/Toronto please", "give hours such as"),
        ("09:00-09:00", "no hours of a day"),
        ("24:00-09:00", "no hours of a day"),
        ("09:00-24:01", "no hours of a day"),
        ("09:60-10:00", "no hours of a day"),
        ("00:00-24:00", "all hours of the day"),
        ("00:00-12:00,11:00-24:00 UTC", "all hours of the day"),
        ("09:00-10:00 Toronto", "no time zone"),
        ("09:00-10:00 America", "no time zone"),
        ("09:00-10:00 ../UTC", "no time zone"),
    ],
)
def test_what_are_no_hours_is_refused_with_what_to_write(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        parse_hours(text)
