"""What can be configured of the fetcher."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FetcherSettings:
    """``range_size``: keys of an inventory in one message. ``slot_timeout``: seconds to wait for a session.

    ``attempts``: how often a page is asked for in one run, each with the session's own retries. ``alive_seconds``: an
    MLS that answered something so recently is there, so it is these records that it fails over.
    """

    range_size: int = 5_000
    slot_timeout: float = 30.0
    attempts: int = 2
    alive_seconds: float = 300.0
