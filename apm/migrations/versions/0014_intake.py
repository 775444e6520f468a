"""The rows of what sensors read last follow the inbox; what is in them is noted already."""

import secrets

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "reading_intake",
        sa.Column("id", BIG, nullable=False),
        sa.Column("hospital_id", BIG, nullable=False),
        sa.Column("noted", BIG, nullable=False),
        sa.Column("stamp", BIG, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reading_intake")),
        sa.ForeignKeyConstraint(
            ["hospital_id"], ["hospital.id"], name=op.f("fk_reading_intake_hospital_id_hospital")
        ),
        sa.UniqueConstraint("hospital_id", name=op.f("uq_reading_intake_hospital_id")),
    )
    op.create_index("ix_reading_intake_hospital_id", "reading_intake", ["hospital_id"])
    with op.batch_alter_table("reading_inbox") as table:
        table.add_column(sa.Column("newest", sa.LargeBinary(), nullable=True))
    _note_what_is_there()


def _note_what_is_there() -> None:
    connection = op.get_bind()
    rows = connection.execute(
        sa.text("SELECT hospital_id, max(id) FROM reading_inbox GROUP BY hospital_id")
    ).all()
    table = sa.table(
        "reading_intake",
        sa.column("hospital_id", BIG),
        sa.column("noted", BIG),
        sa.column("stamp", BIG),
    )
    for hospital_id, last in rows:
        values = {"hospital_id": hospital_id, "noted": last, "stamp": secrets.randbits(62)}
        connection.execute(table.insert().values(values))


def downgrade() -> None:
    """Take back; refused while something is not noted, which the code before would never do."""
    query = (
        "SELECT count(*) FROM reading_inbox i LEFT JOIN reading_intake k"
        " ON k.hospital_id = i.hospital_id WHERE i.id > coalesce(k.noted, 0)"
    )
    if op.get_bind().execute(sa.text(query)).scalar_one():
        raise RuntimeError("stop the server, let `apm worker` merge what waits, then go back")
    keep_numbers = {"sqlite_autoincrement": True}
    with op.batch_alter_table("reading_inbox", table_kwargs=keep_numbers) as table:
        table.drop_column("newest")
    op.drop_table("reading_intake")
