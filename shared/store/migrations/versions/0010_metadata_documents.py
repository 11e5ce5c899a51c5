"""Metadata of generic feeds, version by version"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "metadata_document",
        sa.Column("feed", KEY, nullable=False),
        sa.Column(
            "number",
            sa.Integer(),
            autoincrement=False,
            nullable=False,
            comment="1, 2, …: the greatest is what counts now",
        ),
        sa.Column(
            "version", sa.Text(), nullable=False, comment="as the metadata name it themselves; empty: they do not"
        ),
        sa.Column("timestamp", sa.Text(), nullable=False, comment="their date, likewise"),
        sa.Column("digest", sa.Text(), nullable=False, comment="SHA-256 of all that they say but version and date"),
        sa.Column("read_at", sa.BigInteger(), nullable=False, comment="when they were first read as they are"),
        sa.Column(
            "document",
            sa.LargeBinary(),
            nullable=True,
            comment="all of them, JSON, zstd; null: there are enough newer ones",
        ),
        sa.PrimaryKeyConstraint("feed", "number", name=op.f("pk_metadata_document")),
        comment="metadata of each feed, by which its records are named",
    )
