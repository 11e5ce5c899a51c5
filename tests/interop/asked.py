"""What every client is asked to get from the simulator, as the JSON that a stranger reads from its standard input."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from services.simulator.main import Simulator
from shared.rets.schema.types import System
from shared.rets.search import SearchFormat

USERNAME, PASSWORD = "demo", "s3cret-Passw0rd"
USER_AGENT = "Interop/1.0"
USER_AGENT_PASSWORD = "agreed-On"
FORMATS: tuple[SearchFormat, ...] = ("COMPACT", "COMPACT-DECODED")


@dataclass(frozen=True, slots=True)
class Way:
    """How to speak to the simulator."""

    version: str = "RETS/1.7.2"
    auth: str = "digest"
    agent_password: str = ""

    def __str__(self) -> str:
        return " ".join([self.version, self.auth, *(["user agent proved"] if self.agent_password else [])])


@dataclass(frozen=True, slots=True)
class Objects:
    """One GetObject. ``numbers`` are those of each key: ``*``, ``0`` (the preferred one), or several from 1."""

    resource: str
    type: str
    keys: tuple[str, ...]
    numbers: str | tuple[str, ...]
    location: bool = False


def objects(simulator: Simulator) -> Iterator[Objects]:
    """GetObject in every shape: one key and several, all and some and the preferred, bytes and addresses."""
    rows = simulator.control.rows("Property", "RES")
    counts = {str(row["LIST_KEY"]): int(row.get("PHOTO_CNT", 0)) for row in rows}
    several = [key for key, count in counts.items() if count >= 3][:3]
    single = next(key for key, count in counts.items() if count == 1)
    for key in (*several, single):
        yield Objects("Property", "LargePhoto", (key,), "*")
    for location in (False, True):
        yield Objects("Property", "Photo", (several[0],), ("1", "3"), location)
        yield Objects("Property", "Photo", (several[1],), ("2", "99"), location)
        yield Objects("Property", "Photo", (several[2],), "0", location)
        yield Objects("Property", "ThumbnailPhoto", (single,), "*", location)
        yield Objects("Property", "ThumbnailPhoto", tuple(several), "*", location)
        yield Objects("Property", "Photo", tuple(several), ("1", "2"), location)
    for key in several:
        for kind in ("Plat", "Video", "Audio"):
            yield Objects("Property", kind, (key,), "*")


def asked(simulator: Simulator, system: System, way: Way, wanted: Sequence[Objects]) -> dict[str, Any]:
    """The whole of it for one stranger."""
    return {
        "login_url": simulator.login_url,
        "username": USERNAME,
        "password": PASSWORD,
        "user_agent": USER_AGENT,
        "user_agent_password": way.agent_password,
        "version": way.version,
        "auth": way.auth,
        "formats": FORMATS,
        "resources": [
            {
                "name": resource.name,
                "key": resource.key_field,
                "classes": [each.name for each in resource.classes],
                "lookups": [lookup.name for lookup in resource.lookups],
                "has_objects": bool(resource.objects),
            }
            for resource in system.resources
        ],
        "objects": [asdict(each) for each in wanted],
    }


def differences(ours: Mapping[str, Any], theirs: Mapping[str, Any], path: str = "") -> Iterator[str]:
    """Where two answers of the same shape differ, in words; nothing where they are the same."""
    for name in dict.fromkeys([*ours, *theirs]):
        here = f"{path}/{name}"
        if name not in theirs or name not in ours:
            yield f"{here} is {'not with them' if name in ours else 'with them alone'}"
        elif isinstance(ours[name], dict) and isinstance(theirs[name], dict):
            yield from differences(ours[name], theirs[name], here)
        elif ours[name] != theirs[name]:
            yield f"{here}: ours {_short(ours[name])}, theirs {_short(theirs[name])}"


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 400 else f"{text[:400]}…"
