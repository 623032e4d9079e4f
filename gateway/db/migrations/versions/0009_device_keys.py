"""The phone's own public key, registered once."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision: str | None = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("medium", sa.Column("device_key", sa.String(), nullable=False, server_default=""))


def downgrade() -> None:
    op.drop_column("medium", "device_key")
