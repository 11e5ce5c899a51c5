"""One resource's mapping, compiled: source records in, typed records out."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from datetime import datetime, tzinfo
from hashlib import blake2b
from typing import Any

import msgspec

from shared.mapping.columns import FieldLine, TableSpec, Type, columns_of
from shared.mapping.convert import Convert, Misfit, key, text
from shared.mapping.draft import Copy, Draft
from shared.mapping.embedded import Embedded
from shared.mapping.parts import Children, OnlyPhoto, Photos
from shared.mapping.plan import OWN, PART, TEXT, Node, Plan, compile_plan, fill, inner
from shared.mapping.record import Mapped, Problem, UnmappableError
from shared.mapping.spec import MediaSpec, ResourceSpec
from shared.mapping.times import modified_in, parse_stamp

# Sorted keys make the bytes a function of the content, whatever order the MLS sent elements in.
_encode = msgspec.msgpack.Encoder(order="deterministic").encode


class Resource:
    """What ``Mapping`` does for one resource."""

    def __init__(
        self,
        name: str,
        spec: ResourceSpec,
        tables: tuple[TableSpec, ...],
        others: Mapping[str, Resource],
        *,
        zone: tzinfo,
        convert: dict[Type, Convert],
        version: bytes,
    ) -> None:
        own, *parts = tables
        places = {column.name: place for place, column in enumerate(own.columns)}
        self._name = name
        self._table = own.name
        self._tables = tuple(table.name for table in tables)
        self._blank: list[Any] = [None] * (len(own.columns) - 2)
        self._extra = places["extra"]
        self._key, self._modified = spec.key[0], spec.modified[0]
        self._stamp = None if spec.modified[1] is None else places[spec.modified[1]]
        self._photos = None if spec.media is None else places["photos_count"]
        self._zone = zone
        self._version = version
        self._plan = compile_plan(spec.fields.items(), places, convert)
        self._plan[self._key] = Node(OWN, _own_key)
        self._plan[self._modified] = Node(OWN, _own_stamp)
        by_name = {table.name: table for table in parts}
        for path, child in spec.children.items():
            table = by_name[child.table]
            plan = _plan_of(table, child.fields, convert)
            plan |= {element: Node(OWN, _noted) for element in child.own or ()}
            keyed = child.key is not None
            width = len(table.columns) - (4 if keyed else 3)
            named_by = child.own[0] if child.own is not None else None
            _hang(self._plan, path, Children(table.name, plan, width, keyed=keyed, own=named_by))
        if spec.media is not None:
            _hang(self._plan, spec.media.path, _photos(spec.media, convert))
        self._photo = None
        if spec.photo is not None:
            column = columns_of(spec.photo, spec.fields[spec.photo])[0].name
            self._photo = OnlyPhoto(spec.photo, places[column])
        if spec.embedded is not None:
            within = others[spec.embedded.resource]
            references = [[places[column] for column in columns] for columns in spec.embedded.columns.values()]
            _hang(self._plan, spec.embedded.path, Embedded(within.copy, spec.embedded.table, references))

    def map(self, feed: str, name: str, stamp: str, fields: dict[str, Any]) -> Mapped:
        """See ``Mapping.map``; ``name`` and ``stamp`` fall back on the record's own elements."""
        draft = self._draft(feed, name or fields.get(self._key), fields)
        if self._photo is not None:
            self._photo(fields, draft)
        return self._finish(
            draft, stamp or fields.get(self._modified), [copy.mapped for _, copy in draft.embedded.values()]
        )

    def copy(self, feed: str, fields: dict[str, Any]) -> Copy:
        """A copy of a record found within another one; the copies within it stand beside it, not in it.

        It has no photo of its own: whether that of its original is kept is for the original to say.
        """
        draft = self._draft(feed, fields.get(self._key), fields)
        mapped = self._finish(draft, fields.get(self._modified), [])
        return Copy(fields, mapped, list(draft.embedded.values()))

    def _draft(self, feed: str, name: Any, fields: dict[str, Any]) -> Draft:
        draft = Draft(feed, checked_key(name), [feed, name, *self._blank], self._tables)
        fill(draft.row, fields, self._plan, "", draft)
        return draft

    def _finish(self, draft: Draft, stamp: Any, embedded: list[Mapped]) -> Mapped:
        row = draft.row
        modified = self._read_stamp(stamp, draft)
        if self._stamp is not None:
            row[self._stamp] = modified
        if self._photos is not None:
            row[self._photos] = len(draft.media)
            changes = [item.modified for item in draft.media if item.modified is not None]
            row[self._photos + 1] = max(changes, default=None)
        extra = draft.finished()
        row[self._extra] = extra or None
        draft.rows[self._table].append(tuple(row))
        content = (self._version, list(draft.rows.values()), draft.media, [copy.hash for copy in embedded])
        try:
            digest = blake2b(_encode(content), digest_size=16).digest()
        except UnicodeEncodeError:
            raise UnmappableError("holds half of a surrogate pair, which is no text") from None
        return Mapped(
            resource=self._name,
            key=draft.key,
            modified=modified,
            rows=draft.rows,
            media=draft.media,
            embedded=embedded,
            extra=extra,
            problems=draft.problems,
            unknown=draft.unknown,
            hash=digest,
        )

    def _read_stamp(self, stamp: Any, draft: Draft) -> datetime | None:
        if not stamp or not isinstance(stamp, str):
            return None  # what is no text was kept when the elements were walked
        try:
            return parse_stamp(modified_in(stamp), self._zone)
        except ValueError:
            if self._stamp is None:
                draft.problems.append(Problem(self._modified, "date"))  # the ledger keeps it verbatim
            else:
                draft.keep(self._modified, stamp, "date")
            return None


def checked_key(name: Any) -> str:
    """``name`` if it can be a record's key, else UnmappableError."""
    if not isinstance(name, str) or not name:
        raise UnmappableError("no key")
    try:
        return str(key(name))
    except (Misfit, UnicodeEncodeError):
        raise UnmappableError(f"not a usable key: {name[:40]!r}") from None


def _own_key(value: Any, path: str, draft: Draft) -> None:
    if value is not None and value not in ("", draft.key):
        draft.keep(path, value, "duplicate")


def _noted(_value: Any, _path: str, _draft: Draft) -> None:
    """Taken already."""


def _own_stamp(value: Any, path: str, draft: Draft) -> None:
    if value is not None and not isinstance(value, str):
        draft.keep(path, value, "shape")


def _hang(plan: Plan, path: str, part: Any) -> None:
    *groups, name = path.split("/")
    inner(plan, groups)[name] = Node(PART, part)


def _plan_of(table: TableSpec, fields: dict[str, FieldLine], convert: dict[Type, Convert]) -> Plan:
    return compile_plan(fields.items(), {column.name: place for place, column in enumerate(table.columns)}, convert)


def _photos(spec: MediaSpec, convert: dict[Type, Convert]) -> Photos:
    columns = [str(line[0]) for line in spec.fields.values()]
    plan = compile_plan(spec.fields.items(), {name: place for place, name in enumerate(columns)}, convert)
    path_of = {str(line[0]): path for path, line in spec.fields.items()}
    plan[path_of["order"]] = Node(TEXT, columns.index("order"), text, sys.maxsize)  # it is the key, as text
    stamps = (path_of["modification_timestamp"], path_of["last_updated"])
    return Photos(plan, columns, path_of["order"], stamps)
