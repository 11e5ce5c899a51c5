"""The metadata of feeds whose records are named by them, version by version.

Instants are integers, microseconds since 1970 UTC, of the store's clock.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Integer, LargeBinary, Table, Text

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

metadata_field = Table(
    "metadata_field",
    metadata,
    Column("feed", KEY, primary_key=True),
    Column("resource", KEY, primary_key=True),
    Column("class_name", KEY, primary_key=True),
    Column("element", KEY, primary_key=True, comment="what its values are called in records, extra and history"),
    Column("system_name", Text, nullable=False, comment="what the MLS calls it, or called it last"),
    Column("entry", Text, nullable=False, comment="its MetadataEntryID; empty: it has none"),
    Column("standard", Boolean, nullable=False, comment="whether element is, or was, its StandardName"),
    Column("state", Text, nullable=False, comment="empty: the MLS has it; else removed, or held: too many vanished"),
    Column("since", BigInteger, comment="since when it is removed or held"),
    comment="fields that classes of each feed have or had; values of removed ones stay as they were last read",
)

metadata_class = Table(
    "metadata_class",
    metadata,
    Column("feed", KEY, primary_key=True),
    Column("resource", KEY, primary_key=True),
    Column("class_name", KEY, primary_key=True),
    Column("key_field", Text, nullable=False, comment="SystemName of the key it was read by"),
    Column("timestamp_field", Text, nullable=False, comment="SystemName of the timestamp; empty: it has none"),
    Column("pictured", Boolean, nullable=False, comment="whether its records tell of photos"),
    Column("stopped", Text, nullable=False, comment="why it is not read; empty: it is"),
    Column("since", BigInteger, comment="since when it is not"),
    comment="classes of each feed as they were read",
)

metadata_difference = Table(
    "metadata_difference",
    metadata,
    Column("feed", KEY, primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False, comment="of the metadata that differ"),
    Column("place", Integer, primary_key=True, autoincrement=False, comment="order among the differences of these"),
    Column("seen_at", BigInteger, nullable=False, comment="when these were first read"),
    Column("version", Text, nullable=False, comment="as they name it themselves"),
    Column("subject", Text, nullable=False, comment="resource, class, field, lookup, lookup value, object type"),
    Column("change", Text, nullable=False, comment="added, renamed, changed, removed"),
    Column("parent", Text, nullable=False, comment="names above it"),
    Column("name", Text, nullable=False),
    Column("was", Text, nullable=False, comment="its name before, where it was renamed"),
    Column("told", Text, nullable=False, comment="all of it in words"),
    comment="what each version of the metadata changed",
)

metadata_compared = Table(
    "metadata_compared",
    metadata,
    Column("feed", KEY, primary_key=True),
    Column("number", Integer, nullable=False, comment="of the newest metadata compared with those before"),
    comment="up to which version metadata have been compared",
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
