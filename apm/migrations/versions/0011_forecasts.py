"""Models that foretell failures, their forecasts, and how these turned out."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table('model_version',
    sa.Column('kind', sa.Enum('life', 'trend', 'soon', name='modelkind', native_enum=False, length=32), nullable=False),
    sa.Column('version', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('state', sa.Enum('shadow', 'active', 'muted', 'retired', name='modelstate', native_enum=False, length=32), nullable=False),
    sa.Column('state_why', sa.JSON(), nullable=True),
    sa.Column('state_since', sa.DateTime(timezone=True), nullable=False),
    sa.Column('trained_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('trained_why', sa.String(), nullable=False),
    sa.Column('data_from', sa.DateTime(timezone=True), nullable=True),
    sa.Column('data_until', sa.DateTime(timezone=True), nullable=False),
    sa.Column('data_hash', sa.String(), nullable=False),
    sa.Column('n_units', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('n_failures', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('metrics', sa.JSON(), nullable=False),
    sa.Column('parameters', sa.JSON(), nullable=False),
    sa.Column('artifact', sa.LargeBinary(), nullable=True),
    sa.Column('artifact_sha256', sa.String(), nullable=True),
    sa.Column('made_with', sa.JSON(), nullable=False),
    sa.Column('hospital_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.ForeignKeyConstraint(['hospital_id'], ['hospital.id'], name=op.f('fk_model_version_hospital_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_model_version')),
    sa.UniqueConstraint('hospital_id', 'kind', 'version', name=op.f('uq_model_version_hospital_id_kind_version'))
    )
    op.create_index(op.f('ix_model_version_hospital_id'), 'model_version', ['hospital_id'], unique=False)
    op.create_table('forecast',
    sa.Column('asset_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('kind', sa.Enum('life', 'trend', 'soon', name='modelkind', native_enum=False, length=32), nullable=False),
    sa.Column('sensor_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('model_version_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('probabilities', sa.JSON(), nullable=True),
    sa.Column('life_median', sa.Double(), nullable=True),
    sa.Column('life_low', sa.Double(), nullable=True),
    sa.Column('life_high', sa.Double(), nullable=True),
    sa.Column('confidence', sa.Double(), nullable=True),
    sa.Column('path', sa.JSON(), nullable=True),
    sa.Column('drivers', sa.JSON(), nullable=False),
    sa.Column('needs', sa.JSON(), nullable=True),
    sa.Column('rank', sa.Double(), nullable=False),
    sa.Column('warns', sa.Boolean(), nullable=False),
    sa.Column('hospital_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.ForeignKeyConstraint(['asset_id'], ['asset.id'], name=op.f('fk_forecast_asset_id')),
    sa.ForeignKeyConstraint(['hospital_id'], ['hospital.id'], name=op.f('fk_forecast_hospital_id')),
    sa.ForeignKeyConstraint(['model_version_id'], ['model_version.id'], name=op.f('fk_forecast_model_version_id')),
    sa.ForeignKeyConstraint(['sensor_id'], ['sensor.id'], name=op.f('fk_forecast_sensor_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_forecast'))
    )
    op.create_index(op.f('ix_forecast_hospital_id'), 'forecast', ['hospital_id'], unique=False)
    op.create_index(op.f('ix_forecast_model_version_id'), 'forecast', ['model_version_id'], unique=False)
    op.create_index('ix_forecast_rank', 'forecast', ['hospital_id', 'rank'], unique=False)
    op.create_index('uq_forecast_asset_kind', 'forecast', ['asset_id', 'kind'], unique=True, sqlite_where=sa.text('sensor_id IS NULL'), postgresql_where=sa.text('sensor_id IS NULL'))
    op.create_index('uq_forecast_sensor', 'forecast', ['sensor_id', 'kind'], unique=True, sqlite_where=sa.text('sensor_id IS NOT NULL'), postgresql_where=sa.text('sensor_id IS NOT NULL'))
    op.create_table('forecast_record',
    sa.Column('asset_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('sensor_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('model_version_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('horizon_days', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('until', sa.DateTime(timezone=True), nullable=False),
    sa.Column('probability', sa.Double(), nullable=False),
    sa.Column('base_probability', sa.Double(), nullable=False),
    sa.Column('life_median', sa.Double(), nullable=True),
    sa.Column('life_low', sa.Double(), nullable=True),
    sa.Column('life_high', sa.Double(), nullable=True),
    sa.Column('confidence', sa.Double(), nullable=True),
    sa.Column('drivers', sa.JSON(), nullable=False),
    sa.Column('warned', sa.Boolean(), nullable=False),
    sa.Column('was_shadow', sa.Boolean(), nullable=False),
    sa.Column('work_order_no', sa.String(), nullable=True),
    sa.Column('dismissed_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('dismissed_by', sa.String(), nullable=True),
    sa.Column('dismissed_why', sa.String(), nullable=True),
    sa.Column('dismissed_note', sa.String(), nullable=True),
    sa.Column('outcome', sa.Enum('open', 'hit', 'miss', 'false_alarm', 'averted', 'quiet', 'unresolved', name='outcome', native_enum=False, length=32), nullable=False),
    sa.Column('outcome_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('outcome_why', sa.JSON(), nullable=True),
    sa.Column('hospital_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.ForeignKeyConstraint(['asset_id'], ['asset.id'], name=op.f('fk_forecast_record_asset_id')),
    sa.ForeignKeyConstraint(['hospital_id'], ['hospital.id'], name=op.f('fk_forecast_record_hospital_id')),
    sa.ForeignKeyConstraint(['model_version_id'], ['model_version.id'], name=op.f('fk_forecast_record_model_version_id')),
    sa.ForeignKeyConstraint(['sensor_id'], ['sensor.id'], name=op.f('fk_forecast_record_sensor_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_forecast_record'))
    )
    op.create_index('ix_forecast_record_asset', 'forecast_record', ['asset_id', 'at'], unique=False)
    op.create_index(op.f('ix_forecast_record_hospital_id'), 'forecast_record', ['hospital_id'], unique=False)
    op.create_index(op.f('ix_forecast_record_model_version_id'), 'forecast_record', ['model_version_id'], unique=False)
    op.create_index('ix_forecast_record_open', 'forecast_record', ['hospital_id', 'outcome', 'until'], unique=False)
    op.create_index(op.f('ix_forecast_record_sensor_id'), 'forecast_record', ['sensor_id'], unique=False)


def downgrade() -> None:
    """Take back."""
    op.drop_index(op.f('ix_forecast_record_sensor_id'), table_name='forecast_record')
    op.drop_index('ix_forecast_record_open', table_name='forecast_record')
    op.drop_index(op.f('ix_forecast_record_model_version_id'), table_name='forecast_record')
    op.drop_index(op.f('ix_forecast_record_hospital_id'), table_name='forecast_record')
    op.drop_index('ix_forecast_record_asset', table_name='forecast_record')
    op.drop_table('forecast_record')
    op.drop_index('uq_forecast_sensor', table_name='forecast', sqlite_where=sa.text('sensor_id IS NOT NULL'), postgresql_where=sa.text('sensor_id IS NOT NULL'))
    op.drop_index('uq_forecast_asset_kind', table_name='forecast', sqlite_where=sa.text('sensor_id IS NULL'), postgresql_where=sa.text('sensor_id IS NULL'))
    op.drop_index('ix_forecast_rank', table_name='forecast')
    op.drop_index(op.f('ix_forecast_model_version_id'), table_name='forecast')
    op.drop_index(op.f('ix_forecast_hospital_id'), table_name='forecast')
    op.drop_table('forecast')
    op.drop_index(op.f('ix_model_version_hospital_id'), table_name='model_version')
    op.drop_table('model_version')
