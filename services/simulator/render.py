"""Records as STANDARD-XML, in the shape and with the oddities of DDF."""

from __future__ import annotations

from collections.abc import Iterable

from .disturbing import disturbed, hostile_text, unfit
from .facts import DESTINATION
from .faults import Faults
from .formats import day_first, escape, rfc1123, ticks
from .listing import Listing
from .making import key_of
from .people import AGENT, Contact, Person
from .photos import Photo
from .schema import BY_PATH, CHILDREN, ELEMENTS
from .values import Value, wire
from .world import View

FOLDERS = {"ThumbnailPhoto": "lowres", "Photo": "medres", "LargePhoto": "highres"}
_URLS = (("ThumbnailPhotoURL", "ThumbnailPhoto"), ("PhotoURL", "Photo"), ("LargePhotoURL", "LargePhoto"))


def photo_url(base: str, size: str, number: int, photo: Photo) -> str:
    """Where a photo is served. The path holds its instant, so it changes whenever the photo does."""
    key = key_of(number)
    return f"{base}/listings/TS{ticks(photo.stamp)}/{FOLDERS[size]}/{key[-1]}/{key}_{photo.order}.jpg"


def master_row(element: str, key: str, stamp: int) -> str:
    """One line of a master list."""
    return f'<{element} ID="{key}" LastUpdated="{rfc1123(stamp)}"/>\n'


def property_xml(view: View, listing: Listing, base: str, faults: Faults) -> bytes:
    """A whole listing. ``base`` is the scheme and host its photos are on."""
    out = [f'<PropertyDetails ID="{listing.key}" LastUpdated="{rfc1123(listing.stamp)}">']
    values, section = listing.values, ""
    sections = {BY_PATH[path].section for path in values} | {"Building"}
    for element in ELEMENTS:
        if element.section != section:
            if section:
                out.append(f"</{section}>")
                section = ""
            if element.section and element.section in sections:
                section = element.section
                out.append(f"<{section}>")
        path, leaf = element.path, element.leaf
        if path in values:
            text = wire(values[path], (listing.number + len(leaf)) % 2 == 0)
            if element.kind == "remarks":
                text = _remarks(listing, text, faults)
            text = unfit(listing, path, text, faults)
            out.append(f"<{leaf}>{escape(text)}</{leaf}>")
        elif element.kind == "child":
            out.append(_child(view, listing, path, leaf, base))
    if section:
        out.append(f"</{section}>")
    out.append("</PropertyDetails>\n")
    return disturbed("".join(out), listing.key, faults)


def person_xml(person: Person, element: str, stamped: bool = True) -> str:
    """An agent or office; ``stamped`` says whether it carries LastUpdated, which an embedded agent does not."""
    stamp = f' LastUpdated="{rfc1123(person.stamp)}"' if stamped else ""
    out = [f'<{element} ID="{person.key}"{stamp}>']
    plain = [(path, value) for path, value in person.values.items() if "/" not in path]
    located = [(path.partition("/")[2], value) for path, value in person.values.items() if "/" in path]
    out.append(_leaf("Name", person.values["Name"]))
    if located:
        out.append("<Address>" + "".join(_leaf(name, value) for name, value in located) + "</Address>")
    out.append(_contacts("Phones", "Phone", "PhoneType", person.phones))
    out.append(_contacts("Websites", "Website", "WebsiteType", person.websites))
    if person.office is not None:
        out.append(person_xml(person.office, "Office"))
    out.extend(_leaf(path, value) for path, value in plain if path != "Name")
    for path, items in person.lists.items():
        wrapper, _, name = path.partition("/")
        out.append(f"<{wrapper}>" + "".join(_leaf(name, item) for item in items) + f"</{wrapper}>")
    out.append(f"</{element}>\n" if person.kind == AGENT or element == "OfficeDetails" else f"</{element}>")
    return "".join(out)


def _leaf(name: str, value: Value) -> str:
    return f"<{name}>{escape(wire(value, True))}</{name}>"


def _contacts(wrapper: str, name: str, kind: str, contacts: Iterable[Contact]) -> str:
    inner = "".join(
        f'<{name} ContactType="{escape(contact.contact_type)}" {kind}="{escape(contact.type)}">'
        f"{escape(contact.text)}</{name}>"
        for contact in contacts
    )
    return f"<{wrapper}>{inner}</{wrapper}>" if inner else ""


def _child(view: View, listing: Listing, path: str, leaf: str, base: str) -> str:
    if path == "AgentDetails":
        agents = (view.agent(number, listing.as_of) for number in listing.agents)
        return "".join(person_xml(agent, "AgentDetails", stamped=False) for agent in agents)
    if path == "Photo":
        if not listing.photos:
            return ""
        return "<Photo>" + "".join(_photo(listing, photo, base) for photo in listing.photos) + "</Photo>"
    items = listing.children.get(path)
    if not items:
        return "<Rooms />" if leaf == "Rooms" and listing.number % 3 == 0 else ""
    element, parts = CHILDREN[path]
    inner = "".join(
        f"<{element}>" + "".join(_leaf(name, item[name]) for name, _, _ in parts if name in item) + f"</{element}>"
        for item in items
    )
    return f"<{leaf}>{inner}</{leaf}>"


def _photo(listing: Listing, photo: Photo, base: str) -> str:
    urls = "".join(f"<{name}>{photo_url(base, size, listing.number, photo)}</{name}>" for name, size in _URLS)
    description = _leaf("Description", photo.description) if photo.description else ""
    return (
        f"<PropertyPhoto><SequenceId>{photo.order}</SequenceId>{description}"
        f"<LastUpdated>{day_first(photo.stamp)}</LastUpdated>"
        f"<PhotoLastUpdated>{rfc1123(photo.stamp)}</PhotoLastUpdated>{urls}</PropertyPhoto>"
    )


def _remarks(listing: Listing, text: str, faults: Faults) -> str:
    if faults.hits("illegal-characters", listing.key):
        text = f"{text[:9]}\x0b\x00{text[9:]}\x1f"
    if faults.hits("terminal-escapes", listing.key) and text:
        text = hostile_text(text)
    if listing.suffixed and text:
        text = f"{text} (id:{DESTINATION})"
    return f"\n  {text}\n" if listing.number % 20 == 0 else text
