"""What a feed remembers of the metadata it had: what each field's values are called here, and what classes went by.

A field may be renamed or removed at the MLS; what was stored of it keeps the name that it was stored under.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

HELD: Final = "held"
"""State of a field that vanished with too many others at once to be believed."""
REMOVED: Final = "removed"


@dataclass(frozen=True, slots=True)
class KnownField:
    """One field that a class has or had. Times are in microseconds.

    ``element`` is what its values are called in records, ``extra`` and history: its own for as long as it is known,
    and no other field's of the class. ``standard``: that is (or was) its StandardName. ``system_name`` and ``entry``
    are what the MLS called it last. ``state`` is "" while the metadata have it, else since when they have not: HELD or
    REMOVED.
    """

    resource: str
    class_name: str
    element: str
    system_name: str
    entry: str = ""
    standard: bool = False
    state: str = ""
    since: int | None = None


@dataclass(frozen=True, slots=True)
class KnownClass:
    """One class of records, and which fields it was read by ("": none). ``pictured``: its records tell of photos.

    ``stopped`` says why it is not read now, since when.
    """

    resource: str
    class_name: str
    key_field: str = ""
    timestamp_field: str = ""
    pictured: bool = False
    stopped: str = ""
    since: int | None = None


@dataclass(frozen=True, slots=True)
class Known:
    """All that is remembered of a feed's metadata."""

    fields: tuple[KnownField, ...] = ()
    classes: tuple[KnownClass, ...] = ()

    def of(self, resource: str, class_name: str) -> tuple[KnownField, ...]:
        """The fields of a class."""
        return tuple(each for each in self.fields if (each.resource, each.class_name) == (resource, class_name))

    def named(self, resource: str) -> dict[str, KnownClass]:
        """The classes of a resource by name."""
        return {each.class_name: each for each in self.classes if each.resource == resource}

    def held(self) -> dict[tuple[str, str], list[KnownField]]:
        """By resource and class the fields whose vanishing is not believed."""
        found: dict[tuple[str, str], list[KnownField]] = {}
        for each in self.fields:
            if each.state == HELD:
                found.setdefault((each.resource, each.class_name), []).append(each)
        return found

    def troubles(self) -> list[str]:
        """A line for each class that is not read, or from which too much vanished, with the remedy."""
        lines = [f"{each.resource}: {each.stopped}" for each in self.classes if each.stopped]
        there = {(each.resource, each.class_name) for each in self.classes if not each.stopped}
        for (resource, name), fields in self.held().items():
            if (resource, name) in there:
                total = sum(each.state != REMOVED for each in self.of(resource, name))
                lines.append(
                    f"{resource}: class {name}: {len(fields)} of {total} fields vanished at once, held: their values "
                    f"stay as they were last read; if they are gone for good: mlsync metadata approve"
                )
        return lines
