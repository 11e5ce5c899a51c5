"""Bytes of an answer made fit for an XML parser, as a stream: clean UTF-8 out, whatever MLS servers send in.

Mended: bytes that are not UTF-8 (single ones are taken as Windows-1252), UTF-16, illegal characters and references,
emoji written as two surrogate references, HTML entities, bare ampersands. Removed: XML declaration, comments,
processing instructions, a plain DOCTYPE; CDATA sections become escaped text, so that ``<`` is always markup. Refused:
every declaration that could define an entity.

The stream is cut only directly after a ``>``. No reference, character or markup opening contains one, so a piece can
be mended by itself and any chunking of the input gives the same output.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Iterator
from typing import Final

from shared.rets.errors import RetsParseError
from shared.rets.references import escape, join_surrogates, mend_references

MEBIBYTE: Final = 1 << 20

_CONTROLS: Final = bytes(code for code in range(0x20) if code not in b"\t\n\r")
_EXCLAIMED: Final = re.compile(rb"!(?<=<!)")
_QUESTIONED: Final = re.compile(rb"[?](?<=<[?])")
_OPENING: Final = re.compile(rb"<!--|<!\[CDATA\[|<\?|<!", re.IGNORECASE)
_DOCTYPE: Final = re.compile(rb"\s*DOCTYPE\s(?:[^<>\[\]\"']|\"[^\"]*\"|'[^']*')*>", re.IGNORECASE)
_NONCHARACTERS: Final = re.compile(b"\xef\xbf[\xbe\xbf]")
_SURROGATES: Final = re.compile(rb"\xed[\xa0-\xbf][\x80-\xbf]")
_PAIR: Final = re.compile("[\ud800-\udbff][\udc00-\udfff]")
_MAX_DOCTYPE: Final = 4096

_TEXT, _CDATA, _COMMENT, _INSTRUCTION, _DECLARATION = range(5)
_CLOSING: Final = {_CDATA: b"]]>", _COMMENT: b"-->", _INSTRUCTION: b"?>"}
_STATES: Final = {b"<!--": _COMMENT, b"<![CDATA[": _CDATA, b"<?": _INSTRUCTION, b"<!": _DECLARATION}


class Mender:
    """Feed it chunks, pass on what it returns; ``close`` returns the rest. One answer each.

    Raises RetsParseError for a forbidden declaration, for more than ``max_bytes``, and for a stretch of more than
    ``max_text`` bytes without a ``>``, which bounds what is held back.
    """

    def __init__(
        self, *, encoding: str = "cp1252", max_bytes: int = 512 * MEBIBYTE, max_text: int = 8 * MEBIBYTE
    ) -> None:
        self._errors = _error_handler(encoding)
        self._max_bytes = max_bytes
        self._max_text = max_text
        self._seen = 0
        self._head: bytes | None = b""
        self._wide: codecs.IncrementalDecoder | None = None
        self._held: list[bytes] = []
        self._held_size = 0
        self._state = _TEXT
        self._declaration = b""
        self._started = False

    def feed(self, chunk: bytes) -> bytes:
        """What can be passed on after ``chunk``; may be empty."""
        self._seen += len(chunk)
        if self._seen > self._max_bytes:
            raise RetsParseError(f"the answer is larger than {self._max_bytes} bytes")
        if self._head is not None:
            chunk = self._head = self._head + chunk
            if len(chunk) < 4:
                return b""
            chunk = self._recognise(chunk)
        elif self._wide is not None:
            chunk = self._wide.decode(chunk).encode("utf-8", "replace")
        cut = chunk.rfind(b">") + 1
        if not cut:
            self._hold(chunk)
            return b""
        piece = chunk[:cut]
        if self._held:
            piece = b"".join([*self._held, piece])
            self._held.clear()
            self._held_size = 0
        if cut < len(chunk):
            self._hold(chunk[cut:])
        return self._mend(piece)

    def close(self) -> bytes:
        """The rest. What is missing at the end is the parser's to notice."""
        rest = self._recognise(self._head) if self._head else b""
        if self._wide is not None:
            rest += self._wide.decode(b"", True).encode("utf-8", "replace")
        return self._mend(b"".join([*self._held, rest]))

    def _hold(self, chunk: bytes) -> None:
        self._held.append(chunk)
        self._held_size += len(chunk)
        if self._held_size > self._max_text:
            raise RetsParseError(f"a text of the answer is longer than {self._max_text} bytes")

    def _recognise(self, head: bytes) -> bytes:
        """Settle on UTF-8 or UTF-16 by byte order mark, or by where the NULs are in the first ``<``."""
        self._head = None
        if head.startswith(codecs.BOM_UTF8):
            return head[3:]
        for mark, bare, name in (
            (codecs.BOM_UTF16_LE, b"<\0", "utf-16-le"),
            (codecs.BOM_UTF16_BE, b"\0<", "utf-16-be"),
        ):
            if head.startswith((mark, bare)):
                self._wide = codecs.getincrementaldecoder(name)("replace")
                return self._wide.decode(head.removeprefix(mark)).encode("utf-8", "replace")
        return head

    def _mend(self, piece: bytes) -> bytes:
        piece = piece.translate(None, _CONTROLS)
        if not self._started:
            # Blank lines before the XML declaration are an error to parsers and a habit of servers.
            piece = piece.lstrip()
            self._started = bool(piece)
        if not piece.isascii():
            piece = self._mend_characters(piece)
        if self._state == _TEXT and not _has_markup(piece):
            return mend_references(piece)
        return b"".join(self._split(piece))

    def _mend_characters(self, piece: bytes) -> bytes:
        try:
            piece.decode()
        except UnicodeDecodeError:
            piece = self._decode(piece).encode()
        return _NONCHARACTERS.sub(b"", piece) if b"\xef" in piece else piece

    def _decode(self, piece: bytes) -> str:
        """UTF-8 where it is, emoji encoded as two surrogates (CESU-8) joined, each other byte as the old code page."""
        text = piece.decode("utf-8", self._errors)
        text = _PAIR.sub(lambda pair: join_surrogates(ord(pair[0][0]), ord(pair[0][1])), text)
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")

    def _split(self, piece: bytes) -> Iterator[bytes]:
        """The piece without comments, instructions and DOCTYPE; CDATA sections become escaped text."""
        place = 0
        while place < len(piece):
            if self._state == _DECLARATION:
                place = self._skip_doctype(piece, place)
            elif self._state == _TEXT:
                opening = _OPENING.search(piece, place)
                if opening is None:
                    yield mend_references(piece[place:])
                    return
                yield mend_references(piece[place : opening.start()])
                self._state = _STATES[opening[0].upper()]
                place = opening.end()
            else:
                closing = _CLOSING[self._state]
                end = piece.find(closing, place)
                if self._state == _CDATA:
                    yield escape(piece[place : end if end >= 0 else None])
                place = len(piece) if end < 0 else end + len(closing)
                if end >= 0:
                    self._state = _TEXT

    def _skip_doctype(self, piece: bytes, place: int) -> int:
        held = len(self._declaration)
        self._declaration += piece[place : place + _MAX_DOCTYPE]
        whole = _DOCTYPE.match(self._declaration)
        if whole is None:
            unquoted = re.sub(rb"\"[^\"]*\"?|'[^']*'?", b"", self._declaration)
            shape = rb"\s*(?:DOCTYPE\s[^<>\[\]]*|[A-Za-z]{0,6})"
            if not re.fullmatch(shape, unquoted, re.IGNORECASE) or len(self._declaration) >= _MAX_DOCTYPE:
                raise RetsParseError("the answer declares entities or other markup, which is refused")
            return len(piece)
        self._declaration = b""
        self._state = _TEXT
        return place + whole.end() - held


def _error_handler(encoding: str) -> str:
    """The name of a codec error handler that takes a byte which is no UTF-8 as ``encoding``. LookupError if unknown."""
    name = f"mlsync.mend.{codecs.lookup(encoding).name}"

    def take_one(error: UnicodeError) -> tuple[str, int]:
        if not isinstance(error, UnicodeDecodeError):
            raise error
        data, place = error.object, error.start
        if _SURROGATES.match(data, place):
            return data[place : place + 3].decode("utf-8", "surrogatepass"), place + 3
        return data[place : place + 1].decode(encoding, "replace"), place + 1

    codecs.register_error(name, take_one)
    return name


def mended(chunks: Iterable[bytes], mender: Mender) -> Iterator[bytes]:
    """The chunks through the mender; empty ones are left out."""
    for chunk in chunks:
        if clean := mender.feed(chunk):
            yield clean
    if rest := mender.close():
        yield rest


def _has_markup(piece: bytes) -> bool:
    # By the rarer byte of the two: that search is several times faster than one for both.
    return _EXCLAIMED.search(piece) is not None or _QUESTIONED.search(piece) is not None
