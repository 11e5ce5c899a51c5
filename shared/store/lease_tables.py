"""What processes agree upon through the store: who does what now, which syncs are asked for, how far a run has come.

Instants are integers, microseconds since 1970 UTC, of the store's clock.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Integer, Table, Text

from shared.store.listing_tables import KEY
from shared.store.metadata import metadata

lease = Table(
    "lease",
    metadata,
    Column("name", KEY, primary_key=True, comment="fetcher:<feed>, or session:<feed>:<slot>"),
    Column("holder", Text, nullable=False, comment="the process that has it"),
    Column("until", BigInteger, nullable=False, comment="when it ends by itself"),
    comment="what one process at a time may do",
)

sync_request = Table(
    "sync_request",
    metadata,
    Column("request_id", Text, primary_key=True),
    Column("feed", KEY, primary_key=True),
    Column("most", Integer, comment="fetch only so many listings; null: all"),
    Column("patience", BigInteger, nullable=False, comment="microseconds to wait for what is due later"),
    Column("requested_at", BigInteger, nullable=False),
    Column("run_id", Text, comment="the run that serves it; null: none yet"),
    Column("report", Text, comment="what came of it, as JSON; null: not done yet"),
    comment="syncs that `mlsync sync` asks of the process that has the feed's lease",
)

run_part = Table(
    "run_part",
    metadata,
    Column("run_id", Text, primary_key=True),
    Column("feed", KEY, primary_key=True),
    Column("resource", KEY, primary_key=True),
    Column("part", Integer, primary_key=True, comment="number of the range"),
    Column("at", BigInteger, nullable=False),
    comment="ranges of a run's inventories that were handled, proven or not, for as long as the run may ask",
)
