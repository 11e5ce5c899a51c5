"""Metadata as one document that can be kept, and read again by later versions of mlsync. Pure."""

from __future__ import annotations

from hashlib import sha256

import msgspec

from shared.lookups import MetadataDocument
from shared.rets.schema.types import System

_encode = msgspec.json.Encoder(order="deterministic").encode
_decode = msgspec.json.Decoder(System).decode


def document_of(system: System) -> MetadataDocument:
    """All of it. Equal digests: the same but for version and date."""
    nameless = msgspec.structs.replace(system, version="", date="")
    return MetadataDocument(system.version, system.date, sha256(_encode(nameless)).hexdigest(), _encode(system))


def system_of(document: bytes) -> System:
    """What the document was made of. What a later version of mlsync put into it is left out.

    Raises ValueError for bytes that are no such document.
    """
    return _decode(document)
