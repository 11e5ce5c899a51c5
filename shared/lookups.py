"""What an MLS says of its metadata, as far as rows depend on it: the texts its codes stand for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

Key = tuple[str, str, str]
"""Resource, lookup and code."""


@dataclass(frozen=True, slots=True)
class MetadataVersion:
    """The state of an MLS's metadata as it names it, each part as written, "" where it says nothing.

    ``min_version`` is the oldest that a client may still work with; ``language`` the one that texts are asked for in.
    """

    version: str = ""
    timestamp: str = ""
    min_version: str = ""
    language: str = ""

    def same(self, other: MetadataVersion) -> bool:
        """Whether both name the same state in the same language."""
        return (self.version, self.timestamp, self.language) == (other.version, other.timestamp, other.language)


@dataclass(frozen=True, slots=True)
class LookupValue:
    """One code of a lookup and what it stands for. ``entry`` is the MLS's own name for the line, "" without."""

    code: str
    text: str
    short: str = ""
    entry: str = ""


@dataclass(frozen=True, slots=True)
class Metadata:
    """A whole answer: of each (resource, lookup) every value. A lookup that came without values says nothing of any."""

    lookups: Mapping[tuple[str, str], list[LookupValue]]

    def values(self) -> Iterator[tuple[Key, LookupValue]]:
        """Every value by its key."""
        for (resource, lookup), values in self.lookups.items():
            for value in values:
                yield (resource, lookup, value.code), value


@dataclass(frozen=True, slots=True)
class MetadataDocument:
    """All that metadata say, whatever their MLS. ``version`` and ``timestamp`` are their own; equal digests say that
    nothing else differs."""

    version: str
    timestamp: str
    digest: str
    document: bytes


@dataclass(frozen=True, slots=True)
class Known:
    """A value as stored; ``removed`` when a later answer lacked it."""

    value: LookupValue
    removed: bool = False


@dataclass(frozen=True, slots=True)
class Changes:
    """What an answer makes of the values stored. One that was removed and is back is new."""

    new: dict[Key, LookupValue] = field(default_factory=dict)
    changed: dict[Key, LookupValue] = field(default_factory=dict)
    removed: list[Key] = field(default_factory=list)


def changes(stored: Mapping[Key, Known], found: Metadata) -> Changes:
    """What differs. Values of a lookup that came empty are not removed: an empty answer is no evidence."""
    made = Changes()
    came = dict(found.values())
    for key, value in came.items():
        known = stored.get(key)
        if known is None or known.removed:
            made.new[key] = value
        elif known.value != value:
            made.changed[key] = value
    empty = {lookup for lookup, values in found.lookups.items() if not values}
    made.removed.extend(
        key for key, known in stored.items() if key not in came and not known.removed and key[:2] not in empty
    )
    return made
