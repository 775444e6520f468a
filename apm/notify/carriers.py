"""Who carries deliveries: a feature registers itself, and brings the parcels and the care."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from apm.core.command import Context
from apm.core.registry import Registry
from apm.core.settings import Settings
from apm.notify.model import Delivery
from apm.notify.sending import SendFailed

Send = Callable[[], None]
"""Sends one prepared message, far from any transaction; raises `SendFailed`."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one try."""

    delivery_id: int
    error: SendFailed | None


class Carrier(Protocol):
    """What a way of sending must know."""

    def standing(self, ctx: Context, target_ids: Sequence[int]) -> dict[int, datetime | None]:
        """Return, of those of these targets that fail, when each may be tried again."""

    def pack(
        self, ctx: Context, settings: Settings, deliveries: Sequence[Delivery]
    ) -> dict[int, Send | SendFailed]:
        """Return what sends each delivery, or why it cannot be sent; by delivery id."""

    def note(self, ctx: Context, target_id: int, errors: Sequence[SendFailed | None]) -> None:
        """Remember how a target fared in the last tries (None: it went well)."""


CARRIERS: Registry[Carrier] = Registry("carriers")


def carrier(name: str, one: Carrier) -> None:
    """Let deliveries of this name be carried."""
    CARRIERS.add(name, one)
