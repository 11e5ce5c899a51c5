"""How much may be asked of an MLS, and when. Pure; instants and lengths are in microseconds of the store's clock.

A window slides: within any stretch of its length no more than its limit. What was used is kept in parts of a window,
and a part counts until all of it has left the window, so that a window is never exceeded and its state stays small.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

SECOND: Final = 1_000_000
HOUR: Final = 3_600 * SECOND
DAY: Final = 24 * HOUR
PARTS: Final = 60
ARRIVAL: Final = SECOND
"""A request counts from when it must have arrived: from its answer, or at the latest from so long after it left."""
LONGEST_PAUSE: Final = DAY
"""Whoever asks to be left alone for longer, by mistake or not, is asked again after a day."""
LONGEST_GUESS: Final = HOUR
"""How far pauses grow by doubling, where nobody asked for more."""

Kind = Literal["second", "hour", "day"]


@dataclass(frozen=True, slots=True)
class Window:
    """``limit`` requests (or bytes, of which the answer that reaches it is the last) within ``length``."""

    setting: str
    kind: Kind
    length: int
    limit: int
    of: Literal["requests", "bytes"] = "requests"

    def part(self, at: int) -> int:
        """The end of the part that an instant is in."""
        width = max(1, self.length // PARTS)
        return (at // width + 1) * width


@dataclass(frozen=True, slots=True)
class Limits:
    """A feed's settings of the same names; None: no limit. Of a rate above one a second only whole requests count."""

    requests_per_second: float | None = None
    requests_per_hour: int | None = None
    requests_per_day: int | None = None
    bytes_per_hour: int | None = None

    def windows(self) -> tuple[Window, ...]:
        """The windows there are, the shortest first."""
        rate = self.requests_per_second
        second = None if rate is None else (int(SECOND / min(rate, 1.0)), max(1, int(rate)))
        found = (
            None if second is None else Window("requests_per_second", "second", *second),
            None if (n := self.requests_per_hour) is None else Window("requests_per_hour", "hour", HOUR, n),
            None if (n := self.bytes_per_hour) is None else Window("bytes_per_hour", "hour", HOUR, n, "bytes"),
            None if (n := self.requests_per_day) is None else Window("requests_per_day", "day", DAY, n),
        )
        return tuple(window for window in found if window is not None)


@dataclass(frozen=True, slots=True)
class Part:
    """What was used in the part of a window that ends at ``upto``."""

    kind: str
    upto: int
    requests: int = 0
    byte_size: int = 0


@dataclass(frozen=True, slots=True)
class Share:
    """Leave for one request, taken ``at``. ``second`` is the part of the shortest window that it counts in until its
    answer says more; ``left`` is what remains, by setting."""

    at: int
    second: int | None = None
    left: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Wait:
    """No request before ``until``, and why."""

    until: int
    reason: str


@dataclass(frozen=True, slots=True)
class Use:
    """How much of one limit is used now."""

    setting: str
    limit: int
    used: int


def live(parts: Iterable[Part], windows: Sequence[Window], now: int) -> list[Part]:
    """What still counts, merged and in order. What lies in the future, since the clock stepped back, counts as now."""
    merged: dict[tuple[str, int], Part] = {}
    by_kind = {window.kind: window for window in windows}
    for part in parts:
        window = by_kind.get(part.kind)  # type: ignore[call-overload]
        if window is None or part.upto <= now - window.length:
            continue
        upto = min(part.upto, window.part(now + ARRIVAL))
        before = merged.get((part.kind, upto), Part(part.kind, upto))
        merged[part.kind, upto] = replace(
            before, requests=before.requests + part.requests, byte_size=before.byte_size + part.byte_size
        )
    return [merged[key] for key in sorted(merged)]


def used(parts: Iterable[Part], window: Window) -> int:
    """How much of a window is used, by what is ``live``."""
    return sum(_amount(part, window) for part in parts if part.kind == window.kind)


def next_free(parts: Sequence[Part], windows: Sequence[Window], now: int) -> Wait | None:
    """Until when there is no room for a request in every window; None when there is. ``parts`` are ``live``."""
    wait: Wait | None = None
    for window in windows:
        free, total = now, used(parts, window)
        for part in sorted((part for part in parts if part.kind == window.kind), key=lambda part: part.upto):
            if total < window.limit:
                break
            total -= _amount(part, window)
            free = part.upto + window.length
        if free > now and (wait is None or free > wait.until):
            wait = Wait(free, f"the budget of {window.setting} is used up")
    return wait


def uses(parts: Sequence[Part], windows: Sequence[Window]) -> tuple[Use, ...]:
    """How much of each limit is used. ``parts`` are ``live``."""
    return tuple(Use(window.setting, window.limit, used(parts, window)) for window in windows)


def pause_length(said: float | None, usual: float, refusals: int) -> int:
    """How long to leave a server alone that refused ``refusals`` times in a row, and said for how many seconds.

    What it said, else ``usual`` seconds; twice as long with every refusal more, in case it does not mean what it says.
    """
    first = max(1.0, usual if said is None else said)
    doubled = first * 2.0 ** min(max(0, refusals - 1), 30)
    seconds = min(doubled, max(first, LONGEST_GUESS / SECOND), LONGEST_PAUSE / SECOND)
    return int(seconds * SECOND)


def _amount(part: Part, window: Window) -> int:
    return part.requests if window.of == "requests" else part.byte_size
