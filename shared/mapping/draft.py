"""What is gathered while one record is mapped: rows and photos so far, and everything that found no column."""

from __future__ import annotations

import json
import math
import re
from typing import Any, NamedTuple

from shared.mapping.extra import SAID, UNFIT
from shared.mapping.record import Mapped, MediaItem, Problem, Reason, UnmappableError

MAX_DEPTH = 64
"""Levels an unknown element may be nested. No MLS comes near it; a hostile one does not get at our stack."""

_INDEX = re.compile(r"\[[0-9]+\]")


class Copy(NamedTuple):
    """An embedded record as sent and as mapped, and the copies within it by their path from here."""

    sent: dict[str, Any]
    mapped: Mapped
    within: list[tuple[str, Copy]]


class Draft:
    """A record half mapped. Paths in it are the element names joined by ``/``, with ``[n]`` where siblings repeat."""

    __slots__ = ("embedded", "extra", "feed", "key", "media", "problems", "row", "rows", "unfit", "unknown")

    def __init__(self, feed: str, key: str, row: list[Any], tables: tuple[str, ...]) -> None:
        self.feed = feed
        self.key = key
        self.row = row
        self.rows: dict[str, list[tuple[Any, ...]]] = {table: [] for table in tables}
        self.media: list[MediaItem] = []
        self.embedded: dict[tuple[str, str], tuple[str, Copy]] = {}
        self.extra: dict[str, Any] = {}
        self.problems: list[Problem] = []
        self.unfit: dict[str, Reason] = {}
        self.unknown: list[str] = []

    def embed(self, copy: Copy, path: str) -> Copy:
        """The first copy of that record in this one, which may be ``copy`` itself."""
        return self.embedded.setdefault((copy.mapped.resource, copy.mapped.key), (path, copy))[1]

    def keep(self, path: str, value: Any, reason: Reason) -> None:
        """The element is known, the value does not fit."""
        self.problems.append(Problem(path, reason))
        self.unfit[self._put(path, value)] = reason

    def keep_unknown(self, path: str, value: Any) -> None:
        """Nobody knows this element yet."""
        name = _INDEX.sub("", path)
        if name not in self.unknown and name not in SAID:
            self.unknown.append(name)
        self._put(path, value)

    def finished(self) -> dict[str, Any]:
        """``extra`` whole: every value by its path, and why those are there whose element is known."""
        return self.extra | {UNFIT: self.unfit} if self.unfit else self.extra

    def _put(self, path: str, value: Any) -> str:
        path = path.replace("\0", "\\0")
        while path in self.extra or path == UNFIT:  # names that contain a slash can collide; neither may be lost
            path += "'"
        self.extra[path] = storable(value)
        return path


def storable(value: Any, depth: int = 0) -> Any:
    """``value`` as a JSON column can hold it, losing nothing.

    Text with NUL, which PostgreSQL's JSON refuses, becomes ``{"#json": …}`` around its JSON text. Raises
    UnmappableError when nested deeper than ``MAX_DEPTH``.
    """
    if isinstance(value, str):
        return {"#json": json.dumps(value)} if "\0" in value else value
    if depth > MAX_DEPTH:
        raise UnmappableError(f"nested deeper than {MAX_DEPTH} levels")
    if isinstance(value, dict):
        return {str(name).replace("\0", "\\0"): storable(item, depth + 1) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [storable(item, depth + 1) for item in value]
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return value if -(2**63) <= value < 2**63 else str(value)
    if isinstance(value, float) and math.isfinite(value):
        return value
    return repr(value)
