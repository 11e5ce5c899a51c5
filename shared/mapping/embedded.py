"""Records within records: agents in a listing, the office in an agent."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from shared.mapping.draft import Copy, Draft
from shared.mapping.parts import as_list
from shared.mapping.record import UnmappableError

MEMORY = 1024
"""Copies remembered: the same agents and offices come again and again within a page."""


class Embedded:
    """Elements that are records of another resource.

    The first copy of a key counts. A further one that says the same adds nothing; one that differs goes to ``extra``,
    and so does one without a usable key.
    """

    def __init__(
        self,
        mapper: Callable[[str, dict[str, Any]], Copy],
        table: str | None,
        references: Sequence[Sequence[int]],
    ) -> None:
        self._map = mapper
        self._table = table
        self._references = references
        self._memory: dict[tuple[str, str], Copy] = {}

    def __call__(self, value: Any, path: str, draft: Draft) -> None:
        place = 0
        for number, item in enumerate(as_list(value), start=1):
            where = f"{path}[{number}]" if isinstance(value, list) else path
            if not isinstance(item, dict):
                if item is not None and item != "":
                    draft.keep(where, item, "shape")
                continue
            try:
                copy = self._copy(draft.feed, item)
            except UnmappableError:
                draft.keep(where, item, "key")
                continue
            if self._table is None and place == len(self._references[0]):
                draft.keep(where, item, "duplicate")
                continue
            known = draft.embed(copy, where)
            if known.mapped.hash != copy.mapped.hash:
                draft.keep(where, item, "duplicate")
                continue
            for inside, within in copy.within:
                spot = f"{where}/{inside}"
                if draft.embed(within, spot).mapped.hash != within.mapped.hash:
                    draft.keep(spot, within.sent, "duplicate")
            if known is copy:
                self._refer(draft, copy, place)
                place += 1

    def _copy(self, feed: str, item: dict[str, Any]) -> Copy:
        name = (feed, str(item.get("@ID")))
        known = self._memory.get(name)
        if known is None or known.sent != item:
            if len(self._memory) >= MEMORY:
                self._memory.clear()
            known = self._memory[name] = self._map(feed, item)
        return known

    def _refer(self, draft: Draft, copy: Copy, place: int) -> None:
        """Note the keys in the columns for this place, as far as there are any, and in the table of all."""
        inner = copy.within[0][1].mapped.key if copy.within else None
        for columns, key in zip(self._references, (copy.mapped.key, inner), strict=False):
            if place < len(columns):
                draft.row[columns[place]] = key
        if self._table is not None:
            draft.rows[self._table].append((draft.feed, draft.key, copy.mapped.key, place + 1, inner))
