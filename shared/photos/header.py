"""What a photo's first bytes say: its format and size, read without decoding anything.

A decoder allocates by what the header claims, so the claim is read here first, by code that allocates nothing.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from shared.photos.errors import PhotoRejectedError, RejectReason

_OTHER_IMAGES = (b"BM", b"II*\0", b"MM\0*", b"\0\0\1\0", b"\xff\x0a", b"8BPS", b"%PDF")
_TEXT_BYTES = frozenset(range(0x20, 0x7F)) | frozenset(b"\t\r\n") | frozenset(range(0x80, 0x100))
_TEXT_SAMPLE = 512
# SOF0-SOF15 without DHT (C4), JPG (C8) and DAC (CC), which share the range.
_START_OF_FRAME = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_STANDALONE = frozenset({0x01, *range(0xD0, 0xD9)})


@dataclass(frozen=True, slots=True)
class Header:
    """The format by Pillow's name, and the size in pixels that the file claims."""

    format: str
    width: int
    height: int


def read_header(data: bytes) -> Header:
    """The header of a JPEG, PNG, GIF or WebP. Raises PhotoRejectedError, which tells text from other formats."""
    try:
        if data.startswith(b"\xff\xd8\xff"):
            return Header("JPEG", *_jpeg_size(data))
        if data.startswith(b"\x89PNG\r\n\x1a\n"):
            if data[12:16] != b"IHDR":
                raise PhotoRejectedError(RejectReason.CORRUPT)
            return Header("PNG", *struct.unpack_from(">II", data, 16))
        if data.startswith((b"GIF87a", b"GIF89a")):
            return Header("GIF", *struct.unpack_from("<HH", data, 6))
        if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
            return Header("WEBP", *_webp_size(data))
    except (struct.error, IndexError):
        raise PhotoRejectedError(RejectReason.TRUNCATED) from None
    raise PhotoRejectedError(_what_else(data))


def _jpeg_size(data: bytes) -> tuple[int, int]:
    """Walk the marker segments (ITU T.81 B.1.1.4) to the start of frame."""
    at = 2
    while True:
        if data[at] != 0xFF:
            raise PhotoRejectedError(RejectReason.CORRUPT)
        while data[at] == 0xFF:  # any number of fill bytes may precede a marker
            at += 1
        marker = data[at]
        at += 1
        if marker in _STANDALONE:
            continue
        if marker in _START_OF_FRAME:
            height, width = struct.unpack_from(">HH", data, at + 3)
            return width, height
        if marker in (0xD9, 0xDA):  # the end, or a scan, before any frame
            raise PhotoRejectedError(RejectReason.CORRUPT)
        (length,) = struct.unpack_from(">H", data, at)
        if length < 2:
            raise PhotoRejectedError(RejectReason.CORRUPT)
        at += length


def _webp_size(data: bytes) -> tuple[int, int]:
    """The canvas of the first chunk: VP8X (extended), VP8L (lossless), VP8 (lossy)."""
    match data[12:16]:
        case b"VP8X":
            low = struct.unpack_from("<HBHB", data, 24)
            return (low[0] | low[1] << 16) + 1, (low[2] | low[3] << 16) + 1
        case b"VP8L":
            (bits,) = struct.unpack_from("<I", data, 21)
            return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
        case b"VP8 ":
            width, height = struct.unpack_from("<HH", data, 26)
            return width & 0x3FFF, height & 0x3FFF
        case _:
            raise PhotoRejectedError(RejectReason.CORRUPT if len(data) >= 16 else RejectReason.TRUNCATED)


def _what_else(data: bytes) -> RejectReason:
    """Error pages and "no image" texts served as photos are common enough to be told from broken images."""
    if data.startswith(_OTHER_IMAGES) or data[4:8] == b"ftyp":
        return RejectReason.WRONG_FORMAT
    sample = data[:_TEXT_SAMPLE].removeprefix(b"\xef\xbb\xbf")
    if b"<svg" in sample[:200]:
        return RejectReason.WRONG_FORMAT
    if all(byte in _TEXT_BYTES for byte in sample) and _is_utf8(sample):
        return RejectReason.TEXT
    return RejectReason.NOT_AN_IMAGE


def _is_utf8(sample: bytes) -> bool:
    try:
        sample.decode()
    except UnicodeDecodeError as error:
        return error.start >= len(sample) - 3  # a character that the sample cut
    return True
