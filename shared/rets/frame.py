"""The RETS envelope: reply code, counts and whatever lies around the records (RETS 1.7.2 §3.5, §7.6; DDF guide).

Everything is matched by local name; namespaces and unknown elements are ignored. The input has been through
``shared.rets.mend``, so it is UTF-8 without DTD, comments and instructions.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final
from xml.parsers import expat

from shared.rets.errors import RetsParseError, RetsTruncatedError
from shared.rets.mend import MEBIBYTE, Mender

_MAX_DEPTH: Final = 256
_MAX_TEXT: Final = 32 * MEBIBYTE
_COUNTED: Final = frozenset({"TotalRecords", "RecordsReturned", "TotalPages", "Limit", "Offset"})


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply code, without leading zeros, and the server's text. Both are data from outside."""

    code: str
    text: str = ""


def local_name(name: str) -> str:
    """The name without its prefix."""
    return name.rpartition(":")[2]


class Frame:
    """Parses an answer, keeping only its envelope. A subclass takes what else it wants from the handlers.

    ``reply`` is the one that counts: RETS-STATUS, sent when the server learned the truth late, overrides the code
    of the root. ``count`` is the COUNT element's, ``pagination`` the numbers of a Pagination element, ``maxrows``
    whether the server says that there is more.
    """

    def __init__(self, texts: frozenset[str] = frozenset()) -> None:
        self.reply: Reply | None = None
        self.count: int | None = None
        self.pagination: dict[str, int] = {}
        self.maxrows = False
        self._texts = texts | _COUNTED
        self._depth = 0
        self._gathered: list[str] = []
        self._gathered_size = 0
        parser = expat.ParserCreate("utf-8")
        parser.buffer_text = True
        parser.StartElementHandler = self.start
        parser.EndElementHandler = self.end
        # The mender refuses these already; a second lock costs nothing.
        parser.EntityDeclHandler = self._refuse
        parser.StartDoctypeDeclHandler = self._refuse
        self._parser = parser

    def feed(self, data: bytes) -> None:
        """Parse a piece. Raises RetsParseError where it is no XML or no RETS answer."""
        try:
            self._parser.Parse(data, False)
        except expat.ExpatError as error:
            raise RetsParseError(f"the answer is broken XML: {expat.ErrorString(error.code)}") from None

    def close(self) -> Reply:
        """The end of the answer. Raises RetsTruncatedError unless its root element was closed."""
        if self._depth or self.reply is None:
            raise RetsTruncatedError("the answer ended before its last element was closed")
        try:
            self._parser.Parse(b"", True)
        except expat.ExpatError as error:
            raise RetsTruncatedError(f"the answer ended too early: {expat.ErrorString(error.code)}") from None
        # The handlers are bound to self: without this the cycle would keep a long inventory until the next collection.
        self._parser.StartElementHandler = self._parser.EndElementHandler = None
        self._parser.EntityDeclHandler = self._parser.StartDoctypeDeclHandler = None
        return self.reply

    def deepen(self) -> None:
        """Count an element that begins. Raises RetsParseError beyond a depth no RETS answer has."""
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise RetsParseError(f"the answer nests elements deeper than {_MAX_DEPTH}")

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """An element begins."""
        self.deepen()
        name = local_name(name)
        if self.reply is None:
            if name.upper() != "RETS":
                raise RetsParseError("the answer is no RETS answer: its root is another element")
            self.reply = _reply(attributes)
        elif name == "RETS-STATUS":
            self.reply = _reply(attributes)
        elif name == "COUNT":
            self.count = _number(next((value for key, value in attributes.items() if key.lower() == "records"), ""))
        elif name == "MAXROWS":
            self.maxrows = True
        if name in self._texts:
            self._gathered = []
            self._gathered_size = 0
            self._parser.CharacterDataHandler = self._gather_text

    def end(self, name: str) -> None:
        """An element ends."""
        self._depth -= 1
        name = local_name(name) if ":" in name else name
        if name in self._texts:
            self._parser.CharacterDataHandler = None
            text = "".join(self._gathered)
            self._gathered = []
            if name in _COUNTED:
                number = _number(text)
                if number is not None:
                    self.pagination[name] = number
            else:
                self.text(name, text)

    def text(self, name: str, text: str) -> None:
        """The text of an element named in ``texts``."""

    def _gather_text(self, text: str) -> None:
        self._gathered.append(text)
        self._gathered_size += len(text)
        if self._gathered_size > _MAX_TEXT:
            raise RetsParseError(f"a text of the answer is longer than {_MAX_TEXT} characters")

    def _refuse(self, *_: object) -> None:
        raise RetsParseError("the answer declares a document type, which is refused")


def read_frame(chunks: Iterable[bytes], frame: Frame, mender: Mender) -> Reply:
    """Feed a whole answer through ``mender`` to ``frame``. Raises RetsTruncatedError, RetsParseError."""
    for chunk in chunks:
        frame.feed(mender.feed(chunk))
    frame.feed(mender.close())
    return frame.close()


def peek_reply(head: bytes) -> Reply | None:
    """The reply of an answer's root element from its first bytes, None when they are no RETS answer.

    Text before the root is skipped: servers exist that send a RETS body as plain text with a greeting before it.
    """
    mender = Mender()
    try:
        clean = mender.feed(head) + (mender.close() if len(head) < 4096 else b"")
        root = re.search(rb"<(?:[^\s<>/:]+:)?RETS[\s/>]", clean, re.IGNORECASE)
        if root is None:
            return None
        frame = Frame()
        frame.feed(clean[root.start() : clean.find(b">", root.start()) + 1 or None])
    except RetsParseError:
        return None
    return frame.reply


def _reply(attributes: dict[str, str]) -> Reply:
    lowered = {local_name(name).lower(): value.strip() for name, value in attributes.items()}
    code = lowered.get("replycode", "0")
    return Reply(code.lstrip("0") or "0", lowered.get("replytext", ""))


def _number(text: str) -> int | None:
    text = text.strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else None
