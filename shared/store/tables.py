"""Every table of the store, and the view people read listings through."""

from __future__ import annotations

from shared.store import history_tables, state_tables
from shared.store.listing_tables import TABLES_OF, property_record
from shared.store.metadata import metadata

__all__ = ["PROPERTY_VIEW", "TABLES_OF", "history_tables", "metadata", "state_tables"]


_COLUMNS = ", ".join(f'r."{column.name}"' for column in property_record.columns)
PROPERTY_VIEW = (
    f"CREATE VIEW property AS SELECT {_COLUMNS}, l.modification_timestamp FROM property_record r "
    "JOIN ledger l ON l.feed = r.feed AND l.resource = 'property' AND l.key = r.listing_key"
)
"""A listing's row with its timestamp, which lives in the ledger: a listing touched but not changed rewrites no row."""
