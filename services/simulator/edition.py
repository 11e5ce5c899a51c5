"""The metadata of this MLS in their successive editions: what each lookup holds, and under which version."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from .vocabulary import CITIES, LOOKUPS, Text, code_of

_FIRST = datetime(2024, 1, 15, tzinfo=UTC)
_RENAMED = "82"
_SOMETIMES = ("Boards", "44")
_SOMETIMES_ALL = "Uffi"


@dataclass(frozen=True, slots=True)
class Edition:
    """The metadata as they were published for the ``number``-th time; 0 is what the MLS begins with.

    Each edition after that names one board anew and has one board more; odd ones lack a board that listings go on to
    name, and a whole lookup. What listings say otherwise is the same in all.
    """

    number: int = 0

    @property
    def version(self) -> str:
        """As at login."""
        return f"1.0.{12 + self.number}"

    @property
    def date(self) -> str:
        """As at login."""
        return (_FIRST + timedelta(days=self.number)).strftime("%Y-%m-%dT%H:%M:%SZ")

    @property
    def stamps(self) -> str:
        """The attributes every container has."""
        return f'Version="{self.version}" Date="{self.date}"'

    def names(self) -> list[str]:
        """The lookups there are, in order."""
        return sorted(name for name in (*LOOKUPS, "Boards") if not (self.number % 2 and name == _SOMETIMES_ALL))

    def values(self, name: str) -> list[tuple[str, Text]]:
        """Code and texts of every value of a lookup."""
        if name != "Boards":
            return [(code_of(text[0]), text) for text in LOOKUPS[name]]
        boards = [(code, self.board(code)) for code in dict.fromkeys(city[-1] for city in CITIES)]
        boards += [(str(900 + n), (f"New Board {n}", f"Nouvelle chambre {n}")) for n in range(1, self.number + 1)]
        return [board for board in boards if not (self.number % 2 and ("Boards", board[0]) == _SOMETIMES)]

    def board(self, code: str) -> Text:
        """What a board that listings name is called, also where this edition lacks it."""
        city = next(city[0] for city in CITIES if city[-1] == code)
        again = f" ({self.number})" if self.number and code == _RENAMED else ""
        return f"{city} Board{again}", f"Chambre de {city}{again}"

    def truths(self, language: int) -> Iterator[dict[str, Any]]:
        """Every value as a consumer should hold it."""
        for name in self.names():
            for code, text in self.values(name):
                yield {"lookup_name": name, "code": code, "lookup_value": text[language]}
