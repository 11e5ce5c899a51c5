"""Go on by itself once database, broker or photo store answer again."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

from services.form import AWAY
from shared.consumer import Outage

T = TypeVar("T")


def patiently(stopping: threading.Event, do: Callable[[], T]) -> T:
    """What ``do`` returns, which may be called again: for as long as something is away, or until ``stopping``."""
    outage = Outage()
    while True:
        try:
            found = do()
        except AWAY as error:
            outage.begun("sync", error)
            if stopping.wait(outage.pause()):
                raise
        else:
            outage.over("sync")
            return found
