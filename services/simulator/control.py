"""The hand on the simulator: let days pass, throw switches, read what is true and what was asked."""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Iterator, Mapping
from typing import Any

from .answers import Answer
from .drawing import SIZES
from .faults import FaultError, Faults
from .formats import iso
from .making import key_of
from .mls.objects import Other, others
from .mls.records import records
from .mls.schema import described
from .mls.tables import CLASSES
from .sessions import Sessions
from .timeline import REVERTED, SWEPT, Stamped
from .truth import RESOURCES, Look, truths
from .vocabulary import CULTURES
from .world import World

_JSON = "application/json; charset=utf-8"
_LINES = "application/x-ndjson; charset=utf-8"
_HOSTS = {"127.0.0.1", "localhost", "[::1]"}
_MOST_DAYS = 3650


class ControlError(ValueError):
    """A control request that makes no sense; the text says what would."""


class Control:
    """What a test or a demo does to a simulator, in the same process or over HTTP."""

    def __init__(self, world: World, faults: Faults, sessions: Sessions, base: str) -> None:
        self._world, self._faults, self._sessions, self._base = world, faults, sessions, base

    def advance(self, days: int = 1) -> dict[str, Any]:
        """Let whole days pass; returns what they did and the new present."""
        if not 0 <= days <= _MOST_DAYS:
            raise ControlError(f"days must be between 0 and {_MOST_DAYS}")
        return self._world.advance(days, self._stamped()) | {"now": iso(int(self._world.clock.now()))}

    def _stamped(self) -> Stamped | None:
        """What the faults that are on make of the timestamps of listings that do not change."""
        faults = self._faults
        if faults.on("mass-touch") is None and faults.on("reverting-timestamp") is None:
            return None

        def stamped(number: int, day: int) -> int:
            if faults.hits("reverting-timestamp", key_of(number), day):
                return REVERTED
            return SWEPT if faults.hits("mass-touch", key_of(number), day) else 0

        return stamped

    def fault(self, name: str, value: str | None = None) -> dict[str, str]:
        """Turn a fault on (None: with its usual value) or ``off``; returns those that are on. Raises FaultError."""
        self._faults.set(name, value)
        return self._faults.state()

    def publish(self) -> dict[str, str]:
        """Publish the next edition of the metadata (see ``Edition``); returns what the next login says of it."""
        edition = self._world.publish()
        return {"version": edition.version, "timestamp": edition.date}

    def drift(self, kinds: str) -> dict[str, str]:
        """Let the metadata of the personality ``mls`` drift (see ``mls.schema.DRIFTS``; several joined by ``+``), and
        publish them; returns what the next login says of them."""
        try:
            edition = self._world.drift(kinds)
        except KeyError:
            raise ControlError(f"kind must be of {'; '.join(described())}") from None
        return {"version": edition.version, "timestamp": edition.date}

    def stats(self) -> dict[str, Any]:
        """What was asked of the simulator since it started, and how often faults have struck."""
        return dict(self._sessions.stats()) | {"struck": self._faults.struck()}

    def truth(
        self, resource: str = "property", size: str = "LargePhoto", culture: str = CULTURES[0], base: str | None = None
    ) -> Iterator[dict[str, Any]]:
        """Every living record of ``property``, ``member`` or ``office`` as a consumer should hold it, or every value of
        the lookups (``lookup``).

        ``size`` is the photo size that is hashed ("" for none, which is much faster).
        """
        if resource not in RESOURCES:
            raise ControlError(f"resource must be one of {', '.join(RESOURCES)}")
        if size and size not in SIZES:
            raise ControlError(f"size must be empty or one of {', '.join(SIZES)}")
        if culture not in CULTURES:
            raise ControlError(f"culture must be one of {', '.join(CULTURES)}")
        where = self._base if base is None else base
        return truths(self._world.view(), resource, Look(where, size, CULTURES.index(culture), self._faults))

    def rows(self, resource: str, class_name: str) -> Iterator[Mapping[str, Any]]:
        """Every living record of a class of the personality ``mls``, typed values by SystemName; none of a class that
        it has no more."""
        schema = self._world.schema
        kind = next((each for each in schema.of(resource) if each.name == class_name), None)
        if kind is None and all(each.name != class_name for each in CLASSES):
            raise ControlError(f"there is no class {class_name} of {resource}")
        return iter(()) if kind is None else records(self._world.view(), kind, schema)

    def others(self) -> Iterator[Other]:
        """Every object of the personality ``mls`` that is no photo."""
        return others(self._world.view())

    def answer(self, method: str, name: str, arguments: dict[str, str], base: str) -> Answer:
        """Answer ``/control/<name>``."""
        try:
            if (method, name) == ("POST", "advance"):
                return _json(self.advance(_integer(arguments.get("days", "1"))))
            if (method, name) == ("POST", "fault"):
                return _json(self.fault(arguments.get("name", ""), arguments.get("value")))
            if (method, name) == ("POST", "metadata"):
                return _json(self.publish())
            if (method, name) == ("POST", "drift"):
                return _json(self.drift(arguments.get("kind", "")))
            if (method, name) == ("GET", "fault"):
                return _json(self._faults.state())
            if (method, name) == ("GET", "stats"):
                return _json(self.stats())
            if (method, name) == ("GET", "truth"):
                chosen = {key: arguments[key] for key in ("resource", "size", "culture") if key in arguments}
                return Answer(_lines(self.truth(**chosen, base=base)), _LINES)
        except (ControlError, FaultError) as error:
            return _json({"error": str(error)}, 400)
        known = "POST advance?days=N, POST fault?name=…&value=…, POST metadata, POST drift?kind=…, "
        known += "GET truth, GET stats, GET fault"
        return _json({"error": known}, 404)


def admitted(peer: str, host: str | None, origin: str | None) -> bool:
    """Whether a request may control us: from this machine, by a name of this machine, not out of a web page."""
    try:
        local = ipaddress.ip_address(peer.partition("%")[0]).is_loopback
    except ValueError:
        return False
    name = (host or "").lower()
    if not name.endswith("]"):
        name = name.rpartition(":")[0] or name
    return local and name in _HOSTS and origin is None


def _integer(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        raise ControlError("days must be a whole number")
    return int(text)


def _json(value: object, status: int = 200) -> Answer:
    return Answer((json.dumps(value, ensure_ascii=False) + "\n").encode(), _JSON, status)


def _lines(records: Iterator[dict[str, Any]]) -> Iterator[bytes]:
    for record in records:
        yield (json.dumps(record, ensure_ascii=False) + "\n").encode()
