"""Reading a list by offsets from a server that may not honour them, while the list changes. Pure.

Nothing here proves that a list is whole: what was moved past the reader between two requests is found by the next
inventory. But whatever can be seen to have gone wrong is said as a doubt.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

MAX_PAGES: Final = 1_000
"""Requests for one list. Beyond that an inventory with records by key costs no more, and a server may never end."""


class Paging:
    """Where the next request begins, until nothing is left to ask.

    ``offset`` counts records from 1 and is None at the end. ``doubt`` says in words why what came may not be the whole
    list, "" as long as nothing speaks against it.
    """

    def __init__(self, max_pages: int = MAX_PAGES) -> None:
        self.offset: int | None = 1
        self.doubt = ""
        self.repeated = False
        """Whether the last page held nothing but what had come before."""
        self._max_pages = max_pages
        self._pages = 0
        self._total: int | None = None
        self._seen: set[str] = set()

    def took(self, keys: Sequence[str], total: int | None) -> None:
        """What the request at ``offset`` gave: the records' keys ("" for none), the list's length as announced now."""
        start = self.offset
        if start is None:
            raise ValueError("the list has ended")
        self._pages += 1
        self._count(total)
        distinct = {key for key in keys if key}
        came = len(distinct) + sum(not key for key in keys)
        again = len(distinct & self._seen)
        self.repeated = 0 < again == came
        self._seen |= distinct
        if not came:
            if self._total is not None and start <= self._total:
                self.suspect(f"{self._total} records were announced, and none came from number {start} on")
            self.offset = None
        elif self.repeated:
            self.suspect(f"from number {start} on came only what had come before: offsets are not honoured")
            self.offset = None
        else:
            if again:
                self.suspect(f"{again} records came twice: the list moved while it was read")
            self._go_on(start + came)

    def suspect(self, doubt: str) -> None:
        """Note a doubt; the first one is kept."""
        self.doubt = self.doubt or doubt

    def _count(self, total: int | None) -> None:
        if total is None:
            return
        if self._total is not None and total != self._total:
            self.suspect(f"the number of records went from {self._total} to {total} while they were read")
        self._total = total

    def _go_on(self, following: int) -> None:
        """A page that came short moves on by what came, so that nothing is stepped over."""
        self.offset = following
        if self._total is not None and following > self._total:
            self.offset = None
            if following - 1 > self._total:
                self.suspect(f"{following - 1} records came, {self._total} were announced")
        elif self._pages >= self._max_pages:
            self.offset = None
            self.suspect(f"there is no end after {self._pages} pages")
