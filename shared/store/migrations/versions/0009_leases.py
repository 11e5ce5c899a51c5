"""Leases, sync requests and ranges handled, for several processes"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "lease",
        sa.Column("name", KEY, nullable=False, comment="fetcher:<feed>, or session:<feed>:<slot>"),
        sa.Column("holder", sa.Text(), nullable=False, comment="the process that has it"),
        sa.Column("until", sa.BigInteger(), nullable=False, comment="when it ends by itself"),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_lease")),
        comment="what one process at a time may do",
    )
    op.create_table(
        "sync_request",
        sa.Column("request_id", sa.Text(), nullable=False),
        sa.Column("feed", KEY, nullable=False),
        sa.Column("most", sa.Integer(), nullable=True, comment="fetch only so many listings; null: all"),
        sa.Column("patience", sa.BigInteger(), nullable=False, comment="microseconds to wait for what is due later"),
        sa.Column("requested_at", sa.BigInteger(), nullable=False),
        sa.Column("run_id", sa.Text(), nullable=True, comment="the run that serves it; null: none yet"),
        sa.Column("report", sa.Text(), nullable=True, comment="what came of it, as JSON; null: not done yet"),
        sa.PrimaryKeyConstraint("request_id", "feed", name=op.f("pk_sync_request")),
        comment="syncs that `mlsync sync` asks of the process that has the feed's lease",
    )
    op.create_table(
        "run_part",
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("feed", KEY, nullable=False),
        sa.Column("resource", KEY, nullable=False),
        sa.Column("part", sa.Integer(), nullable=False, comment="number of the range"),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("run_id", "feed", "resource", "part", name=op.f("pk_run_part")),
        comment="ranges of a run's inventories that were handled, proven or not, for as long as the run may ask",
    )
