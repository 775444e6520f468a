"""When a sensor counts as silent: the one rule, for the alarm and for all that shows sensors.

Its own limit where a person gave one, for the sensor or for its profile.  Otherwise so many of its
usual intervals, ten minutes at least (`seed/alarm_rules.yaml`); a day where its interval is not
known.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import select

from apm.alarms.catalogue import STALE, silence
from apm.alarms.model import AlarmRule, Evaluated
from apm.core.command import Context
from apm.core.many import among
from apm.readings.model import Sensor
from apm.readings.silent import on_asking

UNKNOWN_S = 86_400.0
"""While nobody knows how often it speaks."""


class Patience:
    """Says how long sensors of a hospital may be silent; read in one statement."""

    def __init__(self, ctx: Context) -> None:
        query = select(AlarmRule.profile, AlarmRule.sensor_id, AlarmRule.on_delay_s)
        self._of_profile: dict[str, int] = {}
        self._of_sensor: dict[int, int] = {}
        for profile, sensor_id, own in ctx.session.execute(query.where(AlarmRule.key == STALE)):
            if not own:
                continue
            if sensor_id is not None:
                self._of_sensor[sensor_id] = own
            elif profile is not None:
                self._of_profile[profile] = own

    def seconds(self, sensor_id: int, profile: str | None, interval_s: float | None) -> float:
        """Return how long this sensor may be silent.

        interval_s: how far apart its readings usually are; None: not known.
        """
        own = self._of_sensor.get(sensor_id) or self._of_profile.get(profile or "")
        if own:
            return float(own)
        if interval_s is None:
            return UNKNOWN_S
        rule = silence()
        return max(rule.intervals * interval_s, rule.least_s)

    def is_over(
        self, waited: timedelta, sensor_id: int, profile: str | None, interval_s: float | None
    ) -> bool:
        """Tell whether this sensor, not heard for so long, is silent."""
        return waited.total_seconds() > self.seconds(sensor_id, profile, interval_s)


def silent_among(ctx: Context, sensors: Sequence[Sensor], now: datetime) -> set[int]:
    """Return which of these sensors, loaded with `latest`, are silent, in two statements."""
    heard = {sensor: sensor.latest.at for sensor in sensors if sensor.retired_at is None}
    query = select(Evaluated.sensor_id, Evaluated.interval_s).where(
        among(Evaluated.sensor_id, [sensor.id for sensor in heard])
    )
    usual = {row.sensor_id: row.interval_s for row in ctx.session.execute(query)}
    patience = Patience(ctx)
    return {
        sensor.id
        for sensor, at in heard.items()
        if at is not None
        and patience.is_over(now - at, sensor.id, sensor.profile, usual.get(sensor.id))
    }


on_asking(silent_among)
