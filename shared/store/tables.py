"""Every table of the store, and the view people read listings through."""

from __future__ import annotations

from sqlalchemy import Index, text

from shared.store import state_tables
from shared.store.listing_tables import TABLES_OF, media, property_record
from shared.store.metadata import metadata

__all__ = ["PROPERTY_VIEW", "TABLES_OF", "metadata", "state_tables"]


Index("media_pending", media.c.feed, media.c.resource_name, media.c.resource_record_key,
      sqlite_where=text("pending"), postgresql_where=text("pending"))

_COLUMNS = ", ".join(f'r."{column.name}"' for column in property_record.columns)
PROPERTY_VIEW = (
    f"CREATE VIEW property AS SELECT {_COLUMNS}, l.modification_timestamp FROM property_record r "  # noqa: S608
    "JOIN ledger l ON l.feed = r.feed AND l.resource = 'property' AND l.key = r.listing_key"
)
"""A listing's row with its timestamp, which lives in the ledger: a listing touched but not changed rewrites no row."""
