"""What happens with notices that others want to hear of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from apm.core.events import Event


@dataclass(frozen=True, slots=True)
class NoticeTouches(Event):
    """A notice touches equipment of ours that it did not touch before: `n` assets."""

    kind: ClassVar[str] = "recall.touches"
    notice_id: int
    number: str
    is_grave: bool
    n: int
