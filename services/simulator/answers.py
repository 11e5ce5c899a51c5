"""What a transaction answers, before it becomes HTTP; and the RETS envelope for errors (RETS 1.7.2 §3.5)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from .formats import escape

XML = "text/xml; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, headers and a body: bytes, or a stream of them when it may be large.

    ``fragile`` bodies are the ones that faults may cut or truncate.
    """

    body: bytes | Iterator[bytes] = b""
    content_type: str = XML
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    fragile: bool = False


@dataclass(frozen=True, slots=True)
class Call:
    """A request as the transactions see it: arguments under lower-case names, and where the client found us."""

    arguments: Mapping[str, str]
    base: str
    version: str = ""
    """The client's RETS-Version."""
    place: str = ""
    """What its address begins with, see ``places``."""

    def get(self, name: str, default: str = "") -> str:
        """An argument, stripped."""
        return self.arguments.get(name, default).strip()


class RefusedError(Exception):
    """The transaction cannot be done; ``code`` and the text become the RETS reply."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code


def envelope(code: int, text: str, body: str = "") -> bytes:
    """A RETS reply without data, or around some."""
    attributes = f'ReplyCode="{code}" ReplyText="{escape(text)}"'
    close = f">{body}</RETS>" if body else " />"
    return f'<?xml version="1.0" encoding="utf-8"?>\n<RETS {attributes}{close}\n'.encode()
