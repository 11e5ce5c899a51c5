"""What can be wrong with a query."""

from __future__ import annotations


class DmqlError(ValueError):
    """The query cannot be read, said or meant. ``position`` is the character, from 0, where it is known."""

    def __init__(self, message: str, position: int | None = None) -> None:
        super().__init__(message if position is None else f"{message} (at character {position + 1})")
        self.position = position


class DmqlFieldError(DmqlError):
    """The query is well formed but names a field, or a lookup's value, that does not exist (reply code 20200)."""
