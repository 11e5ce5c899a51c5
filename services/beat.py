"""When a feed's next sync begins. Pure; instants and lengths are in microseconds of the store's clock."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from shared.hours import Hours

MINUTE = 60_000_000
JITTER = 0.1
MOST_JITTER = 10 * MINUTE
"""Syncs of many installations must not all begin at once; nobody wants a daily one hours off."""
RETRY = MINUTE
"""How soon a sync that did not come about is tried again; twice as long each time, up to the usual beat."""
NOT_DONE = frozenset({"unavailable", "stopped", None})
"""Ends of a run after which trying again soon may help; a wrong password tried again and again locks the account."""


@dataclass(frozen=True, slots=True)
class Beat:
    """How often syncs begin, and at which hours of the day they may (None: at all)."""

    every: int
    hours: Hours | None = None


def next_start(
    beat: Beat, runs: Sequence[tuple[int, str | None]], now: int, draw: Callable[[int], float], free_at: int = 0
) -> int:
    """When the next sync begins: at once, if that is ``now``.

    ``runs`` are the last ones, newest first: when they began and how they ended (None: cut off). ``draw`` gives for the
    beginning of a run a number from -1 to 1, always the same. Before ``free_at`` the MLS may not be asked.

    A beat is counted from the beginning of the last run. One that was missed, since no process was there, it slept, the
    run before took too long or the hours did not allow it, is made up for once, as soon as may be; the next beat is
    counted from there.
    """
    at = max(now, free_at)
    if runs:
        at = max(at, runs[0][0] + _gap(beat, runs, draw))
    return at if beat.hours is None else beat.hours.following(at, within=True)


def _gap(beat: Beat, runs: Sequence[tuple[int, str | None]], draw: Callable[[int], float]) -> int:
    began, outcome = runs[0]
    every = beat.every + int(min(JITTER * beat.every, MOST_JITTER) * draw(began))
    if outcome == "paused":  # it asked nothing, and ``free_at`` says when it may
        return min(every, RETRY)
    tries = next((number for number, run in enumerate(runs) if run[1] not in NOT_DONE), len(runs))
    return min(every, RETRY << min(tries - 1, 30)) if tries else every
