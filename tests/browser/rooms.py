"""A store with everything the environment's pages can show."""

from __future__ import annotations

from datetime import timedelta

from apm.accounts.queries import hospital_day
from apm.core.clock import utc_now
from apm.core.command import Context
from apm.environment.checks import check_by_hand
from apm.environment.model import Decision, Slot
from apm.environment.places import describe_place
from apm.environment.plans import add_plan, place_pin
from apm.environment.records import Period, sign_record
from apm.environment.reporting import begin_report, sign_report, write_report
from apm.readings.commands import add_sensor, ingest
from tests.apm.hospital import jpeg
from tests.conftest import PASSWORD

STEP = timedelta(minutes=10)
SAID = {
    "products": "红细胞悬液18袋（批号 2026-11-0042、2026-11-0043）",
    "cause": "取血后门未关严",
    "action": "关门、培训、加装闭门提示",
    "decision_reason": "厂家允许短时升温",
}


def keep_rooms(wang: Context, pages: dict[str, list[str]]) -> None:
    """A blood store that was warm twice, with damp air, checked and signed for."""
    now = utc_now().replace(second=0, microsecond=0)
    for code, quantity, unit, values in (
        ("BLOOD-T", "temperature", "°C", [4.0] * 100 + [9.0] * 6 + [4.0] * 40 + [7.5] * 3 + [4.0]),
        ("BLOOD-RH", "humidity", "%", [88.0] * 150),
    ):
        made = add_sensor(
            wang, code=code, name="Blood store " + quantity,
            name_zh="储血室" + {"temperature": "温度", "humidity": "湿度"}[quantity],
            quantity=quantity, unit=unit, location="储血室",
            profile="blood_rbc" if quantity == "temperature" else None,
        )  # fmt: skip
        first = now - STEP * (len(values) - 1)
        ingest(wang, [
            {"sensor": code, "at": first + STEP * k, "value": v} for k, v in enumerate(values)
        ])  # fmt: skip
    place = made.location.code if made.location else ""
    describe_place(wang, place=place, floor="2", stores="红细胞悬液、全血")
    shelf = add_sensor(
        wang, code="SHELF-P", name="Store power", name_zh="无菌库电源", quantity="power",
        unit="W", location="无菌物品库",
    ).location  # fmt: skip
    by_hand = shelf.code if shelf else ""
    describe_place(wang, place=by_hand, profile="sterile_store", is_checked_by_hand=True)
    said = {"temperature": 26.0, "humidity": 45.0}
    check_by_hand(wang, place=by_hand, slot=Slot.MORNING, note="已通知后勤", **said)
    reports = []
    for began in (now - STEP * 48, now - STEP * 3):
        row = begin_report(wang, sensor="BLOOD-T", began=began)
        write_report(wang, report_id=row.id, decision=Decision.USE, **SAID)
        reports.append(row.id)
    sign_report(wang, report_id=reports[0], password=PASSWORD)
    yesterday = hospital_day(wang) - timedelta(days=1)
    period = Period(yesterday - timedelta(days=6), yesterday)
    record = sign_record(wang, place=place, period=period, password=PASSWORD)
    plan = add_plan(wang, name="Second floor", name_zh="二层", data=jpeg(900, 600))
    place_pin(wang, plan_id=plan.id, what=f"place:{place}", x=30, y=40)
    place_pin(wang, plan_id=plan.id, what="sensor:SHELF-P", x=90, y=70)
    here = f"/environment/{place}"
    pages["environment.places.show"] = [here, f"{here}?period=day&sensor=BLOOD-RH"]
    pages["environment.places.describe"] = [f"{here}/settings"]
    pages["environment.records.show"] = [f"{here}/record", f"/environment/{by_hand}/record"]
    pages["environment.records.check"] = [f"/environment/{by_hand}/checks"]
    pages["environment.records.signed"] = [f"/environment/records/{record.id}"]
    pages["environment.excursions.show"] = [f"/environment/excursions/{n}" for n in reports]
    pages["environment.plans.show"] = [f"/environment/plans/{plan.id}"]
    pages["environment.show_wall"] = ["/environment?tv=1"]
