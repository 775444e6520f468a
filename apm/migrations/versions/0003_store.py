"""Store."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None
BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
DAY_US = 86_400_000_000


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "reading_inbox",
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("n", BIG, nullable=False),
        sa.Column("first_us", BIG, nullable=False),
        sa.Column("last_us", BIG, nullable=False),
        sa.Column("sensors", sa.LargeBinary(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.Column("hospital_id", BIG, nullable=False),
        sa.Column("id", BIG, nullable=False),
        sa.ForeignKeyConstraint(
            ["hospital_id"], ["hospital.id"], name=op.f("fk_reading_inbox_hospital_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reading_inbox")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("reading_inbox", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_reading_inbox_hospital_id"), ["hospital_id"], unique=False
        )
    with op.batch_alter_table("latest") as batch_op:
        batch_op.add_column(sa.Column("touched_from", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("newest_us", BIG, nullable=True))
    with op.batch_alter_table("block") as batch_op:
        batch_op.add_column(
            sa.Column("sealed", sa.Boolean(), nullable=False, server_default=sa.false())
        )
        batch_op.add_column(sa.Column("version", BIG, nullable=False, server_default="1"))
        batch_op.add_column(sa.Column("hours", sa.LargeBinary(), nullable=True))
        batch_op.alter_column("data", existing_type=sa.LargeBinary(), nullable=True)
    with op.batch_alter_table("block") as batch_op:
        batch_op.alter_column("sealed", existing_type=sa.Boolean(), server_default=None)
        batch_op.alter_column("version", existing_type=BIG, server_default=None)
        batch_op.create_index(
            "ix_block_open",
            ["day"],
            unique=False,
            sqlite_where=sa.text("NOT sealed"),
            postgresql_where=sa.text("NOT sealed"),
        )
    _set_newest()


def _set_newest() -> None:
    """Say of each sensor that all it has sent lies before the end of its last day."""
    block = sa.table("block", sa.column("sensor_id", BIG), sa.column("day", sa.Date()))
    latest = sa.table("latest", sa.column("sensor_id", BIG), sa.column("newest_us", BIG))
    last = sa.select(block.c.sensor_id, sa.func.max(block.c.day, type_=sa.Date()))
    epoch = 719_163  # the ordinal of 1970-01-01
    connection = op.get_bind()
    for sensor_id, day in connection.execute(last.group_by(block.c.sensor_id)).all():
        connection.execute(
            latest.update()
            .where(latest.c.sensor_id == sensor_id)
            .values(newest_us=(day.toordinal() - epoch + 1) * DAY_US)
        )


def downgrade() -> None:
    """Take back.  Readings still in the inbox, and days kept as hours only, go with it."""
    op.execute("DELETE FROM block WHERE data IS NULL")
    with op.batch_alter_table("block") as batch_op:
        batch_op.drop_index("ix_block_open")
        batch_op.alter_column("data", existing_type=sa.LargeBinary(), nullable=False)
        batch_op.drop_column("hours")
        batch_op.drop_column("version")
        batch_op.drop_column("sealed")
    with op.batch_alter_table("latest") as batch_op:
        batch_op.drop_column("newest_us")
        batch_op.drop_column("touched_from")
    op.drop_table("reading_inbox")
