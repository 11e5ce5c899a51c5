"""Character and entity references made legal: what HTML and Java leave in XML (XML 1.0 §2.2, §4.1)."""

from __future__ import annotations

import re
from html.entities import html5
from typing import Final

_TROUBLED: Final = re.compile(rb"&(?!(?:amp|lt|gt|quot|apos);)")
_REFERENCE: Final = re.compile(
    rb"(?:&#(?:[0-9]+|[xX][0-9a-fA-F]+);)+"  # a run, since a surrogate pair is two neighbours
    rb"|&(?:(amp|lt|gt|quot|apos)|([A-Za-z][A-Za-z0-9]{1,31}));"
    rb"|&"
)
_NUMBER: Final = re.compile(rb"&#(?:([0-9]+)|[xX]([0-9a-fA-F]+));")
REPLACEMENT: Final = "\ufffd"


def mend_references(piece: bytes) -> bytes:
    """The piece with every reference legal and every other ampersand escaped. No reference may be cut at its ends."""
    if _TROUBLED.search(piece) is None:
        return piece
    return _REFERENCE.sub(_mend_reference, piece)


def _mend_reference(match: re.Match[bytes]) -> bytes:
    found = match[0]
    if found == b"&":
        return b"&amp;"
    if match[1]:
        return found
    if match[2]:
        character = html5.get(f"{match[2].decode()};")
        return b"&amp;" + found[1:] if character is None else escape(character.encode())
    return _mend_numbers(found)


def _mend_numbers(run: bytes) -> bytes:
    """A run of numeric references: illegal ones dropped, halves of a surrogate pair joined, lone halves replaced."""
    out: list[bytes] = []
    high = 0
    for reference in _NUMBER.finditer(run):
        code = _code_point(reference)
        if high and 0xDC00 <= code < 0xE000:
            out.append(join_surrogates(high, code).encode())
            high = 0
            continue
        if high:
            out.append(REPLACEMENT.encode())
            high = 0
        if 0xD800 <= code < 0xDC00:
            high = code
        elif 0xDC00 <= code < 0xE000:
            out.append(REPLACEMENT.encode())
        elif _is_legal(code):
            out.append(reference[0].replace(b"&#X", b"&#x"))
    if high:
        out.append(REPLACEMENT.encode())
    return b"".join(out)


def _code_point(reference: re.Match[bytes]) -> int:
    digits, base = (reference[1], 10) if reference[1] else (reference[2], 16)
    digits = digits.lstrip(b"0") or b"0"
    return int(digits, base) if len(digits) <= 8 else -1


def _is_legal(code: int) -> bool:
    return code in {0x9, 0xA, 0xD} or 0x20 <= code < 0xD800 or 0xE000 <= code < 0xFFFE or 0x10000 <= code < 0x110000


def join_surrogates(high: int, low: int) -> str:
    """The character that two halves stand for."""
    return chr(0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00))


def escape(text: bytes) -> bytes:
    """Text as XML."""
    return text.replace(b"&", b"&amp;").replace(b"<", b"&lt;").replace(b">", b"&gt;")
