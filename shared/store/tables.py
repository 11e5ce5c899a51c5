"""Every table of the store, and the view people read listings through."""

from __future__ import annotations

from shared.store import lookup_tables, state_tables
from shared.store.listing_tables import DDF, TABLES_OF, property_record
from shared.store.metadata import metadata

__all__ = ["PROPERTY_VIEW", "TABLES_OF", "lookup_tables", "metadata", "state_tables"]


_COLUMNS = ", ".join(f'r."{column.name}"' for column in property_record.columns)
_DECODED = DDF.resources["property"].decoded
PROPERTY_VIEW = (
    f"CREATE VIEW property AS SELECT {_COLUMNS}, l.modification_timestamp"
    + "".join(f', v{n}.lookup_value AS "{item.column.name}"' for n, item in enumerate(_DECODED, start=1))
    + " FROM property_record r JOIN ledger l ON l.feed = r.feed AND l.resource = 'property' AND l.key = r.listing_key"
    + "".join(
        f" LEFT JOIN lookup v{n} ON v{n}.feed = r.feed AND v{n}.resource_name = 'property' "
        f"AND v{n}.lookup_name = '{item.lookup}' AND v{n}.code = r.\"{item.code}\""
        for n, item in enumerate(_DECODED, start=1)
    )
)
"""A listing's row with what it does not hold itself.

Its timestamp lives in the ledger: a listing touched but not changed rewrites no row. The texts its codes stand for are
those of the metadata as they are now: they change without it.
"""
