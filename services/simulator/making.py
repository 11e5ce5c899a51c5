"""What the parts of one listing share while it is put together: its chance, its versions, its language."""

from __future__ import annotations

from collections.abc import Sequence

from .draws import ASPECT, EDIT, Draw
from .schema import AGENTS, BORN, FEATURES, OPEN_HOUSE, PRICE, REMARKS, ROOMS
from .timeline import EDITED, Event
from .vocabulary import LOOKUPS

FIRST_KEY = 20_000_001
_ASPECTS = ((PRICE, 0.5), (REMARKS, 0.2), (ROOMS, 0.15), (FEATURES, 0.2), (OPEN_HOUSE, 0.2), (AGENTS, 0.05))


def key_of(number: int) -> str:
    """CREA's unique key of a listing."""
    return str(FIRST_KEY + number)


def number_of(key: str) -> int | None:
    """The listing a key belongs to, living or not; None when it can be none."""
    if not (key.isascii() and key.isdigit()) or not 8 <= len(key) <= 9 or int(key) < FIRST_KEY:
        return None
    return int(key) - FIRST_KEY


class Maker:
    """Everything that the parts of one listing share while it is put together."""

    def __init__(self, seed: int, number: int, language: int, born: int, events: Sequence[Event]) -> None:
        self.seed, self.number, self.language, self.born = seed, number, language, born
        self.since = [born] * (BORN + 1)
        self.versions = [0] * (BORN + 1)
        for event in events:
            if event.kinds & EDITED:
                draw = Draw(seed, EDIT, number, event.ordinal)
                redrawn = [aspect for aspect, share in _ASPECTS if draw.chance(share)] or [PRICE]
                for aspect in redrawn if event.ordinal % 2 == 0 else {PRICE, *redrawn}:
                    self.versions[aspect] += 1
                    self.since[aspect] = event.stamp
        self._draws: dict[int, Draw] = {}

    def draw(self, aspect: int) -> Draw:
        """The chance of one aspect at its present version."""
        found = self._draws.get(aspect)
        if found is None:
            found = self._draws[aspect] = Draw(self.seed, ASPECT, self.number, aspect, self.versions[aspect])
        return found

    def words(self, lookup: str) -> list[str]:
        """The texts of a lookup in the language asked for."""
        return _WORDS[self.language][lookup]


_WORDS = [{name: [pair[at] for pair in pairs] for name, pairs in LOOKUPS.items()} for at in (0, 1)]
