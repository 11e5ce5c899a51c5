"""Several objects in one answer (RETS 1.7.2 §5), as it should be and as some servers write it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from .answers import envelope


@dataclass(frozen=True, slots=True)
class Part:
    """One object of an answer: its bytes, or where it is, or the reply code that stands for it."""

    order: int
    data: bytes = b""
    url: str = ""
    description: str = ""
    code: int = 0
    content_type: str = "image/jpeg"


def content_type(defect: str = "") -> str:
    """The answer's Content-Type with the boundary."""
    boundary = _boundary(defect)
    if defect == "charset-boundary":
        return f"multipart/parallel; boundary={boundary};charset=utf-8"
    quote = "" if defect == "unquoted-boundary" else '"'
    return f"multipart/parallel; boundary={quote}{boundary}{quote}"


def multipart(key: str, parts: Iterator[Part], defect: str = "") -> Iterator[bytes]:
    """The body, part by part. The first that is there is the preferred one."""
    boundary = _boundary(defect)
    preferred, before = True, "" if defect == "no-first-crlf" else "\r\n"
    for part in parts:
        lines = _headers(key, part, defect)
        if preferred and not part.code:
            lines, preferred = [*lines, "Preferred: 1"], False
        if defect == "no-space-headers":
            lines = [line.replace(": ", ":", 1) for line in lines]
        yield "\r\n".join([f"{before}--{boundary}", *lines, "", ""]).encode() + _body(part, defect)
        before = "\r\n"
    if defect != "no-closing":
        yield f"\r\n--{boundary}--\r\n".encode()


def _headers(key: str, part: Part, defect: str) -> list[str]:
    lines = [f"Content-Type: {'text/xml' if part.code or part.url else part.content_type}"]
    if defect != "missing-ids":
        lines += [f"Content-ID: {key}", f"Object-ID: {part.order}"]
    if part.description:
        name = "Description" if defect == "description-header" else "Content-Description"
        text = part.description.replace(" ", "\r\n", 1) if defect == "folded-header" else part.description
        lines.append(f"{name}: {text}")
    if part.url:
        lines.append(f"Location: {part.url}")
    return lines


def _body(part: Part, defect: str) -> bytes:
    if part.code:
        return envelope(part.code, "No Object Found")
    if part.url:
        return b"" if defect == "header-only" else envelope(0, "Operation Successful")
    return part.data


def _boundary(defect: str) -> str:
    return "crea boundary" if defect == "quoted-boundary" else "creaboundary"
