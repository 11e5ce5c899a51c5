"""A mapping compiled: for every element name what to do with its value, so that one pass over a record does it all.

A plan is walked by the record's own elements, not by the columns there are: a record has a fraction of them, and what
no plan knows is found on the way.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from shared.mapping.columns import FieldLine, Type, columns_of
from shared.mapping.convert import CODE_LENGTH, Convert, reason_of
from shared.mapping.draft import Draft

TEXT, ONE, MANY, SHARED, GROUP, PART, OWN = range(7)
"""What a node is: an element kept as it is; one converted; one whose siblings add to a list; one of two spellings of an
element; a wrapper; repeated elements with a handler; the record's own key or timestamp, already taken."""


class Node(NamedTuple):
    """What to do with one element: ``at`` is the place in the row, the plan of a group, or the handler of a part.

    ``limit`` is the greatest length of a TEXT, whose conversion is no more than that and the absence of NUL.
    """

    kind: int
    at: Any
    convert: Any = None
    limit: int = 0


_KINDS: dict[Type, tuple[int, int]] = {
    "text": (TEXT, sys.maxsize),
    "code": (TEXT, CODE_LENGTH),
    "list": (MANY, 0),
    "texts": (MANY, 0),
}

Plan = dict[str, Node]
Part = Callable[[Any, str, Draft], None]


def compile_plan(lines: Iterable[tuple[str, FieldLine]], places: dict[str, int], convert: dict[Type, Convert]) -> Plan:
    """The plan for these lines; ``places`` are the columns of the row they fill."""
    plan: Plan = {}
    taken: dict[int, list[str]] = {}
    for path, line in lines:
        *groups, name = path.split("/")
        columns = columns_of(path, line)
        first = places[columns[0].name]
        at = first if len(columns) == 1 else slice(first, first + len(columns))
        taken.setdefault(first, []).append(path)
        kind, limit = _KINDS.get(line[1], (ONE, 0))
        inner(plan, groups)[name] = Node(kind, at, convert[line[1]], limit)
    for paths in taken.values():
        for path in paths if len(paths) > 1 else ():
            *groups, name = path.split("/")
            group = inner(plan, groups)
            group[name] = group[name]._replace(kind=SHARED)
    return plan


def inner(plan: Plan, groups: Iterable[str]) -> Plan:
    """The plan of the innermost of ``groups``, made where it is missing."""
    for group in groups:
        plan = plan.setdefault(group, Node(GROUP, {})).at
    return plan


def fill(row: list[Any], fields: dict[str, Any], plan: Plan, prefix: str, draft: Draft) -> None:
    """Convert every element of ``fields`` into its place in ``row``; ``prefix`` is the path up to here."""
    known = plan.get
    for name, value in fields.items():
        node = known(name)
        if node is None:
            draft.keep_unknown(prefix + name, value)
            continue
        kind, at, convert, limit = node
        if value.__class__ is str and kind <= MANY:
            if not value:
                continue
            if kind == TEXT and len(value) <= limit and "\0" not in value:
                row[at] = value  # two in three elements: no call for them
                continue
            try:
                row[at] = convert(value)
            except ValueError as error:
                draft.keep(prefix + name, value, reason_of(error))
        elif kind == GROUP and value.__class__ is dict:
            fill(row, value, at, f"{prefix}{name}/", draft)
        elif kind >= PART:
            at(value, prefix + name, draft)
        elif value is not None and value != "":
            _odd(row, value, node, prefix + name, draft)


def _odd(row: list[Any], value: Any, node: Node, path: str, draft: Draft) -> None:
    """A value that is not of the shape its element has: take what can be taken, keep the rest."""
    kind, at, convert, _ = node
    if kind == GROUP:
        if isinstance(value, list) and isinstance(value[0] if value else None, dict):
            fill(row, value[0], at, f"{path}/", draft)
            for place, other in enumerate(value[1:], start=2):
                draft.keep(f"{path}[{place}]", other, "duplicate")
        else:
            draft.keep(path, value, "shape")
    elif kind == MANY and isinstance(value, list) and all(isinstance(item, str) for item in value):
        try:
            row[at] = [part for item in value if item for part in convert(item)] or None
        except ValueError as error:
            draft.keep(path, value, reason_of(error))
    elif kind == SHARED and isinstance(value, str):
        _shared(row, value, node, path, draft)
    elif isinstance(value, dict) and isinstance(value.get("#text"), str):
        # attributes nobody knows do not make the text beside them any less known
        others = {name: other for name, other in value.items() if name != "#text"}
        fill(row, {"": value["#text"]}, {"": node}, path, draft)
        for name, other in others.items():
            draft.keep_unknown(f"{path}/{name}", other)
    else:
        draft.keep(path, value, "duplicate" if isinstance(value, list) else "shape")


def _shared(row: list[Any], value: str, node: Node, path: str, draft: Draft) -> None:
    try:
        found = node.convert(value)
    except ValueError as error:
        draft.keep(path, value, reason_of(error))
        return
    if row[node.at] is None:
        row[node.at] = found
    elif row[node.at] != found:
        draft.keep(path, value, "duplicate")
