"""Hospitals furnished once a module and database; each test gets a copy."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

from sqlalchemy import Engine

from apm.core.command import Context
from apm.core.db import make_sessions
from tests.conftest import actor_named
from tests.house.world import make_world


class Worlds:
    """What `make_world` made in each kind of database, by the name it gave everything."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.made: dict[str, dict[str, Any]] = {}

    def furnish(self, engine: Engine) -> None:
        """Make the world in a database that tests will copy."""
        sessions = make_sessions(engine)
        with ExitStack() as opened:

            def as_(name: str) -> Context:
                session = opened.enter_context(sessions())
                actor = actor_named(session, name)
                session.rollback()
                return Context(session, actor)

            self.made[engine.dialect.name] = make_world(as_, self.name)
