"""GetObject of this MLS: photos, plats, films and recordings, of several records at once (RETS 1.7.2 §5, RETS 1.8)."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from ..answers import Answer, Call, RefusedError
from ..faults import Faults
from ..formats import iso
from ..making import key_of
from ..multipart import Part, content_type, multipart
from ..objects import NOT_MULTIPART, Album, portrait_of, single, table
from ..photos import Photo
from ..search import number_in
from ..world import View, World
from .tables import OBJECTS, OTHER_TYPES, RESOURCES

_SET = re.compile(r"([A-Za-z0-9-]{1,20})(?::(\*|\d{1,5}(?::\d{1,5})*))?")
_ALL, _PREFERRED = "*", "0"
_PAGE = b"<!DOCTYPE html>\n<html><head><title>Please come back later</title></head><body></body></html>\n"


@dataclass(frozen=True, slots=True)
class _Thing:
    """An object that is there; its bytes are made when they are sent."""

    order: int
    stamp: int
    make: Callable[[], Part]


def get_object(world: World, call: Call, faults: Faults) -> Answer:
    """Answer a GetObject. Raises RefusedError with 20400 to 20403 or 20414."""
    resource, kind = call.get("resource"), call.get("type")
    if resource not in RESOURCES:
        raise RefusedError(20400, "Invalid Resource")
    if kind not in OBJECTS.get(resource, ()):
        raise RefusedError(20401, f"Invalid Type: {resource} has {', '.join(OBJECTS.get(resource, ())) or 'none'}")
    wanted = _sets(call.get("id"))
    if len(wanted) > 1 and faults.on("single-key"):
        raise RefusedError(20402, "Invalid Identifier: one record at a time")
    located = call.get("location") == "1"
    if located and (kind == "Audio" or faults.on("no-location")):
        raise RefusedError(20414, "Location is not supported")
    located = located and faults.on("location-ignored") is None
    shelf = _Shelf(world, world.view(), faults, resource, kind, call.base if located else "")
    if located and faults.on("location-style") == "table" and kind not in OTHER_TYPES and len(wanted) == 1:
        return _as_table(shelf, call.base, kind, wanted[0][0])
    found = [(key, shelf.pick(key, numbers)) for key, numbers in wanted]
    if not any(thing for _, picked in found for _, thing in picked):
        raise RefusedError(20403, "No Object Found")
    parts = shelf.parts(found, call)
    if len(wanted) == 1 and len(wanted[0][1]) == 1 and wanted[0][1] != [_ALL]:
        return single(wanted[0][0], next(parts))
    if (instead := faults.on("single-part")) == "image":
        return single(wanted[0][0], next(parts))
    if instead is not None:
        return NOT_MULTIPART[instead]
    defect = faults.on("multipart-defects") or ""
    return Answer(multipart("", _capped(parts, faults), defect), content_type(defect), fragile=True)


def _sets(text: str) -> list[tuple[str, list[str]]]:
    """Keys, each with the numbers wanted; none stands for the preferred one."""
    found = []
    for item in text.split(","):
        each = _SET.fullmatch(item.strip())
        if each is None:
            raise RefusedError(20402, "Invalid Identifier: keys with :* or object numbers, separated by commas")
        found.append((each[1], list(dict.fromkeys((each[2] or _PREFERRED).split(":")))))
    return found


def _capped(parts: Iterator[Part], faults: Faults) -> Iterator[Part]:
    most = int(faults.on("object-cap") or 0)
    for number, part in enumerate(parts):
        if most and number == most:
            yield Part(_ALL, code=20410, key=part.key)
            return
        yield part


def _as_table(shelf: _Shelf, base: str, kind: str, key: str) -> Answer:
    number = number_in(shelf.resource, key)
    photos = shelf.view.photos(number) if number is not None and shelf.view.listings.has(number) else []
    if not photos:
        raise RefusedError(20403, "No Object Found")
    return Answer(table(base, kind, number or 0, photos), fragile=True)


@dataclass(frozen=True, slots=True)
class _Shelf:
    """The objects of one type, as the faults let them be seen; ``base`` is "" unless addresses are wanted."""

    world: World
    view: View
    faults: Faults
    resource: str
    kind: str
    base: str

    def pick(self, key: str, numbers: list[str]) -> list[tuple[str, _Thing | None]]:
        """What is wanted of one record: each with its number, None where there is none."""
        there = self._of(key)
        if numbers == [_ALL]:
            return [(str(thing.order), thing) for thing in there] or [(_ALL, None)]
        by_order = {str(thing.order): thing for thing in there}
        if there:
            by_order[_PREFERRED] = there[0]
        return [(number, by_order.get(number)) for number in numbers]

    def parts(self, found: list[tuple[str, list[tuple[str, _Thing | None]]]], call: Call) -> Iterator[Part]:
        """The parts of the answer, in the order asked for."""
        for key, picked in found:
            first = min((thing.order for thing in self._of(key)), default=None)
            for number, thing in picked:
                part = thing.make() if thing else Part(number, code=20403)
                part = replace(part, key=key)
                if thing and not part.code:
                    part = replace(part, preferred=thing.order == first)
                    part = replace(part, tags=self._tags(part, thing, call.get("objectdata")))
                yield part

    def _of(self, key: str) -> list[_Thing]:
        number = number_in(self.resource, key) if self.resource != "OpenHouse" else None
        if number is None or not self.view.snapshot(self.resource).has(number) or self.faults.hits("no-object", key):
            return []
        if self.resource != "Property":
            try:
                portrait = portrait_of(self.view, self.resource, self.kind, number)
            except RefusedError:
                return []
            return [_Thing(1, 0, lambda: replace(portrait, order=1))]
        if self.kind in OTHER_TYPES:
            stamp = self.view.listings.stamp(number)
            return [
                _Thing(order, stamp, lambda order=order: self._other(key, order, stamp))  # type: ignore[misc]
                for order in _orders(self.kind, number)
            ]
        album = Album(self.world, self.faults, self.kind, number)
        return [self._photo(album, each) for each in self.view.photos(number)]

    def _photo(self, album: Album, photo: Photo) -> _Thing:
        return _Thing(photo.order, photo.stamp, lambda: album.part(photo.order, photo, self.base))

    def _other(self, key: str, order: int, stamp: int) -> Part:
        """A plat, a film or a recording, another with every change of its record; films and plats also have addresses,
        elsewhere."""
        part = Part(order, description=_about(self.kind, order, key), content_type=OTHER_TYPES[self.kind])
        address = _address(self.kind, order, key)
        if self.base:
            return replace(part, url=address)
        data = _bytes(self.kind, part.description, stamp)
        if not self.faults.hits("odd-object", key):
            return replace(part, data=data)
        match self.faults.kind("odd-object"):
            case "half":
                return replace(part, data=data[: len(data) // 2], length=len(data))
            case "page":
                return replace(part, data=_PAGE)
            case "address":
                return replace(part, data=address.encode(), content_type="text/plain")
        return part

    def _tags(self, part: Part, thing: _Thing, wanted: str) -> dict[str, str]:
        if not wanted:
            return {}
        told = {
            "UID": f"{self.kind}-{part.key}-{thing.order}", "ObjectType": self.kind, "ResourceName": self.resource,
            "ResourceID": part.key, "ObjectID": str(thing.order), "OrderHint": str(thing.order),
            "IsDefault": str(int(part.preferred)), "ModificationTimestamp": iso(thing.stamp),
            "Description": part.description,
        }  # fmt: skip
        if not part.url:
            told |= {"MimeType": part.content_type, "FileSize": str(len(part.data))}
        names = {name.strip().lower() for name in wanted.split(",")}
        return {name: text for name, text in told.items() if text and (wanted == "*" or name.lower() in names)}


@dataclass(frozen=True, slots=True)
class Other:
    """A plat, film or recording as it is, whatever faults do to it."""

    key: str
    kind: str
    order: int
    description: str
    data: bytes
    address: str


def others(view: View) -> Iterator[Other]:
    """All that there are."""
    for number in view.listings.numbers():
        key = key_of(number)
        for kind in OTHER_TYPES:
            for order in _orders(kind, number):
                about = _about(kind, order, key)
                data = _bytes(kind, about, view.listings.stamp(number))
                yield Other(key, kind, order, about, data, _address(kind, order, key))


def _orders(kind: str, number: int) -> range:
    return range(1, (1 + number % 2 if kind == "Video" else 1) + 1)


def _about(kind: str, order: int, key: str) -> str:
    return f"{kind} {order} of {key}"


def _address(kind: str, order: int, key: str) -> str:
    return f"https://media.example/{kind.lower()}/{key}-{order}"


def _bytes(kind: str, about: str, stamp: int) -> bytes:
    """A file of its type as far as its first bytes tell; what follows is noise with the ends of lines in it."""
    noise = (
        b"".join(hashlib.sha256(f"{about}/{stamp}/{n}".encode()).digest() for n in range(32)) + b"\r\n\r\n--\r\n\x00"
    )
    if kind == "Plat":
        # Without a line end behind it: there are clients that strip those from objects.
        return b"%PDF-1.4\r\n% " + about.encode() + b"\r\n" + noise + b"\r\n%%EOF"
    if kind == "Video":
        return b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom" + noise + b"end"
    return b"ID3\x03\x00\x00\x00\x00\x00\x00" + noise + b"\xff\xfb"
