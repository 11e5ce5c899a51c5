"""What can be configured of the fetcher."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FetcherSettings:
    """``range_size``: keys of an inventory in one message. ``slot_timeout``: seconds to wait for a session."""

    range_size: int = 5_000
    slot_timeout: float = 30.0
