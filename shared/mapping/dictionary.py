"""The data dictionary page, from the tables as they are.

``python -m shared.mapping.dictionary > docs/data-dictionary.md`` writes it anew.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

from sqlalchemy import Column, Table
from sqlalchemy.dialects import postgresql

from shared.mapping.columns import ColumnSpec, columns_of
from shared.mapping.spec import MappingSpec, ResourceSpec, load_spec
from shared.store.history_tables import history_transactional
from shared.store.listing_tables import LISTING_TABLES, media
from shared.store.lookup_tables import lookup
from shared.store.object_tables import record_object

INTRODUCTION = """\
# Data dictionary

Every table a reader of the database meets, with the source element of each column. This page is generated from the
mapping (`shared/mapping/ddf.yaml`) by `python -m shared.mapping.dictionary`; a test keeps it current.

Names are those of the RESO Data Dictionary 2.0 in snake_case; an element of DDF that has none there keeps its own.
Types are PostgreSQL's; SQLite holds the same values (JSON as text, instants as ISO 8601 text in UTC). An empty element
is NULL. Instants are UTC; what the MLS writes without an offset is read as {zone} time.

- The view `property` is `property_record` with `modification_timestamp`, the listing's own `LastUpdated`, and what the
  listing's codes stand for. Read the view. Where the MLS has no coordinates, its `latitude` and `longitude` are those
  of the address if a geocoder is set: `coordinates_source` is `mls` or the geocoder's host, NULL without coordinates;
  `coordinates_precision` tells how near a geocoder's are: `rooftop`, `interpolated` (between two known houses),
  `street`, `neighbourhood`, `postcode` or `city`.
- `extra` holds, by source path, the elements nobody knows yet and the values that do not fit their column, verbatim.
  Its member `#unfit` has, by the same paths, the reason for each value that does not fit. `mlsync status` counts both.
- A measure has three columns: the number, its unit, and the text as sent. Text that is no number with a unit stands in
  the third alone.
- Columns without a source element are for other MLSs, whose fields `shared/mapping/rets.yaml` assigns.
- Parts of a record (rooms, photos, …) carry its key; `order` is their place in the order given, from 1.
"""


def render() -> str:
    """The whole page as Markdown."""
    spec = load_spec("ddf")
    return "\n".join([INTRODUCTION.format(zone=spec.zone), *_page(spec)]) + "\n"


def _page(spec: MappingSpec) -> Iterator[str]:
    for resource in spec.resources:
        for table in spec.tables(resource):
            yield from _table(LISTING_TABLES[table.name], {column.name: column for column in table.columns})
            if table.name == spec.resources[resource].table:
                yield from _view(resource, spec.resources[resource])
        described = spec.resources[resource].media
        if described is not None:
            lines = ((f"{described.path}/{path}", line) for path, line in described.fields.items())
            yield from _table(media, {column.name: column for path, line in lines for column in columns_of(path, line)})
    yield from _table(record_object, {})
    yield from _table(lookup, {})
    yield from _table(history_transactional, {})


def _table(table: Table, sources: dict[str, ColumnSpec]) -> Iterator[str]:
    yield f"## {table.name}"
    yield ""
    yield _escaped(table.comment or "")
    yield ""
    yield "| Column | Type | Source element | Meaning |"
    yield "| --- | --- | --- | --- |"
    for column in table.columns:
        known = sources.get(column.name)
        source = ", ".join(f"`{path}`" for path in known.source.split(", ")) if known and known.source else ""
        about = known.about if known is not None else column.comment
        name = f"**`{column.name}`**" if column.primary_key else f"`{column.name}`"
        yield f"| {name} | {_type(column, known)} | {source} | {_escaped(about or '')} |"
    yield ""


def _view(resource: str, spec: ResourceSpec) -> Iterator[str]:
    """What the view of a resource that has one adds to its table."""
    path, column, about = spec.modified
    if column is not None:
        return
    yield f"## {resource}"
    yield ""
    yield f"The view to read: every column of `{spec.table}`, and these."
    yield ""
    yield "| Column | Type | Source element | Meaning |"
    yield "| --- | --- | --- | --- |"
    yield f"| `modification_timestamp` | timestamptz | `{path}` | {_escaped(about)} |"
    for decoded in spec.decoded:
        known = decoded.column
        yield (
            f"| `{known.name}` | {known.kind} | `{known.source}` | {_escaped(known.about)}: the text of "
            f"`{decoded.code}` in the lookup {decoded.lookup}, as it is now; NULL where the lookup has none |"
        )
    yield ""


def _type(column: Column[object], known: ColumnSpec | None) -> str:
    if known is not None and known.kind == "list":
        return "jsonb, array of text"
    name = column.type.compile(dialect=postgresql.dialect()).lower()  # type: ignore[no-untyped-call]
    return name.partition(" collate")[0].replace("timestamp with time zone", "timestamptz")


def _escaped(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    sys.stdout.write(render())
