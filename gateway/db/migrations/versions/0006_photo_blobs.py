"""Photos found by the bytes that they refer to: the sweep asks this of every file."""

from alembic import op

revision = "0006"
down_revision: str | None = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(op.f("ix_photo_original_blob"), "photo", ["original_blob"], unique=False)


def downgrade() -> None:
    op.drop_index(op.f("ix_photo_original_blob"), "photo")
