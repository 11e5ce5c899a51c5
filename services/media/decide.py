"""What becomes of photos that could not be had, and how fetched ones are batched. Pure."""

from __future__ import annotations

from collections.abc import Collection

from shared.backoff import next_attempt_at
from shared.store.base import PhotoFailed, PhotoWant

ATTEMPTS_IN_A_RUN = 3
BATCH_PHOTOS = 16
BATCH_BYTES = 8 * 1024 * 1024
LATER = (1.0, 3.0)
"""Seconds until a photo that failed in passing is tried again within the same run."""


def to_retry(*, permanent: bool, attempt: int) -> bool:
    """Whether a photo that failed is tried again in this run (``attempt`` counts from 1), not left to later ones."""
    return not permanent and attempt < ATTEMPTS_IN_A_RUN


def given_up(want: PhotoWant, reason: str, now: int) -> PhotoFailed:
    """The attempt is counted: next at the next three inventories, then after growing intervals."""
    return PhotoFailed(want.media_key, want.version, reason, next_attempt_at(want.attempts, now))


def retry_delay(attempt: int, asked_for: Collection[float]) -> float:
    """Seconds to wait: the longest any server asked for, at least the usual."""
    return max([LATER[min(attempt, len(LATER)) - 1], *asked_for])
