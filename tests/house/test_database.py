"""Migrations make what the models say, up and down, on both databases."""

import pytest
from sqlalchemy import inspect

from apm import database
from apm.core.db import Base

pytestmark = pytest.mark.database


def test_migrations_make_what_the_models_say(engine):
    assert database.differences(engine) == []
    assert database.is_current(engine)


def test_down_and_up_again_ends_where_it_began(engine):
    def schema():
        found = inspect(engine)
        return {
            table: (
                sorted(column["name"] for column in found.get_columns(table)),
                sorted(str(index["name"]) for index in found.get_indexes(table)),
            )
            for table in found.get_table_names()
        }

    before = schema()
    database.downgrade(engine, "base")
    assert set(schema()) == {"alembic_version"}
    assert not database.is_current(engine)
    database.upgrade(engine)
    assert schema() == before


def test_every_table_has_a_key_and_named_constraints(engine):
    for table in Base.metadata.tables.values():
        assert table.primary_key.columns, table.name
        for constraint in table.constraints:
            assert constraint.name, (table.name, constraint)


def test_every_foreign_key_can_be_followed_backwards(engine):
    """A parent's delete or a join from it must not scan the child."""
    found = inspect(engine)
    # Never joined from the parent's side, and parents are never deleted.
    spared = {
        ("asset", "department_id"),
        ("stocktake", "department_id"),
        ("scan", "asset_id"),
        ("expectation", "asset_id"),
        ("work_order", "assignee_id"),
        ("request", "duplicate_of_id"),
        ("plan", "asset_id"),
    }
    missing = []
    for table in Base.metadata.tables.values():
        leading = {tuple(i["column_names"])[:1] for i in found.get_indexes(table.name)}
        leading |= {tuple(u["column_names"])[:1] for u in found.get_unique_constraints(table.name)}
        leading.add(tuple(c.name for c in table.primary_key.columns)[:1])
        missing += [
            (table.name, key.parent.name)
            for key in table.foreign_keys
            if (key.parent.name,) not in leading and (table.name, key.parent.name) not in spared
        ]
    assert missing == []
