"""Master lists: a million keys with their time stamps, in little memory (DDF guide, Search: ``(ID=*)``)."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

from shared.rets.errors import RetsParseError
from shared.rets.frame import Frame, local_name, read_frame
from shared.rets.mend import Mender

_SLACK = 10_000
_MAX_ROWS = 20_000_000


class InventoryReader(Frame):
    """Reads one master list. Afterwards ``packed`` holds ``key NUL stamp`` as UTF-8, sorted, one per distinct key,
    the last one winning; ``rows`` is how many elements there were, ``keyless`` how many of them without a key.

    ``element`` is the local name of the elements, ``key`` and ``stamp`` are their attributes. Both are trimmed; the
    stamp is otherwise as written, "" when missing.
    """

    def __init__(self, element: str, *, key: str = "ID", stamp: str = "LastUpdated") -> None:
        super().__init__()
        self._element = element
        self._key = key
        self._stamp = stamp
        self.packed: list[bytes] = []
        self.rows = 0
        self.keyless = 0
        self._most = 0

    def read(self, chunks: Iterable[bytes], mender: Mender) -> None:
        """The whole answer. Raises RetsTruncatedError, RetsParseError; then ``packed`` means nothing."""
        read_frame(chunks, self, mender)
        self.rows = len(self.packed) + self.keyless
        self.packed = distinct(self.packed)

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """An entry is packed at once: one bytes object costs half of what two strings and a tuple would."""
        if (name != self._element and local_name(name) != self._element) or self.reply is None:
            super().start(name, attributes)
            return
        self.deepen()
        self._most = self._most or self._limit()
        if len(self.packed) + self.keyless > self._most:
            raise RetsParseError("the list goes on far beyond the number of rows it announced")
        key = attributes.get(self._key, "").strip()
        if key:
            self.packed.append(f"{key}\0{attributes.get(self._stamp, '').strip()}".encode())
        else:
            self.keyless += 1

    def _limit(self) -> int:
        """More rows than this are no list any more, but an answer without end."""
        announced = [number for number in (self.count, self.pagination.get("TotalRecords")) if number is not None]
        return 2 * max(announced) + _SLACK if announced else _MAX_ROWS


def distinct(packed: list[bytes]) -> list[bytes]:
    """Sorted by key; of entries with one key the one that came last. NUL sorts before every byte a key can have."""
    ordered = sorted(packed)
    repeated = {_key(item) for item, following in pairwise(ordered) if following.startswith(_key(item))}
    if not repeated:
        return ordered
    last = {key: item for item in packed if (key := _key(item)) in repeated}
    return sorted([*(item for item in ordered if _key(item) not in repeated), *last.values()])


def _key(item: bytes) -> bytes:
    return item[: item.index(0) + 1]
