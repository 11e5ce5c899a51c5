"""Records of this MLS as typed values by SystemName, out of the same world that the other personality shows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import TypeAlias

from ..making import key_of
from ..people import FIRST_AGENT, FIRST_OFFICE, Person
from ..values import Moment, Value
from ..vocabulary import code_of
from ..world import View
from .schema import Schema
from .tables import CLASS_OF, Class, Column

Typed: TypeAlias = str | bool | Decimal | date | datetime | tuple[str, ...]
Row: TypeAlias = Mapping[str, Typed]

_ROWS_KEPT = 10_000


def records(view: View, kind: Class, schema: Schema) -> Iterator[Row]:
    """Every living record of a class, by rising key."""
    resource = "Property" if kind.resource == "OpenHouse" else kind.resource
    snapshot = view.snapshot(resource)
    for number in snapshot.numbers():
        for row in _made(view, schema, kind.resource, number):
            if kind.resource != "Property" or row[0] == kind.name:
                yield row[1]


@lru_cache(maxsize=_ROWS_KEPT)
def _made(view: View, schema: Schema, resource: str, number: int) -> tuple[tuple[str, Row], ...]:
    """The records behind a number, each with the name of its class."""
    if resource in {"Agent", "Office"}:
        (kind,) = schema.of(resource)
        person = view.agent(number) if resource == "Agent" else view.office(number)
        return ((kind.name, _row(kind, person.values, _of_person(person))),)
    listing = view.listing(number)
    if resource == "OpenHouse":
        (kind,) = schema.of(resource)
        held = enumerate(listing.children.get("OpenHouse", ()), 1)
        return tuple(
            (kind.name, _row(kind, event, {"key": f"{listing.key}-{place}", "listing": listing.key,
                                           "stamp": _instant(listing.stamp)}))
            for place, event in held
        )  # fmt: skip
    name = CLASS_OF.get(str(listing.values.get("PropertyType")), "COM")
    found = [each for each in schema.of(resource) if each.name == name]
    if not found:
        return ()
    (kind,) = found
    stamps = [photo.stamp for photo in listing.photos]
    extra: dict[str, Typed] = {
        "key": key_of(number),
        "stamp": _instant(listing.stamp),
        "photos": Decimal(len(listing.photos)),
    }
    if stamps:
        extra["photo_stamp"] = _instant(max(stamps))
    if listing.agents:
        extra["agent"] = str(FIRST_AGENT + listing.agents[0])
    return ((name, _row(kind, listing.values, extra)),)


def _of_person(person: Person) -> dict[str, Typed]:
    photo = person.values.get("PhotoLastUpdated", person.values.get("LogoLastUpdated"))
    extra: dict[str, Typed] = {"key": person.key, "stamp": _instant(person.stamp), "photos": Decimal(photo is not None)}
    if isinstance(photo, Moment):
        extra["photo_stamp"] = _instant(photo.instant)
    if person.phones:
        extra["phone"] = person.phones[0].text
    if person.office is not None:
        extra["office"] = str(FIRST_OFFICE + person.office.number)
    return extra


def _row(kind: Class, values: Mapping[str, Value], extra: Mapping[str, Typed]) -> Row:
    found: dict[str, Typed] = {}
    for column in kind.columns:
        source = column.source
        value = extra.get(source[1:]) if source.startswith("@") else _typed(column, values.get(source))
        if value is not None and value != "":
            found[column.system_name] = value
    return found


def _typed(column: Column, value: Value) -> Typed | None:
    if value is None or value == []:
        return None
    if isinstance(value, list):
        return tuple(dict.fromkeys(map(code_of, value)))
    if column.lookup:
        return code_of(str(value))
    if isinstance(value, bool | date):
        return value
    if isinstance(value, Moment):
        return _instant(value.instant)
    if column.data_type in {"Int", "Decimal"}:
        return Decimal(str(value))
    return str(value)


def _instant(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
