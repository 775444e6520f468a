"""Commands: the only way to change anything.

A command is a function decorated with `@command`.  The decorator checks the permission,
opens the transaction, names the change for the audit trail, and stores the events the
command announced, all or nothing.  `core.audit` refuses any write made without one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from sqlalchemy import insert

from apm.core.clock import utc_now
from apm.core.db import ApmSession, Base
from apm.core.errors import NotAllowed
from apm.core.events import Event, Outbox
from apm.core.i18n import _l
from apm.core.permissions import Permission
from apm.core.registry import Registry, Stage

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: a person, a device, a visitor or the system.

    A plain value, not a row: it survives the session it was read in.
    `hospital_id` None means all hospitals and is for the system alone.
    """

    name: str
    hospital_id: int | None
    permissions: frozenset[Permission] = frozenset()
    user_id: int | None = None
    language: str | None = None
    bound_to: str | None = None
    """The one work order a link leads its holder to; nothing else is theirs to touch."""

    def can(self, permission: Permission | str) -> bool:
        """Tell whether this actor holds `permission`."""
        return permission in self.permissions

    def require(self, permission: Permission) -> None:
        """Raise `NotAllowed` unless this actor holds `permission`."""
        if permission not in self.permissions:
            raise NotAllowed(
                _l("Your role may not do this. Ask your equipment department."),
                permission=permission,
            )


@dataclass(slots=True)
class Context:
    """What a use case needs to run: a session, an actor and a clock."""

    session: ApmSession
    actor: Actor
    now: Callable[[], datetime] = utc_now
    request_id: str | None = None
    _events: list[Event] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.session.info["actor"] = self.actor
        self.session.info["now"] = self.now
        self.session.info["request_id"] = self.request_id

    def emit(self, event: Event) -> None:
        """Announce a fact; it is stored with the change and delivered after the commit."""
        self._events.append(event)

    def bulk_insert(self, model: type[Base], rows: Sequence[Mapping[str, Any]]) -> None:
        """Insert many rows of a table that keeps no trail (readings, search terms)."""
        if rows:
            own = {"hospital_id": self.actor.hospital_id}
            self.session.execute(
                insert(model),
                [{**row, **own} for row in rows],
                execution_options={"apm_stamped": True},
            )

    @contextmanager
    def writing(self, name: str) -> Iterator[None]:
        """Run one unit of work named `name`; a nested one joins the outer."""
        info = self.session.info
        if outer := info.get("command"):
            self.session.flush()
            info["command"] = name
            try:
                yield
                self.session.flush()  # while the trail still names the inner command
            finally:
                info["command"] = outer
            return
        # End the snapshot the page was read in: what a command decides on is read under its lock.
        self.session.commit()
        info["command"] = name
        try:
            self.session.connection(execution_options={"apm_writing": True})
            yield
            hospital_id = self.actor.hospital_id
            self.session.add_all(
                Outbox.of(event, hospital_id, self.now()) for event in self._events
            )
            self.session.commit()
        except BaseException:
            self.session.rollback()
            raise
        finally:
            self._events.clear()
            del info["command"]


@dataclass(frozen=True, slots=True)
class Command:
    """The registry's entry: tests read it to check that every command is covered."""

    name: str
    permission: Permission
    handler: Callable[..., object]


COMMANDS: Registry[Command] = Registry("commands", Stage.PAGES)


def command(
    name: str, permission: Permission
) -> Callable[[Callable[Concatenate[Context, P], R]], Callable[Concatenate[Context, P], R]]:
    """Make a function a command: permission, transaction, audit and events in one place."""

    def decorate(
        handler: Callable[Concatenate[Context, P], R],
    ) -> Callable[Concatenate[Context, P], R]:
        @wraps(handler)
        def run(ctx: Context, /, *args: P.args, **kwargs: P.kwargs) -> R:
            ctx.actor.require(permission)
            with ctx.writing(name):
                return handler(ctx, *args, **kwargs)

        COMMANDS.add(name, Command(name, permission, handler))
        return run

    return decorate
