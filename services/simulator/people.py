"""Agents and offices: a pool in proportion to the listings, whose members change now and then."""

from __future__ import annotations

from dataclasses import dataclass, field

from .draws import PERSON, Draw
from .formats import year_first
from .schema import BY_PATH
from .timeline import Snapshot
from .values import Json, Moment, Value, truth
from .vocabulary import CITIES, DIRECTIONS, FIRMS, FIRST_NAMES, LAST_NAMES, LOOKUPS, STREETS, SUFFIXES, TEXTS

AGENT, OFFICE = 1, 2
FIRST_AGENT, FIRST_OFFICE = 1_500_001, 50_001

_ADDRESS_NAMES = {"address_line1": "address1", "address_line2": "address2"}


@dataclass(frozen=True, slots=True)
class Contact:
    """A telephone number or web site with its two kinds."""

    text: str
    contact_type: str
    type: str


@dataclass(frozen=True, slots=True)
class Person:
    """An agent or an office as of some day. ``values`` are elements by path, ``lists`` the repeated ones."""

    kind: int
    number: int
    key: str
    stamp: int
    values: dict[str, Value]
    lists: dict[str, list[str]] = field(default_factory=dict)
    phones: list[Contact] = field(default_factory=list)
    websites: list[Contact] = field(default_factory=list)
    office: Person | None = None


def pool(listings: int) -> tuple[int, int]:
    """How many agents and offices serve so many listings."""
    return listings // 10 + min(listings, 3), listings // 60 + min(listings, 2)


def address(draw: Draw, rare: float = 1.0) -> dict[str, Value]:
    """An address with all that DDF may say of one, but where it lies on the map."""
    city, province, _, _, half, _ = draw.pick(CITIES)
    number, street, suffix = str(draw.between(1, 9999)), draw.pick(STREETS), draw.pick(SUFFIXES)
    parts: dict[str, Value] = {"StreetNumber": number}
    if draw.chance(0.1 * rare):
        parts["StreetDirectionPrefix"] = draw.pick(DIRECTIONS)
    parts |= {"StreetName": street, "StreetSuffix": suffix}
    if draw.chance(0.2 * rare):
        parts["StreetDirectionSuffix"] = draw.pick(DIRECTIONS)
    if draw.chance(0.3 * rare):
        parts["UnitNumber"] = draw.pick(TEXTS["UnitNumber"])
    if draw.chance(0.05 * rare):
        parts["AdditionalStreetInfo"] = draw.pick(TEXTS["AdditionalStreetInfo"])
    line = " ".join(str(parts[name]) for name in _LINE if name in parts)
    if "UnitNumber" in parts:
        line = f"{parts['UnitNumber']} - {line}"
    whole = f"{line}|{parts['AdditionalStreetInfo']}" if "AdditionalStreetInfo" in parts else line
    walk = f"{draw.between(0, 9)}{draw.pick('ABCEGHJKLMNPRSTVWXYZ')}{draw.between(0, 9)}"
    postal = half if draw.chance(0.03) else half + walk
    return {
        "StreetAddress": whole,
        "AddressLine1": line,
        **parts,
        "City": city,
        "Province": province,
        "PostalCode": postal,
        "Country": "Canada",
    }


_LINE = ("StreetNumber", "StreetDirectionPrefix", "StreetName", "StreetSuffix", "StreetDirectionSuffix")
_ADDRESS_ORDER = [path.removeprefix("Address/") for path in BY_PATH if path.startswith("Address/")]
_EXTRAS = ("AddressLine2", "BoxNumber", "CommunityName", "Neighbourhood", "Subdivision")


def agent(seed: int, agents: Snapshot, offices: Snapshot, number: int, day: int) -> Person:
    """An agent as of the end of ``day``, with the office as of then."""
    version = agents.changes_until(number, day)
    fixed, now = Draw(seed, PERSON, AGENT, number), Draw(seed, PERSON, AGENT, number, version + 1)
    name = f"{fixed.pick(FIRST_NAMES)} {fixed.pick(LAST_NAMES)} {number % 97 if number >= 120 else ''}".strip()
    values: dict[str, Value] = {"Name": name.upper() if fixed.chance(0.4) else name}
    values["Position"] = now.pick(TEXTS["Position"]) if fixed.chance(0.8) else None
    if fixed.chance(0.2):
        values["EducationCredentials"] = fixed.pick(TEXTS["EducationCredentials"])
    if has_photo(seed, AGENT, number, version):
        shot = photo_stamp(agents, number, day)
        values["PhotoLastUpdated"] = Moment(shot, year_first(shot))
    values |= _somewhere(fixed, 0.3)
    lists = {}
    for wrapper, names, share in (
        ("Specialties/Specialty", TEXTS["Specialty"], 0.3),
        ("Designations/Designation", tuple(text for text, _ in LOOKUPS["Designation"]), 0.3),
        ("Languages/Language", TEXTS["Language"], 0.5),
        ("TradingAreas/TradingArea", TEXTS["TradingArea"], 0.3),
    ):
        if fixed.chance(share):
            lists[wrapper] = now.some(names, 3)
    office = now.between(0, offices.total - 1)
    return Person(
        kind=AGENT,
        number=number,
        key=str(FIRST_AGENT + number),
        stamp=agents.stamp_at(number, day),
        values=values,
        lists=lists,
        phones=_phones(now, "Business"),
        websites=_websites(now, f"agent{number}"),
        office=office_of(seed, offices, office, day),
    )


def office_of(seed: int, offices: Snapshot, number: int, day: int) -> Person:
    """An office as of the end of ``day``."""
    version = offices.changes_until(number, day)
    fixed, now = Draw(seed, PERSON, OFFICE, number), Draw(seed, PERSON, OFFICE, number, version + 1)
    stamp = offices.stamp_at(number, day)
    name = f"{fixed.pick(FIRMS)} {number}"
    values: dict[str, Value] = {"Name": name.upper() if fixed.chance(0.3) else name}
    if has_photo(seed, OFFICE, number, version):
        shot = photo_stamp(offices, number, day)
        values["LogoLastUpdated"] = Moment(shot, year_first(shot))
    values |= _somewhere(fixed, 0.9)
    if fixed.chance(0.7):
        values["OrganizationType"] = "Firm"
    if fixed.chance(0.4):
        values["Designation"] = now.pick(TEXTS["OfficeDesignation"])
    values["Franchisor"] = now.pick(TEXTS["Franchisor"]) if fixed.chance(0.4) else None
    return Person(
        kind=OFFICE,
        number=number,
        key=str(FIRST_OFFICE + number),
        stamp=stamp,
        values=values,
        phones=_phones(now, "Office"),
        websites=_websites(now, f"office{number}"),
    )


def has_photo(seed: int, kind: int, number: int, changes: int) -> bool:
    """Whether an agent has a portrait, or an office a logo, after so many changes, each other of which may end it."""
    version = photo_version(changes)
    return Draw(seed, PERSON, kind, number, 0, *([version] if version else [])).chance(0.7)


def photo_version(changes: int) -> int:
    """Which portrait or logo it is after so many changes of the record."""
    return changes // 2


def portrait(people: Snapshot, number: int) -> tuple[str, int, int, int] | None:
    """The identity of the picture that an agent or office has now, None without one."""
    population, changes = people.population, people.changes_until(number, people.day)
    if not has_photo(population.seed, population.kind, number, changes):
        return None
    return "face" if population.kind == AGENT else "logo", number, 0, photo_version(changes)


def photo_stamp(people: Snapshot, number: int, day: int) -> int:
    """When the portrait or logo last changed: with every other change of the record."""
    changes = people.changes_until(number, day)
    return people.stamp_at(number, day) if changes % 2 == 0 else people.stamp_after(number, changes - 1)


def _somewhere(draw: Draw, share: float) -> dict[str, Value]:
    if not draw.chance(share):
        return {}
    values = address(draw)
    values |= {name: draw.pick(TEXTS[name]) for name in _EXTRAS if draw.chance(0.2)}
    return {f"Address/{name}": values[name] for name in _ADDRESS_ORDER if name in values}


def _phones(draw: Draw, contact: str) -> list[Contact]:
    kinds = draw.sample(("Telephone", "Fax", "Toll free", "Cell"), draw.between(0, 3))
    return [Contact(f"({draw.between(204, 905)}) 555-{draw.between(0, 9999):04}", contact, kind) for kind in kinds]


def _websites(draw: Draw, name: str) -> list[Contact]:
    return [
        Contact(
            f"https://{name}.example/?a={draw.between(1, 9)}&b={index}", "Business", "Website" if index else "Facebook"
        )
        for index in range(draw.between(0, 2))
    ]


_OWN = {
    AGENT: {
        "Name": "member_full_name",
        "Position": "job_title",
        "EducationCredentials": "education_credentials",
        "PhotoLastUpdated": "photo_last_updated",
    },
    OFFICE: {
        "Name": "office_name",
        "LogoLastUpdated": "logo_last_updated",
        "OrganizationType": "organization_type",
        "Designation": "designation",
        "Franchisor": "franchise_affiliation",
    },
}
_LISTS = {
    "Specialties/Specialty": "specialties",
    "Designations/Designation": "member_designation",
    "Languages/Language": "member_languages",
    "TradingAreas/TradingArea": "trading_areas",
}


def person_fields(person: Person) -> dict[str, Json]:
    """What truth says of an agent or office, under the names of the RESO Data Dictionary."""
    prefix = "member" if person.kind == AGENT else "office"
    fields: dict[str, Json] = {}
    for path, value in person.values.items():
        if path.startswith("Address/"):
            plain = BY_PATH[path].columns[0]
            column = f"{prefix}_{_ADDRESS_NAMES.get(plain, plain)}"
        else:
            column = _OWN[person.kind][path]
        fields |= truth(value, (column,))
    for path, items in person.lists.items():
        fields[_LISTS[path]] = items
    if person.office is not None:
        fields["office_key"] = person.office.key
    return fields
