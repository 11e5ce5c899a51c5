"""Photos that are not what they should be."""

from __future__ import annotations

import struct
import zlib
from functools import lru_cache

from .drawing import picture
from .faults import Faults

SPOILED = ("ghost-photo", "not-an-image", "image-bomb", "half-photo", "placeholder-photo")
_NO_IMAGE = b"The requested photo could not be processed. Please try again later."
_SIDE = 30_000
_NOBODY = (2**32, 0, 0)  # the identity of a picture that belongs to no listing


def spoiled(faults: Faults, key: str, serial: int) -> str | None:
    """Which fault keeps this photo of a listing from everyone."""
    return next((name for name in SPOILED if faults.hits(name, key, serial)), None)


def expired(faults: Faults, key: str, stamp: int) -> bool:
    """Whether the photo URLs of a listing with this timestamp lead nowhere: it has not been fetched twice with it."""
    return faults.hits("expired-photo-url", key) and faults.tallied("expired-photo-url", f"{key}/{stamp}") < 2


def spoil(fault: str, data: bytes) -> tuple[bytes, str]:
    """What is sent in place of a photo, and as what. Not for ghosts, in whose place nothing is sent."""
    if fault == "half-photo":
        return data[: len(data) // 2], "image/jpeg"
    if fault == "placeholder-photo":
        return placeholder(), "image/jpeg"
    if fault == "image-bomb":
        return _bomb(), "image/png"
    return _NO_IMAGE, "image/jpeg"


@lru_cache(maxsize=1)
def placeholder() -> bytes:
    """The one picture, in the same size whatever was asked for."""
    return picture("ThumbnailPhoto", "logo", *_NOBODY)


@lru_cache(maxsize=1)
def _bomb() -> bytes:
    """A PNG of one bit per pixel, all of them black: some hundred kilobytes that unpack to gigabytes of colour."""
    packer = zlib.compressobj(9)
    row = bytes(1 + -(-_SIDE // 8))
    packed = [packer.compress(row) for _ in range(_SIDE)] + [packer.flush()]
    header = struct.pack(">IIBBBBB", _SIDE, _SIDE, 1, 0, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", b"".join(packed)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in chunks
    )
