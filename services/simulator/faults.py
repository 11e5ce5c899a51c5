"""The switchboard: everything that can be made to go wrong, by name, off unless asked for."""

from __future__ import annotations

import re
import threading
import zlib
from collections import Counter

from .draws import FAULT, Draw, mix
from .switches import MLS_SWITCHES, SWITCHES, Switch, describe

__all__ = ["MLS_SWITCHES", "SWITCHES", "FaultError", "Faults", "Switch", "describe"]


_KNOWN = SWITCHES | MLS_SWITCHES


class FaultError(ValueError):
    """No such fault, or a value it cannot have; the text says what there is."""


class Faults:
    """Which faults are on. Safe for use from several threads; chance repeats with seed and order of requests."""

    def __init__(self, seed: int, wanted: list[str]) -> None:
        self._seed = seed
        self._lock = threading.Lock()
        self._on: dict[str, str] = {}
        self._turns: Counter[str] = Counter()
        self._tallies: dict[str, Counter[str]] = {}
        self._struck: Counter[str] = Counter()
        for item in wanted:
            name, equals, value = item.partition("=")
            self.set(name, value if equals else None)

    def set(self, name: str, value: str | None) -> None:
        """Turn a fault on (None: with its usual value) or, with ``off``, off. Raises FaultError."""
        switch = _KNOWN.get(name)
        if switch is None:
            raise FaultError(f"no fault is called {name!r}; there are {', '.join(_KNOWN)}")
        with self._lock:
            self._turns.pop(name, None)
            self._tallies.pop(name, None)
            if value == "off":
                self._on.pop(name, None)
                return
            value = value or switch.default
            if not re.fullmatch(switch.form, value):
                raise FaultError(f"{name} cannot be {value!r}: {switch.about}")
            self._on[name] = value

    def state(self) -> dict[str, str]:
        """The faults that are on, with their values."""
        return dict(self._on)

    def on(self, name: str) -> str | None:
        """The fault's value, None when it is off."""
        return self._on.get(name)

    def kind(self, name: str) -> str | None:
        """Which kind of a fault that has several is on, None when it is off."""
        value = self._on.get(name)
        return value.partition(":")[0] if value is not None else None

    def strikes(self, name: str) -> bool:
        """Whether the fault strikes this time; each call is one opportunity."""
        value = self._extent(name)
        if value is None:
            return False
        with self._lock:
            self._turns[name] += 1
            turn = self._turns[name]
        if value.startswith("first:"):
            struck = turn <= int(value[6:])
        elif "." in value:
            struck = Draw(self._seed, FAULT, zlib.crc32(name.encode()), turn).chance(float(value))
        else:
            struck = turn % int(value) == 0
        if struck:
            with self._lock:
                self._struck[name] += 1
        return struck

    def struck(self) -> dict[str, int]:
        """How often each fault that strikes now and then has struck since the start."""
        with self._lock:
            return dict(self._struck)

    def hits(self, name: str, key: str, part: int = 0) -> bool:
        """Whether the fault lies on this record (or this part of it): the same answer every time."""
        value = self._extent(name)
        if value is None:
            return False
        if value.startswith("ids:"):
            return key in value[4:].split(",")
        bits = mix(self._seed, FAULT, zlib.crc32(f"{name}/{key}".encode()), part)
        if "." in value:
            return bits / 2**64 < float(value)
        return bits % int(value) == 0

    def tally(self, name: str, what: str) -> None:
        """Count something for a fault that remembers; forgotten when the switch is thrown."""
        if name in self._on:
            with self._lock:
                self._tallies.setdefault(name, Counter())[what] += 1

    def tallied(self, name: str, what: str) -> int:
        """How often that was counted."""
        with self._lock:
            return self._tallies[name][what] if name in self._tallies else 0

    def _extent(self, name: str) -> str | None:
        """How often, or on which records: the value, without the kind that may stand before it."""
        value = self._on.get(name)
        if value is not None and _KNOWN[name].kinds:
            return value.partition(":")[2] or "1"
        return value
