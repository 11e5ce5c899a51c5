"""What a photo's object is called: ``{feed}/{key}/{order:03}-{hash12}-{n}.{extension}``.

Keys come from an MLS. They are percent-encoded so that no two keys share a folder, not even on a file system that
ignores case, and so that a key can be no path: only lower-case letters, digits, ``-`` and inner ``_`` stay as they are.
Objects that are no photos are called ``{feed}/{key}/{type}-{order:03}-…``, by their type in the feed's settings.
"""

from __future__ import annotations

import hashlib
import re

_MAX_ENCODED = 100
_PREFIX = 56
_DIGEST = 40
_KEPT = frozenset(b"abcdefghijklmnopqrstuvwxyz0123456789-_")
_EXTENSION = re.compile(r"[a-z0-9]{1,8}")
_SHA256 = re.compile(r"[0-9a-f]{64}")


def object_name(
    feed: str, key: str, order: int, sha256: str, n: int, extension: str, resource: str = "property", kind: str = ""
) -> str:
    """The name of photo ``order`` of record ``key``, whose bytes have ``sha256`` (hex); ``n`` is never used twice.
    ``kind`` is the type of an object that is no photo; its letters in lower case stand before the number.

    Different feeds, resources, keys, orders or ``n`` give different names, and every name is a valid ``Blobs`` name.
    Raises ValueError when ``order`` or ``n`` is negative or beyond 64 bits, or the hash or extension is none.
    """
    if not 0 <= order < 2**64 or not 0 <= n < 2**64:
        raise ValueError(f"order and n are numbers from 0 to 2**64 - 1, not {order} and {n}")
    if not _SHA256.fullmatch(sha256) or not _EXTENSION.fullmatch(extension):
        raise ValueError("a photo's name needs its SHA-256 as 64 hex digits and an extension such as jpg")
    of = f"{encode_segment(kind.lower())}-" if kind else ""
    return f"{record_prefix(feed, key, resource)}{of}{order:03}-{sha256[:12]}-{n}.{extension}"


def record_prefix(feed: str, key: str, resource: str = "property") -> str:
    """What the names of all photos of one record begin with: ``feed/key/``, or ``feed/_member/key/``.

    An encoded key never begins with ``_``, so no key can name the folder of another resource.
    """
    infix = "" if resource == "property" else f"_{encode_segment(resource)}/"
    return f"{encode_segment(feed)}/{infix}{encode_segment(key)}/"


def encode_segment(text: str) -> str:
    """``text`` as one segment of a name, at most 100 bytes; different texts give different segments.

    What would be longer keeps its beginning and ends in ``%%`` and 160 bits of its SHA-256; ``%%`` and a lone ``%``
    (the empty text) are nothing that encoding a short text can give.
    """
    raw = text.encode("utf-8", "surrogatepass")
    encoded = "".join(chr(byte) if byte in _KEPT else f"%{byte:02x}" for byte in raw)
    if encoded.startswith("_"):
        encoded = f"%5f{encoded[1:]}"
    if len(encoded) > _MAX_ENCODED:
        return f"{encoded[:_PREFIX]}%%{hashlib.sha256(raw).hexdigest()[:_DIGEST]}"
    return encoded or "%"
