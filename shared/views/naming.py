"""Names of views and columns that every database takes: printable, of bounded length, told apart in any case. Pure."""

from __future__ import annotations

from hashlib import blake2b
from typing import Final

MOST_BYTES: Final = 63
"""Of a name, in UTF-8: what PostgreSQL keeps of one."""
_UNFIT: Final = frozenset('"%?')
"""Quotes, and what drivers take for a place to put a value."""


def fit(name: str, taken: set[str]) -> str:
    """``name`` where it can be one that is not ``taken``, else as much of it as can be and a digest of it all.

    It is taken from then on. ``taken`` are names folded: databases differ in what they take for the same.
    """
    plain = "".join(letter if letter.isprintable() and letter not in _UNFIT else "_" for letter in name)
    found = _cut(plain, MOST_BYTES)
    turn = 0
    while not found or found != name or found.casefold() in taken:
        digest = blake2b(f"{turn} {name}".encode("utf-8", "surrogatepass"), digest_size=4).hexdigest()
        found = name = f"{_cut(plain, MOST_BYTES - 1 - len(digest))}_{digest}"
        turn += 1
    taken.add(found.casefold())
    return found


def _cut(text: str, most: int) -> str:
    return text.encode()[:most].decode("utf-8", "ignore")


def quoted(name: str) -> str:
    """The name as it stands in a statement."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """The text as it stands in a statement, where no value can be given apart: a view has none."""
    return "'" + text.replace("'", "''").replace("\0", "\\0") + "'"
