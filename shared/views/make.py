"""The views of a feed, as its metadata, settings and mapping say. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Final

from shared.mapping.columns import FieldLine, columns_of
from shared.mapping.convert import boolean
from shared.mapping.extra import RESTRICTED
from shared.mapping.spec import MappingSpec
from shared.rets.dmql.binding import Kind
from shared.rets.schema.kinds import INTEGERS, kind_of
from shared.rets.schema.types import Field, Lookup
from shared.sources.rets.plan import OPEN_HOUSES, PHOTO, ClassPlan, Plan, ResourcePlan
from shared.views.naming import fit
from shared.views.spec import ClassView, Place, ViewColumn

MOST_COLUMNS: Final = 1_600
"""PostgreSQL takes 1,664 and SQLite 2,000."""
DECODED: Final = "_decoded"
_LOOKED_UP: Final = frozenset({Kind.LOOKUP, Kind.LOOKUP_MULTI})


def class_views(plan: Plan, spec: MappingSpec) -> list[ClassView]:
    """A view for each class that is asked for."""
    return [
        _view(_Kept(resource, each, spec), resource, each)
        for resource in plan.resources.values()
        for each in resource.classes
    ]


def _view(kept: _Kept, resource: ResourcePlan, each: ClassPlan) -> ClassView:
    lookups = {lookup.lookup_name: lookup for lookup in resource.lookups}
    taken: set[str] = set()
    restricted = fit(RESTRICTED, taken)
    fields = {field.system_name: field for field in each.fields}.values()
    stored = [field for field in fields if kept.stores(field.system_name)]
    shown = stored[: MOST_COLUMNS - 1]
    names = [fit(field.system_name, taken) for field in shown]
    room = MOST_COLUMNS - 1 - len(shown)
    columns = []
    for field, name in zip(shown, names, strict=True):
        column = _column(field, name, kept, lookups)
        if column.lookup and room > 0:
            column = replace(column, decoded=fit(name + DECODED, taken))
            room -= 1
        columns.append(column)
    return ClassView(
        resource.kind, each.resource, each.name, kept.table, kept.key, tuple(columns), restricted,
        part_of=kept.part_of, left_out=len(stored) - len(shown),
    )  # fmt: skip


def _column(field: Field, name: str, kept: _Kept, lookups: Mapping[str, Lookup]) -> ViewColumn:
    kind = kind_of(field)
    known = lookups.get(field.lookup_name) if kind in _LOOKED_UP else None
    places, element, extra_first = kept.found(field.system_name)
    return ViewColumn(
        name, field.system_name, kind,
        whole=field.data_type.lower() in INTEGERS,
        places=places, element=element, extra_first=extra_first,
        lookup=known.lookup_name if known is not None else "",
        truths=_truths(known) if known is not None else None,
    )  # fmt: skip


def _truths(lookup: Lookup) -> tuple[str, str] | None:
    """The codes of a lookup that mean true and false, where there is one of each."""
    found: dict[bool, list[str]] = {True: [], False: []}
    for each in lookup.values:
        try:
            found[boolean(each.value)].append(each.value)
        except ValueError:
            continue
    return (found[True][0], found[False][0]) if len(found[True]) == len(found[False]) == 1 else None


class _Kept:
    """Where the values of one class are kept: what ``shared.sources.rets.rows`` makes of a row, and the mapping of
    that."""

    def __init__(self, resource: ResourcePlan, each: ClassPlan, spec: MappingSpec) -> None:
        self._kind = resource.kind
        self._plan = each
        if resource.kind == "open_house":
            self.part_of = OPEN_HOUSES
            child = spec.resources["property"].children[OPEN_HOUSES]
            assert child.key is not None
            assert child.own is not None
            self.table, self.key = child.table, child.key
            self._own_key, self._own_stamp, stamp = *child.own, None
            lines = child.fields
        else:
            self.part_of = ""
            described = spec.resources[resource.kind]
            self.table, self.key = described.table, described.key[1]
            self._own_key, (self._own_stamp, stamp, _) = described.key[0], described.modified
            lines = described.fields
        self._stamp: Place | None = None
        if resource.kind == "property":
            self._stamp = Place("modification_timestamp", "timestamp", of_ledger=True)
        elif stamp is not None:
            self._stamp = Place(stamp, "timestamp")
        self._places = {path: _place(path, line) for path, line in lines.items() if "/" not in path}
        self._shared = {place for place, count in Counter(_filled(lines.items())).items() if count > 1}

    def stores(self, name: str) -> bool:
        """Whether the field's values are kept at all: of two fields that say when a record changed one is."""
        if name == self._plan.stamp:
            return self._stamp is not None
        lost = {self._own_stamp} if self._kind != "open_house" else {self._own_stamp, self._own_key}
        return name in (self._plan.key, self._plan.listing) or self._plan.elements[name] not in lost

    def found(self, name: str) -> tuple[tuple[Place, ...], str | None, bool]:
        """The places of a field's values, their element in ``extra``, and whether to look for that first."""
        plan = self._plan
        element = plan.elements[name]
        if name == plan.key:
            return (Place(self.key, "key"),), None, False
        if name == plan.stamp:
            assert self._stamp is not None
            return (self._stamp,), None, False
        if self._kind == "open_house" and name == plan.listing:
            return (Place("listing_key", "key"),), None, False
        if element == self._own_key:
            return (Place(self.key, "key"),), element, True
        place = self._places.get(element)
        places = [] if place is None else [place]
        if plan.one_photo:
            if name == plan.photo_stamp and PHOTO in self._places:
                places.append(self._places[PHOTO])
        elif name == plan.photo_count:
            places.append(Place("photos_count", "integer"))
        elif name == plan.photo_stamp:
            places.append(Place("photos_change_timestamp", "timestamp"))
        return tuple(places), element, place is not None and place.name in self._shared


def _place(path: str, line: FieldLine) -> Place:
    """The column that has the value as it was sent, else the first."""
    columns = columns_of(path, line)
    sent = columns[2] if line[1] in ("measure", "measure_range") else columns[0]
    return Place(sent.name, sent.kind)


def _filled(lines: Iterable[tuple[str, FieldLine]]) -> Iterator[str]:
    for path, line in lines:
        yield _place(path, line).name
