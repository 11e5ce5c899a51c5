"""What the fields of a class are called here, from one version of the metadata to the next. Pure.

A field is the same under the same SystemName, else under the same MetadataEntryID (RETS 1.7.2 §11.2.4), as where two
versions are compared. Its values are called by its StandardName while that is its own, else as they were called
before, else by its SystemName, or with a number behind it where a field had that name before.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import count
from typing import Final

from shared.known import HELD, REMOVED, KnownField
from shared.rets.schema.types import Field

MOST_VANISHING: Final = 0.2
"""Share of a class's fields that may vanish at once."""


def follow(
    resource: str, class_name: str, known: Sequence[KnownField], fields: Sequence[Field], now: int,
    reserved: frozenset[str] = frozenset(),
) -> list[KnownField]:  # fmt: skip
    """What is known of a class after metadata with these fields, those that it has in their order first.

    Fields that vanish are REMOVED, or, when they are more than ``MOST_VANISHING`` of those it had, all of them HELD
    until they are fewer. ``reserved`` are names that no field can have.
    """
    before = _before(known, fields)
    elements = _elements(known, fields, before, reserved)
    made = [
        KnownField(resource, class_name, elements[field.system_name], field.system_name, field.metadata_entry_id,
                   _is_standard(field, elements[field.system_name], before.get(field.system_name)))
        for field in fields
    ]  # fmt: skip
    names = {each.element for each in made}
    kept = {id(each) for each in before.values()}
    gone = [each for each in known if id(each) not in kept and each.element not in names]
    missing = [each for each in gone if each.state != REMOVED]
    had = sum(each.state != REMOVED for each in known)
    state = HELD if len(missing) > MOST_VANISHING * had else REMOVED
    made += [
        each if each.state in (state, REMOVED) else replace(each, state=state, since=each.since or now) for each in gone
    ]
    return made


def _before(known: Sequence[KnownField], fields: Sequence[Field]) -> dict[str, KnownField]:
    """By SystemName what each field was, where it is not new."""
    present = {each.system_name: each for each in known if each.state != REMOVED}
    found = {field.system_name: present[field.system_name] for field in fields if field.system_name in present}
    taken = {id(each) for each in found.values()}
    ids_now = Counter(field.metadata_entry_id for field in fields)
    ids_known = Counter(each.entry for each in known)
    by_entry = {each.entry: each for each in known if each.entry and ids_known[each.entry] == 1}
    removed = {each.system_name: each for each in sorted(known, key=_since) if each.state == REMOVED}
    for field in fields:
        name, entry = field.system_name, field.metadata_entry_id
        if name in found:
            continue
        was = by_entry.get(entry) if ids_now[entry] == 1 else None
        if was is None:
            was = removed.get(name)
            if was is not None and entry and was.entry and entry != was.entry:
                was = None
        if was is not None and id(was) not in taken:
            found[name] = was
            taken.add(id(was))
    return found


def _since(each: KnownField) -> int:
    return each.since or 0


def _elements(
    known: Sequence[KnownField], fields: Sequence[Field], before: Mapping[str, KnownField], reserved: frozenset[str]
) -> dict[str, str]:
    """By SystemName."""
    found = {name: _allowed(standard, reserved) for name, standard in _standard(known, fields, before).items()}
    taken = set(found.values())
    for field in fields:
        was = before.get(field.system_name)
        if field.system_name not in found and was is not None and was.element not in taken:
            found[field.system_name] = was.element
            taken.add(was.element)
    once = {each.element for each in known}
    for field in fields:
        if field.system_name not in found:
            name = next(
                name for name in _candidates(field.system_name, reserved) if name not in taken and name not in once
            )
            found[field.system_name] = name
            taken.add(name)
    return found


def _standard(
    known: Sequence[KnownField], fields: Sequence[Field], before: Mapping[str, KnownField]
) -> dict[str, str]:  # fmt: skip
    """By SystemName the fields that are called by their StandardNames. One that two fields have, or that is another's
    SystemName, or that another goes on to be called by, is nobody's."""
    names = Counter(field.standard_name for field in fields) + Counter(
        field.system_name for field in fields if field.system_name != field.standard_name
    )
    found = {
        field.system_name: field.standard_name for field in fields if names[field.standard_name] == 1
        if field.standard_name
    }  # fmt: skip
    holders = {each.element: each for each in known if not each.standard}
    now = {id(was): name for name, was in before.items()}
    while True:
        refused = [
            name for name, standard in found.items()
            if (holder := holders.get(standard)) is not None and now.get(id(holder)) != name
            and now.get(id(holder)) not in found
        ]  # fmt: skip
        if not refused:
            return found
        for name in refused:
            del found[name]


def _is_standard(field: Field, element: str, was: KnownField | None) -> bool:
    if field.standard_name and element.removesuffix("_") == field.standard_name:
        return True
    return was is not None and was.standard and was.element == element


def _allowed(name: str, reserved: frozenset[str]) -> str:
    return f"{name}_" if name in reserved else name


def _candidates(name: str, reserved: frozenset[str]) -> Iterator[str]:
    first = _allowed(name, reserved)
    yield first
    for number in count(2):
        yield f"{first}_{number}"
