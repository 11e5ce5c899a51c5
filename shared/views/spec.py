"""A class as a view, whatever the database."""

from __future__ import annotations

from dataclasses import dataclass

from shared.mapping.columns import Kind as Holds
from shared.rets.dmql.binding import Kind


@dataclass(frozen=True, slots=True)
class Place:
    """A column of a table: ``of`` says whether it is the record's own row or its line in the ledger."""

    name: str
    holds: Holds
    of_ledger: bool = False


@dataclass(frozen=True, slots=True)
class ViewColumn:
    """One field. Its value is in the first of ``places``, or in ``extra`` under ``element``, that has one.

    ``whole``: a number without fraction. ``extra_first``: other fields may have filled the place. ``decoded`` is the
    column of the texts that its codes of ``lookup`` stand for; "" without. ``truths`` are the codes that a place which
    holds true or false was filled from.
    """

    name: str
    system_name: str
    kind: Kind
    whole: bool = False
    places: tuple[Place, ...] = ()
    element: str | None = None
    extra_first: bool = False
    lookup: str = ""
    decoded: str = ""
    truths: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class ClassView:
    """One class of one feed. ``resource`` and ``class_name`` are the server's own names; ``kind`` is the resource that
    its records are stored as, ``table`` and ``key`` where; ``part_of`` is the element of listings that they are, "" for
    records of their own. ``restricted`` is the column that says which values the
    login may not see. ``left_out`` are fields beyond what a view can have.
    """

    kind: str
    resource: str
    class_name: str
    table: str
    key: str
    columns: tuple[ViewColumn, ...]
    restricted: str
    part_of: str = ""
    left_out: int = 0
