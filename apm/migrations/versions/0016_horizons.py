"""What a frozen forecast said of every horizon, so that each is judged when it is over."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    with op.batch_alter_table("forecast_record") as table:
        table.add_column(sa.Column("probabilities", sa.JSON(), nullable=True))
        table.drop_index("ix_forecast_record_model_version_id")
        table.create_index("ix_forecast_record_version", ["model_version_id", "at"])


def downgrade() -> None:
    """Take back."""
    with op.batch_alter_table("forecast_record") as table:
        table.drop_index("ix_forecast_record_version")
        table.create_index("ix_forecast_record_model_version_id", ["model_version_id"])
        table.drop_column("probabilities")
