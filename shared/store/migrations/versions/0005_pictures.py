"""Pictures by their content: placeholders, and the same picture at many listings"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "ix_media_content",
        "media",
        ["feed", "content_sha256"],
        unique=False,
        sqlite_where=sa.text("content_sha256 IS NOT NULL"),
        postgresql_where=sa.text("content_sha256 IS NOT NULL"),
    )
