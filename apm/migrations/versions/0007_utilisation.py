"""Use of equipment, read off its sensors."""

import sqlalchemy as sa
from alembic import op

revision = '0007'
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_table('energy_terms',
    sa.Column('price_per_mwh', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('factor_g_per_kwh', sa.Double(), nullable=True),
    sa.Column('factor_source', sa.String(), nullable=True),
    sa.Column('factor_year', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('is_verified', sa.Boolean(), nullable=False),
    sa.Column('set_by', sa.String(), nullable=False),
    sa.Column('hospital_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.ForeignKeyConstraint(['hospital_id'], ['hospital.id'], name=op.f('fk_energy_terms_hospital_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_energy_terms')),
    sa.UniqueConstraint('hospital_id', name=op.f('uq_energy_terms_hospital_id'))
    )
    with op.batch_alter_table('energy_terms', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_energy_terms_hospital_id'), ['hospital_id'], unique=False)

    op.create_table('use_feed',
    sa.Column('sensor_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('asset_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('way', sa.String(length=32), nullable=False),
    sa.Column('meter', sa.String(length=32), nullable=True),
    sa.Column('gives_energy', sa.Boolean(), nullable=False),
    sa.Column('bits', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('most_per_hour', sa.Double(), nullable=True),
    sa.Column('volts', sa.Double(), nullable=True),
    sa.Column('power_factor', sa.Double(), nullable=True),
    sa.Column('phases', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('off_below', sa.Double(), nullable=True),
    sa.Column('on_above', sa.Double(), nullable=True),
    sa.Column('least_minutes', sa.Double(), nullable=False),
    sa.Column('gap_minutes', sa.Double(), nullable=False),
    sa.Column('is_active', sa.Boolean(), nullable=False),
    sa.Column('levels', sa.JSON(), nullable=True),
    sa.Column('levels_on', sa.Date(), nullable=True),
    sa.Column('problem', sa.String(), nullable=True),
    sa.Column('seen_revision', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('hospital_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.ForeignKeyConstraint(['asset_id'], ['asset.id'], name=op.f('fk_use_feed_asset_id')),
    sa.ForeignKeyConstraint(['hospital_id'], ['hospital.id'], name=op.f('fk_use_feed_hospital_id')),
    sa.ForeignKeyConstraint(['sensor_id'], ['sensor.id'], name=op.f('fk_use_feed_sensor_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_use_feed')),
    sa.UniqueConstraint('sensor_id', name=op.f('uq_use_feed_sensor_id'))
    )
    with op.batch_alter_table('use_feed', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_use_feed_asset_id'), ['asset_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_use_feed_hospital_id'), ['hospital_id'], unique=False)

    op.create_table('meter_break',
    sa.Column('feed_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('kind', sa.String(), nullable=False),
    sa.Column('before', sa.Double(), nullable=False),
    sa.Column('after', sa.Double(), nullable=False),
    sa.Column('state', sa.String(length=32), nullable=False),
    sa.Column('added', sa.Double(), nullable=False),
    sa.Column('note', sa.String(), nullable=True),
    sa.Column('decided_by', sa.String(), nullable=True),
    sa.Column('decided_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('hospital_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.ForeignKeyConstraint(['feed_id'], ['use_feed.id'], name=op.f('fk_meter_break_feed_id')),
    sa.ForeignKeyConstraint(['hospital_id'], ['hospital.id'], name=op.f('fk_meter_break_hospital_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_meter_break')),
    sa.UniqueConstraint('feed_id', 'at', name=op.f('uq_meter_break_feed_id_at'))
    )
    with op.batch_alter_table('meter_break', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_meter_break_hospital_id'), ['hospital_id'], unique=False)

    op.create_table('use_day',
    sa.Column('feed_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('day', sa.Date(), nullable=False),
    sa.Column('seen', sa.String(), nullable=False),
    sa.Column('on_s', sa.Double(), nullable=True),
    sa.Column('standby_s', sa.Double(), nullable=True),
    sa.Column('off_s', sa.Double(), nullable=True),
    sa.Column('known_s', sa.Double(), nullable=False),
    sa.Column('starts', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('counted', sa.Double(), nullable=True),
    sa.Column('dropped', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('wh', sa.Double(), nullable=True),
    sa.Column('wh_standby', sa.Double(), nullable=True),
    sa.Column('hours', sa.JSON(), nullable=False),
    sa.Column('carry', sa.JSON(), nullable=True),
    sa.Column('hospital_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.ForeignKeyConstraint(['feed_id'], ['use_feed.id'], name=op.f('fk_use_day_feed_id')),
    sa.ForeignKeyConstraint(['hospital_id'], ['hospital.id'], name=op.f('fk_use_day_hospital_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_use_day')),
    sa.UniqueConstraint('feed_id', 'day', name=op.f('uq_use_day_feed_id_day'))
    )
    with op.batch_alter_table('use_day', schema=None) as batch_op:
        batch_op.create_index('ix_use_day_day', ['hospital_id', 'day'], unique=False)
        batch_op.create_index(batch_op.f('ix_use_day_hospital_id'), ['hospital_id'], unique=False)

    with op.batch_alter_table('meter_reading', schema=None) as batch_op:
        batch_op.add_column(sa.Column('sensor_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True))
        batch_op.create_foreign_key(batch_op.f('fk_meter_reading_sensor_id'), 'sensor', ['sensor_id'], ['id'])
        batch_op.create_index(batch_op.f('ix_meter_reading_sensor_id'), ['sensor_id'], unique=False)



def downgrade() -> None:
    """Undo."""
    with op.batch_alter_table('meter_reading', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_meter_reading_sensor_id'))
        batch_op.drop_constraint(batch_op.f('fk_meter_reading_sensor_id'), type_='foreignkey')
        batch_op.drop_column('sensor_id')

    with op.batch_alter_table('use_day', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_use_day_hospital_id'))
        batch_op.drop_index('ix_use_day_day')

    op.drop_table('use_day')
    with op.batch_alter_table('meter_break', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_meter_break_hospital_id'))

    op.drop_table('meter_break')
    with op.batch_alter_table('use_feed', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_use_feed_hospital_id'))
        batch_op.drop_index(batch_op.f('ix_use_feed_asset_id'))

    op.drop_table('use_feed')
    with op.batch_alter_table('energy_terms', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_energy_terms_hospital_id'))

    op.drop_table('energy_terms')
