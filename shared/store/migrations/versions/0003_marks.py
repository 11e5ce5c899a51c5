"""Marks of the strategy incremental"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    key = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
    op.create_table(
        "mark",
        sa.Column("feed", key, nullable=False),
        sa.Column("resource", key, nullable=False),
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("begun", sa.BigInteger(), nullable=False, comment="when the run began: the store's clock"),
        sa.Column(
            "reached",
            sa.BigInteger(),
            nullable=True,
            comment="up to where it asked for changes: the MLS's clock; null: it told none",
        ),
        sa.Column("pages", sa.Integer(), nullable=True, comment="pages of changes it published; null until all are"),
        sa.Column(
            "inventory",
            sa.BigInteger(),
            nullable=True,
            comment="observed_at of its proven inventory; null: it took none",
        ),
        sa.Column(
            "settled_at",
            sa.BigInteger(),
            nullable=True,
            comment="when the store showed nothing of it open: then reached is the mark",
        ),
        sa.PrimaryKeyConstraint("feed", "resource", "run_id", name=op.f("pk_mark")),
        comment="the newest settled run of each resource, and later ones that are not settled",
    )
    op.create_table(
        "mark_page",
        sa.Column("feed", key, nullable=False),
        sa.Column("resource", key, nullable=False),
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False, comment="id of the message: delivered twice it counts once"),
        sa.PrimaryKeyConstraint("feed", "resource", "run_id", "message", name=op.f("pk_mark_page")),
        comment="pages of changes written, of runs not yet settled",
    )
