"""The single tries: each asks one thing of a server that is logged in to, and says what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from services.probe.report import Verdict
from shared.rets.answer import Answer
from shared.rets.dmql.build import at_least, at_most, both, equals
from shared.rets.dmql.tree import Query
from shared.rets.objects import ObjectRequest, RetsObject, read_all
from shared.rets.rows import RowsReader
from shared.rets.search import Ending, Search, SearchFormat
from shared.rets.session import RetsSession
from shared.sources.rets.plan import ClassPlan, ResourcePlan

MOST_ROWS: Final = 20_000
"""Rows read to see whether a server caps its answers."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a try came to, in words."""

    verdict: Verdict
    said: str = ""


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of a search, how it ended, whether more were left unread, and whether they came in another format than
    was asked for."""

    rows: list[Mapping[str, str]]
    ended: Ending
    unread: bool = False
    other_format: bool = False


def everything(each: ClassPlan) -> Query:
    """The idiom for all there is."""
    return at_least(each.key, "0")


def search(
    session: RetsSession, form: SearchFormat, each: ClassPlan, query: Query, select: tuple[str, ...] = (), *,
    limit: int | None = None, offset: int | None = None, count_only: bool = False,
) -> Rows:  # fmt: skip
    """A search; by default of the key alone. Raises as ``RetsSession.ask`` does."""
    asked = Search(each.resource, each.name, query, select or (each.key,), form, limit, offset, count_only=count_only)

    def read(answer: Answer) -> Rows:
        reader = RowsReader(asked, each.key, each.fields)
        rows: list[Mapping[str, str]] = []
        for row in reader.stream(answer, session.mender):
            rows.append(row)
            if len(rows) >= MOST_ROWS:
                return Rows(rows, Ending(len(rows), reader.count, more=False), unread=True)
        return Rows(rows, reader.ended, other_format=not reader.in_format)

    return session.ask("Search", asked.arguments(), read)


def count(session: RetsSession, form: SearchFormat, each: ClassPlan) -> int | None:
    """How many records of a class the server counts; None where it does not."""
    return search(session, form, each, everything(each), count_only=True).ended.total


def records(session: RetsSession, form: SearchFormat, each: ClassPlan) -> Outcome:
    """Whether records come in a format, and can be read."""
    found = search(session, form, each, everything(each), limit=2)
    if found.other_format:
        return Outcome(Verdict.no, "ignored: the answer is in another format")
    if not found.rows:
        return Outcome(Verdict.unclear, "there are no records to tell")
    return Outcome(Verdict.works)


def offsets(session: RetsSession, form: SearchFormat, each: ClassPlan, first: list[str]) -> Outcome:
    """What an Offset does; ``first`` are the first keys without one."""
    if len(first) < 3:
        return Outcome(Verdict.unclear, "there are too few records to tell")
    rows = search(session, form, each, everything(each), limit=2, offset=2).rows
    keys = [row.get(each.key, "") for row in rows]
    if keys == first[1:3]:
        return Outcome(Verdict.works, "counted from 1")
    if keys == first[2:4] or keys == first[2:3]:
        return Outcome(Verdict.no, "counted from 0")
    if keys[:1] == first[:1]:
        return Outcome(Verdict.no, "ignored: the first records come again")
    return Outcome(Verdict.unclear, "records come in another order each time")


def ranges(session: RetsSession, form: SearchFormat, each: ClassPlan, keys: list[str]) -> Outcome:
    """Whether a search can be bounded by the key."""
    if len(keys) < 3:
        return Outcome(Verdict.unclear, "there are too few records to tell")
    middle = sorted(keys)[1]
    query = both(everything(each), at_least(each.key, middle), at_most(each.key, middle))
    found = search(session, form, each, query)
    keys = [row.get(each.key, "") for row in found.rows]
    if keys == [middle]:
        return Outcome(Verdict.works)
    return Outcome(Verdict.no, f"overlooked: {len(keys)} records came where one was asked for")


def several(session: RetsSession, form: SearchFormat, each: ClassPlan, keys: list[str]) -> Outcome:
    """Whether records are found by a list of keys."""
    wanted = keys[:2]
    found = {row.get(each.key, "") for row in search(session, form, each, equals(each.key, *wanted)).rows}
    if found == set(wanted):
        return Outcome(Verdict.works)
    return Outcome(Verdict.no, f"{len(found)} records came of {len(wanted)}")


@dataclass(frozen=True, slots=True)
class Came:
    """The objects of an answer, and whether it was a multipart."""

    items: list[RetsObject]
    multipart: bool

    @property
    def bytes(self) -> list[RetsObject]:
        """Those that came as they are."""
        return [item for item in self.items if item.data is not None]

    @property
    def urls(self) -> list[RetsObject]:
        """Those that came as addresses."""
        return [item for item in self.items if item.url is not None]

    def in_words(self) -> str:
        """How many of what."""
        types = sorted({item.content_type for item in self.bytes if item.content_type})
        parts = [f"{len(self.bytes)} objects" if self.bytes else "", f"{len(self.urls)} addresses" if self.urls else ""]
        errors = [item.error for item in self.items if item.error]
        parts += [", ".join(types), "a multipart" if self.multipart else "no multipart", *errors[:1]]
        return ", ".join(part for part in parts if part)


def objects(
    session: RetsSession, plan: ResourcePlan, kind: str, keys: Mapping[str, tuple[int, ...]], *, location: bool = False
) -> Came:
    """Photos by GetObject. Raises as ``RetsSession.get_object`` does."""
    request = ObjectRequest(plan.name, kind, keys, location)
    limit = session.settings.max_object_bytes
    with session.get_object(request.arguments()) as answer:
        return Came(
            list(read_all(answer, request.objects, max_object_bytes=limit)),
            answer.content_type.startswith("multipart/"),
        )
