"""From a sensor's unit to the one that use is counted in."""

from __future__ import annotations

from apm.core.units import factor
from apm.maintenance.model import MeterKind
from apm.utilisation.model import FeedWay

BASE = {FeedWay.POWER: "W", FeedWay.CURRENT: "A"}
KWH = {"Wh": 1e-3, "kWh": 1.0, "MWh": 1e3, "度": 1.0}
HOURS = {
    "h": 1.0, "hr": 1.0, "hrs": 1.0, "小时": 1.0, "min": 1 / 60, "分钟": 1 / 60, "s": 1 / 3600,
    "秒": 1 / 3600,
}  # fmt: skip


def scale_of(way: FeedWay, unit: str, meter: MeterKind | None = None) -> float | None:
    """Return by what a reading is multiplied to be W, A, kWh, hours or a count.

    None: this unit cannot be that.

    >>> scale_of(FeedWay.POWER, "kW"), scale_of(FeedWay.ENERGY, "Wh"), scale_of(FeedWay.POWER, "A")
    (1000.0, 0.001, None)
    """
    if way in BASE:
        found = factor(unit, BASE[way])
        return None if found is None else float(found)
    if way is FeedWay.ENERGY:
        return KWH.get(unit)
    return HOURS.get(unit) if meter is MeterKind.HOURS else 1.0
