"""What is asked of a server, resource by resource, as its metadata and the feed's settings say. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import tzinfo
from typing import Final

from shared.known import REMOVED, Known, KnownClass, KnownField
from shared.mapping.extra import CLASS, RESTRICTED, UNFIT
from shared.rets.schema.kinds import zone_of
from shared.rets.schema.types import Field, Lookup, ObjectKind, Resource, ResourceClass, System
from shared.sources.base import SourceRefusedError
from shared.sources.rets.naming import follow
from shared.sources.rets.settings import KINDS, NONE, Kind, Override, RetsSourceSettings

MEDIA: Final = "Media"
OPEN_HOUSES: Final = "OpenHouse"
PHOTO: Final = "Photo"
"""Of an agent or office: when its one photo last changed, while it has one."""
_RESERVED: Final = frozenset({MEDIA, OPEN_HOUSES, PHOTO, CLASS, RESTRICTED, UNFIT})

_NAMES: Final[dict[Kind, tuple[str, ...]]] = {
    "property": ("Property",),
    "member": ("Member", "Agent", "ActiveAgent"),
    "office": ("Office", "ActiveOffice"),
    "open_house": ("OpenHouse",),
}
_TYPES: Final = ("HiRes", "LargePhoto", "Photo")
"""Types of object that hold photos, the largest first."""
_NO_PHOTOS: Final = frozenset({"Map", "Plat", "VRImage"})
"""Types that may be images and show something else (RETS 1.7.2 §11.3.5)."""


@dataclass(frozen=True, slots=True)
class ClassPlan:
    """One class: which of its fields are asked for, and what those with a meaning to us are called ("": has none).
    ``one_photo``: its records have at most one, as agents and offices do.

    ``elements`` are by SystemName the names that a record's values get, see ``naming``. ``untold`` are those that it
    had and that are asked for no more: what was read of them last stays.
    """

    kind: Kind
    resource: str
    described: ResourceClass
    fields: tuple[Field, ...]
    elements: Mapping[str, str]
    key: str
    stamp: str = ""
    photo_stamp: str = ""
    photo_count: str = ""
    one_photo: bool = False
    listing: str = ""
    untold: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The server's own name for it."""
        return self.described.class_name

    @property
    def pictured(self) -> bool:
        """Whether its records tell of photos."""
        return bool(self.photo_count or (self.one_photo and self.photo_stamp))

    @property
    def select(self) -> tuple[str, ...]:
        """Every field, by SystemName."""
        return tuple(field.system_name for field in self.fields)


@dataclass(frozen=True, slots=True)
class ResourcePlan:
    """One resource. All its classes share the key; ``photo_type`` is "" where it has no photos. ``object_types`` are
    all that the metadata name, with the type of their bytes; ``others`` those that are to be kept beside the photos.

    ``stopped`` are by name the classes that cannot be read as they are now, with the reason.
    """

    kind: Kind
    name: str
    classes: tuple[ClassPlan, ...]
    lookups: tuple[Lookup, ...]
    photo_type: str = ""
    stopped: Mapping[str, str] = field(default_factory=dict)
    object_types: Mapping[str, str] = field(default_factory=dict)
    others: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class MediaPlan:
    """A class whose records have the addresses of photos: which fields are asked for, and which of them say whose photo
    it is, at which place ("": none says so), and where."""

    described: ClassPlan
    record: str
    order: str
    url: str


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that is asked for. ``zone`` is where the server's clock hangs, ``known`` what is to be remembered.
    ``media`` is for servers that give photos by searches alone."""

    resources: Mapping[Kind, ResourcePlan]
    zone: tzinfo
    known: Known = field(default_factory=Known)
    media: MediaPlan | None = None

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
                if kind != "open_house":
                    parts.append(_photos_in_words(plan, each))
                yield f"{kind}: {plan.name}, class {each.name}, {len(each.fields)} fields, {', '.join(parts)}"
            if plan.others:
                yield f"{kind}: objects of type {', '.join(plan.others)} beside the photos"
            for reason in plan.stopped.values():
                yield f"{kind}: not read: {reason}"


def make_plan(
    system: System, settings: RetsSourceSettings, without: Collection[str] = (), known: Known | None = None,
    now: int = 0, refused: Mapping[tuple[Kind, str], str] | None = None,
) -> Plan:  # fmt: skip
    """``without`` are SystemNames that the server named and then did not know, ``refused`` classes that it named and
    then would not search, with its reason. ``known`` is what is remembered of earlier metadata, at ``now``.

    A class that was read before and whose key or timestamp is gone, or another, is stopped until the settings say so,
    or the metadata are as they were; so is one that is gone. Raises SourceRefusedError, which names the setting, when
    the settings name something that is not there, or a class has no key, and it was never otherwise.
    """
    remembered = known or Known()
    media = _media(system)
    resources: dict[Kind, ResourcePlan] = {}
    fields: list[KnownField] = []
    classes: list[KnownClass] = []
    for kind in KINDS:
        override = settings.overrides.get(kind, Override())
        before = remembered.named(kind)
        chosen = {name: each for name, each in before.items() if _is_chosen(name, override)}
        found = _resource(system, kind, override, fresh=not chosen)
        if found is None and not chosen:
            continue
        making = _Making(kind, override, remembered, chosen, frozenset(without), now, refused or {}, media)
        resources[kind] = making.plan(system, found, resources.get("property"))
        fields += making.fields
        classes += making.classes
    return Plan(_with_open_houses(resources), zone_of(system), Known(tuple(fields), tuple(classes)), media)


def _is_chosen(name: str, override: Override) -> bool:
    return not override.classes or name.lower() in (each.lower() for each in override.classes)


def _with_open_houses(resources: dict[Kind, ResourcePlan]) -> dict[Kind, ResourcePlan]:
    """Listings do not tell of what their open houses do not tell of."""
    shows, listings = resources.get("open_house"), resources.get("property")
    if shows is None or listings is None:
        return resources
    untold = [f"{OPEN_HOUSES}/{name}" for each in shows.classes for name in each.untold]
    untold += [OPEN_HOUSES] if shows.stopped else []
    classes = tuple(replace(each, untold=(*each.untold, *untold)) for each in listings.classes)
    return resources | {"property": replace(listings, classes=classes)}


def _photos_in_words(plan: ResourcePlan, each: ClassPlan) -> str:
    since = each.photo_stamp or each.stamp or "nothing"
    if each.photo_count:
        which = f"of type {plan.photo_type}" if plan.photo_type else "by searches"
        return f"photos {which}, counted by {each.photo_count}, changed by {since}"
    if plan.kind == "property":
        return "no photos: the metadata name no field that counts them"
    if not plan.photo_type:
        return "no photo: the metadata name no type of photo"
    if each.photo_stamp:
        return f"photo of type {plan.photo_type}, there while {since} has a value"
    return "no photo: the metadata name no field that counts photos, and none for when they changed"


def _resource(system: System, kind: Kind, override: Override, *, fresh: bool) -> Resource | None:
    if override.resource:
        found = system.resource(override.resource)
        if found is None and fresh:
            there = ", ".join(resource.name for resource in system.resources)
            raise SourceRefusedError(f"overrides.{kind}.resource: there is no {override.resource}; there are {there}")
        return found
    return next((found for name in _NAMES[kind] if (found := system.resource(name)) is not None), None)


class _Making:
    """The plan of one resource being made. ``before`` are the classes that were read before."""

    def __init__(
        self, kind: Kind, override: Override, known: Known, before: Mapping[str, KnownClass], without: frozenset[str],
        now: int, refused: Mapping[tuple[Kind, str], str], media: MediaPlan | None,
    ) -> None:  # fmt: skip
        self._kind, self._override, self._known, self._before = kind, override, known, before
        self._without, self._now, self._refused, self._media = without, now, refused, media
        self.fields: list[KnownField] = []
        self.classes: list[KnownClass] = []
        self._stopped: dict[str, str] = {}

    def plan(self, system: System, found: Resource | None, listings: ResourcePlan | None) -> ResourcePlan:
        """What to ask of the resource, None where the metadata have it no more. Raises SourceRefusedError."""
        kind, override = self._kind, self._override
        described = self._described(found) if found is not None else []
        for name, before in self._before.items():
            if all(name != one.class_name for one in described):
                self._gone(name, before)
        if found is None:
            return ResourcePlan(kind, "", (), (), "", self._stopped)
        objects = {item.object_type: item for item in found.objects}
        photo_type = _photo_type(objects, override) if kind != "open_house" else ""
        photo = objects.get(photo_type, ObjectKind()) if photo_type else None
        others = self._others(found, objects, photo_type)
        made = []
        for one in described:
            name = one.class_name
            known = self._follow(name, one.fields)
            was = self._before.get(name)
            try:
                each = self._class_plan(system, found, one, known, photo, listings)
                if each is None:
                    continue
                if reason := self._refused.get((kind, name), ""):
                    raise SourceRefusedError(f"class {name}: {reason}")
            except SourceRefusedError as error:
                if not self._before:
                    raise
                self._stop(name, str(error))
                continue
            made.append(each)
            pictured = each.pictured or (was is not None and was.pictured)
            self.classes.append(KnownClass(kind, name, each.key, each.stamp, pictured))
        types = {name: item.mime_type.lower() for name, item in objects.items()}
        return ResourcePlan(kind, found.name, tuple(made), found.lookups, photo_type, self._stopped, types, others)

    def _others(self, found: Resource, objects: Collection[str], photo_type: str) -> tuple[str, ...]:
        """Types that are gone since are told of record by record: they stop nothing else."""
        override = self._override
        for setting, names in (("objects", override.objects), ("object_links", override.object_links)):
            for name in names:
                if name == photo_type:
                    raise SourceRefusedError(f"overrides.{self._kind}.{setting}: {name} is the type of the photos")
                if name not in objects and not self._before:
                    there = ", ".join(objects) or "none"
                    raise SourceRefusedError(
                        f"overrides.{self._kind}.{setting}: {found.name} has no objects of type {name}; the types that "
                        f"the metadata name are: {there}"
                    )
        return (*override.objects, *override.object_links)

    def _described(self, found: Resource) -> list[ResourceClass]:
        if not self._override.classes:
            return list(found.classes)
        there = {text.lower() for each in found.classes for text in (each.class_name, each.standard_name)}
        return [
            _class(self._kind, found, name)
            for name in self._override.classes
            if name.lower() in there or not self._before
        ]

    def _gone(self, name: str, before: KnownClass) -> None:
        fields = self._follow(name, ())
        if any(each.state != REMOVED for each in fields):
            reason = f"class {name} is gone from the metadata; its records stay as they were last read; if it is gone"
            self._stop(name, f"{reason} for good: mlsync metadata approve", before)

    def _stop(self, name: str, reason: str, before: KnownClass | None = None) -> None:
        before = before or self._before.get(name) or KnownClass(self._kind, name)
        self._stopped[name] = reason
        self.classes.append(replace(before, stopped=reason, since=before.since or self._now))

    def _follow(self, name: str, fields: Collection[Field]) -> list[KnownField]:
        named = list({each.system_name: each for each in fields if each.system_name}.values())
        known = follow(self._kind, name, self._known.of(self._kind, name), named, self._now, _RESERVED)
        self.fields += known
        return known

    def _class_plan(
        self, system: System, found: Resource, described: ResourceClass, known: list[KnownField],
        photo: ObjectKind | None, listings: ResourcePlan | None,
    ) -> ClassPlan | None:  # fmt: skip
        """None where its records belong to no listing. Raises SourceRefusedError."""
        kind, override, before = self._kind, self._override, self._before.get(described.class_name)
        fields = tuple(each for each in described.fields if each.system_name and each.system_name not in self._without)
        pick = _Pick(kind, described, fields)
        key = pick(override.key_field, "key_field", found.key_field)
        if before is not None and before.key_field and key != before.key_field and not override.key_field:
            raise SourceRefusedError(_other(found, described, "key", "key_field", kind, before.key_field, key))
        if not key:
            raise SourceRefusedError(
                f"{found.name}, class {described.name}: its key {found.key_field or '(none)'} is none of its fields; "
                f"name one in the feed's settings: overrides.{kind}.key_field"
            )
        marked = next((each.system_name for each in fields if each.mod_time_stamp), "")
        stamp = pick(
            override.timestamp_field, "timestamp_field", described.class_time_stamp, marked, "ModificationTimestamp"
        )
        was = before.timestamp_field if before is not None else ""
        if was and stamp != was and not override.timestamp_field:
            raise SourceRefusedError(_other(found, described, "timestamp", "timestamp_field", kind, was, stamp))
        photo_stamp = photo_count = listing = ""
        if photo is not None or (kind == "property" and self._media is not None):
            photo = photo or ObjectKind()
            photo_stamp = pick(
                override.photo_timestamp_field,
                "photo_timestamp_field",
                photo.object_time_stamp,
                "PhotosChangeTimestamp",
            )
            photo_count = pick(override.photo_count_field, "photo_count_field", photo.object_count, "PhotosCount")
        if kind == "open_house":
            listing = pick(override.listing_field, "listing_field", "ListingKey", *_linked(system, found, listings))
            if not listing and before is not None:
                raise SourceRefusedError(
                    f"{found.name}, class {described.name}: none of its fields holds a listing's key any more; name "
                    f"one in the feed's settings: overrides.{kind}.listing_field"
                )
            if not listing:
                return None
        elements = {each.system_name: each.element for each in known if not each.state}
        asked = {each.system_name: elements[each.system_name] for each in fields}
        untold = [each.element for each in known if each.system_name not in asked or each.state]
        one_photo = photo is not None and kind != "property"
        made = ClassPlan(
            kind, found.name, described, fields, asked, key, stamp,
            "" if photo_stamp == stamp else photo_stamp, photo_count, one_photo, listing,
        )  # fmt: skip
        if before is not None and before.pictured and not made.pictured:
            untold.append(MEDIA if kind == "property" else PHOTO)
        return replace(made, untold=tuple(untold))


def _other(
    found: Resource, described: ResourceClass, what: str, setting: str, kind: Kind, was: str, now: str
) -> str:  # fmt: skip
    told = f"{found.name}, class {described.name}: its {what} was {was}"
    which = f"{now}, or another field" if now else "another field"
    none = f", or {NONE} to do without" if what == "timestamp" else ""
    return (
        f"{told}, which the metadata no longer name as that; nothing of the class is read or removed until the feed's "
        f"settings name {which}{none}: overrides.{kind}.{setting}"
    )


def _media(system: System) -> MediaPlan | None:
    """By the names of the RESO Data Dictionary, which all servers have whose photos are there."""
    for resource in system.resources:
        if MEDIA in (resource.resource_id, resource.standard_name):
            for described in resource.classes:
                names = {field.system_name: field.system_name for field in described.fields}
                names |= {field.standard_name: field.system_name for field in described.fields}
                key, record, url, order = (
                    next((names[name] for name in wanted if name in names), "")
                    for wanted in ((resource.key_field, "MediaKey"), ("ResourceRecordKey", "ResourceRecordID"),
                                   ("MediaURL",), ("Order",))
                )  # fmt: skip
                if key and record and url:
                    wanted = {key, record, order, url}
                    fields = tuple(field for field in described.fields if field.system_name in wanted)
                    return MediaPlan(
                        ClassPlan("property", resource.name, described, fields, {}, key), record, order, url
                    )
    return None


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
    pictures = (name for name, item in objects.items() if item.mime_type.lower().startswith("image/"))
    return known or next((name for name in pictures if name not in _NO_PHOTOS), "")


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
        """The first that the settings name and that is there, and one must be; else the first of the others that is
        there; else ""."""
        if chosen:
            named = map(str.strip, chosen.split(","))
            found = next((name for name in named if name in self._names or name == NONE), None)
            if found is None:
                raise SourceRefusedError(f"overrides.{self._kind}.{setting}: class {self._class} has no field {chosen}")
            return self._names.get(found, "")
        return next((self._names[name] for name in others if name in self._names), "")
