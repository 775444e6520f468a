"""What work that a forecast asked for found."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

FOUND = sa.Enum(
    "defect", "wear", "nothing", "cannot_tell", name="asfound", native_enum=False, length=32
)


def upgrade() -> None:
    """Apply."""
    with op.batch_alter_table("work_order") as table:
        table.add_column(sa.Column("as_found", FOUND, nullable=True))


def downgrade() -> None:
    """Take back."""
    with op.batch_alter_table("work_order") as table:
        table.drop_column("as_found")
