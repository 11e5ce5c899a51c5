"""From source records to typed rows under RESO names, as a mapping file says."""

from __future__ import annotations

from functools import cache
from hashlib import blake2b
from zoneinfo import ZoneInfo

import msgspec

from shared.mapping.columns import columns_of
from shared.mapping.convert import converters
from shared.mapping.elements import elements_of
from shared.mapping.record import Mapped
from shared.mapping.resource import Resource
from shared.mapping.spec import MappingSpec, load_spec
from shared.messages import SourceRecord


class Mapping:
    """One mapping file, compiled. Safe to use from many threads."""

    def __init__(self, spec: MappingSpec) -> None:
        self.columns: dict[str, tuple[str, ...]] = {}
        """Of every table the column names, in the order of the tuples in ``Mapped.rows``."""
        self.elements = {name: elements_of(resource) for name, resource in spec.resources.items()}
        """Of every resource what becomes of its elements."""
        self._resources: dict[str, Resource] = {}
        zone = ZoneInfo(spec.zone)
        convert = converters(zone)
        self.version = version = _version(spec)
        """Changes whenever the same record may give other rows."""
        waiting = dict(spec.resources)
        while waiting:  # a resource is compiled after those embedded in it
            name, resource = next(
                (name, resource)
                for name, resource in waiting.items()
                if resource.embedded is None or resource.embedded.resource in self._resources
            )
            del waiting[name]
            tables = spec.tables(name)
            self.columns |= {table.name: tuple(column.name for column in table.columns) for table in tables}
            self._resources[name] = Resource(
                name, resource, tables, self._resources, zone=zone, convert=convert, version=version
            )

    @property
    def resources(self) -> tuple[str, ...]:
        """The resources that can be mapped."""
        return tuple(self._resources)

    def map(self, feed: str, resource: str, record: SourceRecord) -> Mapped:
        """``record`` in typed form, for the rows of ``feed``. Pure: the same record gives the same rows and hash.

        An empty element is NULL. A value that does not fit its column (range, date, type, shape, NUL) stands verbatim
        in ``extra`` under its path, its column is NULL and a Problem says why; an element no line of the mapping knows
        stands in ``extra`` too and is named in ``unknown``. Nothing is lost and nothing raises, but for
        UnmappableError: the record has no key that can be one, or unknown elements nested beyond reason.
        Raises KeyError for a resource that is not one of ``resources``.
        """
        return self._resources[resource].map(feed, record.key, record.stamp, record.fields)


def _version(spec: MappingSpec) -> bytes:
    """What a hash depends on beside the record: every path with its columns and type, and the declared version."""
    lines = [
        (name, path, line[1], [column.name for column in columns_of(path, line)])
        for name, resource in spec.resources.items()
        for part in (
            {"": resource.fields}
            | {path: child.fields for path, child in resource.children.items()}
            | ({} if resource.media is None else {resource.media.path: resource.media.fields})
            | ({} if resource.photo is None else {"photo": {resource.photo: resource.fields[resource.photo]}})
        ).items()
        for path, line in ((f"{part[0]}/{inner}", line) for inner, line in part[1].items())
    ]
    return blake2b(msgspec.msgpack.encode((spec.version, spec.zone, lines)), digest_size=8).digest()


@cache
def load(name: str) -> Mapping:
    """The mapping ``name`` (see ``load_spec``). Raises MappingError when there is none or its file is wrong."""
    return Mapping(load_spec(name))
