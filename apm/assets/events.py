"""What happens in the register that others want to hear of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from apm.core.events import Event


@dataclass(frozen=True, slots=True)
class AssetsDescribed(Event):
    """Equipment is new, or its maker, model, lot or serial number is another one than before."""

    kind: ClassVar[str] = "asset.described"
    asset_ids: list[int]
