"""What the MLS says of its data, and what of them nobody expected: lookups, the state of metadata, odd elements."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, DateTime, Index, Integer, Table, Text

from shared.store.listing_tables import KEY, property_record
from shared.store.metadata import metadata

lookup = Table(
    "lookup",
    metadata,
    Column("feed", KEY, primary_key=True, comment="Name of the feed"),
    Column("resource_name", KEY, primary_key=True, comment="Resource whose records have the codes: property"),
    Column("lookup_name", KEY, primary_key=True, comment="Name of the lookup, as the MLS has it (LookupName)"),
    Column("code", KEY, primary_key=True, comment="The value as coded (Value)"),
    Column("lookup_value", Text, nullable=False, comment="What it stands for, in words (LongValue)"),
    Column("short_value", Text, comment="The same in short, where the MLS has that (ShortValue)"),
    Column("lookup_key", Text, comment="The MLS's own key of the line, where it has one (MetadataEntryID)"),
    Column("language", Text, nullable=False, comment="Language of the texts"),
    Column("metadata_version", Text, nullable=False, comment="The newest version of the metadata that has the value"),
    Column(
        "modification_timestamp", DateTime(timezone=True), nullable=False, comment="When it was first read as it is"
    ),
    Column("removed_at", DateTime(timezone=True), comment="When the metadata were first read without it; NULL: in use"),
    comment="Values of lookups: what the codes of the MLS stand for. Those it has no more are marked, never deleted.",
)

metadata_state = Table(
    "metadata_state",
    metadata,
    Column("feed", KEY, primary_key=True),
    Column("version", Text, comment="of the metadata stored, as the login named it; null before the first reading"),
    Column("timestamp", Text, comment="their timestamp, likewise"),
    Column("min_version", Text, comment="the oldest version a client may work with, likewise"),
    Column("language", Text, comment="the language they were asked for in"),
    Column("read_at", BigInteger),
    Column(
        "failed_version", Text, comment="of the metadata that could not be read; null when the last reading went well"
    ),
    Column("failed_timestamp", Text),
    Column("failed_language", Text),
    Column("failed_at", BigInteger),
    Column("failure", Text, comment="why"),
    Column("attempts", Integer, nullable=False, comment="times they were tried in vain"),
    Column("next_attempt_at", BigInteger, comment="end of the back-off; null: at the next sync"),
    comment="which metadata of each feed are stored, and the last failure to read others",
)

extra_element = Table(
    "extra_element",
    metadata,
    Column("feed", KEY, primary_key=True),
    Column("resource", KEY, primary_key=True),
    Column("element", KEY, primary_key=True, comment="path without places among siblings, of bounded length"),
    Column("reason", KEY, primary_key=True, comment="why its value fits no column; empty: no mapping knows it"),
    Column("first_seen", BigInteger, nullable=False, comment="observed_at of the first record read with it"),
    Column("last_seen", BigInteger, nullable=False, comment="observed_at of the last"),
    comment="elements ever found in extra; how many records hold them now is counted there",
)

Index(
    "property_record_extra",
    property_record.c.feed,
    sqlite_where=property_record.c.extra.is_not(None),
    postgresql_where=property_record.c.extra.is_not(None),
)
