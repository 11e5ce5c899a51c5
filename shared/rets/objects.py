"""GetObject answers of every kind as photos (RETS 1.7.2 §5.6-5.11; DDF guide, Photos).

Per object: a RETS body with a code other than 0 is an error; else a non-empty Location is an address; else the bytes
are the object. Servers answer one object where several were asked, bytes where addresses were, and a COMPACT table,
so the answer's own Content-Type decides, never the request.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from shared.rets.answer import Answer
from shared.rets.codes import Reaction, rule_for_code
from shared.rets.compact import CompactReader
from shared.rets.frame import Reply, peek_reply
from shared.rets.mend import MEBIBYTE, Mender
from shared.rets.multipart import Part, boundary_of, split_parts
from shared.sources.base import PhotoObject

_SMALLEST_IMAGE: Final = 500
"""Below this many bytes a text is an error message, whatever its Content-Type (DDF guide, Photos)."""
_XML: Final = frozenset({"text/xml", "application/xml"})


def read_objects(answer: Answer, key: str, *, max_object_bytes: int = 64 * MEBIBYTE) -> Iterator[PhotoObject]:
    """The objects of one record as they come, one in memory at a time.

    Raises RetsTruncatedError when the answer is cut; what was yielded before is whole, byte for byte.
    """
    if answer.status in {204, 404}:
        return
    if answer.content_type.startswith("multipart/"):
        boundary = boundary_of(answer.header("Content-Type"))
        parts = split_parts(answer.chunks(), boundary, max_part_bytes=max_object_bytes, is_whole=lambda: answer.whole)
        for part in parts:
            yield from _from_part(part, key)
        return
    if answer.content_type in _XML or _looks_like_rets(answer.peek(512)):
        yield from _from_rets(answer)
        return
    headers = {"content-type": answer.content_type, "location": answer.header("Location")}
    order = _order(answer.header("Object-ID"), 0)
    yield from _judge(order, headers, _collect(answer, max_object_bytes))


def holds_one(answer: Answer) -> bool:
    """Whether the answer is a single object or a text, not a list of objects, a table of addresses or an error."""
    if not 200 <= answer.status < 300 or answer.status == 204 or answer.content_type.startswith("multipart/"):
        return False
    is_rets = answer.content_type in _XML or _looks_like_rets(answer.peek(512))
    return bool(answer.header("Location")) or not is_rets


def _from_part(part: Part, key: str) -> Iterator[PhotoObject]:
    content_id = part.headers.get("content-id", "").strip("<> ")
    object_id = part.headers.get("object-id", "").strip()
    # Parts with the word null for an id are empty slots of the server's own.
    if "null" in {content_id.lower(), object_id.lower()}:
        return
    if content_id and content_id.partition(":")[0] != key:
        return
    # An asterisk stands for all that were asked for, in an error only (RETS 1.7.2 §5.11.2). A part without a number is
    # nobody's: counting places would put the photos after a gap under each other's numbers.
    order = _order(object_id, 0)
    yield from _judge(order, part.headers, part.body)


def _judge(order: int, headers: dict[str, str], body: bytes | None) -> Iterator[PhotoObject]:
    """One object from its headers and body; nothing when the server says that there is none."""
    content_type = headers.get("content-type", "").partition(";")[0].strip().lower()
    if body is None:
        yield PhotoObject(order, content_type, error="larger than allowed")
        return
    reply = _reply_in(content_type, body)
    location = headers.get("location", "")
    if reply is not None and reply.code != "0":
        if rule_for_code("GetObject", reply.code, reply.text).reaction is not Reaction.EMPTY or order:
            yield PhotoObject(order, error=describe(reply))
    elif location:
        yield PhotoObject(order, "" if content_type in _XML else content_type, url=location)
    elif reply is not None or not body:
        yield PhotoObject(order, content_type, error="the server gave neither an image nor an address")
    elif len(body) < _SMALLEST_IMAGE and _is_text(body):
        yield PhotoObject(order, content_type, error=f"the server gave a text: {_printable(body)}")
    else:
        yield PhotoObject(order, content_type, data=body)


def _from_rets(answer: Answer) -> Iterator[PhotoObject]:
    """An error, the success that goes with a Location header, or the DDF's table of addresses."""
    table = CompactReader()
    table.read(answer.chunks(), Mender(max_bytes=16 * MEBIBYTE), max_rows=10_000)
    answer.reply = reply = table.reply
    if reply is not None and reply.code != "0":
        if rule_for_code("GetObject", reply.code, reply.text).reaction is not Reaction.EMPTY:
            yield PhotoObject(0, error=describe(reply))
        return
    if location := answer.header("Location"):
        yield PhotoObject(_order(answer.header("Object-ID"), 0), url=location)
    for position, row in enumerate(table.rows, 1):
        lowered = {name.lower(): value for name, value in row.items()}
        order = _order(lowered.get("order") or lowered.get("objectid") or "", position)
        if url := lowered.get("mediaurl") or lowered.get("location"):
            yield PhotoObject(order, url=url)
        else:
            yield PhotoObject(order, error="the server gave no address")


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
