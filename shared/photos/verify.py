"""Decoded before it is believed: bytes become a photo only when every pixel of it could be decoded."""

from __future__ import annotations

import hashlib
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from io import BytesIO

from PIL import Image

from shared.photos.errors import PhotoRejectedError, RejectReason
from shared.photos.header import Header, read_header

Image.MAX_IMAGE_PIXELS = None  # ours is checked before anything is decoded; Pillow's would warn of photos within it

_TYPES = {
    "JPEG": ("image/jpeg", "jpg"),
    "PNG": ("image/png", "png"),
    "GIF": ("image/gif", "gif"),
    "WEBP": ("image/webp", "webp"),
}


@dataclass(frozen=True, slots=True)
class PhotoLimits:
    """What is still a photo. ``max_pixels`` is of all frames together; placeholders are SHA-256 in lower-case hex."""

    max_bytes: int = 25 * 1024 * 1024
    max_pixels: int = 60_000_000
    max_frames: int = 200
    placeholders: AbstractSet[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Verified:
    """A photo that was decoded whole. ``sha256`` is of the bytes as they came, in hex."""

    mime_type: str
    extension: str
    width: int
    height: int
    sha256: str
    byte_size: int


def verify(data: bytes, limits: PhotoLimits) -> Verified:
    """What ``data`` is: a whole JPEG, PNG, GIF or WebP within ``limits``. Raises PhotoRejectedError with the reason.

    Bytes after the image's end are tolerated and kept: cameras append previews and servers newlines, every viewer
    passes over them, and the photo is stored under the hash of exactly what the MLS sent. A missing end is not.
    """
    if not data:
        raise PhotoRejectedError(RejectReason.EMPTY)
    if len(data) > limits.max_bytes:
        raise PhotoRejectedError(RejectReason.TOO_LARGE)
    sha256 = hashlib.sha256(data).hexdigest()
    if sha256 in limits.placeholders:
        raise PhotoRejectedError(RejectReason.PLACEHOLDER)
    header = read_header(data)
    if header.width == 0 or header.height == 0:
        raise PhotoRejectedError(RejectReason.CORRUPT)
    if header.width * header.height > limits.max_pixels:
        raise PhotoRejectedError(RejectReason.TOO_MANY_PIXELS)
    if not _has_end(data, header.format):
        raise PhotoRejectedError(RejectReason.TRUNCATED)
    _decode(data, header, limits)
    mime_type, extension = _TYPES[header.format]
    return Verified(mime_type, extension, header.width, header.height, sha256, len(data))


def _has_end(data: bytes, format_name: str) -> bool:
    """Whether the end that the format demands is there: decoders forgive its absence, and with it missing rows."""
    match format_name:
        case "JPEG":  # an end of image after the last scan; one before it belongs to a thumbnail
            return data.rfind(b"\xff\xd9") > data.rfind(b"\xff\xda")
        case "PNG":
            return b"IEND\xaeB`\x82" in data
        case "GIF":
            return data.rstrip(b"\0\t\r\n ").endswith(b";")
        case _:  # RIFF announces its length
            return len(data) >= int.from_bytes(data[4:8], "little") + 8


def _decode(data: bytes, header: Header, limits: PhotoLimits) -> None:
    try:
        with Image.open(BytesIO(data), formats=[header.format]) as image:
            if image.size != (header.width, header.height):
                raise PhotoRejectedError(RejectReason.CORRUPT)
            if header.format == "JPEG":
                # All entropy-coded data is still read, but made into an eighth of the size: less time and 1/64 of
                # the memory. Frames after the first (a camera's previews) are nothing that anybody shows.
                image.draft(None, (1, 1))
                image.load()
            else:
                _decode_frames(image, limits)
    except (PhotoRejectedError, MemoryError):
        raise
    except Exception as error:  # decoders meet hostile bytes with all kinds of exceptions; each means the same
        truncated = "truncated" in str(error) or isinstance(error, EOFError)
        raise PhotoRejectedError(RejectReason.TRUNCATED if truncated else RejectReason.CORRUPT) from error


def _decode_frames(image: Image.Image, limits: PhotoLimits) -> None:
    pixels = 0
    for number in range(limits.max_frames + 1):
        if number > 0:
            try:
                image.seek(number)
            except EOFError:
                return
        # A GIF's later frames may enlarge the canvas, so each is counted before it is decoded.
        pixels += image.width * image.height
        if number == limits.max_frames:
            raise PhotoRejectedError(RejectReason.TOO_MANY_FRAMES)
        if pixels > limits.max_pixels:
            raise PhotoRejectedError(RejectReason.TOO_MANY_PIXELS)
        image.load()
