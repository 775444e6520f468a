"""What forecasts do at news: equipment whose readings raise an alarm is asked about at once."""

from __future__ import annotations

from typing import Any

from apm.alarms.events import AlarmRaised
from apm.core.command import Context
from apm.core.events import subscribe
from apm.forecasts.foretelling import foretell_some
from apm.readings.model import AlarmKind


@subscribe(AlarmRaised)
def foretell_again(ctx: Context, _event_id: int, raised: dict[str, Any]) -> None:
    """Foretell anew for the equipment of a detector's alarm; a repeat does no harm."""
    if raised["alarm_kind"] == AlarmKind.ANOMALY.value and raised["asset_id"] is not None:
        foretell_some(ctx, [raised["asset_id"]])
