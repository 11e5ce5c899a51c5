"""Waiting for the tables that somebody else makes."""

from __future__ import annotations

import time

from shared.store.base import Store, StoreError

LOOK_SECONDS = 1.0


def wait_until_migrated(store: Store, seconds: float) -> None:
    """Return once the database's tables are of this version. Raises StoreError with what is wrong after ``seconds``."""
    until = time.monotonic() + seconds
    while True:
        try:
            store.check()
        except StoreError:
            if time.monotonic() >= until:
                raise
            time.sleep(LOOK_SECONDS)
        else:
            return
