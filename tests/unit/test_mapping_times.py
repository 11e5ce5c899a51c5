"""Every form of timestamp the DDF reference lists becomes the right instant, daylight saving included."""

from __future__ import annotations

import contextlib
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.mapping.times import parse_date, parse_local, parse_stamp

EASTERN = ZoneInfo("America/Toronto")


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[arg-type,misc]


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("Tue, 05 Mar 2024 14:00:00 GMT", utc(2024, 3, 5, 14)),
        ("Tue, 5 Mar 2024 14:00:00 GMT", utc(2024, 3, 5, 14)),
        ("05 Mar 2024 14:00:00 GMT", utc(2024, 3, 5, 14)),
        ("Tue, 05 Mar 2024 09:00:00 -0500", utc(2024, 3, 5, 14)),
        ("05/03/2024 09:00:00 AM", utc(2024, 3, 5, 14)),
        ("18/01/2019 05:17:29 PM", utc(2019, 1, 18, 22, 17, 29)),
        ("5/3/2024 9:00:00 AM", utc(2024, 3, 5, 14)),
        ("05/03/2024 12:00:00 AM", utc(2024, 3, 5, 5)),
        ("05/03/2024 12:00:00 PM", utc(2024, 3, 5, 17)),
        ("05/03/2024 21:00:00", utc(2024, 3, 6, 2)),
        ("2024-02-01 9:15:00 AM", utc(2024, 2, 1, 14, 15)),
        ("2024-07-01 9:15:00 PM", utc(2024, 7, 2, 1, 15)),
        ("2024-07-01 9:15:00 p.m.", utc(2024, 7, 2, 1, 15)),
        ("2024-03-05T14:00:00Z", utc(2024, 3, 5, 14)),
        ("2024-03-05T14:00:00.25Z", utc(2024, 3, 5, 14, 0, 0, 250000)),
        ("2024-03-05T14:00:00.1234567Z", utc(2024, 3, 5, 14, 0, 0, 123456)),
        ("2024-03-05T14:00:00+01:00", utc(2024, 3, 5, 13)),
        ("2024-03-05T14:00:00", utc(2024, 3, 5, 19)),
        ("2024-03-05T14:00", utc(2024, 3, 5, 19)),
        ("2024-03-05", utc(2024, 3, 5, 5)),
        ("05/03/2024", utc(2024, 3, 5, 5)),
    ],
)
def test_each_form_is_the_instant_it_names(text: str, instant: datetime) -> None:
    assert parse_stamp(text, EASTERN) == instant
    assert parse_stamp(text, EASTERN).tzinfo is UTC


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("10/03/2024 01:59:59 AM", utc(2024, 3, 10, 6, 59, 59)),
        ("10/03/2024 03:00:00 AM", utc(2024, 3, 10, 7)),
        ("03/11/2024 12:59:59 AM", utc(2024, 11, 3, 4, 59, 59)),
        ("03/11/2024 02:00:00 AM", utc(2024, 11, 3, 7)),
        ("2024-03-10 3:00:00 AM", utc(2024, 3, 10, 7)),
        ("2024-11-03T02:00:00", utc(2024, 11, 3, 7)),
    ],
)
def test_local_times_beside_a_change_of_clocks_take_the_offset_then_in_force(text: str, instant: datetime) -> None:
    assert parse_stamp(text, EASTERN) == instant


@pytest.mark.parametrize("text", ["10/03/2024 02:30:00 AM", "2024-03-10 2:30:00 AM", "2024-03-10T02:30:00"])
def test_a_time_skipped_in_spring_is_read_as_if_the_clocks_had_not_moved(text: str) -> None:
    assert parse_stamp(text, EASTERN) == utc(2024, 3, 10, 7, 30)


@pytest.mark.parametrize("text", ["03/11/2024 01:30:00 AM", "2024-11-03 1:30:00 AM", "2024-11-03T01:30:00"])
def test_a_time_that_comes_twice_in_autumn_is_the_first(text: str) -> None:
    assert parse_stamp(text, EASTERN) == utc(2024, 11, 3, 5, 30)


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "yesterday", "32/01/2024 09:00:00 AM", "05/13/2024 09:00:00 AM", "05/03/2024 13:00:00 PM",
        "05/03/2024 00:30:00 AM", "05/03/2024 09:60:00 AM", "05/03/2024 09:00:60 AM", "05/03/2024 09:00:00 XM",
        "Tue, 31 Feb 2024 14:00:00 GMT", "Tue, 05 Mrz 2024 14:00:00 GMT", "Tue, 05 Mar 2024 25:00:00 GMT",
        "2024-02-30T00:00:00Z", "20240305", "2024-W10-2", "0000-01-01", "0001-01-01T00:00:00+10:00",
        "9999-12-31T23:59:59-05:00", "31/12/9999 11:59:59 PM", "٠٥/٠٣/٢٠٢٤ ٠٩:٠٠:٠٠ AM",
        "2024-03-05T14:00:00+24:00", "2024-03-05T14:00:00+99:99",
    ],
)  # fmt: skip
def test_what_is_no_timestamp_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError):
        parse_stamp(text, EASTERN)


@given(st.text(max_size=40))
def test_any_text_is_an_instant_or_a_value_error(text: str) -> None:
    with contextlib.suppress(ValueError):
        assert parse_stamp(text, EASTERN).tzinfo is UTC


instants = st.datetimes(datetime(1971, 1, 1), datetime(2099, 12, 31)).map(  # noqa: DTZ001
    lambda naive: naive.replace(microsecond=0, tzinfo=UTC)
)


@given(instants)
def test_rfc_1123_reads_back(instant: datetime) -> None:
    assert parse_stamp(instant.strftime("%a, %d %b %Y %H:%M:%S GMT"), EASTERN) == instant


@given(instants, st.sampled_from(["America/Toronto", "America/St_Johns", "America/Regina", "Australia/Lord_Howe"]))
def test_local_forms_read_back_in_any_zone_but_for_the_hour_that_comes_twice(instant: datetime, name: str) -> None:
    zone = ZoneInfo(name)
    local = instant.astimezone(zone)
    expected = local.replace(fold=0).astimezone(UTC)
    assert expected == instant or instant - expected in {timedelta(hours=1), timedelta(minutes=30), timedelta(hours=2)}
    half = local.strftime("%I:%M:%S ") + ("AM" if local.hour < 12 else "PM")
    assert parse_stamp(local.strftime("%d/%m/%Y ") + half, zone) == expected
    assert parse_stamp(local.strftime("%Y-%m-%d ") + half.lstrip("0"), zone) == expected
    assert parse_stamp(local.strftime("%Y-%m-%dT%H:%M:%S"), zone) == expected


def test_the_local_date_of_an_instant_is_that_of_its_zone() -> None:
    assert parse_local("2024-03-05T02:00:00Z", EASTERN) == (utc(2024, 3, 5, 2), date(2024, 3, 4))
    assert parse_local("05/03/2024 11:30:00 PM", EASTERN) == (utc(2024, 3, 6, 4, 30), date(2024, 3, 5))


@pytest.mark.parametrize("text", ["2024-02-28", "28/02/2024", "28/02/2024 12:00:00 AM", "2024-02-28T00:00:00"])
def test_a_date_may_come_with_a_midnight(text: str) -> None:
    assert parse_date(text) == date(2024, 2, 28)


@pytest.mark.parametrize("text", ["", "28/02/2024 09:00:00 AM", "2024-02-28T00:00:00Z", "2024-02-30", "Feb 2024"])
def test_what_is_more_or_less_than_a_date_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError):
        parse_date(text)
