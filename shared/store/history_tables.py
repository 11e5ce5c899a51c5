"""What changed of records and when: one table, in the shape of the RESO Data Dictionary's HistoryTransactional."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, DateTime, Index, Table, Text

from shared.store.listing_tables import KEY
from shared.store.metadata import metadata

history_transactional = Table(
    "history_transactional",
    metadata,
    Column("feed", KEY, primary_key=True, comment="Name of the feed"),
    Column("history_transactional_key", KEY, primary_key=True, comment="Key of the entry; keys sort as time does"),
    Column("resource_name", KEY, nullable=False, comment="Resource of the record: property, member, office"),
    Column("resource_record_key", KEY, nullable=False, comment="Key of the record, which may be gone"),
    Column("resource_record_id", Text, comment="The listing_id of a listing"),
    Column(
        "field_name",
        Text,
        comment="Column that changed, or table of the parts that did; NULL where no single field tells of the change",
    ),
    Column("previous_value", Text, comment="What it was, as text: exact numbers, ISO 8601 instants, JSON for lists"),
    Column("new_value", Text, comment="What it became, likewise"),
    Column(
        "change_type",
        Text,
        comment="Price Change, Deleted (gone from the MLS), Back On Market or Active (there again), else NULL",
    ),
    Column(
        "modification_timestamp",
        DateTime(timezone=True),
        nullable=False,
        comment="When the change was made: the record's own timestamp, else when it was observed",
    ),
    Column(
        "observed_at",
        BigInteger,
        nullable=False,
        comment="When it was observed, microseconds since 1970 UTC; later with every change of the same record",
    ),
    comment="What changed of records that were already stored, one row for each value.",
)
Index(
    "ix_history_transactional_record",
    history_transactional.c.feed,
    history_transactional.c.resource_name,
    history_transactional.c.resource_record_key,
)
