"""The switchboard: everything that can be made to go wrong, by name, off unless asked for."""

from __future__ import annotations

import re
import threading
import zlib
from dataclasses import dataclass

from .draws import FAULT, Draw, mix

OFTEN = "VALUE: 0.25 (chance), 7 (every seventh), first:3"
OF_KEYS = "VALUE: 0.25 (share), 7 (every seventh), ids:KEY,KEY"


@dataclass(frozen=True, slots=True)
class Switch:
    """One fault: what it does, the form of its value (a regular expression) and the value when none is given."""

    about: str
    form: str
    default: str


_FREQUENCY = r"(0?\.\d+|1\.0+|[1-9]\d{0,8}|first:[1-9]\d{0,8})"
_SHARE = r"(0?\.\d+|1\.0+|[1-9]\d{0,8}|ids:\d+(,\d+)*)"

SWITCHES: dict[str, Switch] = {
    "auth": Switch(
        "ask for another proof of identity: basic, digest-noqop, md5-sess, sha-256",
        "basic|digest|digest-noqop|md5-sess|sha-256",
        "basic",
    ),
    "count-mismatch": Switch("announce VALUE records more than are sent", r"-?[1-9]\d{0,8}", "1"),
    "cut": Switch(f"cut the connection in the middle of a body; {OFTEN}", _FREQUENCY, "1"),
    "empty-inventory": Switch("a master list without records, as code 0 or 20201", "0|20201", "0"),
    "ghost-photo": Switch(f"photos that are named but not there; {OF_KEYS}", _SHARE, "0.1"),
    "http-503": Switch(f"answer 503 with Retry-After; {OFTEN}", _FREQUENCY, "1"),
    "illegal-characters": Switch(f"control characters in remarks, which XML forbids; {OF_KEYS}", _SHARE, "1"),
    "location-style": Switch("how GetObject answers Location=1: table or header", "table|header", "header"),
    "missing-record": Switch(f"listings that are in the master list but never delivered; {OF_KEYS}", _SHARE, "0.02"),
    "nonce-per-request": Switch(
        "a nonce is good for one request; nextnonce hands out the next with the answer", "401|nextnonce", "401"
    ),
    "not-an-image": Switch(f"photos that are an error text sent as image/jpeg; {OF_KEYS}", _SHARE, "0.1"),
    "one-session": Switch(
        "refuse a login (20022) while a session lives; VALUE is its idle seconds", r"\d{1,6}", "1800"
    ),
    "relative-capabilities": Switch("capability URLs without scheme and host", "1", "1"),
    "reply-order": Switch("ReplyCode before ReplyText in the login reply", "1", "1"),
    "session-lost": Switch(f"forget the session of a request; {OFTEN}", _FREQUENCY, "10"),
    "slow": Switch("wait VALUE milliseconds before each answer", r"\d{1,6}", "500"),
    "stale-nonce": Switch(f"declare a good nonce stale; {OFTEN}", _FREQUENCY, "5"),
    "surrogate-references": Switch(f"write emoji as two references to half characters; {OF_KEYS}", _SHARE, "1"),
    "truncated": Switch(f"end a body early though it is well framed; {OFTEN}", _FREQUENCY, "1"),
    "wrong-encoding": Switch(f"records in Windows-1252 in an answer that says UTF-8; {OF_KEYS}", _SHARE, "1"),
}


class FaultError(ValueError):
    """No such fault, or a value it cannot have; the text says what there is."""


class Faults:
    """Which faults are on. Safe for use from several threads; chance repeats with seed and order of requests."""

    def __init__(self, seed: int, wanted: list[str]) -> None:
        self._seed = seed
        self._lock = threading.Lock()
        self._on: dict[str, str] = {}
        self._turns: dict[str, int] = {}
        for item in wanted:
            name, equals, value = item.partition("=")
            self.set(name, value if equals else None)

    def set(self, name: str, value: str | None) -> None:
        """Turn a fault on (None: with its usual value) or, with ``off``, off. Raises FaultError."""
        switch = SWITCHES.get(name)
        if switch is None:
            raise FaultError(f"no fault is called {name!r}; there are {', '.join(SWITCHES)}")
        with self._lock:
            self._turns.pop(name, None)
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

    def strikes(self, name: str) -> bool:
        """Whether the fault strikes this time; each call is one opportunity."""
        value = self._on.get(name)
        if value is None:
            return False
        with self._lock:
            turn = self._turns[name] = self._turns.get(name, 0) + 1
        if value.startswith("first:"):
            return turn <= int(value[6:])
        if "." in value:
            return Draw(self._seed, FAULT, zlib.crc32(name.encode()), turn).chance(float(value))
        return turn % int(value) == 0

    def hits(self, name: str, key: str, part: int = 0) -> bool:
        """Whether the fault lies on this record (or this part of it): the same answer every time."""
        value = self._on.get(name)
        if value is None:
            return False
        if value.startswith("ids:"):
            return key in value[4:].split(",")
        bits = mix(self._seed, FAULT, zlib.crc32(f"{name}/{key}".encode()), part)
        if "." in value:
            return bits / 2**64 < float(value)
        return bits % int(value) == 0


def describe() -> str:
    """One line per fault, for ``--list-faults``."""
    return "\n".join(f"{name:22} {switch.about} [{switch.default}]" for name, switch in SWITCHES.items())
