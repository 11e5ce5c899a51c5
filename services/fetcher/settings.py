"""What can be configured of the fetcher."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FetcherSettings:
    """``range_size``: keys of an inventory in one message. ``slot_timeout``: seconds to wait for a session, for an
    inventory ``inventory_slot_timeout``: one may follow upon another whose records are being fetched.

    ``attempts``: how often a page is asked for in one run, each with the session's own retries. ``alive_seconds``: an
    MLS that answered something so recently is there, so it is these records that it fails over. ``failures``: after so
    many requests in a row without an answer nothing more is asked until the next inventory. ``pause``: a page that must
    wait for its turn looks again at least so often, in seconds.
    """

    range_size: int = 5_000
    slot_timeout: float = 30.0
    inventory_slot_timeout: float = 600.0
    attempts: int = 2
    alive_seconds: float = 300.0
    failures: int = 10
    pause: float = 900.0
