"""The tables of the strategy *incremental*: runs that asked for changes, and the pages of them that were written.

Instants are integers, microseconds since 1970 UTC; those of the MLS's clock are never compared with the store's.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Integer, Table, Text

from shared.store.listing_tables import KEY
from shared.store.metadata import metadata

mark = Table(
    "mark",
    metadata,
    Column("feed", KEY, primary_key=True),
    Column("resource", KEY, primary_key=True),
    Column("run_id", Text, primary_key=True),
    Column("begun", BigInteger, nullable=False, comment="when the run began: the store's clock"),
    Column("reached", BigInteger, comment="up to where it asked for changes: the MLS's clock; null: it told none"),
    Column("pages", Integer, comment="pages of changes it published; null until all are"),
    Column("inventory", BigInteger, comment="observed_at of its proven inventory; null: it took none"),
    Column("settled_at", BigInteger, comment="when the store showed nothing of it open: then reached is the mark"),
    comment="the newest settled run of each resource, and later ones that are not settled",
)

mark_page = Table(
    "mark_page",
    metadata,
    Column("feed", KEY, primary_key=True),
    Column("resource", KEY, primary_key=True),
    Column("run_id", Text, primary_key=True),
    Column("message", Text, primary_key=True, comment="id of the message: delivered twice it counts once"),
    comment="pages of changes written, of runs not yet settled",
)
