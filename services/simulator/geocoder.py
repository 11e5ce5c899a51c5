"""A geocoder beside the MLS: Nominatim's search API over the streets of the simulated cities.

It knows every number of every street in every city of the vocabulary but for what chance, fixed by the names, leaves
out: some streets are unknown, some only as a whole, some houses interpolated, and a fifth of the postal codes are not
in its data, so that a question with one of those finds nothing, as in Canada. It forgets nothing and counts nothing.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Mapping
from hashlib import blake2b
from typing import Any

from .answers import Answer
from .vocabulary import CITIES, STREETS

PREFIX = "/geocoder/"
_JSON = "application/json; charset=utf-8"
_STRUCTURED = ("street", "city", "county", "state", "country", "postalcode", "amenity")
_CODES = {
    "Ontario": "ON", "Quebec": "QC", "Alberta": "AB", "Saskatchewan": "SK", "Manitoba": "MB", "Nova Scotia": "NS",
    "New Brunswick": "NB", "British Columbia": "BC", "Newfoundland & Labrador": "NL",
}  # fmt: skip


def answer(name: str, arguments: Mapping[str, str]) -> Answer:
    """Answer ``/geocoder/<name>``: ``search`` or ``status``."""
    if name == "status":
        return Answer(b"OK", "text/plain; charset=utf-8")
    if name != "search":
        return Answer(b"Not Found", "text/plain", 404)
    structured = any(arguments.get(part) for part in _STRUCTURED)
    if structured == bool(arguments.get("q")) or arguments.get("format") != "jsonv2":
        message = "give format=jsonv2, and either q or the parts of an address"
        return _json({"error": {"code": 400, "message": message}}, 400)
    return _json(search(arguments))


def search(arguments: Mapping[str, str]) -> list[dict[str, Any]]:
    """The places that answer a question, best first; empty when there are none."""
    if "ca" not in arguments.get("countrycodes", "ca").split(","):
        return []
    words = (
        arguments["q"].split(",") if arguments.get("q") else [arguments.get("street", ""), arguments.get("city", "")]
    )
    named = {_fold(word) for word in words}
    city = next((city for city in CITIES if _fold(city[0]) in named), None)
    postal = re.sub(r"\s", "", arguments.get("postalcode", "")).upper()
    if city is None or (postal and (postal[:3] != city[4] or _chance("postal", postal) < 0.2)):
        return []
    state = arguments.get("state")
    if state and _fold(state) != _fold(city[1]):
        return []
    line = next((word.strip() for word in words if any(_fold(street) in _fold(word) for street in STREETS)), "")
    if not line:  # as a real one: all that is asked for must be there
        return (
            []
            if words[0] and _fold(words[0]) != _fold(city[0])
            else [_place(city, "", "", postal, 16, "boundary", "administrative", "city")]
        )
    number, _, street = line.partition(" ") if line[:1].isdigit() else ("", "", line)
    chance = _chance(_fold(street), city[0])
    if chance < 0.08:
        return []
    if chance < 0.2 or not number:
        return [_place(city, "", street, postal, 26, "highway", "residential", "road")]
    kind = ("place", "house") if chance < 0.35 else ("building", "yes")
    return [_place(city, number, street, postal, 30, *kind, kind[0])]


def _place(
    city: tuple[str, str, float, float, str, str], number: str, street: str, postal: str, rank: int,
    category: str, kind: str, addresstype: str,
) -> dict[str, Any]:  # fmt: skip
    name, province, latitude, longitude, area, _ = city
    spread = (_chance(_fold(street), name, "y") - 0.5) / 5, (_chance(_fold(street), name, "x") - 0.5) / 5
    along = int(number) / 1e6 if number.isdigit() else 0.0
    written = f"{postal[:3]} {postal[3:]}" if len(postal) == 6 else ""
    details = {
        "house_number": number, "road": street.title(), "city": name, "state": province,
        "ISO3166-2-lvl4": f"CA-{_CODES[province]}", "postcode": written or area,
        "country": "Canada", "country_code": "ca",
    }  # fmt: skip
    details = {label: text for label, text in details.items() if text}
    return {
        "place_id": int(_chance(name, _fold(street), number) * 1e9), "licence": "Invented", "osm_type": "way",
        "osm_id": 1,
        "lat": f"{latitude + (spread[0] + along if street else 0):.7f}",
        "lon": f"{longitude + (spread[1] if street else 0):.7f}",
        "category": category, "type": kind, "place_rank": rank, "importance": 0.1, "addresstype": addresstype,
        "name": "", "display_name": ", ".join(details.values()), "address": details,
    }  # fmt: skip


def _fold(text: str) -> str:
    plain = "".join(c for c in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(c))
    return " ".join(re.sub(r"[^a-z0-9' ]", " ", plain.replace("&", "and").replace(".", "")).split())


def _chance(*parts: str) -> float:
    """A number from 0 to 1 that belongs to these texts."""
    return int.from_bytes(blake2b("|".join(parts).encode(), digest_size=6).digest(), "big") / 2**48


def _json(value: object, status: int = 200) -> Answer:
    return Answer((json.dumps(value, ensure_ascii=False) + "\n").encode(), _JSON, status)
