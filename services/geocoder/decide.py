"""What to ask a geocoder about an address, what to believe of its answer, and when to ask again. Pure.

Nominatim answers with the best it has, which may be another street in another town, or no more than the province. So
an answer counts only if it is near enough to be of use (``precision``) and agrees with what the listing says of its
country, province and city, or postal code.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from shared.geocoding.address import Address
from shared.geocoding.places import Place
from shared.geocoding.regions import fold, region_name, region_of
from shared.store.base import AddressWant, GeocoderPace, Located, NotLocated, Precision

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

MISS = 30 * DAY
"""How long an address that was not found is left alone; doubles with every further miss, up to a year."""
MOST_MISS = 365 * DAY
PAUSE = 30 * SECOND
"""How long a server that failed is left alone; doubles with every further failure, up to an hour.

The address it failed over waits as long, and up to a day.
"""
MOST_PAUSE = HOUR
THROTTLED = {"http_429": MINUTE, "http_403": HOUR, "http_401": HOUR}
"""The least pause where a server says that it was too much, whatever ``Retry-After`` says: the public one sends 0."""
APART = 0.05
"""Degrees between two answers equally good of which at most one can be right."""

STREET, NEIGHBOURHOOD, CITY = 26, 20, 13
"""The least search rank of each; below a city there is no use in an answer ("Place Ranking in Nominatim")."""
KINDS: dict[str, Precision] = {
    "house": "rooftop", "building": "rooftop", "road": "street", "postcode": "postcode",
    "neighbourhood": "neighbourhood", "quarter": "neighbourhood", "hamlet": "neighbourhood",
    "suburb": "city", "village": "city", "town": "city", "municipality": "city", "city": "city",
}  # fmt: skip
"""The precision of a place whose rank was not told, by its kind."""
NOT_PLACES = frozenset({"country", "country_code", "state", "house_number", "road", "postcode", "continent", "region"})
"""Labels of address details that name no city nor part of one."""
KINDS_OF_PLACE = frozenset(
    ("city", "town", "village", "municipality", "township", "county", "district", "regional", "rural", "of",
     "ville", "canton", "paroisse", "de", "la")
)  # fmt: skip
"""Words that one writes with a city's name and another leaves out."""


def questions(address: Address, countrycodes: str | None = None) -> list[dict[str, str]]:
    """What to ask, one after the other until something is found: parameters of Nominatim's search.

    First the structured question. Then, once, the same as free text and without the postal code: Canada's are no open
    data, and a server that does not know one finds nothing at all (Nominatim, issue 1452).
    """
    known_country = address.country if len(address.country) == 2 else None
    limit = {"countrycodes": codes} if (codes := known_country or countrycodes) else {}
    state = region_name(address.province)
    parts = {
        "street": address.street,
        "city": address.city,
        "state": state,
        "postalcode": address.written_postal_code,
        "country": "" if known_country else address.country,
    }
    found = [{name: value for name, value in parts.items() if value} | limit]
    if address.city and (address.street or address.postal_code):
        words = (address.street, address.locality, address.city, state, parts["country"])
        found.append({"q": ", ".join(word for word in words if word)} | limit)
    return found


def precision(place: Place, address: Address) -> Precision | None:
    """How near a place is to the house that was meant; None when too far to be of use.

    A house with another number, or none, is known only to be in the street.
    """
    if "postcode" in (place.kind, place.type):
        return "postcode"
    if place.rank is None:
        return KINDS.get(place.kind)
    if place.rank < STREET:
        return "neighbourhood" if place.rank >= NEIGHBOURHOOD else "city" if place.rank >= CITY else None
    number = place.address.get("house_number", "")
    if place.rank < 28 or not number or fold(number) != fold(address.number):
        return "street"
    # "Place Output": interpolated house numbers are place=house with the interpolation way as their object
    interpolated = place.rank == 28 or (place.category, place.type, place.osm_type) == ("place", "house", "way")
    return "interpolated" if interpolated else "rooftop"


def judge(places: Sequence[Place], address: Address) -> tuple[Place, Precision] | str:
    """The place to believe with its precision, or in a word why none: ``nothing``, ``too_coarse``, ``elsewhere``,
    ``ambiguous`` (two far apart, and nothing says which).

    Nominatim orders by its own idea of relevance; a place with the address's own postal code goes first.
    """
    fitting: list[tuple[Place, Precision]] = []
    reason = "nothing"
    for place in places:
        near = precision(place, address)
        if near is None:
            reason = "too_coarse" if reason == "nothing" else reason
        elif not _agrees(place, address):
            reason = "elsewhere"
        else:
            fitting.append((place, near))
    if not fitting:
        return reason
    sure = [item for item in fitting if _same_postal_code(item[0], address)]
    best = (sure or fitting)[0]
    rivals = [place for place, near in fitting if near == best[1]]
    if not sure and any(_apart(place, best[0]) for place in rivals):
        return "ambiguous"
    return best


def _agrees(place: Place, address: Address) -> bool:
    """Whether a place is in the country, the province and the city (or the postal area) that the listing names."""
    details = place.address
    country = details.get("country_code", "").lower()
    if len(address.country) == 2 and country != address.country:
        return False
    if _in_another_province(details, country, address.province):
        return False
    if _same_postal_code(place, address):
        return True
    names = {_core(name) for label, name in details.items() if label not in NOT_PLACES and "ISO3166" not in label}
    return any(name and _core(name) in names for name in (address.city, address.locality))


def _in_another_province(details: Mapping[str, str], country: str, province: str) -> bool:
    name = details.get("state", "")
    code = details.get("ISO3166-2-lvl4", "").lower() or region_of(name, country or None)
    if region_name(province) != province:
        return bool(code) and code != province
    return bool(name and province) and fold(name) != fold(province)


def _core(name: str) -> str:
    """A city's name alone: Ottawa of City of Ottawa."""
    words = fold(name).split()
    return " ".join(word for word in words if word not in KINDS_OF_PLACE) or " ".join(words)


def _same_postal_code(place: Place, address: Address) -> bool:
    """Equal in the first three characters, a Canadian delivery area: the rest is often guessed from neighbours."""
    theirs, ours = fold(place.address.get("postcode", "")).replace(" ", ""), address.postal_code
    return len(ours) >= 3 and theirs[:3] == ours[:3] if address.country == "ca" else bool(ours) and theirs == ours


def _apart(one: Place, other: Place) -> bool:
    return abs(one.latitude - other.latitude) > APART or abs(one.longitude - other.longitude) > APART


@dataclass(frozen=True, slots=True)
class Failure:
    """A question that brought no answer. ``retry_after`` seconds were asked for; ``refused``: any other may do."""

    reason: str
    retry_after: float | None = None
    refused: bool = False


def answered(found: tuple[Place, Precision] | str, want: AddressWant, of: int, now: int) -> Located | NotLocated:
    """What is known after an answer to the next question of ``want``, of ``of`` that may be asked in a round."""
    if isinstance(found, tuple):
        place, near = found
        return Located(place.latitude, place.longitude, near)
    if want.asked + 1 < of:
        return NotLocated(found, now, want.asked + 1, want.misses)
    return NotLocated(found, now + min(MOST_MISS, MISS << min(want.misses, 10)), 0, want.misses + 1)


def failed(failure: Failure, want: AddressWant, of: int, now: int) -> NotLocated:
    """The address goes behind the others, so that one that a server chokes on holds up none of them.

    A question that the server refuses is as good as answered with nothing; being throttled is no address's fault.
    """
    if failure.refused:
        outcome = answered(failure.reason, want, of, now)
        assert isinstance(outcome, NotLocated)
        return outcome
    if failure.reason in THROTTLED:
        return NotLocated(failure.reason, now, want.asked, want.misses, want.failures)
    back = now + min(DAY, PAUSE << min(want.failures, 20))
    return NotLocated(failure.reason, back, want.asked, want.misses, want.failures + 1)


def pace(failure: Failure | None, failures: int, interval: int, now: int) -> GeocoderPace:
    """When the server may be asked again, after an answer or its ``failures``-th failure in a row (from 0).

    ``interval`` runs from the end of an answer, so that a server never sees more than was agreed, however long the way
    there; and so there is one question at a time.
    """
    if failure is None or failure.refused:
        return GeocoderPace(now + interval)
    least = THROTTLED.get(failure.reason, PAUSE)
    pause = max(least, min(MOST_PAUSE, least << min(failures, 10)), int((failure.retry_after or 0) * SECOND))
    return GeocoderPace(now + max(interval, pause), failures + 1, failure.reason)
