"""The metadata of feeds whose records are named by them, version by version.

Instants are integers, microseconds since 1970 UTC, of the store's clock.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Integer, LargeBinary, Table, Text

from shared.store.listing_tables import KEY
from shared.store.metadata import metadata

metadata_document = Table(
    "metadata_document",
    metadata,
    Column("feed", KEY, primary_key=True),
    Column(
        "number", Integer, primary_key=True, autoincrement=False, comment="1, 2, …: the greatest is what counts now"
    ),
    Column("version", Text, nullable=False, comment="as the metadata name it themselves; empty: they do not"),
    Column("timestamp", Text, nullable=False, comment="their date, likewise"),
    Column("digest", Text, nullable=False, comment="SHA-256 of all that they say but version and date"),
    Column("read_at", BigInteger, nullable=False, comment="when they were first read as they are"),
    Column("document", LargeBinary, comment="all of them, JSON, zstd; null: there are enough newer ones"),
    comment="metadata of each feed, by which its records are named",
)

metadata_view = Table(
    "metadata_view",
    metadata,
    Column("name", KEY, primary_key=True),
    Column("feed", KEY, nullable=False),
    Column("resource", Text, nullable=False, comment="as the MLS calls it"),
    Column("class_name", Text, nullable=False, comment="likewise"),
    Column("digest", Text, nullable=False, comment="of the statement that made it"),
    comment="views of the classes of feeds",
)
