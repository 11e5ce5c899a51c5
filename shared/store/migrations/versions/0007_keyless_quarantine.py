"""Keys that records in quarantine without one may have"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "quarantine_may_be",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("feed", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("resource", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("key", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.PrimaryKeyConstraint("id", "key", name=op.f("pk_quarantine_may_be")),
        comment="which keys a record in quarantine that came without one may have",
    )
    op.create_index("quarantine_may_be_key", "quarantine_may_be", ["feed", "resource", "key"], unique=False)
