"""A test file with a fixture `worlds` gets a furnished hospital in place of the plain one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from tests.conftest import postgres_database, postgres_filled, sqlite_filled
from tests.house.worlds import Worlds


@pytest.fixture(scope="module")
def sqlite_world(
    worlds: Worlds, sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A SQLite file with a furnished hospital."""
    path = tmp_path_factory.mktemp("world") / "world.db"
    path.write_bytes(sqlite_template.read_bytes())
    return sqlite_filled(path, worlds.furnish)


@pytest.fixture(scope="module")
def postgres_world(worlds: Worlds, postgres_template: str) -> Iterator[str]:
    """A PostgreSQL database with a furnished hospital."""
    with postgres_database(postgres_template) as name:
        yield postgres_filled(name, worlds.furnish)


@pytest.fixture
def world(worlds: Worlds, engine: Engine) -> dict[str, Any]:
    """One thing of each kind, by what addresses call it."""
    return worlds.made[engine.dialect.name]
