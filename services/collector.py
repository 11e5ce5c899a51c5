"""How often Python looks for cycles of objects that nobody holds."""

from __future__ import annotations

import gc

OBJECTS = 50_000


def look_seldom() -> None:
    """Every ``OBJECTS`` objects, not every 700.

    Records are trees, let go as soon as nobody holds them, and a page makes more objects than ``OBJECTS``: to look
    through them over and over took a sixth of the processor time of a sync, and found nothing.
    """
    gc.set_threshold(OBJECTS, 20, 10)
