"""Lookups and the state of metadata; codes decoded in the view; elements found in extra"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "lookup",
        sa.Column("feed", KEY, nullable=False, comment="Name of the feed"),
        sa.Column("resource_name", KEY, nullable=False, comment="Resource whose records have the codes: property"),
        sa.Column("lookup_name", KEY, nullable=False, comment="Name of the lookup, as the MLS has it (LookupName)"),
        sa.Column("code", KEY, nullable=False, comment="The value as coded (Value)"),
        sa.Column("lookup_value", sa.Text(), nullable=False, comment="What it stands for, in words (LongValue)"),
        sa.Column(
            "short_value", sa.Text(), nullable=True, comment="The same in short, where the MLS has that (ShortValue)"
        ),
        sa.Column(
            "lookup_key",
            sa.Text(),
            nullable=True,
            comment="The MLS's own key of the line, where it has one (MetadataEntryID)",
        ),
        sa.Column("language", sa.Text(), nullable=False, comment="Language of the texts"),
        sa.Column(
            "metadata_version",
            sa.Text(),
            nullable=False,
            comment="The newest version of the metadata that has the value",
        ),
        sa.Column(
            "modification_timestamp",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="When it was first read as it is",
        ),
        sa.Column(
            "removed_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="When the metadata were first read without it; NULL: in use",
        ),
        sa.PrimaryKeyConstraint("feed", "resource_name", "lookup_name", "code", name=op.f("pk_lookup")),
        comment=(
            "Values of lookups: what the codes of the MLS stand for. Those it has no more are marked, never deleted."
        ),
    )
    op.create_table(
        "metadata_state",
        sa.Column("feed", KEY, nullable=False),
        sa.Column(
            "version",
            sa.Text(),
            nullable=True,
            comment="of the metadata stored, as the login named it; null before the first reading",
        ),
        sa.Column("timestamp", sa.Text(), nullable=True, comment="their timestamp, likewise"),
        sa.Column(
            "min_version", sa.Text(), nullable=True, comment="the oldest version a client may work with, likewise"
        ),
        sa.Column("language", sa.Text(), nullable=True, comment="the language they were asked for in"),
        sa.Column("read_at", sa.BigInteger(), nullable=True),
        sa.Column(
            "failed_version",
            sa.Text(),
            nullable=True,
            comment="of the metadata that could not be read; null when the last reading went well",
        ),
        sa.Column("failed_timestamp", sa.Text(), nullable=True),
        sa.Column("failed_language", sa.Text(), nullable=True),
        sa.Column("failed_at", sa.BigInteger(), nullable=True),
        sa.Column("failure", sa.Text(), nullable=True, comment="why"),
        sa.Column("attempts", sa.Integer(), nullable=False, comment="times they were tried in vain"),
        sa.Column(
            "next_attempt_at", sa.BigInteger(), nullable=True, comment="end of the back-off; null: at the next sync"
        ),
        sa.PrimaryKeyConstraint("feed", name=op.f("pk_metadata_state")),
        comment="which metadata of each feed are stored, and the last failure to read others",
    )
    op.create_table(
        "extra_element",
        sa.Column("feed", KEY, nullable=False),
        sa.Column("resource", KEY, nullable=False),
        sa.Column("element", KEY, nullable=False, comment="path without places among siblings, of bounded length"),
        sa.Column("reason", KEY, nullable=False, comment="why its value fits no column; empty: no mapping knows it"),
        sa.Column(
            "first_seen", sa.BigInteger(), nullable=False, comment="observed_at of the first record read with it"
        ),
        sa.Column("last_seen", sa.BigInteger(), nullable=False, comment="observed_at of the last"),
        sa.PrimaryKeyConstraint("feed", "resource", "element", "reason", name=op.f("pk_extra_element")),
        comment="elements ever found in extra; how many records hold them now is counted there",
    )
    op.create_index(
        "property_record_extra",
        "property_record",
        ["feed"],
        unique=False,
        sqlite_where=sa.text("extra IS NOT NULL"),
        postgresql_where=sa.text("extra IS NOT NULL"),
    )
    op.execute("DROP VIEW property")
    op.execute(_property_view())


def _property_view() -> str:
    """The view as it is from this revision on, over the columns the wide table has by now."""
    geocoded = "(r.latitude IS NULL OR r.longitude IS NULL) AND g.latitude IS NOT NULL"
    columns = ", ".join(
        f"CASE WHEN {geocoded} THEN g.{name} ELSE r.{name} END AS {name}"
        if name in ("latitude", "longitude")
        else f'r."{name}"'
        for name in (column["name"] for column in sa.inspect(op.get_bind()).get_columns("property_record"))
    )
    return (
        f'CREATE VIEW property AS SELECT {columns}, l.modification_timestamp, v1.lookup_value AS "list_aor", '
        "CASE WHEN r.latitude IS NOT NULL AND r.longitude IS NOT NULL THEN 'mls' ELSE g.source END "
        f"AS coordinates_source, CASE WHEN {geocoded} THEN g.precision END AS coordinates_precision "
        "FROM property_record r "
        "JOIN ledger l ON l.feed = r.feed AND l.resource = 'property' AND l.key = r.listing_key "
        "LEFT JOIN listing_address a ON a.feed = r.feed AND a.listing_key = r.listing_key "
        "LEFT JOIN geocode g ON g.address = a.address AND g.latitude IS NOT NULL "
        "LEFT JOIN lookup v1 ON v1.feed = r.feed AND v1.resource_name = 'property' AND v1.lookup_name = 'Boards' "
        'AND v1.code = r."list_aor_key"'
    )
