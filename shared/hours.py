"""Hours of the day in a time zone, such as ``09:00-03:00 America/Toronto``. Pure; instants are in microseconds.

An instant is within hours by what a clock on the wall there shows: hours that the clock skips in spring are not to be
had that day, those it shows twice in autumn count both times.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

_MINUTE = 60_000_000
_DAY_MINUTES = 1_440
_RANGE = r"(\d\d?):(\d\d)\s*-\s*(\d\d?):(\d\d)"
_HOURS = re.compile(rf"\s*(?P<ranges>{_RANGE}(?:\s*,\s*{_RANGE})*)(?:\s+(?P<zone>\S+))?\s*")


@dataclass(frozen=True, slots=True)
class Hours:
    """Some, not all, minutes of every day. ``text`` is how they were written."""

    text: str
    zone: ZoneInfo
    minutes: bytes = field(repr=False)
    """For each minute of the day by the wall clock, from midnight: 1 within, 0 without."""

    def contain(self, at: int) -> bool:
        """Whether the instant is within the hours."""
        return self._flag(at // _MINUTE)[0]

    def following(self, at: int, *, within: bool) -> int:
        """The first instant from ``at`` on that is within the hours, or without."""
        minute = at // _MINUTE
        flag, shown, offset = self._flag(minute)
        if flag is within:
            return at
        while flag is not within:
            ahead = self.minutes.find(within, shown)
            if ahead < 0:
                ahead = self.minutes.find(within) + _DAY_MINUTES
            there = minute + ahead - shown
            if self._flag(there)[2] == offset:
                return there * _MINUTE
            minute += 1  # the clock changes in between: feel the way
            flag, shown, offset = self._flag(minute)
        return minute * _MINUTE

    def _flag(self, minute: int) -> tuple[bool, int, object]:
        """Whether a minute since 1970 is within, which one of the day the wall clock shows, and its offset."""
        local = datetime.fromtimestamp(minute * 60, UTC).astimezone(self.zone)
        shown = local.hour * 60 + local.minute
        return bool(self.minutes[shown]), shown, local.utcoffset()


def parse_hours(text: str) -> Hours:
    """``HH:MM-HH:MM``, several with commas, then a time zone's name (default UTC); over midnight where the end is
    not after the beginning. Raises ValueError, which says what to write."""
    match = _HOURS.fullmatch(text)
    if match is None:
        raise ValueError("give hours such as 09:00-03:00 America/Toronto, or 08:00-12:00,13:00-18:00 UTC")
    minutes = bytearray(_DAY_MINUTES)
    for found in re.findall(_RANGE, match["ranges"]):
        h1, m1, h2, m2 = map(int, found)
        begin, end = h1 * 60 + m1, h2 * 60 + m2
        if begin >= _DAY_MINUTES or end > _DAY_MINUTES or m1 > 59 or m2 > 59 or begin == end:
            raise ValueError(f"{h1:02}:{m1:02}-{h2:02}:{m2:02} are no hours of a day; they go from 00:00 to 24:00")
        for minute in range(begin, end if end > begin else end + _DAY_MINUTES):
            minutes[minute % _DAY_MINUTES] = 1
    if all(minutes):
        raise ValueError("these are all hours of the day; leave some out, or the setting")
    return Hours(text.strip(), _zone(match["zone"] or "UTC"), bytes(minutes))


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError(f"{name} is no time zone; give one such as America/Toronto") from None
