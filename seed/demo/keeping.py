"""The demo's files: built whole under another name, then put in place."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from alembic.util import CommandError
from sqlalchemy import Engine

from apm import database
from apm.accounts.commands import add_token
from apm.accounts.queries import hospitals, system_actor
from apm.core.command import Context
from apm.core.db import make_engine, make_sessions
from apm.core.errors import Conflict
from apm.core.i18n import _l
from apm.core.permissions import Role
from apm.demo.desk import Desk, read_desk
from apm.factory import load_features
from seed.demo.building import Building, begin

SIDE_FILES = ("", "-wal", "-shm", "-journal")
Watch = Callable[[int, int], None]
"""Called with how much is done and how much there is."""


@dataclass(frozen=True, slots=True)
class Files:
    """Where the demo keeps what it has, in one folder."""

    folder: Path

    @property
    def database(self) -> Path:
        """The demo's own database; no other is ever opened."""
        return self.folder / "demo.db"

    @property
    def desk(self) -> Path:
        """Logins and token, for its owner's eyes."""
        return self.folder / "demo-logins.json"

    @property
    def draft(self) -> Path:
        """The database while it is being built."""
        return self.folder / "demo.db.making"

    def url(self, path: Path) -> str:
        """Return how SQLAlchemy calls a file."""
        return f"sqlite:///{path}"


def remove(files: Files) -> None:
    """Forget the demo: the next start builds it anew."""
    files.desk.unlink(missing_ok=True)
    for path in (files.database, files.draft):
        _remove_database(path)


def _remove_database(path: Path) -> None:
    for side in SIDE_FILES:
        path.with_name(path.name + side).unlink(missing_ok=True)


def ready_desk(files: Files) -> Desk | None:
    """Return the desk of a demo that is there and whole, None where it must be built."""
    found = read_desk(files.desk)
    if found is None or not files.database.exists():
        return None
    engine = make_engine(files.url(files.database))
    try:
        return _checked(engine, found)
    finally:
        engine.dispose()


def _checked(engine: Engine, found: Desk) -> Desk:
    try:
        database.upgrade(engine)
    except CommandError as error:
        raise Conflict(
            _l("The demo database is of another version. Start over with: apm demo --reset")
        ) from error
    with make_sessions(engine)() as session:
        ctx = Context(session, system_actor(None, "demo"))
        known = hospitals(ctx.session)
    if len(known) != 1 or not known[0].is_demo:
        raise Conflict(_l("demo.db is not a demo database. Move it away and start again."))
    return found


def build(files: Files, *, now: datetime, watch: Watch) -> Desk:
    """Build the demo as of `now` and put it in place; whatever was there before is gone."""
    load_features()  # in the story, too, one feature asks another
    remove(files)
    files.folder.mkdir(parents=True, exist_ok=True)
    engine = make_engine(files.url(files.draft))
    try:
        database.upgrade(engine)
        desk = _fill(engine, now, watch)
    finally:
        engine.dispose()  # the last connection takes the write-ahead log with it
    desk.save(files.desk)
    for side in SIDE_FILES[1:]:
        leftover = files.draft.with_name(files.draft.name + side)
        if leftover.exists():
            raise RuntimeError(f"{leftover} should be gone by now")
    files.draft.replace(files.database)
    return desk


def _fill(engine: Engine, now: datetime, watch: Watch) -> Desk:
    building: Building = begin(make_sessions(engine), now=now)
    done, total = 0, building.total
    watch(done, total)
    with building.session as session:
        for some in building.steps():
            done += some
            watch(done, total)
        token = add_token(Context(session, building.world.system), name="demo-gateway",
                          role=Role.DEVICE)  # fmt: skip
    return Desk(logins=tuple(building.logins), device_token=token, built_at=now)
