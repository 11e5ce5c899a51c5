"""What really is at the MLS, typed and under the names of the RESO Data Dictionary: what a consumer should hold.

``decoded`` is what the codes among the fields stand for by the metadata of now; what a consumer that has no metadata
cannot know, and one that has those of a while ago knows as of then.

Faults change what is sent, not what is true, and so the truth stays what the MLS means, with these additions:

- ``withheld: true`` on a listing or photo that no client can ever get while its faults stay on, with the fault's name
  as ``withheld_reason``: ``missing-record``, ``missing-key``, ``deep-nesting`` (what is beyond every bound is there to
  be refused), ``short-inventory`` (for clients that go by master lists), ``stale-copy`` (only listings that differ
  from yesterday's); of photos ``ghost-photo``, ``not-an-image``, ``image-bomb``, ``half-photo``, ``placeholder-photo``,
  ``expired-photo-url`` (only until the listing, as it is now, has been fetched a second time) and, of yesterday's
  photos in ``sent``, ``stale-copy`` where their URLs lead nowhere any more.
- The ``photo`` of an agent or office is withheld by ``no-object``, as it has no URL.
- ``object_withheld: true`` on a listing whose photos GetObject refuses (``no-object``); their URLs work.
- ``unknown``: the paths of elements and attributes that no guide names (``unknown-elements``); what they hold is not
  true of any column.
- ``sent``: what is sent instead, in the shape of the record itself. ``unfit-values``: ``fields`` holds the texts that
  stand in the columns' elements. ``stale-copy``: the whole of yesterday's record, if there was one.
  ``placeholder-photo``: ``sha256`` and ``bytes`` of the picture that stands for all others.

``terminal-escapes`` alone is part of what is true: ``public_remarks`` holds the characters that XML allows. Hostile
keys belong to no listing and are not here. Timestamps moved by ``mass-touch`` and ``reverting-timestamp`` are true.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from .disturbing import UNKNOWN_PATHS, allowed, hostile_text, sent_instead
from .faults import Faults
from .formats import iso, rfc1123
from .listing import Listing
from .making import key_of
from .objects import TYPES
from .people import AGENT, Contact, Person, person_fields, portrait
from .photos import Photo
from .render import photo_url
from .schema import CHILDREN, ELEMENTS
from .spoiling import expired, placeholder, spoiled
from .values import Moment, Value, local_date, truth
from .world import View

RESOURCES = ("property", "member", "office", "lookup")
_NAMES = {
    "Building/Rooms": "rooms",
    "OpenHouse": "open_houses",
    "ParkingSpaces": "parking",
    "UtilitiesAvailable": "utilities",
}
_WITHHOLDING = ("missing-record", "missing-key", "deep-nesting", "short-inventory")
_PHOTO_STAMPS = {"Agent": "photo_last_updated", "Office": "logo_last_updated"}
_ROLES = ("list", "co_list", "co_list", "co_list")


@dataclass(frozen=True, slots=True)
class Look:
    """How to look: the host photos are on, the size to hash ("" for none), the language, and what is withheld."""

    base: str
    size: str
    language: int
    faults: Faults


def truths(view: View, resource: str, look: Look) -> Iterator[dict[str, Any]]:
    """Every living record of ``property``, ``member`` or ``office``, nulls left out; or the values of ``lookup``."""
    if resource == "lookup":
        yield from view.world.edition.truths(look.language)
    elif resource == "member":
        yield from (_listed(view, view.agent(number), "Agent", look) for number in view.agents.numbers())
    elif resource == "office":
        yield from (_listed(view, view.office(number), "Office", look) for number in view.offices.numbers())
    else:
        for number in view.listings.numbers():
            yield property_truth(view, view.listing(number, look.language), look)


def property_truth(view: View, listing: Listing, look: Look) -> dict[str, Any]:
    """One listing: its scalar and list fields, what repeats, its people as it carries them, and its photos.

    See the head of this module for what faults add.
    """
    fields: dict[str, Any] = {}
    for element in ELEMENTS:
        if element.path in listing.values:
            fields |= truth(listing.values[element.path], element.columns)
    if "public_remarks" in fields and look.faults.hits("terminal-escapes", listing.key):
        fields["public_remarks"] = allowed(hostile_text(fields["public_remarks"]))
    agents = [view.agent(number, listing.as_of) for number in listing.agents]
    for position, agent in enumerate(agents):
        suffix = str(position) if position > 1 else ""
        fields[f"{_ROLES[position]}_agent_key{suffix}"] = agent.key
        if agent.office is not None:
            fields[f"{_ROLES[position]}_office_key{suffix}"] = agent.office.key
    fields["photos_count"] = len(listing.photos)
    if listing.photos:
        fields["photos_change_timestamp"] = iso(max(photo.stamp for photo in listing.photos))
    record: dict[str, Any] = {
        "key": listing.key,
        "stamp": rfc1123(listing.stamp),
        "modified": iso(listing.stamp),
        "fields": fields,
        "decoded": {"list_aor": view.world.edition.board(fields["list_aor_key"])[look.language]},
    }
    for path, name in _NAMES.items():
        record[name] = [_child(path, item) for item in listing.children.get(path, ())]
    record["agents"] = [
        {"member": person_truth(agent), "office": person_truth(agent.office) if agent.office else None}
        for agent in agents
    ]
    stale = expired(look.faults, listing.key, view.listings.stamp(listing.number))
    record["photos"] = [_photo(view, listing.number, photo, look, stale) for photo in listing.photos]
    return record | _faulty(view, listing, look)


def _faulty(view: View, listing: Listing, look: Look) -> dict[str, Any]:
    """What the faults add to a listing's truth."""
    faults = look.faults
    found: dict[str, Any] = {}
    reason = next((name for name in _WITHHOLDING if faults.hits(name, listing.key)), None)
    if faults.hits("no-object", listing.key):
        found["object_withheld"] = True
    if faults.hits("unknown-elements", listing.key):
        found["unknown"] = list(UNKNOWN_PATHS)
    if sent := sent_instead(listing, faults):
        found["sent"] = {"fields": sent}
    if faults.hits("stale-copy", listing.key):
        before = view.world.before()
        known = before.listings.has(listing.number)
        if not known or before.listings.stamp(listing.number) != listing.stamp:
            reason = reason or "stale-copy"
            if known:
                found["sent"] = _older(before, listing.number, look)
    if reason is not None:
        found |= {"withheld": True, "withheld_reason": reason}
    return found


def _older(before: View, number: int, look: Look) -> dict[str, Any]:
    """Yesterday's record, without what is said of faults."""
    older = property_truth(before, before.listing(number, look.language), look)
    there = {photo_url(look.base, "LargePhoto", number, photo) for photo in before.world.view().photos(number)}
    for photo in older["photos"]:
        if photo["large_photo_url"] not in there:
            photo |= {"withheld": True, "withheld_reason": "stale-copy"}
    return {name: value for name, value in older.items() if name not in ("sent", "withheld", "withheld_reason")}


def person_truth(person: Person) -> dict[str, Any]:
    """One agent or office, as of whenever it was looked at."""
    return {
        "key": person.key,
        "stamp": rfc1123(person.stamp),
        "modified": iso(person.stamp),
        "resource": "member" if person.kind == AGENT else "office",
        "fields": person_fields(person),
        "phones": [_contact(contact, "phone_number", "phone_type") for contact in person.phones],
        "websites": [_contact(contact, "website_url", "website_type") for contact in person.websites],
    }


def _listed(view: View, person: Person, resource: str, look: Look) -> dict[str, Any]:
    """An agent or office by its own record, which alone has a photo: in the size asked for, else the largest it has."""
    record = person_truth(person)
    which = portrait(view.snapshot(resource), person.number)
    if which is None:
        return record
    photo: dict[str, Any] = {"modification_timestamp": record["fields"][_PHOTO_STAMPS[resource]]}
    if look.size:
        size = look.size if look.size in TYPES[resource] else TYPES[resource][-1]
        photo["sha256"], photo["bytes"] = view.world.fingerprint(size, *which)
    if look.faults.hits("no-object", person.key):
        photo |= {"withheld": True, "withheld_reason": "no-object"}
    return record | {"photo": photo}


def _child(path: str, item: dict[str, Value]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, kind, column in CHILDREN[path][1]:
        value = item.get(name)
        columns = (column, f"{column}_units", f"{column}_text") if kind == "measure" else (column,)
        found |= truth(value, columns)
        if kind == "event" and isinstance(value, Moment):
            found["open_house_date"] = local_date(value)
    return found


def _contact(contact: Contact, name: str, kind: str) -> dict[str, str]:
    return {name: contact.text, "contact_type": contact.contact_type, kind: contact.type}


def _photo(view: View, number: int, photo: Photo, look: Look, stale: bool) -> dict[str, Any]:
    base = look.base
    found: dict[str, Any] = {
        "order": photo.order,
        "modification_timestamp": iso(photo.stamp),
        "last_updated": iso(photo.stamp),
        "url": photo_url(base, look.size or "LargePhoto", number, photo),
        "large_photo_url": photo_url(base, "LargePhoto", number, photo),
        "photo_url": photo_url(base, "Photo", number, photo),
        "thumbnail_photo_url": photo_url(base, "ThumbnailPhoto", number, photo),
    }
    if photo.description:
        found["long_description"] = photo.description
    if look.size:
        found["sha256"], found["bytes"] = view.world.fingerprint(
            look.size, "house", number, photo.serial, photo.version
        )
    if fault := spoiled(look.faults, key_of(number), photo.serial) or ("expired-photo-url" if stale else None):
        found |= {"withheld": True, "withheld_reason": fault}
        if fault == "placeholder-photo":
            data = placeholder()
            found["sent"] = {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}
    return found
