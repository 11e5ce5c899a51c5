"""What can be configured of the media service, per feed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class MediaFeedSettings:
    """How a feed's photos are had; ``slot_timeout`` is how many seconds to wait for a session of the MLS.

    ``placeholders`` are the SHA-256, in lower-case hex, of pictures that stand for photos that are not there.
    """

    policy: Literal["none", "link", "url", "location", "bytes"] = "url"
    slot_timeout: float = 2.0
    placeholders: frozenset[str] = frozenset()
