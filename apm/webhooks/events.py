"""What this feature announces."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from apm.core.events import Event


@dataclass(frozen=True, slots=True)
class WebhookSwitchedOff(Event):
    """A webhook failed for days and is told nothing more."""

    kind: ClassVar[str] = "webhooks.switched_off"
    webhook_id: int
    name: str
