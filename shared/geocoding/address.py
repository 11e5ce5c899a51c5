"""Addresses in one form, so that one place is asked for once however often and however it is written.

What makes no difference to where a house stands is dropped: case, the width and composition of characters (NFKC), the
unit, the spacing of postal codes, which of its names a province goes by. Accents and abbreviations stay: a geocoder
knows better than we do what they stand for.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

from shared.geocoding.regions import country_of, region_of

VERSION = 1
"""Raised when the same listing may get another address: every stored one is then worked out again."""

COLUMNS = (
    "street_number",
    "street_dir_prefix",
    "street_name",
    "street_suffix",
    "street_dir_suffix",
    "unparsed_address",
    "city",
    "state_or_province",
    "postal_code",
    "country",
)
"""The columns of a listing that an address is made from; all are text or NULL."""

LENGTH = 300
"""Characters of an address; a longer one is none, and an index must hold it."""

_SEPARATORS = str.maketrans("|.", "  ")
_UNIT = r"(?:(?:apt|apartment|unit|suite|bureau|app)\b\s*#?|#)\s*"
_UNIT_FIRST = re.compile(rf"(?:{_UNIT}[\w-]*\w(?:\s*[-,]\s*|\s+)|\w+\s*-\s*)(?=\d)")
_UNIT_LAST = re.compile(rf"(?:^|[\s,]+){_UNIT}[\w-]+$")
_CANADIAN = re.compile(r"[a-z]\d[a-z]\d[a-z]\d")


@dataclass(frozen=True, slots=True)
class Address:
    """Where a house stands, in lower case; "" for what is not known.

    ``street`` begins with the house number, if there is one. ``city`` is the municipality, ``locality`` the part of it
    that CREA puts in brackets behind. ``province`` and ``country`` are ISO 3166 codes (``ca-on``, ``ca``), names where
    those are not known.
    """

    street: str
    locality: str
    city: str
    province: str
    postal_code: str
    country: str

    @property
    def text(self) -> str:
        """All of it in one line; ``read`` makes the same address from it."""
        return "|".join((self.street, self.locality, self.city, self.province, self.postal_code, self.country))

    @property
    def number(self) -> str:
        """The house number; "" when the street has none."""
        first, _, rest = self.street.partition(" ")
        return first if rest and first[:1].isdigit() else ""

    @property
    def written_postal_code(self) -> str:
        """The postal code as it is written on an envelope."""
        code = self.postal_code
        return f"{code[:3]} {code[3:]}".upper() if _CANADIAN.fullmatch(code) else code.upper()


def read(text: str) -> Address:
    """The address that ``Address.text`` wrote. Raises ValueError for any other text."""
    return Address(*text.split("|")) if text.count("|") == 5 else _refuse(text)


def _refuse(text: str) -> Address:
    raise ValueError(f"{text[:40]!r} is no normalised address")


def address_of(parts: Mapping[str, str | None]) -> Address | None:
    """The address in a listing's columns (see ``COLUMNS``).

    None when they name neither a city nor a postal code, for a street alone is anywhere; or when it is too long.
    """
    country = country_of(parts.get("country") or "") or plain(parts.get("country") or "")
    province = region_of(parts.get("state_or_province") or "", country or None)
    if province is not None:
        country = country or province[:2]
    else:
        province = plain(parts.get("state_or_province") or "")
    city, _, locality = plain((parts.get("city") or "").replace(")", " ")).partition("(")
    found = Address(
        _street(parts), locality.strip(), city.strip(), province, _postal_code(parts.get("postal_code") or ""), country
    )
    if not (found.city or len(found.postal_code) >= 5) or len(found.text) > LENGTH:
        return None
    return found


def plain(text: str) -> str:
    """Text in lower case, composed (NFKC), without control characters, dots and the ``|`` that separates parts."""
    if text.isascii() and text.isprintable():  # as nearly all are
        return " ".join(text.lower().translate(_SEPARATORS).split()).strip(" ,;")
    text = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    text = "".join(" " if unicodedata.category(c)[0] in "CZ" or c in "|." else c for c in text.replace("’", "'"))
    return " ".join(text.split()).strip(" ,;")


def _street(parts: Mapping[str, str | None]) -> str:
    name = plain(parts.get("street_name") or "")
    if name:
        number = plain(parts.get("street_number") or "").rpartition("-")[2].strip()  # 101-45: unit 101 of number 45
        around = (number, parts.get("street_dir_prefix"), name, parts.get("street_suffix"),
                  parts.get("street_dir_suffix"))  # fmt: skip
        return " ".join(text for part in around if (text := plain(part or "")))
    line = plain((parts.get("unparsed_address") or "").partition("|")[0])
    unit = _UNIT_FIRST.match(line)
    return _UNIT_LAST.sub("", line[unit.end() :] if unit else line)


def _postal_code(text: str) -> str:
    code = re.sub(r"[^a-z0-9]", "", plain(text))
    return code[:5] if code.isdigit() and len(code) == 9 else code[:10]  # ZIP+4 names one side of one street
