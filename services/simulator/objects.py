"""The GetObject transaction and the photos behind payload URLs (DDF guide, Photos; RETS 1.7.2 §5)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from .answers import Answer, Call, RefusedError, envelope
from .faults import Faults
from .formats import escape, iso, rfc1123, ticks
from .making import key_of, number_of
from .people import AGENT, OFFICE, has_photo
from .photos import Photo
from .render import FOLDERS, photo_url
from .search import number_in
from .world import View, World

_BOUNDARY = "creaboundary"
_TYPES = {
    "Property": ("ThumbnailPhoto", "Photo", "LargePhoto"),
    "Agent": ("ThumbnailPhoto", "LargePhoto"),
    "Office": ("ThumbnailPhoto",),
}
_PATH = re.compile(r"/listings/TS(\d{18})/(lowres|medres|highres)/\d/(\d{8,9})_(\d{1,3})\.jpg")
_SIZES = {folder: size for size, folder in FOLDERS.items()}
_NO_IMAGE = b"The requested photo could not be processed. Please try again later."


@dataclass(frozen=True, slots=True)
class _Part:
    """One object of an answer: its bytes, or where it is, or the reply code that stands for it."""

    order: int
    data: bytes = b""
    url: str = ""
    description: str = ""
    code: int = 0


def get_object(world: World, call: Call, faults: Faults) -> Answer:
    """Answer a GetObject. Raises RefusedError with 20400 to 20403."""
    resource, kind = call.get("resource"), call.get("type", "Photo") or "Photo"
    if resource not in _TYPES:
        raise RefusedError(20400, "Invalid Resource")
    if kind not in _TYPES[resource]:
        raise RefusedError(20401, f"Invalid Type: {resource} has {', '.join(_TYPES[resource])}")
    key, colon, rest = call.get("id").partition(":")
    wanted = re.split("[:,]", rest) if colon else []
    if not re.fullmatch(r"\d{1,9}", key) or not all(re.fullmatch(r"\*|\d{1,3}", item) for item in wanted):
        raise RefusedError(20402, "Invalid Identifier: one key, with :* or object numbers")
    number, view = number_in(resource, key), world.view()
    if number is None or not view.snapshot(resource).has(number):
        raise RefusedError(20403, "No Object Found")
    if resource != "Property":
        return _single(key, _portrait(view, resource, kind, number))
    chosen = _chosen(view.photos(number), wanted)
    if not chosen:
        raise RefusedError(20403, "No Object Found")
    located = call.get("location") == "1"
    style = faults.on("location-style") or world.options.location_style
    if located and style == "table":
        return Answer(_table(call.base, kind, number, [photo for _, photo in chosen if photo]), fragile=True)
    album = _Album(world, faults, kind, number)
    parts = (album.part(order, photo, call.base if located else "") for order, photo in chosen)
    if "*" in wanted or len(wanted) > 1:
        return Answer(_multipart(key, parts), f'multipart/parallel; boundary="{_BOUNDARY}"', fragile=True)
    return _single(key, next(iter(parts)))


def photo(world: World, path: str, faults: Faults) -> tuple[Answer, str, str] | None:
    """The photo at a path of ours with its ETag and Last-Modified; None when there is none (any more)."""
    found = _PATH.fullmatch(path)
    number = number_of(found[3]) if found else None
    view = world.view()
    if found is None or number is None or not view.listings.has(number):
        return None
    order = int(found[4])
    for candidate in view.photos(number):
        if candidate.order == order and ticks(candidate.stamp) == int(found[1]):
            break
    else:
        return None
    part = _Album(world, faults, _SIZES[found[2]], number).part(order, candidate)
    if part.code:
        return None
    sha256, _ = world.fingerprint(_SIZES[found[2]], "house", number, candidate.serial, candidate.version)
    tag = f'"{sha256[:32]}"' if part.data is not _NO_IMAGE else '"broken"'
    return Answer(part.data, "image/jpeg", fragile=True), tag, rfc1123(candidate.stamp)


def _chosen(photos: list[Photo], wanted: list[str]) -> list[tuple[int, Photo | None]]:
    if "*" in wanted:
        return [(photo.order, photo) for photo in photos]
    if not wanted or wanted == ["0"]:
        return [(photo.order, photo) for photo in photos[:1]]
    by_order = {photo.order: photo for photo in photos}
    found = [(order, by_order.get(order)) for order in dict.fromkeys(int(item) for item in wanted)]
    return found if any(photo for _, photo in found) else []


@dataclass(frozen=True, slots=True)
class _Album:
    """The photos of one listing in one size, as the faults let them be seen."""

    world: World
    faults: Faults
    size: str
    number: int

    def part(self, order: int, photo: Photo | None, base: str = "") -> _Part:
        """One object: its bytes, with ``base`` its address instead, or 20403."""
        key = key_of(self.number)
        if photo is None or self.faults.hits("ghost-photo", key, photo.serial):
            return _Part(order, code=20403)
        if base:
            return _Part(order, url=photo_url(base, self.size, self.number, photo), description=photo.description)
        if self.faults.hits("not-an-image", key, photo.serial):
            return _Part(order, _NO_IMAGE, description=photo.description)
        data = self.world.picture(self.size, "house", self.number, photo.serial, photo.version)
        return _Part(order, data, description=photo.description)


def _portrait(view: View, resource: str, size: str, number: int) -> _Part:
    kind, subject = (AGENT, "face") if resource == "Agent" else (OFFICE, "logo")
    if not has_photo(view.world.options.seed, kind, number):
        raise RefusedError(20403, "No Object Found")
    snapshot = view.snapshot(resource)
    version = snapshot.changes_until(number, snapshot.day) // 2  # as people.photo_stamp has it
    return _Part(0, view.world.picture(size, subject, number, 0, version))


def _single(key: str, part: _Part) -> Answer:
    if part.code:
        raise RefusedError(part.code, "No Object Found")
    headers = {"MIME-Version": "1.0", "Content-ID": key, "Object-ID": str(part.order)}
    if part.description:
        headers["Content-Description"] = part.description.encode("ascii", "ignore").decode()
    if part.url:
        return Answer(envelope(0, "Operation Successful"), headers=headers | {"Location": part.url})
    return Answer(part.data, "image/jpeg", headers=headers, fragile=True)


def _multipart(key: str, parts: Iterator[_Part]) -> Iterator[bytes]:
    preferred = True
    for part in parts:
        plain = part.code or part.url
        head = f"\r\n--{_BOUNDARY}\r\nContent-Type: {'text/xml' if plain else 'image/jpeg'}\r\n"
        head += f"Content-ID: {key}\r\nObject-ID: {part.order}\r\n"
        if part.description:
            head += f"Content-Description: {part.description}\r\n"
        if part.url:
            head += f"Location: {part.url}\r\n"
        if preferred and not part.code:
            head, preferred = head + "Preferred: 1\r\n", False
        data = part.data
        if plain:
            data = envelope(part.code, "No Object Found" if part.code else "Operation Successful")
        yield f"{head}\r\n".encode() + data
    yield f"\r\n--{_BOUNDARY}--\r\n".encode()


def _table(base: str, size: str, number: int, photos: list[Photo]) -> bytes:
    rows = "".join(
        f"<DATA>\t{key_of(number)}\t{photo.order}\t{escape(photo_url(base, size, number, photo))}\t{iso(photo.stamp)}\t"
        "</DATA>\n"
        for photo in photos
    )
    return envelope(
        0,
        "Operation Successful",
        f'\n<COUNT Records="{len(photos)}" />\n<DELIMITER value="09" />\n'
        f"<COLUMNS>\tResourceRecordID\tOrder\tMediaUrl\tMediaModificationTimestamp\t</COLUMNS>\n{rows}",
    )
