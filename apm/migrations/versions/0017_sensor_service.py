"""Sensors that are out of service, and a version against two editors at once."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None
BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Apply."""
    with op.batch_alter_table("sensor") as table:
        table.add_column(sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True))
        table.add_column(sa.Column("version", BIG, nullable=False, server_default="1"))
    with op.batch_alter_table("sensor") as table:
        table.alter_column("version", existing_type=BIG, server_default=None)


def downgrade() -> None:
    """Take back."""
    with op.batch_alter_table("sensor") as table:
        table.drop_column("version")
        table.drop_column("retired_at")
