"""What stands in ``extra``, and how often: the elements no mapping knows, and the values that fit no column."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final

import msgspec

UNFIT: Final = "#unfit"
"""The member of ``extra`` that says why the others stand there: by path the reason. Those it does not name are of
elements that no mapping knows. No element can have this name."""

CLASS: Final = "#class"
"""The member that names the class of a record, where the MLS has classes."""
RESTRICTED: Final = "#restricted"
"""The member that names the elements whose values the login may not see."""
SAID: Final = frozenset({CLASS, RESTRICTED})
"""Members that are there on purpose. No element can have these names either."""

NAME_LENGTH: Final = 200
"""Characters of an element's path that are kept to tell it from others; a longer one is cut and told by its hash."""

NAMES: Final = 10_000
"""How many different paths are counted."""

_INDEX: Final = re.compile(r"\[[0-9]+\]|'+$")
_extra = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_reasons = msgspec.json.Decoder(dict[str, str]).decode


@dataclass(frozen=True, slots=True)
class Oddity:
    """An element found in ``extra``: in how many records, and why (``reason`` is "" where no mapping knows it).

    ``column`` is the one its value is meant for, with its table, "" where that is not known. ``first_seen`` and
    ``last_seen`` are when it was first and last read in any record, in microseconds, None when that
    was not noted.
    """

    resource: str
    element: str
    reason: str
    records: int
    first_seen: int | None = None
    last_seen: int | None = None
    column: str = ""


@dataclass(frozen=True, slots=True)
class Tally:
    """The oddities of a feed, the most frequent first. ``others`` are further ones, not listed."""

    oddities: tuple[Oddity, ...] = ()
    others: int = 0


def element_of(path: str) -> str:
    """The element a path in ``extra`` leads to: without places among siblings, of bounded length."""
    path = _INDEX.sub("", path)
    if len(path) <= NAME_LENGTH:
        return path
    digest = blake2b(path.encode("utf-8", "surrogatepass"), digest_size=6).hexdigest()
    return f"{path[: NAME_LENGTH - 13]}…{digest}"


def elements(extra: bytes | str) -> set[tuple[str, str]]:
    """(element, reason) of everything in one record's ``extra``, which is JSON."""
    fields = _extra(extra)
    unfit = _reasons(fields.pop(UNFIT)) if UNFIT in fields else {}
    found = {(element_of(path), reason) for path, reason in unfit.items()}
    found.update((element_of(path), "") for path in fields if path not in unfit and path not in SAID)
    return found


def count(extras: Iterable[bytes | str]) -> tuple[Counter[tuple[str, str]], int]:
    """In how many records each (element, reason) stands, and how many records hold others that are not counted.

    The first ``NAMES`` different ones are counted, so that a server that makes up names does not fill the memory.
    """
    counts: Counter[tuple[str, str]] = Counter()
    others = 0
    for extra in extras:
        found = elements(extra)
        if len(counts) > NAMES:
            known = found & counts.keys()
            others += known != found
            found = known
        counts.update(found)
    return counts, others
