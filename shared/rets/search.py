"""A Search as it is asked, and what its answer's frame says of its rows (RETS 1.7.2 §7)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, get_args

from shared.rets.dmql.printing import text_of
from shared.rets.dmql.tree import Query
from shared.rets.frame import Frame

SearchFormat = Literal["COMPACT", "COMPACT-DECODED", "STANDARD-XML"]
FORMATS: Final[tuple[SearchFormat, ...]] = get_args(SearchFormat)
"""The best first: where values of lookups come as codes, nobody need guess which."""


@dataclass(frozen=True, slots=True)
class Search:
    """What is asked. ``select`` is always named, since new fields may join at any time; () only in STANDARD-XML.

    ``limit`` None is NONE: servers lift their own cap for it where they do. ``offset`` counts from 1, and is best given
    from the first page on, so that the server's order is the same for all (RETS 1.7.2 §7.4.4). ``count_only`` asks for
    no rows. ``restricted`` is what the server puts in place of values that the login may not see.
    """

    resource: str
    class_name: str
    query: Query
    select: tuple[str, ...] = ()
    format: SearchFormat = "COMPACT"
    limit: int | None = None
    offset: int | None = None
    count: bool = True
    count_only: bool = False
    standard_names: bool = False
    restricted: str = ""

    def __post_init__(self) -> None:
        if not self.select and self.format != "STANDARD-XML" and not self.count_only:
            raise ValueError("a search in COMPACT must name its fields")
        if self.offset is not None and self.offset < 1:
            raise ValueError("offsets count from 1")
        if self.limit is not None and self.limit < 1:
            raise ValueError("a limit is 1 or more")

    def arguments(self) -> dict[str, str]:
        """As sent. Raises DmqlError for a query that cannot be said."""
        found = {
            "SearchType": self.resource,
            "Class": self.class_name,
            "QueryType": "DMQL2",
            "Query": text_of(self.query),
            "Format": self.format,
            "Count": "2" if self.count_only else "1" if self.count else "0",
            "StandardNames": "1" if self.standard_names else "0",
        }
        if self.select:
            found["Select"] = ",".join(self.select)
        if not self.count_only:
            found["Limit"] = "NONE" if self.limit is None else str(self.limit)
            if self.offset is not None:
                found["Offset"] = str(self.offset)
        if self.restricted:
            found["RestrictedIndicator"] = self.restricted
        return found


@dataclass(frozen=True, slots=True)
class Ending:
    """What is known after the last row. ``total`` is the announced number of matches, None without.

    ``more``: there are matches that this answer had no rows for. ``doubt``: why the rows may not be what was asked for,
    "" if nothing says so.
    """

    rows: int
    total: int | None
    more: bool
    doubt: str = ""


def ending(frame: Frame, rows: int, asked: Search) -> Ending:
    """Servers say in four ways that there are no rows, and in three, or not at all, that there are more (RETS 1.7.2
    §7.4.3): MAXROWS, 20208, and a count that the rows fall short of."""
    code = frame.reply.code if frame.reply is not None else ""
    total = 0 if code == "20201" and not rows else frame.count
    if asked.count_only:
        return Ending(rows, total, more=False, doubt="" if total is not None else "the server does not count")
    before = (asked.offset or 1) - 1
    short = total is not None and before + rows < total
    doubt = ""
    if code == "20201" and (rows or frame.count):
        doubt = "the server says that there are none, and gives or counts some"
    elif total and not rows and before < total:
        doubt = f"the server counts {total} and gives none"
    elif asked.limit is not None and rows > asked.limit:
        doubt = f"the server gives {rows} rows where {asked.limit} were asked for"
    elif total is not None and rows > total:
        doubt = f"the server gives {rows} rows and counts {total}"
    return Ending(rows, total, frame.maxrows or code == "20208" or short, doubt)
