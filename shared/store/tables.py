"""Every table of the store, and the view people read listings through."""

from __future__ import annotations

from shared.store import (
    budget_tables,
    geocode_tables,
    history_tables,
    lease_tables,
    lookup_tables,
    mark_tables,
    metadata_tables,
    object_tables,
    state_tables,
)
from shared.store.listing_tables import DDF, TABLES_OF, property_record
from shared.store.metadata import metadata

__all__ = [
    "PROPERTY_VIEW", "TABLES_OF", "budget_tables", "geocode_tables", "history_tables", "lease_tables", "lookup_tables",
    "mark_tables", "metadata", "metadata_tables", "object_tables", "state_tables",
]  # fmt: skip


_GEOCODED = "(r.latitude IS NULL OR r.longitude IS NULL) AND g.latitude IS NOT NULL"
_COLUMNS = ", ".join(
    f"CASE WHEN {_GEOCODED} THEN g.{column.name} ELSE r.{column.name} END AS {column.name}"
    if column.name in ("latitude", "longitude")
    else f'r."{column.name}"'
    for column in property_record.columns
)
_DECODED = DDF.resources["property"].decoded
PROPERTY_VIEW = (
    f"CREATE VIEW property AS SELECT {_COLUMNS}, l.modification_timestamp"
    + "".join(f', v{n}.lookup_value AS "{item.column.name}"' for n, item in enumerate(_DECODED, start=1))
    + ", CASE WHEN r.latitude IS NOT NULL AND r.longitude IS NOT NULL THEN 'mls' ELSE g.source END "
    f"AS coordinates_source, CASE WHEN {_GEOCODED} THEN g.precision END AS coordinates_precision "
    "FROM property_record r JOIN ledger l ON l.feed = r.feed AND l.resource = 'property' AND l.key = r.listing_key "
    "LEFT JOIN listing_address a ON a.feed = r.feed AND a.listing_key = r.listing_key "
    "LEFT JOIN geocode g ON g.address = a.address AND g.latitude IS NOT NULL"
    + "".join(
        f" LEFT JOIN lookup v{n} ON v{n}.feed = r.feed AND v{n}.resource_name = 'property' "
        f"AND v{n}.lookup_name = '{item.lookup}' AND v{n}.code = r.\"{item.code}\""
        for n, item in enumerate(_DECODED, start=1)
    )
)
"""A listing's row with what it does not hold itself.

Its timestamp lives in the ledger: a listing touched but not changed rewrites no row. The texts its codes stand for are
those of the metadata as they are now: they change without it. Its coordinates are the MLS's own, or else those of its
address.
"""
