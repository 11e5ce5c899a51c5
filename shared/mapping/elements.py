"""What becomes of each element of a record, so that two versions can be compared by the elements that differ alone."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Final

from shared.mapping.columns import columns_of
from shared.mapping.spec import ResourceSpec

MEDIA: Final = "media"
"""The field that a record's photos are."""


@dataclass(frozen=True, slots=True)
class Elements:
    """Of one resource. ``akin`` are the top elements of which a column is that others fill as well: which one does
    depends on all. ``groups`` only wrap others, each of them mapped by itself.
    """

    akin: frozenset[str]
    groups: frozenset[str]
    _fields: dict[str, frozenset[str]]
    _stamp: frozenset[str]

    def fields(self, elements: Collection[str]) -> frozenset[str]:
        """The columns of the resource's own table, the tables of parts, and ``media``, that depend on any of these:
        top elements, ``group/element``. What is stored of the record's own timestamp is always among them."""
        return self._stamp.union(*(self._fields.get(element, ()) for element in elements))


def elements_of(spec: ResourceSpec) -> Elements:
    """Those of a resource as a mapping file describes it."""
    paths: dict[str, list[str]] = {}
    for path, line in spec.fields.items():
        for column in columns_of(path, line):
            paths.setdefault(column.name, []).append(path)
    akin = frozenset(_top(path) for shared in paths.values() if len(shared) > 1 for path in shared)
    filled = list(_filled(spec))
    whole = akin | {path for path, _ in filled}
    groups = frozenset(_top(path) for path, _ in filled) - whole
    fields: dict[str, set[str]] = {}
    for path, names in filled:
        top, *within = path.split("/")
        fields.setdefault(f"{top}/{within[0]}" if top in groups else top, set()).update(names)
    stamp = frozenset(name for name in spec.modified[1:2] if name is not None)
    return Elements(akin, groups, {element: frozenset(names) for element, names in fields.items()}, stamp)


def _filled(spec: ResourceSpec) -> Iterator[tuple[str, list[str]]]:
    """The path of everything a resource is made of, and the fields that depend on it."""
    for path, line in spec.fields.items():
        yield path, [column.name for column in columns_of(path, line)]
    for path, child in spec.children.items():
        yield path, [child.table]
    if spec.media is not None:
        yield spec.media.path, [MEDIA, "photos_count", "photos_change_timestamp"]
    if spec.photo is not None:
        yield spec.photo, [MEDIA]
    if spec.embedded is not None:
        references = [name for names in spec.embedded.columns.values() for name in names]
        yield spec.embedded.path, [*references, *([] if spec.embedded.table is None else [spec.embedded.table])]


def _top(path: str) -> str:
    return path.partition("/")[0]
