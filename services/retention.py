"""How long history is kept."""

from __future__ import annotations

from collections.abc import Callable

import structlog

from shared.store.base import DAY, Store

log = structlog.get_logger()

AT_ONCE = 5_000
"""Entries deleted in one transaction: others may want to write meanwhile."""


def expire(store: Store, feed: str, days: int | None, stopping: Callable[[], bool] = lambda: False) -> int:
    """Delete the feed's history observed more than ``days`` ago (None: none of it); returns how many entries went."""
    if days is None:
        return 0
    before = store.feeds.now() - days * DAY
    expired = 0
    while not stopping():
        some = store.history.expire(feed, before, AT_ONCE)
        expired += some
        if some < AT_ONCE:
            break
    if expired:
        log.info("history expired", feed=feed, entries=expired, days=days)
    return expired
