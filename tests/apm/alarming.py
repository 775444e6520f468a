"""A cold store with rules, for the tests of alarms."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import select

from apm.alarms.evaluating import evaluate_all
from apm.alarms.silence import listen
from apm.alarms.sweeping import sweep
from apm.core.command import Context
from apm.readings.commands import add_sensor, ingest
from apm.readings.model import Alarm, Sensor
from tests.apm.hospital import make_asset

START = datetime(2026, 5, 1, 8, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


class Ward:
    """Sends readings and lets the worker look, at times of the test's own."""

    def __init__(self, as_: Any) -> None:
        self.as_ = as_

    def at(self, minute: float, who: str = "wang") -> Context:
        """Somebody, so many minutes after the start."""
        made: Context = self.as_(who, now=lambda: START + MINUTE * minute)
        return made

    def fridge(self, code: str = "F-1", profile: str = "blood_rbc", **more: Any) -> Sensor:
        """A refrigerator with a sensor."""
        asset = more.pop("asset", None)
        if asset is None and "location" not in more:
            asset = make_asset(self.as_("wang"), "FRIDGE", name=f"Fridge {code}").code
        facts = {"quantity": "temperature", "unit": "°C", "profile": profile, **more}
        if asset:
            facts["asset"] = asset
        return add_sensor(self.as_("wang"), code=code, name=code, **facts)

    def send(self, code: str, values: list[float], *, first: float = 0, every: float = 1) -> None:
        """A reading every so many minutes, sent when the last one was taken."""
        last = first + every * (len(values) - 1)
        readings = [
            {"sensor": code, "at": START + MINUTE * (first + every * k), "value": float(value)}
            for k, value in enumerate(values)
        ]
        ingest(self.at(last), readings)

    def look(self, minute: float) -> int:
        """The worker counts; how many alarms it opened."""
        return evaluate_all(self.at(minute, "system")).opened

    def sweep(self, minute: float) -> None:
        """The worker hears who is silent and ends shelves."""
        listen(self.at(minute, "system"))
        sweep(self.at(minute, "system"))

    def alarms(self, who: str = "wang") -> list[Alarm]:
        """All alarms of the hospital, as they stand."""
        query = select(Alarm).order_by(Alarm.since, Alarm.id)
        return list(self.as_(who).session.scalars(query))

    def alarm(self, rule: str) -> Alarm:
        """The one alarm of a rule."""
        [found] = [one for one in self.alarms() if one.rule == rule]
        return found


def minutes(at: datetime | None) -> float | None:
    """Minutes after the start."""
    return None if at is None else (at - START) / MINUTE
