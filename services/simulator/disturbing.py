"""What faults do to the text of a listing, and what its truth says of that."""

from __future__ import annotations

import re
from typing import Any

from .clock import START
from .faults import Faults
from .listing import Listing
from .schema import BY_PATH
from .values import wire

_DEPTH = 5000
_FORBIDDEN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")  # in XML 1.0, raw or as references
_UNFIT = {
    "Address/Latitude": ("north of here", "4.5e400", "123456789.123456789"),
    "Building/BedroomsTotal": ("three", "99999999999999999999", "-"),
    "Building/ConstructedDate": ("19??", "123456789012", "old"),
    "Building/FireplacePresent": ("perhaps", "2", "oui et non"),
    "Building/StoriesTotal": ("one and a half", "NaN", "1,5,5"),
    "ListingContractDate": ("2024-02-30", "0000-00-00", "next Tuesday"),
    "Price": ("call us", "1e999", "Infinity"),
}
_UNKNOWN = (
    "<Beacon ID=\"1\">on</Beacon><Beacon ID=\"2\"/>"
    "<Climate><Zone>5</Zone><Risk><Flood Unit=\"m\">0.4</Flood></Risk><Zone>6</Zone></Climate>"
)  # fmt: skip
UNKNOWN_PATHS = ("@Origin", "Beacon", "Building/@Style", "Building/SolarPanels", "Climate")
"""Where ``unknown-elements`` puts something into a listing; attributes with an ``@``."""
_ESCAPES = "\x1b[31m\x1b]0;owned\x07\x9b2J\u202egnp.exe\u202c\x90q\x9c\u2066"
_BOMB = (
    "<!DOCTYPE RETS [\n<!ENTITY l0 \"laughing out loud, \">\n"
    + "".join(f'<!ENTITY l{level} "{f"&l{level - 1};" * 10}">\n' for level in range(1, 10))
    + "<!ENTITY file SYSTEM \"file:///etc/passwd\">\n]>\n"
)  # fmt: skip
ENTITIES = "&l9;&file;"

HOSTILE_KEYS = (
    "../../x",
    "a/b",
    "x" * 300,
    "2\t0\n1",
    "\x9b31m\u202e7",
    "%2e%2e%2f",
    "~staging",
    "20000001,20000002",
    "')|(ID=*",
    "*",
)
HOSTILE_STAMP = START


def hostile_text(text: str) -> str:
    """Text with what terminals and writing direction obey; raw, so that some of it is no XML."""
    return f"{text[:9]}{_ESCAPES}{text[9:]}"


def allowed(text: str) -> str:
    """The text without what XML has no way to say."""
    return _FORBIDDEN.sub("", text)


def unfit(listing: Listing, path: str, text: str, faults: Faults) -> str:
    """What is sent in place of a value."""
    if text and path in _UNFIT and faults.hits("unfit-values", listing.key):
        return _UNFIT[path][(listing.number + len(path)) % len(_UNFIT[path])]
    return text


def sent_instead(listing: Listing, faults: Faults) -> dict[str, Any]:
    """The columns whose values are sent as something else, with the text that is sent."""
    sent = {}
    for path in _UNFIT:
        text = wire(listing.values.get(path), True)
        if (other := unfit(listing, path, text, faults)) != text:
            sent[BY_PATH[path].columns[0]] = other
    return sent


def disturbed(xml: str, key: str, faults: Faults) -> bytes:
    """A listing's XML as it goes out."""
    if faults.hits("unknown-elements", key):
        xml = xml.replace("<PropertyDetails ", '<PropertyDetails Origin="board" ', 1)
        xml = xml.replace("<Building>", '<Building Style="new"><SolarPanels>12</SolarPanels>', 1)
        xml = _at_the_end(xml, _UNKNOWN)
    if faults.hits("deep-nesting", key):
        xml = _at_the_end(xml, "<Deep>" * _DEPTH + "</Deep>" * _DEPTH)
    if faults.hits("missing-key", key):
        xml = xml.replace(f' ID="{key}"', "", 1)
    return written(xml, key, faults)


def written(xml: str, key: str, faults: Faults) -> bytes:
    """The XML of a record of whatever kind in the characters and bytes that it goes out in."""
    if faults.hits("double-escaping", key):
        xml = xml.replace("&", "&amp;")
    if faults.hits("surrogate-references", key):
        xml = "".join(_halves(character) if character > "\uffff" else character for character in xml)
    if faults.hits("wrong-encoding", key):
        return xml.encode("cp1252", "xmlcharrefreplace")
    return xml.encode()


def bombed(head: bytes) -> bytes:
    """The head of an answer with a DOCTYPE before its root element."""
    return head.replace(b"<RETS ", _BOMB.encode() + b"<RETS ", 1)


def _at_the_end(xml: str, more: str) -> str:
    place = xml.rindex("</PropertyDetails>")
    return f"{xml[:place]}{more}{xml[place:]}"


def _halves(character: str) -> str:
    raw = character.encode("utf-16-be")
    return "".join(f"&#{int.from_bytes(raw[at : at + 2], 'big')};" for at in (0, 2))
