"""A photo is what could be decoded whole; everything else is refused with its reason."""

from __future__ import annotations

import hashlib
import random
import struct
import zlib
from io import BytesIO
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from shared.photos.errors import PhotoRejectedError
from shared.photos.header import read_header
from shared.photos.verify import PhotoLimits, verify

LIMITS = PhotoLimits()
NOISE = Image.frombytes("RGB", (64, 48), random.Random(5).randbytes(64 * 48 * 3))


def saved(format_name: str, image: Image.Image = NOISE, **options: Any) -> bytes:
    out = BytesIO()
    image.save(out, format_name, **options)
    return out.getvalue()


def animated(format_name: str, frames: int, size: tuple[int, int] = (20, 10)) -> bytes:
    images = [Image.new("RGB", size, (number * 67 % 256, number * 31 % 256, 7)) for number in range(frames)]
    return saved(format_name, images[0], save_all=True, append_images=images[1:])


def reason(data: bytes, limits: PhotoLimits = LIMITS) -> str:
    with pytest.raises(PhotoRejectedError) as caught:
        verify(data, limits)
    return caught.value.reason.value


PHOTOS = {
    "jpeg": saved("JPEG"),
    "progressive": saved("JPEG", progressive=True),
    "grey": saved("JPEG", NOISE.convert("L")),
    "cmyk": saved("JPEG", NOISE.convert("CMYK")),
    "png": saved("PNG"),
    "palette": saved("PNG", NOISE.convert("P")),
    "gif": saved("GIF"),
    "webp": saved("WEBP"),
    "lossless": saved("WEBP", lossless=True),
    "transparent": saved("WEBP", NOISE.convert("RGBA"), exif=b"Exif\0\0II*\0\x08\0\0\0\0\0"),
}
TYPES = {"png": "image/png", "palette": "image/png", "gif": "image/gif"}
TYPES |= {"webp": "image/webp", "lossless": "image/webp", "transparent": "image/webp"}


@pytest.mark.parametrize("kind", PHOTOS)
def test_whole_photos_are_verified(kind: str) -> None:
    data = PHOTOS[kind]
    photo = verify(data, LIMITS)
    mime_type = TYPES.get(kind, "image/jpeg")
    assert (photo.mime_type, photo.width, photo.height) == (mime_type, 64, 48)
    assert photo.extension == {"image/jpeg": "jpg"}.get(mime_type, mime_type.removeprefix("image/"))
    assert (photo.sha256, photo.byte_size) == (hashlib.sha256(data).hexdigest(), len(data))


@pytest.mark.parametrize("kind", PHOTOS)
def test_a_photo_cut_anywhere_is_refused(kind: str) -> None:
    data = PHOTOS[kind]
    whole = len(data.rstrip(b"\0"))
    for length in {*range(1, min(300, whole)), *range(300, whole, 37), whole - 2, whole - 1}:
        assert reason(data[:length]) in {"truncated", "corrupt", "text", "not_an_image"}, length


@pytest.mark.parametrize("kind", ["jpeg", "progressive", "png", "webp"])
def test_bytes_after_the_end_are_tolerated_and_part_of_the_hash(kind: str) -> None:
    data = PHOTOS[kind] + b"\r\ntrailing " * 3
    assert verify(data, LIMITS).sha256 == hashlib.sha256(data).hexdigest()


def test_a_cameras_jpeg_with_previews_behind_it_is_a_jpeg() -> None:
    data = saved("MPO", save_all=True, append_images=[NOISE.resize((16, 12))])
    photo = verify(data, LIMITS)
    assert (photo.mime_type, photo.width) == ("image/jpeg", 64)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"", "empty"),
        (b"<html><body>Not found</body></html>", "text"),
        (b"\xef\xbb\xbf<?xml version='1.0'?><RETS ReplyCode='20403'/>", "text"),
        (b"Image introuvable \xc3\xa9", "text"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "wrong_format"),
        (saved("BMP"), "wrong_format"),
        (saved("TIFF"), "wrong_format"),
        (saved("ICO"), "wrong_format"),
        (b"\0\0\0\x1cftypavif\0\0\0\0", "wrong_format"),
        (b"%PDF-1.7", "wrong_format"),
        (b"\0\x01\x02\x03\x04\x05\x06\x07", "not_an_image"),
        (b"PK\x03\x04\x14\0\0\0", "not_an_image"),
        (b"\xff\xd8\xff\xd9", "corrupt"),
        (b"\xff\xd8\xff\xe0\0\0", "corrupt"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIDAT", "corrupt"),
        (b"RIFF\x10\0\0\0WEBPXXXX\0\0\0\0", "corrupt"),
    ],
)
def test_what_is_no_photo_is_told_apart(body: bytes, expected: str) -> None:
    assert reason(body) == expected


def test_damaged_pixels_are_corrupt_where_the_format_has_checksums() -> None:
    data = bytearray(PHOTOS["png"])
    middle = len(data) // 2
    data[middle : middle + 400] = bytes(400)
    assert reason(bytes(data)) in {"corrupt", "truncated"}


def test_too_many_bytes_are_refused_before_anything_is_read() -> None:
    assert reason(b"\0" * 101, PhotoLimits(max_bytes=100)) == "too_large"


@pytest.mark.parametrize("kind", PHOTOS)
def test_too_many_pixels_are_refused(kind: str) -> None:
    assert reason(PHOTOS[kind], PhotoLimits(max_pixels=64 * 48 - 1)) == "too_many_pixels"
    verify(PHOTOS[kind], PhotoLimits(max_pixels=64 * 48))


def bomb(width: int, height: int) -> bytes:
    """A PNG of a few kilobytes that claims a huge size, and would fill it."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = zlib.compress(bytes(1_000_000), 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def test_a_decompression_bomb_is_refused_by_its_header() -> None:
    assert reason(bomb(60_000, 60_000)) == "too_many_pixels"
    assert reason(bomb(2**31 - 1, 2**31 - 1)) == "too_many_pixels"


def test_a_size_of_zero_is_corrupt() -> None:
    assert reason(bomb(0, 10)) == "corrupt"


@pytest.mark.parametrize("format_name", ["GIF", "WEBP"])
def test_animations_are_photos_up_to_the_number_of_frames(format_name: str) -> None:
    data = animated(format_name, 12)
    assert verify(data, PhotoLimits(max_frames=12)).width == 20
    assert reason(data, PhotoLimits(max_frames=11)) == "too_many_frames"


@pytest.mark.parametrize("format_name", ["GIF", "WEBP"])
def test_the_pixels_of_all_frames_count_together(format_name: str) -> None:
    data = animated(format_name, 12)
    verify(data, PhotoLimits(max_pixels=12 * 200))
    assert reason(data, PhotoLimits(max_pixels=12 * 200 - 1)) == "too_many_pixels"


def test_a_gif_frame_that_enlarges_the_canvas_is_counted_before_it_is_decoded() -> None:
    data = bytearray(animated("GIF", 2, (40, 40)))
    second = data.index(b"\x2c", data.index(b"\x2c") + 1)
    while struct.unpack_from("<HH", data, second + 5) != (40, 40):
        second = data.index(b"\x2c", second + 1)
    struct.pack_into("<HH", data, second + 5, 60_000, 60_000)
    assert reason(bytes(data)) in {"too_many_pixels", "corrupt"}


def test_placeholders_are_refused_by_their_hash() -> None:
    data = PHOTOS["jpeg"]
    assert reason(data, PhotoLimits(placeholders={hashlib.sha256(data).hexdigest()})) == "placeholder"


@given(st.sampled_from([b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"RIFF\xff\0\0\0WEBP", b""]), st.binary())
def test_any_bytes_are_a_photo_or_rejected(magic: bytes, rest: bytes) -> None:
    with pytest.raises(PhotoRejectedError):
        verify(magic + rest, LIMITS)


@given(st.sampled_from(sorted(PHOTOS)), st.data())
def test_a_photo_with_bytes_changed_is_a_photo_or_rejected(kind: str, data: st.DataObject) -> None:
    changed = bytearray(PHOTOS[kind])
    for _ in range(data.draw(st.integers(1, 4))):
        changed[data.draw(st.integers(0, len(changed) - 1))] = data.draw(st.integers(0, 255))
    try:
        verify(bytes(changed), LIMITS)
    except PhotoRejectedError:
        return


def test_the_header_is_read_without_the_body() -> None:
    header = read_header(bomb(123, 45)[:33])
    assert (header.format, header.width, header.height) == ("PNG", 123, 45)
