"""What metadata were before: fields, classes and differences"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "metadata_field",
        sa.Column("feed", KEY, nullable=False),
        sa.Column("resource", KEY, nullable=False),
        sa.Column("class_name", KEY, nullable=False),
        sa.Column("element", KEY, nullable=False, comment="what its values are called in records, extra and history"),
        sa.Column("system_name", sa.Text(), nullable=False, comment="what the MLS calls it, or called it last"),
        sa.Column("entry", sa.Text(), nullable=False, comment="its MetadataEntryID; empty: it has none"),
        sa.Column("standard", sa.Boolean(), nullable=False, comment="whether element is, or was, its StandardName"),
        sa.Column(
            "state",
            sa.Text(),
            nullable=False,
            comment="empty: the MLS has it; else removed, or held: too many vanished",
        ),
        sa.Column("since", sa.BigInteger(), nullable=True, comment="since when it is removed or held"),
        sa.PrimaryKeyConstraint("feed", "resource", "class_name", "element", name=op.f("pk_metadata_field")),
        comment="fields that classes of each feed have or had; values of removed ones stay as they were last read",
    )
    op.create_table(
        "metadata_class",
        sa.Column("feed", KEY, nullable=False),
        sa.Column("resource", KEY, nullable=False),
        sa.Column("class_name", KEY, nullable=False),
        sa.Column("key_field", sa.Text(), nullable=False, comment="SystemName of the key it was read by"),
        sa.Column(
            "timestamp_field", sa.Text(), nullable=False, comment="SystemName of the timestamp; empty: it has none"
        ),
        sa.Column("pictured", sa.Boolean(), nullable=False, comment="whether its records tell of photos"),
        sa.Column("stopped", sa.Text(), nullable=False, comment="why it is not read; empty: it is"),
        sa.Column("since", sa.BigInteger(), nullable=True, comment="since when it is not"),
        sa.PrimaryKeyConstraint("feed", "resource", "class_name", name=op.f("pk_metadata_class")),
        comment="classes of each feed as they were read",
    )
    op.create_table(
        "metadata_difference",
        sa.Column("feed", KEY, nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False, comment="of the metadata that differ"),
        sa.Column(
            "place",
            sa.Integer(),
            autoincrement=False,
            nullable=False,
            comment="order among the differences of these",
        ),
        sa.Column("seen_at", sa.BigInteger(), nullable=False, comment="when these were first read"),
        sa.Column("version", sa.Text(), nullable=False, comment="as they name it themselves"),
        sa.Column(
            "subject", sa.Text(), nullable=False, comment="resource, class, field, lookup, lookup value, object type"
        ),
        sa.Column("change", sa.Text(), nullable=False, comment="added, renamed, changed, removed"),
        sa.Column("parent", sa.Text(), nullable=False, comment="names above it"),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("was", sa.Text(), nullable=False, comment="its name before, where it was renamed"),
        sa.Column("told", sa.Text(), nullable=False, comment="all of it in words"),
        sa.PrimaryKeyConstraint("feed", "number", "place", name=op.f("pk_metadata_difference")),
        comment="what each version of the metadata changed",
    )
    op.create_table(
        "metadata_compared",
        sa.Column("feed", KEY, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False, comment="of the newest metadata compared with those before"),
        sa.PrimaryKeyConstraint("feed", name=op.f("pk_metadata_compared")),
        comment="up to which version metadata have been compared",
    )
