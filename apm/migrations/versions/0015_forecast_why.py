"""Why forecasts say what they say, and the scores of models, as the worker worked them out."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
KIND = sa.Enum("life", "trend", "soon", name="modelkind", native_enum=False, length=32)


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "forecast_why",
        sa.Column("asset_id", BIG, nullable=False),
        sa.Column("kind", KIND, nullable=False),
        sa.Column("sensor_id", BIG, nullable=True),
        sa.Column("model_version_id", BIG, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("blame", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("cases", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("hospital_id", BIG, nullable=False),
        sa.Column("id", BIG, nullable=False),
        sa.ForeignKeyConstraint(
            ["asset_id"], ["asset.id"], name=op.f("fk_forecast_why_asset_id_asset")
        ),
        sa.ForeignKeyConstraint(
            ["hospital_id"], ["hospital.id"], name=op.f("fk_forecast_why_hospital_id_hospital")
        ),
        sa.ForeignKeyConstraint(
            ["model_version_id"],
            ["model_version.id"],
            name=op.f("fk_forecast_why_model_version_id_model_version"),
        ),
        sa.ForeignKeyConstraint(
            ["sensor_id"], ["sensor.id"], name=op.f("fk_forecast_why_sensor_id_sensor")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_forecast_why")),
    )
    op.create_index("ix_forecast_why_hospital_id", "forecast_why", ["hospital_id"])
    op.create_index("ix_forecast_why_model_version_id", "forecast_why", ["model_version_id"])
    op.create_index("ix_forecast_why_asset", "forecast_why", ["asset_id", "hospital_id"])
    for name, column, where in (
        ("uq_forecast_why_asset_kind", "asset_id", "sensor_id IS NULL"),
        ("uq_forecast_why_sensor", "sensor_id", "sensor_id IS NOT NULL"),
    ):
        op.create_index(
            name, "forecast_why", [column, "kind"], unique=True,
            sqlite_where=sa.text(where), postgresql_where=sa.text(where),
        )  # fmt: skip
    op.create_table(
        "model_score",
        sa.Column("model_version_id", BIG, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("card", sa.JSON(), nullable=False),
        sa.Column("hospital_id", BIG, nullable=False),
        sa.Column("id", BIG, nullable=False),
        sa.ForeignKeyConstraint(
            ["hospital_id"], ["hospital.id"], name=op.f("fk_model_score_hospital_id_hospital")
        ),
        sa.ForeignKeyConstraint(
            ["model_version_id"],
            ["model_version.id"],
            name=op.f("fk_model_score_model_version_id_model_version"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_model_score")),
        sa.UniqueConstraint("model_version_id", name=op.f("uq_model_score_model_version_id")),
    )
    op.create_index("ix_model_score_hospital_id", "model_score", ["hospital_id"])


def downgrade() -> None:
    """Take back; the worker would work it out again."""
    op.drop_table("model_score")
    op.drop_table("forecast_why")
