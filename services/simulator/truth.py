"""What really is at the MLS, typed and under the names of the RESO Data Dictionary: what a consumer should hold."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from .faults import Faults
from .formats import iso, rfc1123
from .listing import Listing
from .making import key_of
from .people import AGENT, Contact, Person, person_fields
from .photos import Photo
from .render import photo_url
from .schema import CHILDREN, ELEMENTS
from .values import Moment, Value, local_date, truth
from .world import View

RESOURCES = ("property", "member", "office")
_NAMES = {
    "Building/Rooms": "rooms",
    "OpenHouse": "open_houses",
    "ParkingSpaces": "parking",
    "UtilitiesAvailable": "utilities",
}
_ROLES = ("list", "co_list", "co_list", "co_list")


@dataclass(frozen=True, slots=True)
class Look:
    """How to look: the host photos are on, the size to hash ("" for none), the language, and what is withheld."""

    base: str
    size: str
    language: int
    faults: Faults


def truths(view: View, resource: str, look: Look) -> Iterator[dict[str, Any]]:
    """Every living record of ``property``, ``member`` or ``office``. Nulls are left out."""
    if resource == "member":
        yield from (person_truth(view.agent(number)) for number in view.agents.numbers())
    elif resource == "office":
        yield from (person_truth(view.office(number)) for number in view.offices.numbers())
    else:
        for number in view.listings.numbers():
            yield property_truth(view, view.listing(number, look.language), look)


def property_truth(view: View, listing: Listing, look: Look) -> dict[str, Any]:
    """One listing: its scalar and list fields, what repeats, its people as it carries them, and its photos.

    Faults change what is sent, not what is true; but a listing that can never be read says ``withheld``, and so does
    a photo that cannot be had.
    """
    fields: dict[str, Any] = {}
    for element in ELEMENTS:
        if element.path in listing.values:
            fields |= truth(listing.values[element.path], element.columns)
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
    }
    for path, name in _NAMES.items():
        record[name] = [_child(path, item) for item in listing.children.get(path, ())]
    record["agents"] = [
        {"member": person_truth(agent), "office": person_truth(agent.office) if agent.office else None}
        for agent in agents
    ]
    record["photos"] = [_photo(view, listing.number, photo, look) for photo in listing.photos]
    if look.faults.hits("missing-record", listing.key):
        record["withheld"] = True
    return record


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


def _photo(view: View, number: int, photo: Photo, look: Look) -> dict[str, Any]:
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
    if any(look.faults.hits(name, key_of(number), photo.serial) for name in ("ghost-photo", "not-an-image")):
        found["withheld"] = True
    return found
