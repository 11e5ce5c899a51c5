"""Metadata as one document that can be kept, and read again by later versions of mlsync. Pure."""

from __future__ import annotations

from hashlib import sha256
from typing import Final

import msgspec

from shared.lookups import MetadataDocument
from shared.rets.schema.types import System

READER: Final = 1
"""Raised whenever metadata are read otherwise than before, or more of them: what was kept is then read anew."""


class _Kept(System, frozen=True, kw_only=True, omit_defaults=True):
    """The metadata, by which ``READER`` they were read, and who asked for them."""

    reader: int = 0
    asked_by: str = ""


_encode = msgspec.json.Encoder(order="deterministic").encode
_decode = msgspec.json.Decoder(System).decode
_decode_kept = msgspec.json.Decoder(_Kept).decode


def document_of(system: System, asked_by: str = "") -> MetadataDocument:
    """All of it, and who asked: other logins may be told other things. Equal digests: the same but for version, date
    and who asked."""
    nameless = msgspec.structs.replace(system, version="", date="")
    kept = _Kept(**{name: getattr(system, name) for name in system.__struct_fields__}, reader=READER, asked_by=asked_by)
    return MetadataDocument(system.version, system.date, sha256(_encode(nameless)).hexdigest(), _encode(kept))


def system_of(document: bytes) -> System:
    """What the document was made of. What a later version of mlsync put into it is left out.

    Raises ValueError for bytes that are no such document.
    """
    return _decode(document)


def as_read_now(document: bytes, asked_by: str = "") -> System | None:
    """What the document was made of, if it would be made the same of the server's answers today; None for what somebody
    else asked for, what an earlier or later version of mlsync may have read otherwise, and what is no document."""
    try:
        kept = _decode_kept(document)
    except ValueError:
        return None
    if (kept.reader, kept.asked_by) != (READER, asked_by):
        return None
    return System(**{name: getattr(kept, name) for name in System.__struct_fields__})
