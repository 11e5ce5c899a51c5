"""Multipart answers split as a stream, byte-exact, one part in memory at a time (RETS 1.7.2 §5.11, RFC 2046 §5.1).

A boundary counts only at the start of a line and when the line holds nothing else, so a photo that ends in line ends
or dashes, or holds the boundary's text, survives. The line end in use, CRLF or a bare LF, is learned from the first
boundary. Tolerated: a first boundary without a line end before it; parts of headers only, with or without the blank
line; no blank after a header's colon; continuation lines; a missing closing boundary, if HTTP proves that the body
came whole. Then the last part ends where its own Content-Length says, or else before the body's last line end.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from shared.rets.errors import RetsParseError, RetsTruncatedError

_MAX_HEADERS: Final = 65536
_MAX_PREAMBLE: Final = 65536
_BLANK_LINE: Final = re.compile(rb"\r?\n[ \t]*\r?\n")
_QUOTED: Final = re.compile(r'boundary\s*=\s*"((?:[^"\\]|\\.)*)"', re.IGNORECASE)
_BARE: Final = re.compile(r"boundary\s*=\s*([^;\"]+)", re.IGNORECASE)
_ALIASES: Final = {"description": "content-description", "object-data": "objectdata"}
_REPEATED: Final = frozenset({"objectdata"})
"""Headers of which a part may have several (RETS 1.8); they are joined by line ends."""


@dataclass(frozen=True, slots=True)
class Part:
    """One part. Header names are lower-case; ``body`` is None when it was larger than allowed and was passed over."""

    headers: dict[str, str]
    body: bytes | None = field(repr=False)


def boundary_of(content_type: str) -> bytes | None:
    """The boundary parameter, quoted or not, blanks and further parameters tolerated; None without."""
    quoted = _QUOTED.search(content_type)
    if quoted:
        value = re.sub(r"\\(.)", r"\1", quoted[1])
    else:
        bare = _BARE.search(content_type)
        value = bare[1].strip() if bare else ""
    return value.encode("latin-1", "replace") if 0 < len(value) <= 200 else None


def split_parts(
    chunks: Iterable[bytes], boundary: bytes | None, *, max_part_bytes: int, is_whole: Callable[[], bool]
) -> Iterator[Part]:
    """The parts in order. ``boundary`` None: the body's first line is it. ``is_whole`` is asked once, at a missing
    closing boundary. Raises RetsTruncatedError when the body was cut, RetsParseError when it is no multipart."""
    splitter = _Splitter(boundary, max_part_bytes)
    for chunk in chunks:
        yield from splitter.feed(chunk)
        if splitter.ended:
            # The epilogue means nothing, but reading it lets the connection serve again.
            continue
    if not splitter.ended:
        if not is_whole():
            raise RetsTruncatedError("the multipart answer ended before its closing boundary")
        yield from splitter.last()


class _Splitter:
    def __init__(self, boundary: bytes | None, max_part_bytes: int) -> None:
        self._dashed = b"--" + boundary if boundary is not None else b""
        self._delimiter = b""
        self._max = max_part_bytes + _MAX_HEADERS
        # The first boundary may stand at the very start: give it the line end that it lacks.
        self._buffer = bytearray(b"\n")
        self._searched = 0
        self._headers = b""
        self._oversize = False
        self.ended = False

    def feed(self, chunk: bytes) -> Iterator[Part]:
        """The parts that end in this chunk."""
        if self.ended:
            return
        self._buffer += chunk
        if not self._delimiter and not self._begin():
            return
        while (place := self._next()) is not None:
            start, stop = place
            yield self._part(start)
            self._drop(stop)
            if self.ended:
                return
        if len(self._buffer) > self._max:
            self._pass_over()

    def last(self) -> Iterator[Part]:
        """The part that no boundary ends."""
        if not self._delimiter:
            raise RetsParseError("the multipart answer has no boundary")
        # A closing boundary without its line end is complete all the same.
        if self._buffer.endswith(self._delimiter + b"--"):
            yield self._part(len(self._buffer) - len(self._delimiter) - 2)
            return
        part = self._part(len(self._buffer))
        if part.body is None:
            yield part
            return
        length = part.headers.get("content-length", "")
        if length.isascii() and length.isdigit() and int(length[:18]) <= len(part.body):
            yield Part(part.headers, part.body[: int(length)])
        elif part.headers or part.body.strip():
            yield Part(part.headers, part.body.removesuffix(b"\n").removesuffix(b"\r"))

    def _begin(self) -> bool:
        """Find the first boundary line; drop it and what stands before."""
        if not self._dashed:
            line = re.match(rb"\s*(--[^\r\n]{1,200}?)[ \t]*\r?\n", self._buffer)
            if line is None:
                return self._fail_after_preamble()
            self._dashed = line[1]
        found = re.search(rb"\n" + re.escape(self._dashed) + rb"(--)?[ \t]*(\r?)\n", self._buffer)
        if found is None:
            return self._fail_after_preamble()
        self._delimiter = (b"\r\n" if found[2] else b"\n") + self._dashed
        self.ended = found[1] is not None
        self._drop(found.start(2))
        return not self.ended

    def _fail_after_preamble(self) -> bool:
        if len(self._buffer) > _MAX_PREAMBLE:
            raise RetsParseError("the multipart answer has no boundary")
        return False

    def _next(self) -> tuple[int, int] | None:
        """Where the part in the buffer ends and where what follows its boundary begins; None: not in the buffer yet."""
        place = self._searched
        while (place := self._buffer.find(self._delimiter, place)) >= 0:
            after = place + len(self._delimiter)
            line = bytes(self._buffer[after : after + 256])
            rest = line.removeprefix(b"--")
            stripped = rest.lstrip(b" \t")
            if stripped[:1] == b"\n" or stripped[:2] == b"\r\n":
                self.ended = rest != line
                return place, after + len(line) - len(stripped)
            if len(stripped) < 2 and len(line) < 200:
                # The line of the boundary is not here yet.
                self._searched = place
                return None
            place += 1
        self._searched = max(0, len(self._buffer) - len(self._delimiter))
        return None

    def _part(self, stop: int) -> Part:
        """The part in ``buffer[:stop]``, which begins with the line end of its boundary line."""
        if self._oversize:
            block, self._headers, self._oversize = self._headers, b"", False
            return Part(_parse_headers(block), None)
        blank = _BLANK_LINE.search(self._buffer, 0, min(stop, _MAX_HEADERS))
        if blank is None:
            if stop > _MAX_HEADERS:
                raise RetsParseError("the headers of a part are too long")
            return Part(_parse_headers(bytes(self._buffer[:stop])), b"")
        headers = _parse_headers(bytes(self._buffer[: blank.start()]))
        with memoryview(self._buffer) as view:
            body = bytes(view[blank.end() : stop])
        return Part(headers, body if len(body) <= self._max - _MAX_HEADERS else None)

    def _pass_over(self) -> None:
        """Forget the bytes of a part that is too large; keep its headers and what may begin a boundary."""
        if not self._oversize:
            blank = _BLANK_LINE.search(self._buffer, 0, _MAX_HEADERS)
            self._headers = bytes(self._buffer[: blank.start()]) if blank else b""
            self._oversize = True
        self._drop(self._searched)

    def _drop(self, count: int) -> None:
        del self._buffer[:count]
        self._searched = 0


def _parse_headers(block: bytes) -> dict[str, str]:
    headers: dict[str, str] = {}
    name = ""
    for line in block.splitlines():
        try:
            text = line.decode()
        except UnicodeDecodeError:
            text = line.decode("cp1252", "replace")
        key, colon, value = text.partition(":")
        if text[:1] in {" ", "\t"} or not colon or not re.fullmatch(r"[!-9;-~]+", key.strip()):
            # A line that is no header continues the one before: some servers break descriptions.
            if name and text.strip():
                headers[name] = f"{headers[name]} {text.strip()}".strip()
            continue
        name = key.strip().lower()
        name = _ALIASES.get(name, name)
        value = value.strip()
        headers[name] = f"{headers[name]}\n{value}" if name in _REPEATED and name in headers else value
    return headers
