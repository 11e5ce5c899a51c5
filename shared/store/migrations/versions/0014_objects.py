"""Objects of records that are no photos"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "record_object",
        sa.Column("feed", KEY, nullable=False, comment="Name of the feed"),
        sa.Column("resource_name", KEY, nullable=False, comment="Resource of the record: property, member, office"),
        sa.Column("resource_record_key", KEY, nullable=False, comment="Key of the record the object belongs to"),
        sa.Column("object_type", KEY, nullable=False, comment="Type of object, as the MLS's metadata name it"),
        sa.Column(
            "order",
            sa.Integer(),
            autoincrement=False,
            nullable=False,
            comment="Number of the object: the MLS's, or else its place",
        ),
        sa.Column("long_description", sa.Text(), nullable=True, comment="What the MLS says of it"),
        sa.Column(
            "media_url", sa.Text(), nullable=True, comment="Where the MLS shows it; NULL when its bytes are stored"
        ),
        sa.Column(
            "object_key",
            sa.Text(),
            nullable=True,
            comment="Name of the stored bytes in the photo store; NULL of a link",
        ),
        sa.Column(
            "content_sha256", sa.Text(), nullable=True, comment="SHA-256 of the stored bytes, 64 hexadecimal digits"
        ),
        sa.Column("byte_size", sa.BigInteger(), nullable=True, comment="Size of the stored bytes"),
        sa.Column(
            "mime_type",
            sa.Text(),
            nullable=True,
            comment="Type of the stored bytes, by their beginning or as the MLS says",
        ),
        sa.Column("stored_version", sa.Text(), nullable=False, comment="Version of its set that it came with"),
        sa.PrimaryKeyConstraint(
            "feed", "resource_name", "resource_record_key", "object_type", "order", name=op.f("pk_record_object")
        ),
        comment="Objects that are no photos, as the MLS has them: their bytes, not decoded, or a link.",
    )
    op.create_table(
        "record_object_set",
        sa.Column("feed", KEY, nullable=False),
        sa.Column("resource_name", KEY, nullable=False),
        sa.Column("resource_record_key", KEY, nullable=False),
        sa.Column("object_type", KEY, nullable=False),
        sa.Column("linked", sa.Boolean(), nullable=False, comment="addresses are asked for in place of bytes"),
        sa.Column("wanted_version", sa.Text(), nullable=False, comment="of the record, as it says when it changed"),
        sa.Column(
            "stored_version",
            sa.Text(),
            nullable=True,
            comment="the version of which all objects are there; null: of none",
        ),
        sa.Column("pending", sa.Boolean(), nullable=False, comment="still to be fetched, or to be asked for again"),
        sa.Column("attempts", sa.Integer(), nullable=False, comment="times the wanted version was tried in vain"),
        sa.Column(
            "attempted_by", sa.BigInteger(), nullable=True, comment="inventory on whose behalf it was last tried"
        ),
        sa.Column("next_attempt_at", sa.BigInteger(), nullable=True, comment="not to be tried before"),
        sa.Column("failed_reason", sa.Text(), nullable=True, comment="why the last attempt failed"),
        sa.PrimaryKeyConstraint(
            "feed", "resource_name", "resource_record_key", "object_type", name=op.f("pk_record_object_set")
        ),
        comment="of each record and type of object that is no photo, what is wanted and stored",
    )
    op.create_index(
        "ix_record_object_set_pending",
        "record_object_set",
        ["feed", "resource_name", "resource_record_key"],
        unique=False,
        sqlite_where=sa.text("pending"),
        postgresql_where=sa.text("pending"),
    )
