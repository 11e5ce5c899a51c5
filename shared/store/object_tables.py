"""Objects of records that are no photos (plats, films, recordings): those that are there, and what is wanted of them.

How many of a type a record has only the MLS's answer tells, so they are wanted by type, as a set.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, Table, Text

from shared.store.listing_tables import KEY
from shared.store.metadata import metadata

record_object = Table(
    "record_object",
    metadata,
    Column("feed", KEY, primary_key=True, comment="Name of the feed"),
    Column("resource_name", KEY, primary_key=True, comment="Resource of the record: property, member, office"),
    Column("resource_record_key", KEY, primary_key=True, comment="Key of the record the object belongs to"),
    Column("object_type", KEY, primary_key=True, comment="Type of object, as the MLS's metadata name it"),
    Column(
        "order",
        Integer,
        primary_key=True,
        autoincrement=False,
        comment="Number of the object: the MLS's, or else its place",
    ),
    Column("long_description", Text, comment="What the MLS says of it"),
    Column("media_url", Text, comment="Where the MLS shows it; NULL when its bytes are stored"),
    Column("object_key", Text, comment="Name of the stored bytes in the photo store; NULL of a link"),
    Column("content_sha256", Text, comment="SHA-256 of the stored bytes, 64 hexadecimal digits"),
    Column("byte_size", BigInteger, comment="Size of the stored bytes"),
    Column("mime_type", Text, comment="Type of the stored bytes, by their beginning or as the MLS says"),
    Column("stored_version", Text, nullable=False, comment="Version of its set that it came with"),
    comment="Objects that are no photos, as the MLS has them: their bytes, not decoded, or a link.",
)

record_object_set = Table(
    "record_object_set",
    metadata,
    Column("feed", KEY, primary_key=True),
    Column("resource_name", KEY, primary_key=True),
    Column("resource_record_key", KEY, primary_key=True),
    Column("object_type", KEY, primary_key=True),
    Column("linked", Boolean, nullable=False, comment="addresses are asked for in place of bytes"),
    Column("wanted_version", Text, nullable=False, comment="of the record, as it says when it changed"),
    Column("stored_version", Text, comment="the version of which all objects are there; null: of none"),
    Column("pending", Boolean, nullable=False, comment="still to be fetched, or to be asked for again"),
    Column("attempts", Integer, nullable=False, comment="times the wanted version was tried in vain"),
    Column("attempted_by", BigInteger, comment="inventory on whose behalf it was last tried"),
    Column("next_attempt_at", BigInteger, comment="not to be tried before"),
    Column("failed_reason", Text, comment="why the last attempt failed"),
    comment="of each record and type of object that is no photo, what is wanted and stored",
)
Index(
    "ix_record_object_set_pending",
    record_object_set.c.feed,
    record_object_set.c.resource_name,
    record_object_set.c.resource_record_key,
    sqlite_where=record_object_set.c.pending,
    postgresql_where=record_object_set.c.pending,
)
