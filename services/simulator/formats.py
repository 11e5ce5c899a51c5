"""How this MLS writes instants and text (DDF guide, value formats)."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

EASTERN = ZoneInfo("America/Toronto")
_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_TICKS_AT_1970 = 621_355_968_000_000_000


@lru_cache(maxsize=4096)
def _rfc1123_day(day: int) -> str:
    date = datetime.fromtimestamp(day * 86_400, UTC)
    return f"{_WEEKDAYS[date.weekday()]}, {date.day:02} {_MONTHS[date.month - 1]} {date.year} "


_CLOCKS = [f"{minute // 60:02}:{minute % 60:02}:" for minute in range(1440)]
_SECONDS = [f"{second:02} GMT" for second in range(60)]


def rfc1123(instant: int) -> str:
    """``Tue, 05 Mar 2024 14:00:00 GMT``; written by hand because a master list holds a million of them."""
    day, seconds = divmod(instant, 86_400)
    return _rfc1123_day(day) + _CLOCKS[seconds // 60] + _SECONDS[seconds % 60]


def iso(instant: int) -> str:
    """``2024-03-05T14:00:00Z``."""
    return datetime.fromtimestamp(instant, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def day_first(instant: int) -> str:
    """Eastern time as photos have it: ``05/03/2024 09:00:00 AM``."""
    return datetime.fromtimestamp(instant, EASTERN).strftime("%d/%m/%Y %I:%M:%S %p")


def year_first(instant: int) -> str:
    """Eastern time as logos have it: ``2024-03-05 9:00:00 AM``, the hour without a leading zero."""
    local = datetime.fromtimestamp(instant, EASTERN)
    return f"{local:%Y-%m-%d} {local.hour % 12 or 12}:{local:%M:%S} {'AM' if local.hour < 12 else 'PM'}"


def ticks(instant: int) -> int:
    """The .NET ticks of an instant, 18 digits, which photo URLs carry."""
    return instant * 10_000_000 + _TICKS_AT_1970


def escape(text: str) -> str:
    """Text as XML content or attribute value."""
    if "&" in text or "<" in text or ">" in text or '"' in text:
        return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")
    return text
