"""What is asked of a server, resource by resource, as its metadata and the feed's settings say. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import tzinfo
from typing import Final

from shared.mapping.extra import CLASS, RESTRICTED, UNFIT
from shared.rets.schema.kinds import zone_of
from shared.rets.schema.types import Field, Lookup, ObjectKind, Resource, ResourceClass, System
from shared.sources.base import SourceRefusedError
from shared.sources.rets.settings import KINDS, Kind, Override, RetsSourceSettings

MEDIA: Final = "Media"
OPEN_HOUSES: Final = "OpenHouse"
_RESERVED: Final = frozenset({MEDIA, OPEN_HOUSES, CLASS, RESTRICTED, UNFIT})

_NAMES: Final[dict[Kind, tuple[str, ...]]] = {
    "property": ("Property",),
    "member": ("Member", "Agent", "ActiveAgent"),
    "office": ("Office", "ActiveOffice"),
    "open_house": ("OpenHouse",),
}
_TYPES: Final = ("HiRes", "LargePhoto", "Photo")
"""Types of object that hold photos, the largest first."""


@dataclass(frozen=True, slots=True)
class ClassPlan:
    """One class: which of its fields are asked for, and what those with a meaning to us are called ("": has none).

    ``elements`` are by SystemName the names that a record's values get: the StandardName where a field has one of its
    own, else the SystemName.
    """

    resource: str
    described: ResourceClass
    fields: tuple[Field, ...]
    elements: Mapping[str, str]
    key: str
    stamp: str = ""
    photo_stamp: str = ""
    photo_count: str = ""
    listing: str = ""

    @property
    def name(self) -> str:
        """The server's own name for it."""
        return self.described.class_name

    @property
    def select(self) -> tuple[str, ...]:
        """Every field, by SystemName."""
        return tuple(field.system_name for field in self.fields)


@dataclass(frozen=True, slots=True)
class ResourcePlan:
    """One resource. All its classes share the key; ``photo_type`` is "" where it has no photos."""

    kind: Kind
    name: str
    classes: tuple[ClassPlan, ...]
    lookups: tuple[Lookup, ...]
    photo_type: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that is asked for. ``zone`` is where the server's clock hangs."""

    resources: Mapping[Kind, ResourcePlan]
    zone: tzinfo

    def resource(self, name: str) -> ResourcePlan:
        """Raises SourceRefusedError for one that the server does not have."""
        found = next((plan for kind, plan in self.resources.items() if kind == name), None)
        if found is None:
            raise SourceRefusedError(
                f"the metadata name no resource for {name}; name it in the feed's settings: overrides.{name}.resource"
            )
        return found

    def in_words(self) -> Iterator[str]:
        """A line for each resource: what was found, and what was not."""
        for kind, plan in self.resources.items():
            for each in plan.classes:
                parts = [f"key {each.key}", f"timestamp {each.stamp}" if each.stamp else "no timestamp"]
                if kind == "property":
                    parts.append(_photos_in_words(plan, each))
                yield f"{kind}: {plan.name}, class {each.name}, {len(each.fields)} fields, {', '.join(parts)}"


def make_plan(system: System, settings: RetsSourceSettings, without: Collection[str] = ()) -> Plan:
    """``without`` are SystemNames that the server named and then did not know.

    Raises SourceRefusedError, which names the setting, when the settings name something that is not there, or a class
    has no key.
    """
    resources: dict[Kind, ResourcePlan] = {}
    for kind in KINDS:
        override = settings.overrides.get(kind, Override())
        found = _resource(system, kind, override)
        if found is not None:
            resources[kind] = _planned(system, kind, found, override, frozenset(without), resources.get("property"))
    return Plan(resources, zone_of(system))


def _photos_in_words(plan: ResourcePlan, each: ClassPlan) -> str:
    if not plan.photo_type or not each.photo_count:
        return "no photos: the metadata name no field that counts them"
    since = each.photo_stamp or each.stamp or "nothing"
    return f"photos of type {plan.photo_type}, counted by {each.photo_count}, changed by {since}"


def _resource(system: System, kind: Kind, override: Override) -> Resource | None:
    if override.resource:
        found = system.resource(override.resource)
        if found is None:
            there = ", ".join(resource.name for resource in system.resources)
            raise SourceRefusedError(f"overrides.{kind}.resource: there is no {override.resource}; there are {there}")
        return found
    return next((found for name in _NAMES[kind] if (found := system.resource(name)) is not None), None)


def _planned(
    system: System, kind: Kind, found: Resource, override: Override, without: frozenset[str],
    listings: ResourcePlan | None,
) -> ResourcePlan:  # fmt: skip
    chosen = [_class(kind, found, name) for name in override.classes] or list(found.classes)
    objects = {item.object_type: item for item in found.objects}
    photo_type = _photo_type(objects, override) if kind == "property" else ""
    photo = objects.get(photo_type, ObjectKind())
    classes = []
    for described in chosen:
        fields = tuple(field for field in described.fields if field.system_name and field.system_name not in without)
        pick = _Pick(kind, described, fields)
        key = pick(override.key_field, "key_field", found.key_field)
        if not key:
            raise SourceRefusedError(
                f"{found.name}, class {described.name}: its key {found.key_field or '(none)'} is none of its fields; "
                f"name one in the feed's settings: overrides.{kind}.key_field"
            )
        marked = next((field.system_name for field in fields if field.mod_time_stamp), "")
        stamp = pick(
            override.timestamp_field, "timestamp_field", described.class_time_stamp, marked, "ModificationTimestamp"
        )
        photo_stamp = photo_count = listing = ""
        if photo_type:
            photo_stamp = pick(
                override.photo_timestamp_field,
                "photo_timestamp_field",
                photo.object_time_stamp,
                "PhotosChangeTimestamp",
            )
            photo_count = pick(override.photo_count_field, "photo_count_field", photo.object_count, "PhotosCount")
        if kind == "open_house":
            listing = pick(override.listing_field, "listing_field", "ListingKey", *_linked(system, found, listings))
            if not listing:
                continue
        classes.append(
            ClassPlan(
                found.name, described, fields, _elements(fields), key, stamp,
                "" if photo_stamp == stamp else photo_stamp, photo_count, listing,
            )
        )  # fmt: skip
    return ResourcePlan(kind, found.name, tuple(classes), found.lookups, photo_type)


def _class(kind: Kind, resource: Resource, name: str) -> ResourceClass:
    for each in resource.classes:
        if name.lower() in (each.class_name.lower(), each.standard_name.lower()):
            return each
    there = ", ".join(each.name for each in resource.classes)
    raise SourceRefusedError(f"overrides.{kind}.classes: {resource.name} has no class {name}; it has {there}")


def _photo_type(objects: Mapping[str, ObjectKind], override: Override) -> str:
    if override.photo_type:
        return override.photo_type
    known = next((name for name in _TYPES if name in objects), "")
    pictures = (item.object_type for item in objects.values() if item.mime_type.lower().startswith("image/"))
    return known or next(pictures, "")


def _linked(system: System, resource: Resource, listings: ResourcePlan | None) -> Iterator[str]:
    """Fields of a resource that may hold a listing's key."""
    if listings is None:
        return
    for each in system.foreign_keys:
        if (each.parent_resource_id, each.child_resource_id) == (resource.name, listings.name):
            yield each.parent_system_name
        elif (each.child_resource_id, each.parent_resource_id) == (resource.name, listings.name):
            yield each.child_system_name
    yield from {each.key for each in listings.classes}


class _Pick:
    """Finds fields of a class by SystemName, else by StandardName."""

    def __init__(self, kind: Kind, described: ResourceClass, fields: tuple[Field, ...]) -> None:
        self._kind = kind
        self._class = described.name
        self._names = {field.standard_name: field.system_name for field in reversed(fields) if field.standard_name}
        self._names |= {field.system_name: field.system_name for field in fields}

    def __call__(self, chosen: str, setting: str, *others: str) -> str:
        """The one the settings name, which must be there; else the first of the others that is there; else ""."""
        if chosen:
            if chosen not in self._names:
                raise SourceRefusedError(f"overrides.{self._kind}.{setting}: class {self._class} has no field {chosen}")
            return self._names[chosen]
        return next((self._names[name] for name in others if name in self._names), "")


def _elements(fields: tuple[Field, ...]) -> dict[str, str]:
    """A StandardName that two fields have, or that is another's SystemName, is nobody's."""
    taken = Counter(field.standard_name for field in fields) + Counter(
        field.system_name for field in fields if field.system_name != field.standard_name
    )
    names = {}
    for field in fields:
        name = field.standard_name if taken[field.standard_name] == 1 and field.standard_name else field.system_name
        names[field.system_name] = f"{name}_" if name in _RESERVED else name
    return names
