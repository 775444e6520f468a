"""How near to the dew point a place is, from its own temperature and humidity."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from apm.environment.wall import Card
from predict.climate import dew_point

FRESH = timedelta(hours=2)
"""Older readings say nothing about the air now."""
MARGIN_C = 3.0
"""Below this distance of air and dew point surfaces a little colder than the air get wet."""


@dataclass(frozen=True, slots=True)
class Damp:
    """The dew point of a place now, in degrees Celsius."""

    temperature: float
    humidity: float
    dew_point: float

    @property
    def margin(self) -> float:
        """How far the air is above it."""
        return self.temperature - self.dew_point

    @property
    def is_close(self) -> bool:
        """Whether condensation is to be feared."""
        return self.margin < MARGIN_C


def damp_now(cards: Sequence[Card], now: datetime) -> Damp | None:
    """Return the dew point from the place's own sensors; None without fresh ones of both kinds."""
    values = {
        card.seen.quantity: card.seen.value
        for card in reversed(cards)
        if card.seen.asset_code is None and card.seen.at and now - card.seen.at <= FRESH
    }
    temperature, humidity = values.get("temperature"), values.get("humidity")
    if temperature is None or humidity is None:
        return None
    return damp_of(temperature, humidity)


def damp_of(temperature: float, humidity: float) -> Damp | None:
    """Return the dew point; None where the formula does not hold."""
    try:
        return Damp(temperature, humidity, dew_point(temperature, humidity))
    except ValueError:
        return None
