"""GetObject: what is asked, and answers of every kind as objects (RETS 1.7.2 §5; RETS 1.8; DDF guide, Photos).

Per object: a RETS body with a code other than 0 is an error; else a non-empty Location is an address; else the bytes
are the object. Servers answer one object where several were asked, bytes where addresses were, and a COMPACT table,
so the answer's own Content-Type decides, never the request.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from shared.rets.answer import Answer
from shared.rets.codes import Reaction, rule_for_code
from shared.rets.compact import CompactReader
from shared.rets.frame import Reply, peek_reply
from shared.rets.mend import MEBIBYTE, Mender
from shared.rets.multipart import Part, boundary_of, split_parts
from shared.rets.stranger import html_page
from shared.sources.base import Fault, PhotoObject

_SMALLEST_IMAGE: Final = 500
"""Below this many bytes a text is an error message, whatever its Content-Type (DDF guide, Photos)."""
_XML: Final = frozenset({"text/xml", "application/xml"})
_KEY_COLUMNS: Final = ("resourcerecordid", "resourcerecordkey", "contentid")
_HEADERS: Final = ("Location", "Object-ID", "Content-ID", "Preferred", "Content-Description", "Content-Sub-Description",
                   "UID")  # fmt: skip
_SIGNS: Final = re.compile(r"[:,*\s\x00-\x1f]")


@dataclass(frozen=True, slots=True)
class ObjectRequest:
    """What is asked. ``objects`` has by key the numbers wanted, from 1; none stands for all. With ``preferred`` the one
    that the server would show first is asked of each key instead. ``object_data`` asks for all that the server knows of
    each (RETS 1.8). Raises ValueError for a key that no request can name."""

    resource: str
    type: str
    objects: Mapping[str, Collection[int]]
    location: bool = False
    preferred: bool = False
    object_data: bool = False

    def __post_init__(self) -> None:
        if not self.objects or any(not key or _SIGNS.search(key) for key in self.objects):
            raise ValueError("a key for GetObject is a text without blanks, colons, commas and asterisks")

    def arguments(self) -> dict[str, str]:
        """As sent."""
        found = {
            "Resource": self.resource,
            "Type": self.type,
            "ID": ",".join(f"{key}:{self._numbers(numbers)}" for key, numbers in self.objects.items()),
            "Location": "1" if self.location else "0",
        }
        return found | ({"ObjectData": "*"} if self.object_data else {})

    def _numbers(self, numbers: Collection[int]) -> str:
        return "0" if self.preferred else ":".join(map(str, sorted(numbers))) or "*"


@dataclass(frozen=True, slots=True)
class RetsObject:
    """One object of one record. ``key`` is "" and ``order`` 0 where nobody knows, or, of an error, where it is of all.

    Exactly one of ``data``, ``url`` and ``error`` is set; ``code`` is an error's reply code, "" without, ``fault`` what
    is wrong with bytes that came.
    ``tags`` are what a server of RETS 1.8 knows of it (ObjectData), by their names as sent.
    """

    key: str
    order: int
    content_type: str = ""
    data: bytes | None = field(default=None, repr=False)
    url: str | None = None
    error: str | None = None
    code: str = ""
    preferred: bool = False
    description: str = ""
    sub_description: str = ""
    uid: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    fault: Fault = ""

    @property
    def size(self) -> int | None:
        """Bytes, as they came or else as the server says; None where neither is known."""
        if self.data is not None:
            return len(self.data)
        told = next((value for name, value in self.tags.items() if name.lower() == "filesize"), "")
        return int(told) if re.fullmatch(r"[0-9]{1,15}", told) else None


def read_objects(answer: Answer, key: str, *, max_object_bytes: int = 64 * MEBIBYTE) -> Iterator[PhotoObject]:
    """The photos of one record as they come. See ``read_all``."""
    for item in read_all(answer, [key], max_object_bytes=max_object_bytes):
        yield PhotoObject(item.order, item.content_type, item.data, item.url, item.error)


def read_all(
    answer: Answer, keys: Collection[str], *, images: bool = True, max_object_bytes: int = 64 * MEBIBYTE
) -> Iterator[RetsObject]:
    """The objects of the records asked for as they come, one in memory at a time. Those of other records are left out.

    ``images``: whether a short text is an error message in an image's place; other objects may be texts. Raises
    RetsTruncatedError when the answer is cut; what was yielded before is whole, byte for byte.
    """
    if answer.status in {204, 404}:
        return
    judge = _Judge(keys, images)
    if answer.content_type.startswith("multipart/"):
        boundary = boundary_of(answer.header("Content-Type"))
        parts = split_parts(answer.chunks(), boundary, max_part_bytes=max_object_bytes, is_whole=lambda: answer.whole)
        for part in parts:
            yield from judge.part(part)
        return
    if answer.content_type in _XML or _looks_like_rets(answer.peek(512)):
        yield from judge.rets(answer)
        return
    headers = {name.lower(): answer.header(name) for name in _HEADERS}
    if len(keys) == 1:
        # It can be nobody else's, whatever the server calls it.
        headers["content-id"] = next(iter(keys))
    headers["objectdata"] = "\n".join(answer.headers("ObjectData"))
    headers["content-type"] = answer.content_type
    yield from judge.part(Part(headers, _collect(answer, max_object_bytes)))


def holds_one(answer: Answer) -> bool:
    """Whether the answer is a single object or a text, not a list of objects, a table of addresses or an error."""
    if not 200 <= answer.status < 300 or answer.status == 204 or answer.content_type.startswith("multipart/"):
        return False
    is_rets = answer.content_type in _XML or _looks_like_rets(answer.peek(512))
    return bool(answer.header("Location")) or not is_rets


class _Judge:
    """Tells what each part of an answer is."""

    def __init__(self, keys: Collection[str], images: bool) -> None:
        self._keys = frozenset(keys)
        self._only = next(iter(keys)) if len(keys) == 1 else ""
        self._images = images

    def part(self, part: Part) -> Iterator[RetsObject]:
        """One object from its headers and body; nothing when the server says that there is none."""
        headers = part.headers
        content_id = headers.get("content-id", "").strip("<> ")
        object_id = headers.get("object-id", "").strip()
        # Parts with the word null for an id are empty slots of the server's own.
        if "null" in {content_id.lower(), object_id.lower()}:
            return
        key = content_id.partition(":")[0] or self._only
        if key and key not in self._keys:
            return
        # An asterisk stands for all that were asked for, in an error only (RETS 1.7.2 §5.11.2). A part without a number
        # is nobody's: counting places would put the photos after a gap under each other's numbers.
        order = _order(object_id, 0)
        content_type = headers.get("content-type", "").partition(";")[0].strip().lower()
        reply = _reply_in(content_type, part.body) if part.body is not None else None
        if reply is not None and reply.code != "0":
            if rule_for_code("GetObject", reply.code, reply.text).reaction is not Reaction.EMPTY or order:
                yield RetsObject(key, order, error=describe(reply), code=reply.code)
            return
        data, url, error, fault = self._content(headers, content_type, part.body, reply is not None)
        yield RetsObject(
            key,
            order,
            "" if url is not None and content_type in _XML else content_type,
            data,
            url,
            error,
            preferred=headers.get("preferred", "").strip() == "1",
            description=headers.get("content-description", ""),
            sub_description=headers.get("content-sub-description", ""),
            uid=headers.get("uid", ""),
            tags=_tags(headers.get("objectdata", "")),
            fault=fault,
        )

    def _content(
        self, headers: Mapping[str, str], content_type: str, body: bytes | None, is_reply: bool
    ) -> tuple[bytes | None, str | None, str | None, Fault]:
        """Data, address or error, and what is wrong with the bytes."""
        if body is None:
            return None, None, "larger than allowed", "too_large"
        if location := headers.get("location", ""):
            return None, location, None, ""
        if is_reply or not body:
            return None, None, "the server gave neither an image nor an address", "" if is_reply else "empty"
        if self._images:  # whoever decodes it finds out whether it is whole
            if len(body) < _SMALLEST_IMAGE and _is_text(body):
                return None, None, f"the server gave a text: {_printable(body)}", "text"
            return body, None, None, ""
        length = headers.get("content-length", "")
        if length.isascii() and length.isdigit() and len(body) < int(length[:18]):
            return None, None, f"{len(body)} of {int(length[:18])} bytes came", "truncated"
        if content_type != "text/html" and (page := html_page(body)):
            return None, None, f"the server gave {page}", "text"
        return body, None, None, ""

    def rets(self, answer: Answer) -> Iterator[RetsObject]:
        """An error, the success that goes with a Location header, or the DDF's table of addresses."""
        table = CompactReader()
        table.read(answer.chunks(), Mender(max_bytes=16 * MEBIBYTE), max_rows=10_000)
        answer.reply = reply = table.reply
        if reply is not None and reply.code != "0":
            if rule_for_code("GetObject", reply.code, reply.text).reaction is not Reaction.EMPTY:
                yield RetsObject(self._only, 0, error=describe(reply), code=reply.code)
            return
        if location := answer.header("Location"):
            yield RetsObject(
                self._only,
                _order(answer.header("Object-ID"), 0),
                url=location,
                preferred=answer.header("Preferred").strip() == "1",
                description=answer.header("Content-Description"),
                sub_description=answer.header("Content-Sub-Description"),
                uid=answer.header("UID"),
                tags=_tags("\n".join(answer.headers("ObjectData"))),
            )
        for position, row in enumerate(table.rows, 1):
            lowered = {name.lower(): value for name, value in row.items()}
            order = _order(lowered.get("order") or lowered.get("objectid") or "", position)
            key = self._only or next((lowered[name] for name in _KEY_COLUMNS if lowered.get(name)), "")
            if url := lowered.get("mediaurl") or lowered.get("location"):
                yield RetsObject(key, order, url=url)
            else:
                yield RetsObject(key, order, error="the server gave no address")


def _tags(lines: str) -> dict[str, str]:
    pairs = (line.partition("=") for line in lines.splitlines())
    return {name.strip(): value.strip() for name, equals, value in pairs if equals and name.strip()}


def _collect(answer: Answer, limit: int) -> bytes | None:
    body = bytearray()
    for chunk in answer.chunks():
        body += chunk
        if len(body) > limit:
            return None
    return bytes(body)


def _reply_in(content_type: str, body: bytes) -> Reply | None:
    return peek_reply(body[:16384]) if content_type in _XML or _looks_like_rets(body[:512]) else None


def _looks_like_rets(head: bytes) -> bool:
    """Whether it begins as XML does. Image metadata is XML too, so looking further in would find things."""
    return head.lstrip(b"\xef\xbb\xbf \t\r\n")[:5].lower() in {b"<rets", b"<?xml"}


def describe(reply: Reply) -> str:
    """A reply code and its text as one short line."""
    meaning = rule_for_code("GetObject", reply.code, reply.text).meaning
    return f"{reply.code[:10]} {meaning}: {_printable(reply.text.encode())}"


def _order(value: str, otherwise: int) -> int:
    return int(value) if re.fullmatch(r"[0-9]{1,9}", value) else otherwise


def _is_text(body: bytes) -> bool:
    return not any(byte < 9 or 13 < byte < 32 for byte in body)


def _printable(text: bytes) -> str:
    words = "".join(letter if letter.isprintable() else " " for letter in text[:400].decode("utf-8", "replace"))
    return " ".join(words.split())[:200]
