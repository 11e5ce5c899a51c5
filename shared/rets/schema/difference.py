"""Two versions of a server's metadata compared: what was added, renamed, changed and removed, in words.

An item is the same when it has the same name, or else the same MetadataEntryID, which is how servers rename
(RETS 1.7.2 §11.2.4); an entry id that several items share says nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final, TypeVar

import msgspec

from shared.rets.schema.types import Entry, Resource, ResourceClass, System

E = TypeVar("E", bound=Entry)


class Change(Enum):
    """What became of an item."""

    ADDED = "added"
    RENAMED = "renamed"
    CHANGED = "changed"
    REMOVED = "removed"


class Subject(Enum):
    """What items are told of."""

    RESOURCE = "resource"
    CLASS = "class"
    FIELD = "field"
    LOOKUP = "lookup"
    VALUE = "lookup value"
    OBJECT = "object type"


@dataclass(frozen=True, slots=True)
class Difference:
    """One item's fate. ``where`` are the names above it, ``was`` the old name of a renamed one, ``details`` its other
    attributes that changed as ``name: before → after``."""

    subject: Subject
    change: Change
    where: tuple[str, ...]
    name: str
    was: str = ""
    details: tuple[str, ...] = ()

    def __str__(self) -> str:
        place = " ".join(self.where)
        told = f"{place}: {self.subject.value} " if place else f"{self.subject.value} "
        told += (
            f"{self.was} is now {self.name}" if self.change is Change.RENAMED else f"{self.name} {self.change.value}"
        )
        return f"{told} ({'; '.join(self.details)})" if self.details else told


_BELOW: Final = frozenset(
    {"resources", "classes", "fields", "updates", "objects", "lookups", "values", "foreign_keys", "filters", "types"}
)
_ASIDE: Final = frozenset({"version", "date", "metadata_entry_id", "class_count"})
"""Attributes that tell of a change elsewhere, or of none; so do the versions and dates of tables."""
_TEXT: Final = 60


def differences(old: System, new: System) -> list[Difference]:
    """All that differs, outermost first, in the new version's order; what is gone comes last among its siblings.

    Of what was added or removed whole, what is within is not told again.
    """
    return list(_system(old, new))


def _system(old: System, new: System) -> Iterator[Difference]:
    yield from _told(Subject.RESOURCE, (), old.resources, new.resources)
    for before, after in _pairs(old.resources, new.resources):
        yield from _resource(before, after)


def _resource(old: Resource, new: Resource) -> Iterator[Difference]:
    where = (new.resource_id,)
    yield from _told(Subject.CLASS, where, old.classes, new.classes)
    for before, after in _pairs(old.classes, new.classes):
        yield from _class(where, before, after)
    yield from _told(Subject.OBJECT, where, old.objects, new.objects)
    yield from _told(Subject.LOOKUP, where, old.lookups, new.lookups)
    for lookup, changed in _pairs(old.lookups, new.lookups):
        yield from _told(Subject.VALUE, (*where, changed.lookup_name), lookup.values, changed.values)


def _class(where: tuple[str, ...], old: ResourceClass, new: ResourceClass) -> Iterator[Difference]:
    yield from _told(Subject.FIELD, (*where, new.class_name), old.fields, new.fields)


def _told(subject: Subject, where: tuple[str, ...], old: Sequence[Entry], new: Sequence[Entry]) -> Iterator[Difference]:
    known = {id(after): before for before, after in _pairs(old, new)}
    kept = {id(before) for before in known.values()}
    for after in new:
        before = known.get(id(after))
        if before is None:
            yield Difference(subject, Change.ADDED, where, after.name)
        elif before.name != after.name:
            yield Difference(subject, Change.RENAMED, where, after.name, before.name, _details(before, after))
        elif details := _details(before, after):
            yield Difference(subject, Change.CHANGED, where, after.name, "", details)
    for before in old:
        if id(before) not in kept:
            yield Difference(subject, Change.REMOVED, where, before.name)


def _pairs(old: Iterable[E], new: Iterable[E]) -> list[tuple[E, E]]:
    """The items that both have."""
    before, after = {each.name: each for each in old}, {each.name: each for each in new}
    pairs = [(before[name], each) for name, each in after.items() if name in before]
    gone, came = ({name: each for name, each in one.items() if name not in other}
                  for one, other in ((before, after), (after, before)))  # fmt: skip
    ids_before, ids_after = _entry_ids(before.values()), _entry_ids(after.values())
    unique = {entry for entry in ids_before if ids_before[entry] == 1 and ids_after[entry] == 1}
    by_id = {each.metadata_entry_id: each for each in gone.values() if each.metadata_entry_id in unique}
    pairs += [(by_id[each.metadata_entry_id], each) for each in came.values() if each.metadata_entry_id in by_id]
    return pairs


def _entry_ids(entries: Iterable[Entry]) -> Counter[str]:
    return Counter(each.metadata_entry_id for each in entries if each.metadata_entry_id)


def _details(old: Entry, new: Entry) -> tuple[str, ...]:
    found = []
    for each in msgspec.structs.fields(type(new)):
        if each.name in _BELOW | _ASIDE or each.name == new.NAMED or each.name.endswith(("_version", "_date")):
            continue
        before, after = getattr(old, each.name), getattr(new, each.name)
        if before != after and not isinstance(before, tuple):
            found.append(f"{each.encode_name}: {_short(before)} → {_short(after)}")
    return tuple(found)


def _short(value: Any) -> str:
    text = "none" if value in {None, ""} else str(value)
    text = "".join(letter if letter.isprintable() else " " for letter in text)
    return text if len(text) <= _TEXT else text[:_TEXT] + " …"
