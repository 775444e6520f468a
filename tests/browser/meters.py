"""Equipment that sensors count: a ventilator's power, a counter that was set back, their rules."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select

from apm.accounts.queries import system_actor
from apm.assets.model import Asset
from apm.core.command import Context
from apm.maintenance.model import MeterKind
from apm.readings.commands import add_sensor, ingest
from apm.utilisation.commands import Wish, set_feed
from apm.utilisation.jobs import follow_all
from apm.utilisation.model import FeedWay, MeterBreak

HOURS = 30


def keep_meters(wang: Context, vent: Asset, pages: dict[str, list[str]]) -> None:
    """Let the ventilator be measured for a day; add the pages to look at."""
    power = {"name": "Ventilator power", "name_zh": "呼吸机功率", "quantity": "power", "unit": "W"}
    count = {"name": "Ventilations", "name_zh": "通气次数", "quantity": "count", "unit": "times"}
    add_sensor(wang, code="V-POWER", asset=vent.code, **power)
    add_sensor(wang, code="V-COUNT", asset=vent.code, **count)
    watts = Wish(FeedWay.POWER, MeterKind.HOURS, off_below=5.0, on_above=40.0)
    set_feed(wang, sensor="V-POWER", wish=watts)
    set_feed(wang, sensor="V-COUNT", wish=Wish(FeedWay.COUNTER, MeterKind.USES))
    first = wang.now() - timedelta(hours=HOURS)
    times = [first + timedelta(minutes=10 * k) for k in range(HOURS * 6)]
    ingest(
        wang,
        [
            {"sensor": "V-POWER", "at": at, "value": 80.0 if 8 <= at.hour < 20 else 12.0}
            for at in times
        ]
        + [{"sensor": "V-COUNT", "at": at, "value": 5 * (k % 100)} for k, at in enumerate(times)],
    )
    system = Context(wang.session, system_actor(wang.actor.hospital_id))
    follow_all(system)
    broken = wang.session.scalars(select(MeterBreak)).first()
    assert broken, "the counter that began again was not noticed"
    wang.session.info["actor"] = wang.actor
    pages["utilisation.asset"] = [f"/assets/{vent.code}/use"]
    pages["utilisation.feed"] = ["/sensors/V-POWER/use", "/sensors/V-COUNT/use"]
    pages["utilisation.meter_break"] = [f"/meter-breaks/{broken.id}"]
    pages["alarms.rules.sensor_page"] = ["/sensors/CT1-TEMP/rules"]
    pages["alarms.rules.edit_rule"] = ["/sensors/CT1-TEMP/rules/outside"]
    pages["alarms.rules.profile_page"] = ["/alarms/rules/blood_rbc"]
    pages["alarms.rules.edit_profile_rule"] = ["/alarms/rules/blood_rbc/temperature/high"]
