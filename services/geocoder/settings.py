"""What can be configured of the geocoder service."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class GeocoderSettings:
    """Which server to ask (``url``), for listings of which ``feeds``, and how.

    ``requests_per_second`` holds for all processes together. ``countrycodes``: ISO 3166-1 codes separated by commas,
    for addresses that name no country. ``timeout`` is seconds for one question. ``query`` is sent with every one.
    """

    url: str
    feeds: tuple[str, ...]
    requests_per_second: float = 1.0
    user_agent: str = "mlsync/0.1"
    email: str | None = None
    countrycodes: str | None = None
    timeout: float = 10.0
    query: str = field(default="", repr=False)
