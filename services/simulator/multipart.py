"""Several objects in one answer (RETS 1.7.2 §5), as it should be and as some servers write it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from .answers import envelope

_TEXTS = {20403: "No Object Found", 20410: "Too Large: no more objects in one answer"}


@dataclass(frozen=True, slots=True)
class Part:
    """One object of an answer: its bytes, or where it is, or the reply code that stands for it.

    ``key`` is of its record, "" for the one that was asked for; ``tags`` are its ObjectData, ``length`` is what its own
    Content-Length says (0: it has none).
    """

    order: int | str
    data: bytes = b""
    url: str = ""
    description: str = ""
    code: int = 0
    content_type: str = "image/jpeg"
    key: str = ""
    preferred: bool = False
    tags: Mapping[str, str] = field(default_factory=dict)
    length: int = 0


def content_type(defect: str = "") -> str:
    """The answer's Content-Type with the boundary."""
    boundary = _boundary(defect)
    if defect == "charset-boundary":
        return f"multipart/parallel; boundary={boundary};charset=utf-8"
    quote = "" if defect == "unquoted-boundary" else '"'
    return f"multipart/parallel; boundary={quote}{boundary}{quote}"


def first_preferred(parts: Iterator[Part]) -> Iterator[Part]:
    """The same, of which the first that is there is the preferred one."""
    marked = False
    for part in parts:
        yield part if marked or part.code else replace(part, preferred=True)
        marked = marked or not part.code


def multipart(key: str, parts: Iterator[Part], defect: str = "") -> Iterator[bytes]:
    """The body, part by part."""
    boundary = _boundary(defect)
    before = "" if defect == "no-first-crlf" else "\r\n"
    for part in parts:
        lines = _headers(key, part, defect)
        if defect == "no-space-headers":
            lines = [line.replace(": ", ":", 1) for line in lines]
        yield "\r\n".join([f"{before}--{boundary}", *lines, "", ""]).encode() + _body(part, defect)
        before = "\r\n"
    if defect != "no-closing":
        yield f"\r\n--{boundary}--\r\n".encode()


def _headers(key: str, part: Part, defect: str) -> list[str]:
    lines = [f"Content-Type: {'text/xml' if part.code or part.url else part.content_type}"]
    if defect != "missing-ids":
        lines += [f"Content-ID: {part.key or key}", f"Object-ID: {part.order}"]
    if part.description:
        name = "Description" if defect == "description-header" else "Content-Description"
        text = part.description.replace(" ", "\r\n", 1) if defect == "folded-header" else part.description
        lines.append(f"{name}: {text}")
    if part.url:
        lines.append(f"Location: {part.url}")
    if part.length:
        lines.append(f"Content-Length: {part.length}")
    if part.preferred:
        lines.append("Preferred: 1")
    return lines + [f"ObjectData: {name}={value}" for name, value in part.tags.items()]


def _body(part: Part, defect: str) -> bytes:
    if part.code:
        return envelope(part.code, _TEXTS[part.code])
    if part.url:
        return b"" if defect == "header-only" else envelope(0, "Operation Successful")
    return part.data


def _boundary(defect: str) -> str:
    return "crea boundary" if defect == "quoted-boundary" else "creaboundary"
