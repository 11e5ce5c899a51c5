"""Go on by itself once database, broker or photo store answer again."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from typing import TypeVar

from services.form import AWAY
from shared.consumer import Outage

T = TypeVar("T")

SLICE_SECONDS = 0.2


def rest(stopping: threading.Event, seconds: float = math.inf) -> bool:
    """Wait so long, or until ``stopping``; whether it is.

    For the main thread, where handlers of signals run: it holds no lock that a handler needs to set ``stopping``, and
    comes round though the signal was delivered to another thread.
    """
    until = time.monotonic() + seconds
    while not stopping.is_set() and (left := until - time.monotonic()) > 0:
        time.sleep(min(SLICE_SECONDS, left))
    return stopping.is_set()


def patiently(stopping: threading.Event, do: Callable[[], T]) -> T:
    """What ``do`` returns, which may be called again: for as long as something is away, or until ``stopping``."""
    outage = Outage()
    while True:
        try:
            found = do()
        except AWAY as error:
            outage.begun("sync", error)
            if rest(stopping, outage.pause()):
                raise
        else:
            outage.over("sync")
            return found
