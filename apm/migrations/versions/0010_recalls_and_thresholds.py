"""Recalls and the equipment they touch; thresholds raised against false alarms."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "safety_notice",
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("issuer", sa.String(length=32), nullable=False),
        sa.Column("recall_class", sa.String(length=32), nullable=False),
        sa.Column("published_on", sa.Date(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("title_zh", sa.String(), nullable=True),
        sa.Column("text", sa.String(), nullable=True),
        sa.Column("action", sa.String(), nullable=True),
        sa.Column("link", sa.String(), nullable=True),
        sa.Column("manufacturer", sa.String(), nullable=False),
        sa.Column("models", sa.String(), nullable=True),
        sa.Column("lot_from", sa.String(), nullable=True),
        sa.Column("lot_to", sa.String(), nullable=True),
        sa.Column("serial_from", sa.String(), nullable=True),
        sa.Column("serial_to", sa.String(), nullable=True),
        sa.Column("entered_by", sa.String(), nullable=False),
        sa.Column("entered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_by", sa.String(), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "hospital_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(
            ["hospital_id"], ["hospital.id"], name=op.f("fk_safety_notice_hospital_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_safety_notice")),
        sa.UniqueConstraint(
            "hospital_id",
            "issuer",
            "number",
            name=op.f("uq_safety_notice_hospital_id_issuer_number"),
        ),
    )
    with op.batch_alter_table("safety_notice", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_safety_notice_hospital_id"), ["hospital_id"], unique=False
        )

    op.create_table(
        "recall_case",
        sa.Column(
            "notice_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "asset_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("found_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("note", sa.String(), nullable=True),
        sa.Column("decided_by", sa.String(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "work_order_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True
        ),
        sa.Column("version", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "hospital_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(["asset_id"], ["asset.id"], name=op.f("fk_recall_case_asset_id")),
        sa.ForeignKeyConstraint(
            ["hospital_id"], ["hospital.id"], name=op.f("fk_recall_case_hospital_id")
        ),
        sa.ForeignKeyConstraint(
            ["notice_id"], ["safety_notice.id"], name=op.f("fk_recall_case_notice_id")
        ),
        sa.ForeignKeyConstraint(
            ["work_order_id"], ["work_order.id"], name=op.f("fk_recall_case_work_order_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recall_case")),
        sa.UniqueConstraint(
            "notice_id", "asset_id", name=op.f("uq_recall_case_notice_id_asset_id")
        ),
    )
    with op.batch_alter_table("recall_case", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_recall_case_asset_id"), ["asset_id"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_recall_case_hospital_id"), ["hospital_id"], unique=False
        )
        batch_op.create_index(
            "ix_recall_case_state", ["hospital_id", "state", "notice_id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_recall_case_work_order_id"), ["work_order_id"], unique=False
        )

    op.create_table(
        "threshold_change",
        sa.Column(
            "sensor_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("old", sa.Double(), nullable=False),
        sa.Column("new", sa.Double(), nullable=False),
        sa.Column(
            "false_alarms", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "real_alarms", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("months", sa.Double(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("held", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_by", sa.String(), nullable=True),
        sa.Column("ended_why", sa.String(length=32), nullable=True),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("version", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "hospital_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.ForeignKeyConstraint(
            ["hospital_id"], ["hospital.id"], name=op.f("fk_threshold_change_hospital_id")
        ),
        sa.ForeignKeyConstraint(
            ["sensor_id"], ["sensor.id"], name=op.f("fk_threshold_change_sensor_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_threshold_change")),
    )
    with op.batch_alter_table("threshold_change", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_threshold_change_hospital_id"), ["hospital_id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_threshold_change_sensor_id"), ["sensor_id"], unique=False
        )

    with op.batch_alter_table("detector_state", schema=None) as batch_op:
        batch_op.add_column(sa.Column("factor", sa.Double(), server_default="1.0", nullable=False))


def downgrade() -> None:
    """Take back."""
    with op.batch_alter_table("detector_state", schema=None) as batch_op:
        batch_op.drop_column("factor")

    with op.batch_alter_table("threshold_change", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_threshold_change_sensor_id"))
        batch_op.drop_index(batch_op.f("ix_threshold_change_hospital_id"))

    op.drop_table("threshold_change")

    with op.batch_alter_table("recall_case", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_recall_case_work_order_id"))
        batch_op.drop_index("ix_recall_case_state")
        batch_op.drop_index(batch_op.f("ix_recall_case_hospital_id"))
        batch_op.drop_index(batch_op.f("ix_recall_case_asset_id"))

    op.drop_table("recall_case")
    with op.batch_alter_table("safety_notice", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_safety_notice_hospital_id"))

    op.drop_table("safety_notice")
