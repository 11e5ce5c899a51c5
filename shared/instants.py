"""How an instant is written for people and scripts."""

from __future__ import annotations

from datetime import UTC, datetime


def instant(microseconds: int) -> str:
    """ISO 8601 in UTC, to the second."""
    return datetime.fromtimestamp(microseconds / 1_000_000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
