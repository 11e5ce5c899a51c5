"""What can be asked of a simulator when it is started."""

from __future__ import annotations

from dataclasses import dataclass, field

PERSONALITIES = ("ddf", "mls")
LOCATION_STYLES = ("table", "header")


class OptionsError(ValueError):
    """An option has a value the simulator cannot work with; the text names the option and what it may be."""


@dataclass(frozen=True, slots=True)
class Options:
    """The start of a simulated MLS. Equal options give equal data; nothing is wrong and no time passes unless asked.

    ``port`` 0 lets the system choose. ``photos`` is the mean number per listing (0: none at all). ``user_agents``
    names the User-Agent products let in (empty: any); ``user_agent_password``, if not empty, is what they prove.
    ``pace`` is how much happens to listings in a day, 1 being the usual twentieth of them. ``faults`` are
    ``NAME[=VALUE]`` (see ``faults.SWITCHES``). ``control`` opens ``/control/…`` to this machine. ``location_style`` is
    how GetObject answers ``Location=1`` (the personality ``mls`` always has headers, unless a fault says otherwise).
    """

    port: int = 0
    host: str = "127.0.0.1"
    personality: str = "ddf"
    listings: int = 500
    photos: int = 5
    seed: int = 1
    username: str = "demo"
    password: str = field(default="demo", repr=False)
    user_agents: list[str] = field(default_factory=list)
    user_agent_password: str = field(default="", repr=False)
    faults: list[str] = field(default_factory=list)
    control: bool = False
    latency_ms: int = 0
    location_style: str = "table"
    pace: float = 1.0

    def __post_init__(self) -> None:
        if self.personality not in PERSONALITIES:
            raise OptionsError(f"personality: {self.personality!r} is not one of {', '.join(PERSONALITIES)}")
        if self.location_style not in LOCATION_STYLES:
            raise OptionsError(f"location_style: {self.location_style!r} is not one of {', '.join(LOCATION_STYLES)}")
        for name, value, most in (
            ("port", self.port, 65535),
            ("listings", self.listings, 5_000_000),
            ("photos", self.photos, 50),
            ("latency_ms", self.latency_ms, 60_000),
        ):
            if not 0 <= value <= most:
                raise OptionsError(f"{name}: {value} is not between 0 and {most}")
        if not 0 <= self.pace <= 10:
            raise OptionsError(f"pace: {self.pace} is not between 0 and 10")
        if not self.username or ":" in self.username or '"' in self.username:
            raise OptionsError("username: it must not be empty and must hold no colon and no quote")
