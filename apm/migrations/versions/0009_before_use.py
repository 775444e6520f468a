"""Due before use: what proves that equipment was out of use, and until when it is in time."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

ADDED = ("window_end", "held_since", "held_until")


def upgrade() -> None:
    """Apply."""
    with op.batch_alter_table("occurrence") as table:
        for name in ADDED:
            table.add_column(sa.Column(name, sa.Date(), nullable=True))


def downgrade() -> None:
    """Take back: the window ends when it was frozen to end."""
    occurrence = sa.table(
        "occurrence", sa.column("late_after", sa.Date()), sa.column("window_end", sa.Date())
    )
    op.execute(
        occurrence.update()
        .where(occurrence.c.window_end.is_not(None))
        .values(late_after=occurrence.c.window_end)
    )
    with op.batch_alter_table("occurrence") as table:
        for name in reversed(ADDED):
            table.drop_column(name)
