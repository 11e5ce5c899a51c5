"""The GetObject transaction and the photos behind payload URLs (DDF guide, Photos; RETS 1.7.2 §5)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from .answers import Answer, Call, RefusedError, envelope
from .faults import Faults
from .formats import escape, iso, rfc1123, ticks
from .making import key_of, number_of
from .multipart import Part, content_type, first_preferred, multipart
from .people import portrait
from .photos import Photo
from .render import FOLDERS, photo_url
from .search import number_in
from .spoiling import expired, spoil, spoiled
from .world import View, World

TYPES = {  # of each resource, the largest last
    "Property": ("ThumbnailPhoto", "Photo", "LargePhoto"),
    "Agent": ("ThumbnailPhoto", "LargePhoto"),
    "Office": ("ThumbnailPhoto",),
}
_PATH = re.compile(r"/listings/TS(\d{18})/(lowres|medres|highres)/\d/(\d{8,9})_(\d{1,3})\.jpg")
_SIZES = {folder: size for size, folder in FOLDERS.items()}
NOT_MULTIPART = {  # what some servers answer although a multipart was asked for
    "text": Answer(b"No photos at this time", "text/plain"),
    "empty": Answer(b"", "text/plain"),
}


def get_object(world: World, call: Call, faults: Faults) -> Answer:
    """Answer a GetObject. Raises RefusedError with 20400 to 20403."""
    resource, kind = call.get("resource"), call.get("type", "Photo") or "Photo"
    if resource not in TYPES:
        raise RefusedError(20400, "Invalid Resource")
    if kind not in TYPES[resource]:
        raise RefusedError(20401, f"Invalid Type: {resource} has {', '.join(TYPES[resource])}")
    key, colon, rest = call.get("id").partition(":")
    wanted = re.split("[:,]", rest) if colon else []
    if not re.fullmatch(r"\d{1,9}", key) or not all(re.fullmatch(r"\*|\d{1,3}", item) for item in wanted):
        raise RefusedError(20402, "Invalid Identifier: one key, with :* or object numbers")
    number, view = number_in(resource, key), world.view()
    if number is None or not view.snapshot(resource).has(number):
        raise RefusedError(20403, "No Object Found")
    if faults.hits("no-object", key):
        raise RefusedError(int(faults.kind("no-object") or 20403), "No Object Found")
    if resource != "Property":
        return single(key, portrait_of(view, resource, kind, number))
    chosen = chosen_of(view.photos(number), wanted)
    if not chosen:
        raise RefusedError(20403, "No Object Found")
    located = call.get("location") == "1" and faults.on("location-ignored") is None
    style = faults.on("location-style") or world.options.location_style
    if located and style == "table":
        return Answer(table(call.base, kind, number, [photo for _, photo in chosen if photo]), fragile=True)
    album = Album(world, faults, kind, number)
    parts = (album.part(order, photo, call.base if located else "") for order, photo in chosen)
    if "*" not in wanted and len(wanted) < 2:
        return single(key, next(iter(parts)))
    if (instead := faults.on("single-part")) == "image":
        return single(key, next(iter(parts)))
    if instead is not None:
        return NOT_MULTIPART[instead]
    defect = faults.on("multipart-defects") or ""
    return Answer(multipart(key, first_preferred(parts), defect), content_type(defect), fragile=True)


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
    key = found[3]
    if expired(faults, key, view.listings.stamp(number)):
        return Answer(b"Forbidden: the URL has expired", "text/plain", 403), "", ""
    part = Album(world, faults, _SIZES[found[2]], number).part(order, candidate)
    if part.code:
        return None
    sha256, _ = world.fingerprint(_SIZES[found[2]], "house", number, candidate.serial, candidate.version)
    tag = spoiled(faults, key, candidate.serial) or sha256[:32]
    return Answer(part.data, part.content_type, fragile=True), f'"{tag}"', rfc1123(candidate.stamp)


def chosen_of(photos: list[Photo], wanted: list[str]) -> list[tuple[int, Photo | None]]:
    if "*" in wanted:
        return [(photo.order, photo) for photo in photos]
    if not wanted or wanted == ["0"]:
        return [(photo.order, photo) for photo in photos[:1]]
    by_order = {photo.order: photo for photo in photos}
    found = [(order, by_order.get(order)) for order in dict.fromkeys(int(item) for item in wanted)]
    return found if any(photo for _, photo in found) else []


@dataclass(frozen=True, slots=True)
class Album:
    """The photos of one listing in one size, as the faults let them be seen."""

    world: World
    faults: Faults
    size: str
    number: int

    def part(self, order: int, photo: Photo | None, base: str = "") -> Part:
        """One object: its bytes, with ``base`` its address instead, or 20403."""
        key = key_of(self.number)
        spoilt = spoiled(self.faults, key, photo.serial) if photo else None
        if photo is None or spoilt == "ghost-photo":
            return Part(order, code=20403)
        if base:
            return Part(order, url=photo_url(base, self.size, self.number, photo), description=photo.description)
        data = self.world.picture(self.size, "house", self.number, photo.serial, photo.version)
        content, kind = spoil(spoilt, data) if spoilt else (data, "image/jpeg")
        return Part(order, content, description=photo.description, content_type=kind)


def portrait_of(view: View, resource: str, size: str, number: int) -> Part:
    """The picture of a person or office. Raises RefusedError with 20403."""
    which = portrait(view.snapshot(resource), number)
    if which is None:
        raise RefusedError(20403, "No Object Found")
    return Part(0, view.world.picture(size, *which))


def single(key: str, part: Part) -> Answer:
    """An answer that is this object alone. Raises RefusedError with the code that stands for it."""
    if part.code:
        raise RefusedError(part.code, "No Object Found")
    headers = {"MIME-Version": "1.0", "Content-ID": key, "Object-ID": str(part.order)}
    if part.description:
        headers["Content-Description"] = part.description.encode("ascii", "ignore").decode()
    if part.preferred:
        headers["Preferred"] = "1"
    if part.tags:
        headers["ObjectData"] = "\n".join(f"{name}={value}" for name, value in part.tags.items())
    if part.url:
        return Answer(envelope(0, "Operation Successful"), headers=headers | {"Location": part.url})
    return Answer(part.data, part.content_type, headers=headers, fragile=True)


def table(base: str, size: str, number: int, photos: list[Photo]) -> bytes:
    """The addresses of photos as a COMPACT table."""
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
