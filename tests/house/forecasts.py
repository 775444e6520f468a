"""A forecast that warns, for the hospital with one thing of each kind."""

from __future__ import annotations

from typing import Any

from apm.assets.model import Asset
from apm.forecasts.model import ModelKind
from apm.readings.model import Sensor
from tests.apm.foretold import foretell, make_model


def foresee(as_: Any, name: str, asset: Asset, sensor: Sensor) -> dict[str, Any]:
    """What is foretold of an asset and of a sensor, with `name` among the reasons."""
    system = as_("system")
    drivers = [{"code": name, "weight": 0.4, "what": name}]
    life = make_model(system)
    _said, record = foretell(system, asset, life, chance=0.6, warns=True, drivers=drivers)
    trend = make_model(system, ModelKind.TREND)
    foretell(system, asset, trend, sensor=sensor, record=False)
    assert record
    return {"forecasts": record.id}
