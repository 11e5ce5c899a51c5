"""History of records"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "history_transactional",
        sa.Column("feed", KEY, nullable=False, comment="Name of the feed"),
        sa.Column("history_transactional_key", KEY, nullable=False, comment="Key of the entry; keys sort as time does"),
        sa.Column("resource_name", KEY, nullable=False, comment="Resource of the record: property, member, office"),
        sa.Column("resource_record_key", KEY, nullable=False, comment="Key of the record, which may be gone"),
        sa.Column("resource_record_id", sa.Text(), nullable=True, comment="The listing_id of a listing"),
        sa.Column(
            "field_name",
            sa.Text(),
            nullable=True,
            comment="Column that changed, or table of the parts that did; NULL where no single field tells of the change",
        ),
        sa.Column(
            "previous_value",
            sa.Text(),
            nullable=True,
            comment="What it was, as text: exact numbers, ISO 8601 instants, JSON for lists",
        ),
        sa.Column("new_value", sa.Text(), nullable=True, comment="What it became, likewise"),
        sa.Column(
            "change_type",
            sa.Text(),
            nullable=True,
            comment="Price Change, Deleted (gone from the MLS), Back On Market or Active (there again), else NULL",
        ),
        sa.Column(
            "modification_timestamp",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="When the change was made: the record's own timestamp, else when it was observed",
        ),
        sa.Column(
            "observed_at",
            sa.BigInteger(),
            nullable=False,
            comment="When it was observed, microseconds since 1970 UTC; later with every change of the same record",
        ),
        sa.PrimaryKeyConstraint("feed", "history_transactional_key", name=op.f("pk_history_transactional")),
        comment="What changed of records that were already stored, one row for each value.",
    )
    op.create_index(
        "ix_history_transactional_record",
        "history_transactional",
        ["feed", "resource_name", "resource_record_key"],
        unique=False,
    )
    if op.get_bind().dialect.name == "postgresql":  # SQLite keeps no comments
        op.alter_column(
            "run",
            "kind",
            existing_type=sa.Text(),
            existing_nullable=False,
            existing_comment="sync, limited, ingest or audit",
            comment="sync, limited, ingest, remap or audit",
        )
