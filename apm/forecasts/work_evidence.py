"""The forecasts kept in a work order as its evidence, read again and put into words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from apm.core.i18n import _, choose
from apm.forecasts.model import Forecast, ModelKind
from apm.forecasts.wording import chance_words, driver_words, life_words, number, sentence
from apm.readings.model import Sensor
from apm.work.model import WorkOrder

KIND = "forecast"


@dataclass(frozen=True, slots=True)
class ForetoldThen:
    """A forecast as it stood when it asked for work.

    model: its kind and version, such as ("life", 3); None where the evidence does not say.
    parts: the spare parts that go into the equipment, and how many were there then.
    """

    text: str
    chance: str
    life: str
    drivers: list[str]
    parts: list[str]
    model: tuple[ModelKind, int] | None
    at: datetime | None


def foretold_in(order: WorkOrder) -> list[ForetoldThen]:
    """Return the forecasts behind an order, the first one first."""
    if not order.evidence:
        return []
    every = (order.evidence, *order.evidence.get("also", ()))
    name = choose(order.asset.name, order.asset.name_zh) if order.asset else ""
    return [_then(plain, name) for plain in every if plain.get("kind") == KIND]


def _then(plain: dict[str, Any], name: str) -> ForetoldThen:
    known = plain.get("model") in set(ModelKind)
    kind = ModelKind(plain["model"]) if known else ModelKind.SOON
    days, p = plain.get("horizon_days"), plain.get("probability")
    told = Forecast(
        kind=kind,
        probabilities={str(days): p} if p is not None and days else None,
        life_median=plain.get("life_median"),
        life_low=plain.get("life_low"),
        life_high=plain.get("life_high"),
        confidence=plain.get("confidence"),
        sensor=_sensor(plain),
    )
    at = plain.get("at")
    return ForetoldThen(
        text=sentence(told, name),
        chance=chance_words(p, days) if p is not None and days else _("not given"),
        life=life_words(told),
        drivers=[
            driver_words(driver, plain.get("unit") or "") for driver in plain.get("drivers") or ()
        ],
        model=(kind, int(plain["version"])) if known and plain.get("version") else None,
        parts=[_part(part) for part in plain.get("parts") or ()],
        at=datetime.fromisoformat(at) if at else None,
    )


def _part(plain: dict[str, Any]) -> str:
    name = choose(plain.get("name"), plain.get("name_zh")) or str(plain.get("number", ""))
    available = plain.get("available") or 0
    if available > 0:
        return _("%(part)s: %(n)s available", part=name, n=number(available))
    return _(
        "%(part)s: none available, %(n)s days to get", part=name, n=plain.get("lead_days", "–")
    )


def _sensor(plain: dict[str, Any]) -> Sensor | None:
    if not plain.get("sensor"):
        return None
    name = plain.get("name") or plain["sensor"]
    return Sensor(code=plain["sensor"], name=name, name_zh=plain.get("name_zh"))
