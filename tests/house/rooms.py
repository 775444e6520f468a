"""Rooms of the world: one of each thing, with the world's name in every text."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from apm.accounts.queries import hospital_day
from apm.core.command import Context
from apm.environment.checks import check_by_hand
from apm.environment.model import Decision, Slot
from apm.environment.places import describe_place
from apm.environment.plans import add_plan, place_pin
from apm.environment.records import Period, sign_record
from apm.environment.reporting import begin_report, write_report
from apm.readings.commands import add_sensor, ingest
from tests.apm.hospital import jpeg
from tests.conftest import PASSWORD

WARM = (4.0, 12.0, 12.0, 4.0)


def keep_rooms(wang: Context, name: str) -> dict[str, Any]:
    """A store that was warm for a while: described, checked, reported, signed for, pinned."""
    short, step = name[:20], timedelta(minutes=10)
    sensor = add_sensor(
        wang, code="RF-1", name=name[:100], name_zh=name[:100], quantity="temperature",
        unit="°C", location=name[:100], profile="reagent_fridge",
    )  # fmt: skip
    first = wang.now() - 4 * step
    ingest(
        wang, [{"sensor": "RF-1", "at": first + step * k, "value": v} for k, v in enumerate(WARM)]
    )
    place = sensor.location.code if sensor.location else ""
    describe_place(
        wang, place=place, floor=short, profile="sterile_store", stores=name,
        is_checked_by_hand=True,
    )  # fmt: skip
    said = {"temperature": 30.0, "humidity": 45.0, "note": name}
    check_by_hand(wang, place=place, slot=Slot.MORNING, **said)  # type: ignore[arg-type]
    report = begin_report(wang, sensor="RF-1", began=first + step)
    texts = dict.fromkeys(("products", "cause", "action", "decision_reason"), name)
    write_report(wang, report_id=report.id, decision=Decision.USE, **texts)
    yesterday = hospital_day(wang) - timedelta(days=1)
    record = sign_record(wang, place=place, period=Period(yesterday, yesterday), password=PASSWORD)
    plan = add_plan(wang, name=name[:80], name_zh=name[:80], data=jpeg())
    place_pin(wang, plan_id=plan.id, what="sensor:RF-1", x=10, y=10)
    place_pin(wang, plan_id=plan.id, what=f"place:{place}", x=20, y=20)
    return {"environment": place, "excursions": report.id, "records": record.id}
