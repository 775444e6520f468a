"""Domain events, the outbox that keeps them, and who listens.

An event is written in the transaction that caused it, so none is lost and none is sent for a
change that was rolled back.  The worker delivers it at least once: a handler must bear a repeat.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar

from sqlalchemy import JSON
from sqlalchemy.orm import Mapped, mapped_column

from apm.core.db import Row
from apm.core.registry import Hooks

if TYPE_CHECKING:
    from apm.core.command import Context


@dataclass(frozen=True, slots=True)
class Event:
    """A fact in the past tense.  Fields are plain JSON values: ids, codes, numbers."""

    kind: ClassVar[str]


class Outbox(Row):
    """An event waiting for the worker."""

    __tablename__ = "outbox"

    hospital_id: Mapped[int | None]
    kind: Mapped[str]
    payload: Mapped[dict[str, Any]] = mapped_column(JSON)
    at: Mapped[datetime]
    due_at: Mapped[datetime | None] = mapped_column(index=True)
    """When to try (again); None once delivered."""
    attempts: Mapped[int] = mapped_column(default=0)
    error: Mapped[str | None]

    @classmethod
    def of(cls, event: Event, hospital_id: int | None, at: datetime) -> Outbox:
        """Wrap `event` for storage."""
        return cls(
            hospital_id=hospital_id, kind=event.kind, payload=asdict(event), at=at, due_at=at
        )


Handler = Callable[["Context", int, dict[str, Any]], object]
SUBSCRIBERS: Hooks[Handler] = Hooks("subscribers")


def subscribe(event: type[Event]) -> Callable[[Handler], Handler]:
    """Call the handler with (context, outbox id, payload) for each such event, at least once."""

    def register(handler: Handler) -> Handler:
        SUBSCRIBERS.add(handler, event.kind)
        return handler

    return register
