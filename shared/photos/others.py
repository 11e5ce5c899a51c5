"""Objects that are no photos: what type their bytes are taken for, and which addresses are links.

Nothing is decoded. What a server calls a type never gets into a name, nor to whoever is given the bytes: they are
stored under an ending and a type of the table here, or as ``bin``, ``application/octet-stream``.
"""

from __future__ import annotations

import re
from typing import Final

from urllib3 import exceptions
from urllib3.util import parse_url

ENDINGS: Final = {
    "application/msword": "doc", "application/pdf": "pdf", "application/zip": "zip", "audio/mp4": "m4a",
    "audio/mpeg": "mp3", "audio/ogg": "ogg", "audio/wav": "wav", "image/gif": "gif", "image/jpeg": "jpg",
    "image/png": "png", "image/tiff": "tif", "image/webp": "webp", "text/plain": "txt", "video/mp4": "mp4",
    "video/mpeg": "mpg", "video/quicktime": "mov", "video/webm": "webm", "video/x-ms-wmv": "wmv",
}  # fmt: skip
"""By type the ending of a name. Types that a browser would run (HTML, SVG) are none of them."""
UNKNOWN: Final = "application/octet-stream"
_SIGNS: Final = (
    (b"%PDF-", "application/pdf"), (b"\xff\xd8\xff", "image/jpeg"), (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"GIF8", "image/gif"), (b"ID3", "audio/mpeg"),
)  # fmt: skip
_RIFF: Final = {b"WEBP": "image/webp", b"WAVE": "audio/wav"}
_TYPE: Final = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,62}/[a-z0-9][a-z0-9!#$&^_.+-]{0,62}")
_TEXTS: Final = frozenset({"", "text/plain", "text/uri-list"})
_MAX_URL: Final = 8_192
_UNFIT: Final = re.compile(r"[\x00-\x20\x7f]")


def type_of(data: bytes, said: str) -> str:
    """The type of bytes: by how they begin, else as the server said, else ``UNKNOWN``."""
    for sign, known in _SIGNS:
        if data.startswith(sign):
            return known
    if data.startswith(b"RIFF") and data[8:12] in _RIFF:
        return _RIFF[data[8:12]]
    if data[4:8] == b"ftyp" and not said.startswith(("video/", "audio/")):
        return "video/mp4"
    return said if _TYPE.fullmatch(said) else UNKNOWN


def link_in(data: bytes, said: str) -> str:
    """The address that a text consists of, "" when it is something else: films are often had so."""
    if said not in _TEXTS or len(data) > _MAX_URL:
        return ""
    text = data.decode("utf-8", "replace").strip()
    return text if text.lower().startswith(("http://", "https://")) and is_link(text) else ""


def is_link(url: str) -> bool:
    """Whether a text is the address of something on the web, without credentials."""
    if len(url) > _MAX_URL or _UNFIT.search(url):
        return False
    try:
        parts = parse_url(url)
    except exceptions.LocationParseError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.host) and parts.auth is None
