"""What becomes of photos that could not be had, and how fetched ones are batched. Pure."""

from __future__ import annotations

from collections.abc import Collection

from shared.backoff import next_attempt_at
from shared.photos.errors import RejectReason
from shared.store.base import PhotoFailed, PhotoWant

ATTEMPTS_IN_A_RUN = 3
BATCH_PHOTOS = 16
BATCH_BYTES = 8 * 1024 * 1024
EXPIRED = frozenset({"http_401", "http_403", "http_404", "http_410"})
"""How an address answers that is good no longer; the record, read again, may have a new one."""
CUT_ON_THE_WAY = frozenset({RejectReason.EMPTY, RejectReason.TRUNCATED})
"""What bytes that ended early look like, however well their answer was framed: the next answer may be whole."""
REREADS = 3
"""So often a record is read again for a version of a photo."""
SOON = 30.0
"""Seconds worth waiting for within a run."""
LOOK = 900.0
"""Seconds after which a record whose photos must wait looks again what it wants, and of whom."""
LATER = (1.0, 3.0)
"""Seconds until a photo that failed in passing is tried again within the same run."""


def to_retry(*, permanent: bool, attempt: int, retry_after: float | None = None) -> bool:
    """Whether a photo that failed is tried again in this run (``attempt`` counts from 1), not left to later ones.

    ``retry_after`` is how many seconds the server asked to wait.
    """
    return not permanent and attempt < ATTEMPTS_IN_A_RUN and (retry_after or 0) <= SOON


def given_up(want: PhotoWant, reason: str, now: int, retry_after: float | None = None, detail: str = "") -> PhotoFailed:
    """The attempt is counted: next at the next three inventories, then after growing intervals.

    In any case not before ``retry_after`` seconds, where the server asked for that. ``detail`` is what the server said.
    """
    due = due_again(want.attempts, now, retry_after)
    expired = reason in EXPIRED and want.attempts < REREADS
    said = f"{reason}: {detail}" if detail else reason
    return PhotoFailed(want.media_key, want.version, want.horizon, said, due, reread=expired)


def due_again(attempts: int, now: int, retry_after: float | None = None) -> int | None:
    """Until when nobody tries again what was tried in vain once more; None: until the next inventory."""
    due = next_attempt_at(attempts, now)
    return max(due or 0, now + int(retry_after * 1_000_000)) if retry_after else due


def retry_delay(attempt: int, asked_for: Collection[float]) -> float:
    """Seconds to wait: the longest any server asked for, at least the usual."""
    return max([LATER[min(attempt, len(LATER)) - 1], *asked_for])
