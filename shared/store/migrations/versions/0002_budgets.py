"""What an MLS has been asked of late"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "budget_pause",
        sa.Column("feed", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False, comment="no request before"),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column(
            "refused",
            sa.Text(),
            nullable=False,
            comment="the transaction; once it is answered again, the line goes",
        ),
        sa.Column("refusals", sa.Integer(), nullable=False, comment="in a row"),
        sa.PrimaryKeyConstraint("feed", name=op.f("pk_budget_pause")),
        comment="feeds whose MLS asked to be left alone",
    )
    op.create_table(
        "budget_use",
        sa.Column("feed", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
        sa.Column(
            "kind",
            sa.Text().with_variant(sa.Text(collation="C"), "postgresql"),
            nullable=False,
            comment="second, hour or day",
        ),
        sa.Column("upto", sa.BigInteger(), nullable=False, comment="end of this part of the window"),
        sa.Column("requests", sa.Integer(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("feed", "kind", "upto", name=op.f("pk_budget_use")),
        comment="requests sent and bytes received, as long as they count in a window of the feed's budget",
    )
    if op.get_bind().dialect.name != "sqlite":  # which keeps no comments
        op.alter_column(
            "run",
            "outcome",
            existing_type=sa.Text(),
            existing_nullable=True,
            existing_comment="in_step, unfinished or failed",
            comment="in_step, unfinished, paused, unavailable, stopped or failed; null: cut off",
        )
