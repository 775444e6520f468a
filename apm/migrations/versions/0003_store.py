"""Store."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    with op.batch_alter_table("latest") as batch_op:
        batch_op.add_column(sa.Column("touched_from", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    """Take back."""
    with op.batch_alter_table("latest") as batch_op:
        batch_op.drop_column("touched_from")
