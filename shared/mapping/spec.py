"""A mapping file in memory, checked: which source element goes to which table and column, as which type.

The format is described at the top of ``ddf.yaml``. What the tables look like follows from the mapping alone
(``MappingSpec.tables``), so the tables, the data dictionary and the mapping code cannot disagree.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from importlib import resources
from pathlib import Path
from typing import NamedTuple

import msgspec
import yaml

from shared.mapping.columns import ColumnSpec, FieldLine, Kind, MappingError, TableSpec, columns_of, distinct_columns
from shared.mapping.files import read_yaml


class ChildSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Repeated elements that become the rows of a table of their own, in the order given.

    ``key`` is the column of a key of their own. ``own`` are the elements of key and timestamp where the MLS gives such:
    the key then stands in that column, the timestamp in none.
    """

    table: str
    about: str
    fields: dict[str, FieldLine]
    key: str | None = None
    own: tuple[str, str] | None = None


class MediaSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Repeated elements that describe photos."""

    path: str
    fields: dict[str, FieldLine]


class EmbeddedSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Elements that are records of another resource; ``columns`` are those of this record that refer to them."""

    path: str
    resource: str
    columns: dict[str, list[str]]
    table: str | None = None
    about: str = ""


class DecodedSpec(NamedTuple):
    """A column of a resource's view: what the value of ``lookup`` whose code stands in the column ``code`` means."""

    column: ColumnSpec
    code: str
    lookup: str


class ResourceSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One resource: its own table, its key and timestamp, and what hangs on it.

    ``key`` and ``modified`` are source element, column and description; a timestamp without a column stands in the
    ledger only, so that a record that was touched but not changed rewrites no row, and is added by the view that the
    resource is then read through. ``photo`` is one of ``fields``: when the record's only photo last changed.
    ``lookups`` are, by element, further columns of that view: the column, the lookup that the element's codes are of,
    a description. ``further`` are columns that this mapping does not fill and others may: what each holds, and means.
    """

    table: str
    about: str
    key: tuple[str, str, str]
    modified: tuple[str, str | None, str]
    fields: dict[str, FieldLine]
    lookups: dict[str, tuple[str, str, str]] = {}
    children: dict[str, ChildSpec] = {}
    media: MediaSpec | None = None
    photo: str | None = None
    embedded: EmbeddedSpec | None = None
    further: dict[str, tuple[Kind, str]] = {}

    @property
    def decoded(self) -> tuple[DecodedSpec, ...]:
        """The columns that the resource's view adds for its codes. Raises MappingError for what cannot be decoded."""
        return tuple(self._decoded(path, *line) for path, line in self.lookups.items())

    def _decoded(self, path: str, column: str, lookup: str, about: str) -> DecodedSpec:
        if self.modified[1] is not None:
            raise MappingError(f"{path}: only what is read through a view has lookups, which {self.table} is not")
        named, kind, _ = self.fields.get(path, ("", "text", ""))
        if kind != "code" or not isinstance(named, str):
            raise MappingError(f"{path}: lookups are for elements of type code")
        return DecodedSpec(ColumnSpec(column, "text", about, path), named, lookup)


class MappingSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A whole mapping file. ``layout`` names another one whose tables it fills, where it has none of its own."""

    version: int
    zone: str
    resources: dict[str, ResourceSpec]
    layout: str = ""

    def tables(self, resource: str) -> tuple[TableSpec, ...]:
        """The tables of ``resource``, its own first; not ``media``, which is shared and holds the photos' state.

        Raises MappingError when a line names a column that the layout does not have.
        """
        if not self.layout:
            return tuple(_tables(resource, self.resources[resource]))
        return tuple(laid_out(self.resources[resource], load_spec(self.layout).tables(resource)))


_FITS = {("decimal", "measure"), ("integer", "measure"), ("integer", "decimal"), ("code", "text"), ("key", "text"),
         ("money", "measure")}  # fmt: skip
"""What else a column may be filled with than what it holds."""
_OWN = frozenset({"feed", "extra", "photos_count", "photos_change_timestamp"})
"""Columns that no line fills."""


def laid_out(spec: ResourceSpec, tables: tuple[TableSpec, ...]) -> Iterator[TableSpec]:
    """``tables`` with the sources that this resource has for their columns. Raises MappingError."""
    own, *parts = tables
    if spec.table != own.name:
        raise MappingError(f"{spec.table}: the layout calls it {own.name}")
    given = {column.name: column for column in distinct_columns(spec.fields.items())}
    for name in (spec.key[1], spec.modified[1]):
        if name in given:
            raise MappingError(f"{given[name].source}: {own.name} has no column {name} to fill")
    given[spec.key[1]] = ColumnSpec(spec.key[1], "key", spec.key[2], spec.key[0], key=True)
    if spec.modified[1] is not None:
        given[spec.modified[1]] = ColumnSpec(spec.modified[1], "timestamp", spec.modified[2], spec.modified[0])
    yield _sourced(own, given)
    children = {child.table: (path, child) for path, child in spec.children.items()}
    if unknown := children.keys() - {part.name for part in parts}:
        raise MappingError(f"{', '.join(sorted(unknown))}: the layout has no such table")
    for part in parts:
        path, child = children.get(part.name, ("", None))
        lines = child.fields.items() if child is not None else ()
        yield _sourced(
            part, {column.name: column for column in distinct_columns((f"{path}/{name}", line) for name, line in lines)}
        )


def _sourced(table: TableSpec, given: dict[str, ColumnSpec]) -> TableSpec:
    known = {column.name: column for column in table.columns}
    for column in given.values():
        there = known.get(column.name)
        if there is None or there.name in _OWN or there.key != column.key:
            raise MappingError(f"{column.source}: {table.name} has no column {column.name} to fill")
        if there.kind != column.kind and (column.kind, there.kind) not in _FITS:
            raise MappingError(f"{column.source}: the column {column.name} holds {there.kind}, not {column.kind}")
    columns = (
        replace(column, source=given[column.name].source, about=given[column.name].about)
        if column.name in given
        else replace(column, source="")
        for column in table.columns
    )
    return replace(table, columns=tuple(columns))


def changed_by(spec: MappingSpec, file: Path) -> MappingSpec:
    """The mapping as a feed's own file changes it: by resource and element a line as in the mapping files. A column
    that it names is filled by what it says alone. Raises MappingError."""
    try:
        lines = msgspec.convert(read_yaml(file.read_text("utf-8")) or {}, dict[str, dict[str, FieldLine]])
    except OSError as error:
        raise MappingError(f"{file} cannot be read: {error.strerror}") from None
    except (yaml.YAMLError, msgspec.ValidationError, UnicodeDecodeError) as error:
        raise MappingError(f"{file}: {error}") from None
    changed = dict(spec.resources)
    for resource, fields in lines.items():
        if resource not in changed:
            raise MappingError(f"{file}: {resource} is no resource; there are {', '.join(changed)}")
        taken = {column.name for path, line in fields.items() for column in columns_of(path, line)}
        kept = {
            path: line
            for path, line in changed[resource].fields.items()
            if path not in fields and taken.isdisjoint(column.name for column in columns_of(path, line))
        }
        changed[resource] = msgspec.structs.replace(changed[resource], fields=kept | fields)
    found = msgspec.structs.replace(spec, resources=changed)
    try:
        check(str(file), found)
    except MappingError as error:
        raise MappingError(f"{file}: {error}") from None
    return found


FEED = ColumnSpec("feed", "key", "Name of the feed", key=True)


EXTRA = ColumnSpec("extra", "json", "By element: what the mapping does not know, and what does not fit its column")


def _tables(name: str, spec: ResourceSpec) -> Iterator[TableSpec]:
    key = ColumnSpec(spec.key[1], "key", spec.key[2], spec.key[0], key=True)
    yield TableSpec(spec.table, name, spec.about, (FEED, key, *_own(spec)))
    for path, child in spec.children.items():
        named = (
            []
            if child.key is None
            else [ColumnSpec(child.key, "key", "The key of what it belongs to, a hyphen and the place", key=True)]
        )
        order = ColumnSpec("order", "integer", "Place among its like, from 1", path, key=not named)
        columns = distinct_columns((f"{path}/{part}", line) for part, line in child.fields.items())
        yield TableSpec(child.table, name, child.about, (FEED, key, *named, order, *columns))
    if spec.embedded is not None and spec.embedded.table is not None:
        yield TableSpec(spec.embedded.table, name, spec.embedded.about, (FEED, key, *_links(spec.embedded)))


def _own(spec: ResourceSpec) -> Iterator[ColumnSpec]:
    """The columns of a resource's own table behind its key."""
    path, column, about = spec.modified
    if column is not None:
        yield ColumnSpec(column, "timestamp", about, path)
    yield from distinct_columns(spec.fields.items())
    if spec.media is not None:
        yield ColumnSpec("photos_count", "integer", "Number of photos", spec.media.path)
        yield ColumnSpec("photos_change_timestamp", "timestamp", "When a photo last changed", spec.media.path)
    if spec.embedded is not None:
        for kind, columns in spec.embedded.columns.items():
            for place, name in enumerate(columns, start=1):
                yield ColumnSpec(name, "key", f"{kind} of number {place}", embedded_path(spec.embedded, kind))
    yield EXTRA
    for name, (holds, about) in spec.further.items():
        yield ColumnSpec(name, holds, about)


def _links(spec: EmbeddedSpec) -> Iterator[ColumnSpec]:
    """The columns behind the key of the table that says which records are embedded in which."""
    first, *others = spec.columns
    yield ColumnSpec(first, "key", "Key of the embedded record", embedded_path(spec, first), key=True)
    yield ColumnSpec("order", "integer", "Place among its like, from 1", spec.path)
    for kind in others:
        yield ColumnSpec(kind, "key", "Key of the record embedded in that one", embedded_path(spec, kind))


def embedded_path(spec: EmbeddedSpec, kind: str) -> str:
    """Where the key of the embedded record, or of the one within that, stands in the source."""
    return f"{spec.path}/@ID" if kind == next(iter(spec.columns)) else f"{spec.path}/Office/@ID"


@cache
def load_spec(name: str) -> MappingSpec:
    """The mapping file ``<name>.yaml`` of this package; of a name with a file's path behind it (``rets /feed.yaml``) as
    that file changes it. Raises MappingError when there is none or it is wrong."""
    name, _, path = name.partition(" ")
    if path:
        return changed_by(load_spec(name), Path(path))
    file = resources.files("shared.mapping") / f"{name}.yaml"
    if not file.is_file():
        raise MappingError(f"no mapping is called {name!r}")
    try:
        spec = msgspec.convert(read_yaml(file.read_text("utf-8")), MappingSpec)
    except (yaml.YAMLError, msgspec.ValidationError) as error:
        raise MappingError(f"{name}.yaml: {error}") from error
    check(f"{name}.yaml", spec)
    return spec


def check(file: str, spec: MappingSpec) -> None:
    """Raises MappingError for columns that are there twice, or not at all."""
    for resource in spec.resources:
        for table in spec.tables(resource):
            names = [column.name for column in table.columns]
            if len(set(names)) != len(names):
                raise MappingError(f"{file}: {table.name} has a column twice")
        photo = spec.resources[resource].photo
        if photo is not None and (photo not in spec.resources[resource].fields or "/" in photo):
            raise MappingError(f"{file}: {resource}: photo: {photo} is no element of its own among the fields")
        own = {column.name for column in spec.tables(resource)[0].columns}
        for decoded in spec.resources[resource].decoded:
            if decoded.column.name in own:
                raise MappingError(f"{file}: {decoded.column.name} is a column already")


@cache
def columns_by_element(name: str) -> dict[tuple[str, str], str]:
    """Of the mapping ``name``, by resource and element the (first) column that the element's value goes to, with its
    table. Raises MappingError when there is no such mapping."""
    found: dict[tuple[str, str], str] = {}
    for resource, described in load_spec(name).resources.items():
        for table in load_spec(name).tables(resource):
            for column in table.columns:
                for path in column.source.split(", ") if column.source else ():
                    found.setdefault((resource, path), f"{table.name}.{column.name}")
        if described.media is not None:
            for path, line in described.media.fields.items():
                column = columns_of(f"{described.media.path}/{path}", line)[0]
                found.setdefault((resource, column.source), f"media.{column.name}")
    return found
