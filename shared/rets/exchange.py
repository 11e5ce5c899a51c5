"""One request and its answer as they went over the wire, for whoever looks on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Exchange:
    """Nothing in it is redacted. ``status`` is 0 and ``error`` says why where no answer came; ``head`` is the first
    that was read of the body, of ``size`` bytes on the wire; ``secrets`` are what must not be shown of all this."""

    transaction: str
    method: str
    url: str
    sent: Mapping[str, str] = field(repr=False)
    form: str = ""
    status: int = 0
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    head: bytes = field(default=b"", repr=False)
    size: int = 0
    error: str = ""
    secrets: tuple[str, ...] = field(default=(), repr=False)
