"""What a sync by changes asks for: since when, and whether an inventory as well. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from shared.store.base import KEEP_MARKS, Horizon, Mark, Outstanding

LATE: Final = 1.25
"""The next sync may come so much later than ``every``: jitter, and a sync before it that took long."""


@dataclass(frozen=True, slots=True)
class Terms:
    """A feed's settings, times in microseconds. ``inventory_every`` None: with every sync."""

    overlap: int
    every: int
    inventory_every: int | None
    page_size: int = 100


def changed_since(mark: Mark | None, now: int, terms: Terms) -> int | None:
    """From which instant of the MLS's clock on to ask for changes; None: not at all.

    Without a mark, or with one too old, an inventory with records by key costs less and misses nothing.
    """
    if mark is None or mark.reached is None or now - mark.begun > KEEP_MARKS:
        return None
    return mark.reached - terms.overlap


def inventory_due(mark: Mark | None, horizon: Horizon | None, left: Outstanding, now: int, terms: Terms) -> bool:
    """Whether this sync takes an inventory besides the changes.

    If it is time, or would be before the next sync comes; if the last inventory was not handled whole, or the run
    before was not settled: its inventory failed or was not proven, or it died; if records wanted or removals released
    are left over, which nothing but an inventory asks for again.
    """
    if terms.inventory_every is None or mark is None or mark.unfinished:
        return True
    if horizon is None or not horizon.complete or left.wanted or left.released:
        return True
    return now - horizon.observed_at + int(terms.every * LATE) >= terms.inventory_every


def reached(server_date: int | None, observed_at: int) -> int | None:
    """Where a run that began to ask at ``observed_at`` takes the mark: the MLS's clock, as its changes' stamps are.

    An MLS whose clock is ahead would have its next changes stepped over, so the mark is never later than our own clock.
    """
    return None if server_date is None else min(server_date, observed_at)
