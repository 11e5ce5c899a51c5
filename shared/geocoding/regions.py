"""Countries and their provinces by all the names an MLS writes, as ISO 3166 codes."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

_COUNTRIES = {
    "ca": "Canada|CAN",
    "us": "United States|United States of America|USA|États-Unis",
}
_REGIONS = {
    "ca-ab": "Alberta|Alta",
    "ca-bc": "British Columbia|Colombie-Britannique",
    "ca-mb": "Manitoba",
    "ca-nb": "New Brunswick|Nouveau-Brunswick",
    "ca-nl": "Newfoundland and Labrador|Newfoundland & Labrador|Newfoundland|Terre-Neuve-et-Labrador|"
    "Terre-Neuve & Labrador|NF",
    "ca-ns": "Nova Scotia|Nouvelle-Écosse",
    "ca-nt": "Northwest Territories|Territoires du Nord-Ouest|NWT",
    "ca-nu": "Nunavut",
    "ca-on": "Ontario|Ont",
    "ca-pe": "Prince Edward Island|Île-du-Prince-Édouard|PEI",
    "ca-qc": "Quebec|Québec|PQ|Que",
    "ca-sk": "Saskatchewan|Sask",
    "ca-yt": "Yukon|Yukon Territory|YK",
    "us-al": "Alabama", "us-ak": "Alaska", "us-az": "Arizona", "us-ar": "Arkansas", "us-ca": "California",
    "us-co": "Colorado", "us-ct": "Connecticut", "us-de": "Delaware", "us-dc": "District of Columbia",
    "us-fl": "Florida", "us-ga": "Georgia", "us-hi": "Hawaii", "us-id": "Idaho", "us-il": "Illinois",
    "us-in": "Indiana", "us-ia": "Iowa", "us-ks": "Kansas", "us-ky": "Kentucky", "us-la": "Louisiana",
    "us-me": "Maine", "us-md": "Maryland", "us-ma": "Massachusetts", "us-mi": "Michigan", "us-mn": "Minnesota",
    "us-ms": "Mississippi", "us-mo": "Missouri", "us-mt": "Montana", "us-ne": "Nebraska", "us-nv": "Nevada",
    "us-nh": "New Hampshire", "us-nj": "New Jersey", "us-nm": "New Mexico", "us-ny": "New York",
    "us-nc": "North Carolina", "us-nd": "North Dakota", "us-oh": "Ohio", "us-ok": "Oklahoma", "us-or": "Oregon",
    "us-pa": "Pennsylvania", "us-pr": "Puerto Rico", "us-ri": "Rhode Island", "us-sc": "South Carolina",
    "us-sd": "South Dakota", "us-tn": "Tennessee", "us-tx": "Texas", "us-ut": "Utah", "us-vt": "Vermont",
    "us-va": "Virginia", "us-wa": "Washington", "us-wv": "West Virginia", "us-wi": "Wisconsin", "us-wy": "Wyoming",
}  # fmt: skip


@lru_cache(maxsize=1024)
def fold(text: str) -> str:
    """A name without what people write differently: case, accents, punctuation, and Saint written St."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(c))
    words = re.sub(r"[\W_]+", " ", re.sub(r"['.’]", "", plain)).split()
    return " ".join({"st": "saint", "ste": "sainte"}.get(word, word) for word in words)


_COUNTRY_OF = {fold(name): code for code, names in _COUNTRIES.items() for name in (code, *names.split("|"))}
_REGION_OF = {
    (code[:2], fold(name)): code for code, names in _REGIONS.items() for name in (code[3:], code, *names.split("|"))
}
_BY_NAME = {fold(name): code for code, names in _REGIONS.items() for name in names.split("|")}


def country_of(name: str) -> str | None:
    """The ISO 3166-1 code of a country in lower case; None for one that is not known here."""
    return _COUNTRY_OF.get(fold(name))


def region_of(name: str, country: str | None) -> str | None:
    """The ISO 3166-2 code of a province or state in lower case (``ca-on``); None for one that is not known here.

    Without a country only full names are looked up, and Canada's two-letter codes.
    """
    if country is None:
        return _BY_NAME.get(fold(name)) or _REGION_OF.get(("ca", fold(name)))
    return _REGION_OF.get((country, fold(name)))


def region_name(code: str) -> str:
    """The English name of a province or state; the text itself when it is no code known here."""
    return _REGIONS.get(code, code).partition("|")[0]
