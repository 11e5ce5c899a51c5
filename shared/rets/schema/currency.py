"""Whether metadata kept from before are still good, by what a login says (RETS 1.7.2 §4.7.3, §11.1.1; RETS 1.5)."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import Enum, auto


class Currency(Enum):
    """What to do about metadata that were kept."""

    CURRENT = auto()
    """Nothing: they are what the server has, as far as it says."""
    CHANGED = auto()
    """There are newer ones; these may be used until those are read."""
    EXPIRED = auto()
    """They must be read anew before anything else is asked."""


def currency(
    *,
    kept_version: str,
    kept_date: str,
    version: str = "",
    timestamp: str = "",
    min_version: str = "",
    min_timestamp: str = "",
) -> Currency:
    """``kept_…``: version and date of the METADATA-SYSTEM that was kept; the others as the login names them.

    "" is what it does not name. Timestamps count before versions, which are advisory since RETS 1.7. What cannot be
    read as a date or a version, and is not the same text, has changed.
    """
    kept, least = instant(kept_date), instant(min_timestamp)
    if min_timestamp and (kept is None or least is None or kept < least):
        return Currency.EXPIRED
    if not min_timestamp and min_version and _numbers(kept_version) < _numbers(min_version):
        return Currency.EXPIRED
    if timestamp:
        said = instant(timestamp)
        same = kept == said if kept is not None and said is not None else kept_date == timestamp
    elif version:
        same = _numbers(kept_version) == _numbers(version) if _numbers(version) else kept_version == version
    else:
        return Currency.CURRENT
    return Currency.CURRENT if same else Currency.CHANGED


def instant(text: str) -> datetime | None:
    """A date of metadata: ISO 8601 since RETS 1.7.2, RFC 1123 before; without a zone UTC. None for what is neither."""
    text = text.strip()
    try:
        found = datetime.fromisoformat(text) if text[:1].isdigit() else parsedate_to_datetime(text)
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError, TypeError, IndexError):
        return None


def _numbers(version: str) -> tuple[int, ...]:
    """``1.04.00012`` as numbers, so that 1.10 comes after 1.9."""
    return tuple(int(number) for number in re.findall(r"[0-9]{1,12}", version))
