"""Timestamps in every form DDF mixes within one answer, as aware UTC datetimes.

======================================  =================================================
``Tue, 05 Mar 2024 14:00:00 GMT``       RFC 1123; also with a numeric offset
``05/03/2024 09:00:00 AM``              day first, local time
``2024-03-05 9:00:00 AM``               local time
``2024-03-05T14:00:00Z``                ISO 8601; without ``Z`` or offset local time
``2024-03-05``, ``05/03/2024``          a date only; as a timestamp its local midnight
======================================  =================================================

Local time is that of the zone given. Daylight saving: a time the clocks skipped in spring is read as if they had not
been put forward yet (02:30 is the instant also called 03:30); a time that comes twice in autumn is the first of the
two, still on summer time. So each local time is exactly one instant, whoever reads it.

Every function raises ValueError for what it cannot read, the empty string included, and returns nothing else.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from functools import lru_cache

_MONTHS = {
    name: number
    for number, name in enumerate(
        ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), start=1
    )
}
_CLOCK = r"(?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{2})(?::(?P<second>[0-9]{2})(?:\.(?P<fraction>[0-9]{1,9}))?)?"
_DATE = (
    r"(?:(?P<year>[0-9]{4})-(?P<month>[0-9]{2})-(?P<day>[0-9]{2})|(?P<d>[0-9]{1,2})/(?P<m>[0-9]{1,2})/(?P<y>[0-9]{4}))"
)
_WRITTEN = re.compile(
    rf"{_DATE}(?:[T ]{_CLOCK}(?: ?(?P<half>[AaPp])\.? ?[Mm]\.?)? ?(?P<offset>[Zz]|[+-][0-9]{{2}}:?[0-9]{{2}})?)?"
)
_RFC1123 = re.compile(
    rf"(?:[A-Za-z]{{3}}, )?(?P<day>[0-9]{{1,2}}) (?P<name>[A-Za-z]{{3}}) (?P<year>[0-9]{{4}}) {_CLOCK}"
    r" (?P<offset>GMT|UTC|UT|Z|[+-][0-9]{2}:?[0-9]{2})"
)


_MINUTES = {f"{n:02}": timedelta(minutes=n % 30) for n in range(60)}
_SECONDS = {f"{n:02}": timedelta(seconds=n) for n in range(60)}


def parse_stamp(text: str, zone: tzinfo = UTC) -> datetime:
    """The instant ``text`` names, in UTC; ``zone`` is where its clock hangs if it names no offset."""
    if len(text) == 29 and text.endswith(" GMT"):
        # Nearly every stamp of a feed has this form, thousands of them the same day.
        return datetime.fromisoformat(f"{_iso_day(text[5:16])}T{text[17:25]}+00:00")
    if len(text) == 22 and text[2] == "/" and text[13] == ":" == text[16]:
        # The form of the other stamp of each photo. No zone changes its clocks but at a full hour or half of one.
        minutes, seconds = _MINUTES.get(text[14:16]), _SECONDS.get(text[17:19])
        if minutes is not None and seconds is not None:
            return _half_hour(text[:13], text[14] >= "3", text[19:], zone) + minutes + seconds
    found = _WRITTEN.fullmatch(text)
    if found is not None:
        return _written(found, zone)
    found = _RFC1123.fullmatch(text)
    if found is not None:
        day = (int(found["year"]), _month(found["name"]), int(found["day"]))
        return _instant(day, _clock(found), _offset(found["offset"]))
    raise ValueError(f"not a timestamp: {text[:40]!r}")


def modified_in(stamp: str) -> str:
    """The record's own timestamp in the stamp of a source: what else the source goes by stands behind ``|``."""
    return stamp.partition("|")[0]


def parse_local(text: str, zone: tzinfo) -> tuple[datetime, date]:
    """The instant ``text`` names, and the date it has in ``zone``."""
    instant = parse_stamp(text, zone)
    try:
        return instant, instant.astimezone(zone).date()
    except OverflowError as error:
        raise ValueError("outside the calendar") from error


@lru_cache(maxsize=1024)
def parse_date(text: str) -> date:
    """The date ``text`` names, alone or with a midnight beside it, as some servers write dates. No zone is applied."""
    found = _WRITTEN.fullmatch(text)
    if found is None or found["offset"] is not None:
        raise ValueError(f"not a date: {text[:40]!r}")
    if found["hour"] is not None and _clock(found) != (0, 0, 0, 0):
        raise ValueError(f"a time, not a date: {text[:40]!r}")
    return date(*_ymd(found))


@lru_cache(maxsize=1024)
def _iso_day(text: str) -> str:
    return date(int(text[7:11]), _month(text[3:6]), int(text[:2])).isoformat()


@lru_cache(maxsize=4096)
def _half_hour(hour: str, second_half: bool, half_day: str, zone: tzinfo) -> datetime:
    found = _WRITTEN.fullmatch(f"{hour}:{'30' if second_half else '00'}:00{half_day}")
    if found is None:
        raise ValueError(f"not a timestamp: {hour!r}")
    return _written(found, zone)


def _month(name: str) -> int:
    month = _MONTHS.get(name.lower())
    if month is None:
        raise ValueError(f"not a month: {name!r}")
    return month


def _written(found: re.Match[str], zone: tzinfo) -> datetime:
    clock = _clock(found) if found["hour"] is not None else (0, 0, 0, 0)
    return _instant(_ymd(found), clock, zone if found["offset"] is None else _offset(found["offset"]))


def _ymd(found: re.Match[str]) -> tuple[int, int, int]:
    if found["year"] is not None:
        return int(found["year"]), int(found["month"]), int(found["day"])
    return int(found["y"]), int(found["m"]), int(found["d"])


def _clock(found: re.Match[str]) -> tuple[int, int, int, int]:
    hour = int(found["hour"])
    half = found.groupdict().get("half")
    if half is not None:
        if not 1 <= hour <= 12:
            raise ValueError("no such hour on a clock of twelve")
        hour = hour % 12 + (12 if half in "Pp" else 0)
    microsecond = int((found["fraction"] or "0")[:6].ljust(6, "0"))
    return hour, int(found["minute"]), int(found["second"] or 0), microsecond


def _offset(text: str) -> tzinfo:
    if text[0] not in "+-":
        return UTC
    ahead = timedelta(hours=int(text[1:3]), minutes=int(text[-2:]))
    return timezone(ahead if text[0] == "+" else -ahead)


def _instant(day: tuple[int, int, int], clock: tuple[int, int, int, int], zone: tzinfo) -> datetime:
    try:
        return datetime(*day, *clock, tzinfo=zone).astimezone(UTC)
    except OverflowError as error:
        raise ValueError("outside the calendar") from error
