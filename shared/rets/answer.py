"""One HTTP answer as a bounded stream of decoded bytes that knows whether it came whole."""

from __future__ import annotations

import time
import zlib
from collections.abc import Callable, Generator, Iterator
from email.utils import parsedate_to_datetime
from types import TracebackType
from typing import Final

import requests
from urllib3.exceptions import HTTPError

from shared.rets.errors import RetsParseError, RetsTruncatedError
from shared.rets.frame import Reply, peek_reply

_CHUNK: Final = 65536
_FIRST: Final = 2048
_GZIP: Final = frozenset({"gzip", "x-gzip", "application/gzip", "deflate"})


class Answer:
    """A context manager around one response; leaving it gives the connection back, or drops it when unread.

    ``reply`` is what is known of the reply code: from the head at first, replaced by who reads the body to its end.
    """

    def __init__(
        self,
        response: requests.Response,
        *,
        max_bytes: int,
        seconds: float,
        clock: Callable[[], float] = time.monotonic,
        on_close: Callable[[Answer], None] = lambda _: None,
    ) -> None:
        self._response = response
        self._max_bytes = max_bytes
        self._clock = clock
        self._seconds = seconds
        self._deadline = clock() + seconds
        self._on_close = on_close
        self._head = b""
        self._stream = self._decoded()
        self._open = True
        self.status: int = response.status_code
        self.wire_bytes = 0
        self.first = b""
        """The first bytes of the decoded body, as far as it was read."""
        self.whole = False
        """Whether the end of the body was seen and HTTP itself proves that nothing is missing."""
        self.reply: Reply | None = None
        self.unpacked: bool | None = None
        """Whether a compressed body could be decompressed to its end; None while that is not known."""

    def __enter__(self) -> Answer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def header(self, name: str) -> str:
        """A response header, "" without."""
        return self._response.headers.get(name, "")

    def headers(self, name: str) -> list[str]:
        """Every header of that name."""
        found: list[str] = self._response.raw.headers.getlist(name)
        return found

    def all_headers(self) -> tuple[tuple[str, str], ...]:
        """Every header with its name, in order."""
        return tuple(self._response.raw.headers.items())

    @property
    def content_type(self) -> str:
        """The media type, lower-case, without parameters."""
        return self.header("Content-Type").partition(";")[0].strip().lower()

    @property
    def server_date(self) -> int | None:
        """The ``Date`` header in microseconds since 1970, None without or when it is no date."""
        try:
            return int(parsedate_to_datetime(self.header("Date")).timestamp()) * 1_000_000
        except (ValueError, TypeError, OverflowError):
            return None

    @property
    def retry_after(self) -> float | None:
        """The ``Retry-After`` header in seconds, counted from the server's own ``Date`` when it is a date."""
        value = self.header("Retry-After").strip()
        if value.isascii() and value.isdigit():
            return float(value[:9])
        try:
            until = parsedate_to_datetime(value).timestamp()
        except (ValueError, TypeError, OverflowError):
            return None
        now = self.server_date
        return max(0.0, until - (now / 1_000_000 if now is not None else time.time()))

    def peek(self, size: int = 4096) -> bytes:
        """The first bytes, at least ``size`` of them unless the body is shorter; ``chunks`` gives them again."""
        while len(self._head) < size:
            chunk = next(self._stream, b"")
            if not chunk:
                break
            self._head += chunk
        return self._head

    def look_for_reply(self) -> Reply | None:
        """The reply code of the body's head, None when the body is no RETS answer."""
        self.reply = peek_reply(self.peek())
        return self.reply

    def chunks(self) -> Iterator[bytes]:
        """The decoded body. Raises RetsTruncatedError when it ends early or takes too long, RetsParseError when it is
        too large or wrongly compressed."""
        if not self._open:
            # Another request of the session took the connection: an end without an error would look like a whole.
            raise RetsTruncatedError("the answer was closed before it was read")
        if self._head:
            head, self._head = self._head, b""
            yield head
        yield from self._stream

    def close(self) -> None:
        """Done with it. May be called twice."""
        if not self._open:
            return
        self._open = False
        self._stream.close()
        self._response.close()
        self._on_close(self)

    def _decoded(self) -> Generator[bytes, None, None]:
        encoding = self.header("Content-Encoding").strip().lower()
        plain = self._wire()
        if encoding in _GZIP:
            plain = self._inflate(plain)
        elif encoding not in {"", "identity"}:
            self.unpacked = False
            raise RetsParseError("the answer is compressed in a way that was not offered")
        size = 0
        for chunk in plain:
            size += len(chunk)
            if size > self._max_bytes:
                raise RetsParseError(f"the answer is larger than {self._max_bytes} bytes")
            if len(self.first) < _FIRST:
                self.first += chunk[: _FIRST - len(self.first)]
            yield chunk
        self.whole = self._is_proven()

    def _wire(self) -> Iterator[bytes]:
        """The body as sent. ``read1`` returns what there is: waiting for a full buffer would outwait the deadline."""
        raw = self._response.raw
        while True:
            try:
                chunk = raw.read1(_CHUNK, decode_content=False)
            except (HTTPError, OSError, ValueError) as error:
                raise RetsTruncatedError(f"the answer was cut short ({type(error).__name__})") from None
            if not chunk:
                break
            self.wire_bytes += len(chunk)
            if self.wire_bytes > self._max_bytes:
                raise RetsParseError(f"the answer is larger than {self._max_bytes} bytes")
            if self._clock() > self._deadline:
                raise RetsTruncatedError(f"the answer took longer than {self._seconds:.0f} seconds")
            yield chunk
        announced = self._announced()
        if announced is not None and self.wire_bytes != announced:
            raise RetsTruncatedError(f"the answer was cut short: {self.wire_bytes} of {announced} bytes came")

    def _announced(self) -> int | None:
        value = self.header("Content-Length").strip()
        if self.header("Transfer-Encoding") or not (value.isascii() and value.isdigit()):
            return None
        return int(value[:18])

    def _is_proven(self) -> bool:
        return self._announced() is not None or "chunked" in self.header("Transfer-Encoding").lower()

    def _inflate(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        """Gzip, of several members too, or zlib; never more than a chunk's worth at a time in memory."""
        inflater = zlib.decompressobj(zlib.MAX_WBITS | 32)
        for chunk in chunks:
            data = chunk
            while data:
                if inflater.eof:
                    inflater = zlib.decompressobj(zlib.MAX_WBITS | 32)
                try:
                    plain = inflater.decompress(data, 4 * _CHUNK)
                except zlib.error:
                    self.unpacked = False
                    raise RetsParseError("the answer is compressed wrongly") from None
                if plain:
                    yield plain
                data = inflater.unconsumed_tail or inflater.unused_data
        while not inflater.eof and (plain := inflater.decompress(inflater.unconsumed_tail, 4 * _CHUNK)):
            yield plain
        self.unpacked = inflater.eof or not self.wire_bytes
        if not self.unpacked:
            raise RetsTruncatedError("the compressed answer ended early")
