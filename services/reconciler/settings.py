"""What can be configured of the reconciler, per feed."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ReconcilerSettings:
    """The removal guard (see ``decide.weigh``), the rereading period in microseconds, keys per request.

    ``at_once``: so many new records, or records with photos to fetch, of a range do not wait behind a first load.
    ``confirm_after``: a held removal goes once inventories have lacked the key for so many microseconds; None: never.
    """

    remove_at_least: int = 5
    remove_share: float = 0.05
    reread: int = 7 * 86_400_000_000
    page_size: int = 100
    confirm_after: int | None = None
    at_once: int = 200
