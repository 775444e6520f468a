"""What the forecasts of each asset come to, for the page of the fleet."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    number = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')
    op.create_table('fleet_entry',
    sa.Column('asset_id', number, nullable=False),
    sa.Column('standing', sa.Enum('foretold', 'muted', 'needs', name='standing', native_enum=False, length=32), nullable=False),
    sa.Column('kind', sa.Enum('life', 'trend', 'soon', name='modelkind', native_enum=False, length=32), nullable=False),
    sa.Column('sensor_id', number, nullable=True),
    sa.Column('rank', sa.Double(), nullable=False),
    sa.Column('chance', sa.Double(), nullable=True),
    sa.Column('band', sa.Enum('probable', 'possible', 'seldom', 'unlikely', name='band', native_enum=False, length=32), nullable=True),
    sa.Column('warns', sa.Boolean(), nullable=False),
    sa.Column('needs', sa.String(), nullable=True),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('risk', sa.Enum('high', 'medium', 'low', name='risk', native_enum=False, length=32), nullable=False),
    sa.Column('department_id', number, nullable=True),
    sa.Column('category', sa.String(), nullable=False),
    sa.Column('hospital_id', number, nullable=False),
    sa.Column('id', number, nullable=False),
    sa.ForeignKeyConstraint(['asset_id'], ['asset.id'], name=op.f('fk_fleet_entry_asset_id')),
    sa.ForeignKeyConstraint(['hospital_id'], ['hospital.id'], name=op.f('fk_fleet_entry_hospital_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_fleet_entry')),
    sa.UniqueConstraint('asset_id', name=op.f('uq_fleet_entry_asset_id'))
    )
    op.create_index(op.f('ix_fleet_entry_hospital_id'), 'fleet_entry', ['hospital_id'], unique=False)
    op.create_index('ix_fleet_entry_rank', 'fleet_entry', ['hospital_id', 'standing', 'rank'], unique=False)
    op.create_index('ix_fleet_entry_counts', 'fleet_entry', ['hospital_id', 'standing', 'warns', 'risk', 'band', 'needs', 'kind', 'department_id', 'category', 'at'], unique=False)
    op.create_index('ix_forecast_asset', 'forecast', ['asset_id', 'hospital_id'], unique=False)
    op.create_index('ix_forecast_record_now', 'forecast_record', ['asset_id', 'hospital_id', 'outcome'], unique=False)


def downgrade() -> None:
    """Revert."""
    op.drop_index('ix_forecast_record_now', table_name='forecast_record')
    op.drop_index('ix_forecast_asset', table_name='forecast')
    op.drop_table('fleet_entry')
