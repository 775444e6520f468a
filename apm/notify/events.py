"""What this feature announces to itself, so that its messages are made like all others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from apm.core.events import Event


@dataclass(frozen=True, slots=True)
class NobodyAnswered(Event):
    """Something urgent has waited too long: the people of this step are told."""

    kind: ClassVar[str] = "notify.nobody_answered"
    escalation_id: int
    step: int


@dataclass(frozen=True, slots=True)
class ChannelFails(Event):
    """Messages through a channel do not get out any more."""

    kind: ClassVar[str] = "notify.channel_fails"
    channel_id: int
    name: str


@dataclass(frozen=True, slots=True)
class PartsLow(Event):
    """So many more spare parts are below their minimum."""

    kind: ClassVar[str] = "notify.parts_low"
    n: int


@dataclass(frozen=True, slots=True)
class WorkRemembered(Event):
    """The day of a work order is near, has come or has passed; see `overdue.Stage`."""

    kind: ClassVar[str] = "notify.work_remembered"
    stage: str
    no: str
    asset_id: int | None
    assignee_id: int | None
    team_id: int | None
