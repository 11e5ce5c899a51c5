"""The tables that people read: listings, their parts, photos, members and offices, under RESO names.

Their columns follow from the mapping files (``shared.mapping.spec``), so that a new element is one line there and one
migration; only what the mapping never fills, the state of photos, is written out here. All are keyed by the feed and
the MLS's keys, compared as bytes. There are no foreign keys: whoever removes a record removes its parts, in the same
transaction, and writing costs half as much.

``property_record`` holds everything of a listing but its timestamp; the view ``property`` adds that from the ledger.
So a listing that was touched but not changed rewrites one narrow line and no wide row.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Index,
    Integer,
    Numeric,
    Table,
    Text,
    false,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import TypeEngine

from shared.mapping.columns import ColumnSpec, Kind, columns_of
from shared.mapping.spec import FEED, MappingSpec, load_spec
from shared.store.metadata import metadata

KEY = Text().with_variant(Text(collation="C"), "postgresql")
"""Keys are compared as UTF-8 bytes, in every database."""

_JSON = JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")
_TYPES: dict[Kind, TypeEngine[Any]] = {
    "key": KEY,
    "code": Text(),
    "text": Text(),
    "integer": Integer(),
    "money": Numeric(14, 2),
    "decimal": Numeric(14, 4),
    "measure": Numeric(20, 8),
    "coordinate": Numeric(18, 15),
    "boolean": Boolean(),
    "date": Date(),
    "timestamp": DateTime(timezone=True),
    "list": _JSON,
    "json": _JSON,
}


def _column(spec: ColumnSpec) -> Column[Any]:
    comment = f"{spec.about} ({spec.source})" if spec.source else spec.about
    return Column(spec.name, _TYPES[spec.kind], primary_key=spec.key, nullable=not spec.key, comment=comment)


def _tables(mapping: MappingSpec) -> Iterator[Table]:
    for resource in mapping.resources:
        for spec in mapping.tables(resource):
            yield Table(spec.name, metadata, *(_column(column) for column in spec.columns), comment=spec.about)


def _media(mapping: MappingSpec) -> Table:
    """Photos of listings, members and offices: what the MLS says of them, then the state of our copy."""
    described = mapping.resources["property"].media
    assert described is not None
    listed = [
        _column(column)
        for path, line in described.fields.items()
        for column in columns_of(f"{described.path}/{path}", line)
    ]
    return Table(
        "media",
        metadata,
        _column(FEED),
        Column(
            "resource_name", KEY, primary_key=True, comment="Resource the photo belongs to: property, member, office"
        ),
        Column("resource_record_key", KEY, primary_key=True, comment="Key of the record the photo belongs to"),
        Column("media_key", KEY, primary_key=True, comment="Identity of the photo within its record"),
        Column("listing_key", KEY, comment="Key of the listing, if the photo is one of a listing's"),
        *listed,
        Column("media_url", Text, comment="Address of the picture in the size the feed asks for"),
        Column(
            "wanted_version", Text, comment="Version of the picture the MLS has; NULL when the feed stores no pictures"
        ),
        Column("stored_version", Text, comment="Version of the picture that is stored; NULL when none is"),
        Column("object_key", Text, comment="Name of the stored picture in the photo store"),
        Column("content_sha256", Text, comment="SHA-256 of the stored picture, 64 hexadecimal digits"),
        Column("byte_size", BigInteger, comment="Size of the stored picture in bytes"),
        Column("width", Integer, comment="Width of the stored picture in pixels"),
        Column("height", Integer, comment="Height of the stored picture in pixels"),
        Column("mime_type", Text, comment="Type of the stored picture"),
        Column("etag", Text, comment="ETag the stored picture came with"),
        Column("last_modified", Text, comment="Last-Modified the stored picture came with"),
        Column(
            "pending",
            Boolean,
            nullable=False,
            default=False,
            server_default=false(),
            comment="Whether the picture is still to be fetched, or to be asked for again",
        ),
        Column(
            "attempts",
            Integer,
            nullable=False,
            default=0,
            server_default=text("0"),
            comment="Times the wanted version was tried in vain",
        ),
        Column("attempted_by", BigInteger, comment="Inventory on whose behalf it was last tried"),
        Column("next_attempt_at", BigInteger, comment="Not to be tried before, microseconds since 1970 UTC"),
        Column("failed_reason", Text, comment="Why the last attempt failed"),
        Column(
            "recheck",
            Boolean,
            nullable=False,
            default=False,
            server_default=false(),
            comment="Whether to ask the server if the stored picture is still the one it has",
        ),
        comment="Photos, one row each, with where and in which version our copy is.",
    )


DDF = load_spec("ddf")
LISTING_TABLES: dict[str, Table] = {table.name: table for table in _tables(DDF)}
"""Every table the mapping fills, by name: the resource's own before its parts."""

TABLES_OF: dict[str, tuple[Table, list[Table]]] = {
    resource: (own, parts)
    for resource in DDF.resources
    for own, *parts in [[LISTING_TABLES[spec.name] for spec in DDF.tables(resource)]]
}
"""Of each resource its own table, and those of its parts; the second key column is the record's key in all of them."""

property_record = LISTING_TABLES["property_record"]
property_room = LISTING_TABLES["property_room"]
property_agent = LISTING_TABLES["property_agent"]
open_house = LISTING_TABLES["open_house"]
member = LISTING_TABLES["member"]
office = LISTING_TABLES["office"]
media = _media(DDF)

Index(None, property_record.c.feed, property_record.c.listing_id)
Index(None, property_agent.c.feed, property_agent.c.member_key)
Index(None, property_agent.c.feed, property_agent.c.office_key)
Index(
    "ix_media_pending",
    media.c.feed,
    media.c.resource_name,
    media.c.resource_record_key,
    sqlite_where=media.c.pending,
    postgresql_where=media.c.pending,
)
Index(
    "ix_media_content",
    media.c.feed,
    media.c.content_sha256,
    sqlite_where=media.c.content_sha256.is_not(None),
    postgresql_where=media.c.content_sha256.is_not(None),
)
