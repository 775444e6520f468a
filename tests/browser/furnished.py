"""A small hospital in which every page has something to show, and no page is at its best.

People typed long names; work stands in every state; a room is failing at this moment.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import time, timedelta
from uuid import uuid4

from sqlalchemy import select

from apm.accounts.queries import hospital_day, system_actor
from apm.assets.commands import create_asset
from apm.assets.model import Asset, AssetState, Department
from apm.core.clock import utc_now
from apm.core.command import Context
from apm.detecting.scoring import score_all
from apm.maintenance.coming import coming_between
from apm.maintenance.commands import add_plan
from apm.maintenance.jobs import generate_due
from apm.maintenance.model import PlanMode
from apm.maintenance.rhythm import Rhythm
from apm.procedures.model import Verdict
from apm.readings.commands import add_sensor, ingest
from apm.readings.model import Alarm
from apm.requests import triage
from apm.requests.reporting import Report, Sent, add_comment, report_fault
from apm.stocktake import commands as stocktake
from apm.teams.commands import (
    TeamFacts,
    save_competence,
    save_team,
    set_day,
    set_special_day,
    set_week,
)
from apm.work.completion import Completion, close, complete
from apm.work.model import WorkOrder
from apm.work.moving import Facts, move_work
from apm.work.results import Answer, add_cost, answer_steps
from apm.work.states import CostKind
from tests.apm.hospital import jpeg, pass_all, start_work
from tests.browser.checklist import fitting
from tests.browser.drafts import keep_templates
from tests.browser.foretelling import keep_forecasts
from tests.browser.house import House
from tests.browser.meters import keep_meters
from tests.browser.notices import keep_notices
from tests.browser.offices import keep_papers, let_in, open_ways
from tests.browser.plugs import connect_devices
from tests.browser.real_input import simulated_log
from tests.browser.reasons import keep_causes
from tests.browser.rooms import keep_rooms
from tests.browser.rounds import keep_round
from tests.browser.storeroom import keep_parts
from tests.conftest import PASSWORD

DONE = Completion(35, "UPF", "更换流量传感器", has_follow_up=False)
UNITS = {
    "重症医学科": ("ICU", "ICU 2"),
    "磁共振室": ("MRI", "MRI 1"),
    "急诊科": ("Emergency", "ER 3"),
}


@dataclass
class Furnished:
    """Where things are: addresses of pages, by what they show."""

    pages: dict[str, list[str]] = field(default_factory=dict)
    """By endpoint, for pages about one thing; who looks at them is the administrator."""
    technician: list[str] = field(default_factory=list)
    """Pages that look otherwise to whom the work is given."""
    visitor: list[str] = field(default_factory=list)
    """Pages without a login."""


def furnish(house: House) -> Furnished:
    """Fill the hospital North; return where to look."""
    with house.acting("wang") as wang, house.acting("chen") as chen:
        system = Context(wang.session, system_actor(wang.actor.hospital_id))
        found = Furnished()
        _teams(wang, chen.actor.user_id or 0, found)
        vent, chiller, monitor = _assets(wang)
        for no in range(60):
            pump = _asset(wang, f"E-{no:04}", "Pump", "INFP", "急诊科")
        _readings(wang, chiller, found)
        score_all(system)
        _plans(wang, vent, monitor, system, found)
        _repairs(wang, chen, vent, monitor, found)
        _count(wang, vent, monitor, found)
        keep_parts(wang, chen, vent, found.pages)
        keep_templates(wang, found.pages)
        keep_rooms(wang, found.pages)
        found.technician += [*keep_round(wang, chen, found.pages), "/packing?day=today"]
        closed, at_work, _waiting = (page.rpartition("/")[2] for page in found.pages["work.show"])
        found.visitor.append(keep_papers(wang, vent, closed, found.pages))
        found.visitor.append(let_in(wang, at_work, found.pages))
        keep_causes(wang, vent, (closed, at_work), found.pages)
        keep_meters(wang, vent, found.pages)
        keep_forecasts(wang, system, (vent, chiller, monitor), found.pages)
        keep_notices(wang, found.pages)
        assets = [vent.code, chiller.code]
        found.pages["assets.show"] = [f"/assets/{code}" for code in assets]
        found.pages["assets.edit"] = [f"/assets/{vent.code}/edit"]
        found.pages["procedures.template_page"] = ["/templates/VENT", "/templates/MON"]
        found.visitor = [f"/a/{pump.code}", *found.visitor, f"/a/{vent.code}"]
        alarm = wang.session.query(Alarm).first()
        assert alarm, "the room's failure was not found"
        found.pages["alarms.alarm"] = [f"/alarms/{alarm.id}"]
        found.pages["work.show"].append(f"/work-orders/{alarm.work_order_no}")
        connect_devices(wang, found.pages)
    open_ways(house, found.pages)
    return found


def _teams(wang: Context, chen_id: int, found: Furnished) -> None:
    """Before anything is assigned; chen may repair ventilators alone, and pumps no longer."""
    facts = TeamFacts("Life support", "生命支持组", chen_id, (), ("VENT", "INFP"), (chen_id,))
    team = save_team(wang, facts=facts)
    today = hospital_day(wang)
    save_competence(wang, user_id=chen_id, category_code="VENT", note="厂家培训证书 2025-118")
    last_month = today - timedelta(days=30)
    save_competence(wang, user_id=chen_id, category_code="INFP", valid_until=last_month)
    set_week(wang, user_id=chen_id, week={0: (time(20), time(8)), 3: (time(8), time(20))})
    set_day(wang, user_id=chen_id, day=today + timedelta(days=3), note="培训")
    set_special_day(wang, day=today + timedelta(days=9), is_working=False, name="元旦")
    found.pages["teams.team"] = [f"/admin/teams/{team.id}"]
    found.pages["teams.person"] = [f"/admin/teams/people/{chen_id}"]


def _assets(wang: Context) -> tuple[Asset, Asset, Asset]:
    return (
        _asset(wang, "ICU-VENT-2021-000417", "Ventilator", "VENT", "重症医学科"),
        _asset(wang, "CH-0001", "Chiller", "CHILLER", "磁共振室"),
        _asset(wang, "MON-3", "Monitor", "MON", "重症医学科"),
    )


CHINESE = {
    "Ventilator": "呼吸机（重症监护用）",
    "Chiller": "水冷机",
    "Monitor": "监护仪",
    "Pump": "输液泵",
}


def _asset(ctx: Context, number: str, name: str, category: str, department: str) -> Asset:
    return create_asset(
        ctx,
        number=number,
        name=name,
        category=category,
        name_zh=CHINESE[name],
        manufacturer="Dräger",
        model="V300",
        serial=f"SN-{number}",
        department=department,
        location=UNITS[department][1],
        purchase_cost=26_800_050,
        lifecycle=AssetState.IN_SERVICE,
    )


def _readings(wang: Context, chiller: Asset, found: Furnished) -> None:
    now = utc_now()
    log = simulated_log(
        mean=71.0, swing=2.0, broken_on=39.7, start=now - timedelta(days=40, minutes=-10)
    )
    facts = {"quantity": "temperature", "unit": "°C"}
    add_sensor(wang, code="CT1-TEMP", name="CT room", name_zh="CT机房", location="CT 1", **facts)
    add_sensor(wang, code="NEW", name="Chiller", name_zh="水冷机供水", asset=chiller.code, **facts)
    ingest(wang, log.as_json("CT1-TEMP"))
    ingest(wang, log.as_json("NEW")[-300:])
    found.pages["readings.edit_sensor"] = ["/sensors/NEW/edit"]
    found.pages["readings.move_sensor"] = ["/sensors/NEW/move"]
    found.pages["forecasts.sensor"] = [
        "/sensors/CT1-TEMP",
        "/sensors/CT1-TEMP?period=month",
        "/sensors/NEW",
    ]


def _plans(wang: Context, vent: Asset, monitor: Asset, system: Context, found: Furnished) -> None:
    today = hospital_day(wang)
    for asset, days in ((vent, -3), (monitor, -3)):
        rhythm = Rhythm(PlanMode.FIXED, 6, today + timedelta(days=days), 14, 14)
        add_plan(wang, asset=asset.code, template=asset.category, rhythm=rhythm)
    generate_due(system)
    found.pages["maintenance.new_plan"] = [f"/plans/new?asset={vent.code}"]
    found.pages["maintenance.new_reading"] = [f"/meters/new?asset={vent.code}"]
    found.pages["maintenance.show"] = ["/plans/1", "/plans/2"]
    found.pages["maintenance.change"] = ["/plans/1/change"]
    first = wang.session.scalars(select(WorkOrder.no).order_by(WorkOrder.id)).first()
    found.pages["maintenance.move"] = [f"/calendar/{first}/move"]
    ahead = coming_between(wang, today + timedelta(days=150), today + timedelta(days=210))
    day, [coming, *_others] = min(ahead.items())
    found.pages["maintenance.show_planned"] = [
        f"/calendar/planned/{day}/{coming.template_code}",
        f"/calendar/planned/{day - timedelta(days=1)}/{coming.template_code}",  # nothing
    ]


def _report(ctx: Context, asset: Asset, symptom: str, **said: object) -> tuple[str, str]:
    token = uuid4().hex
    report = Report(symptom=symptom, **said)  # type: ignore[arg-type]  # optional facts
    sent = Sent(client_key=token, token=token, photos=(jpeg(),))
    return report_fault(ctx, asset_code=asset.code, report=report, sent=sent).no, f"/r/{token}"


def _repairs(wang: Context, chen: Context, vent: Asset, monitor: Asset, found: Furnished) -> None:
    order_pages, request_pages = [], []
    # One that is closed, all signed; one in work with a failed step; one waiting; one to triage.
    for stage in ("closed", "in_progress", "waiting"):
        no, link = _report(wang, vent, "flow", description="潮气量偏低")
        how = triage.Acceptance(template_code="VENT", is_out_of_use=True)
        order = triage.accept(wang, no=no, how=how)
        _carry(wang, chen, order, stage)
        order_pages.append(f"/work-orders/{order.no}")
        request_pages.append(f"/requests/{no}")
        found.visitor.append(link)
    found.technician += [order_pages[1], "/", "/work-orders"]
    no, link = _report(wang, monitor, "alarm", patient_involved=True, reporter_name="林夏")
    add_comment(wang, no=no, text="马上到")
    request_pages.append(f"/requests/{no}")
    found.visitor.append(link)
    found.pages["work.show"] = order_pages
    found.pages["requests.staff.show"] = request_pages


def _carry(wang: Context, chen: Context, order: WorkOrder, stage: str) -> None:
    start_work(chen, wang, order)
    if stage == "waiting":
        why = Facts(reason="电池已订购", expected_on=hospital_day(wang) + timedelta(days=9))
        move_work(chen, no=order.no, action="wait_parts", facts=why)
        return
    wang.session.refresh(order)
    pass_all(chen, order, order.steps)
    add_cost(chen, no=order.no, kind=CostKind.PARTS, amount=199_990, note="流量传感器")
    if stage == "closed":
        complete(chen, no=order.no, password=PASSWORD, said=DONE)
        close(wang, no=order.no, password=PASSWORD)
    else:
        measured = {
            step.key: Answer(value=fitting(step.tolerance, step.reference))
            for step in order.steps
            if step.tolerance and step.tolerance["type"] != "manufacturer"
        }
        wrong = {"vt@400": Answer(value=470.5), "q1": Answer(verdict=Verdict.FAIL, note="破损")}
        answer_steps(chen, no=order.no, answers={**measured, **wrong})


def _count(wang: Context, vent: Asset, monitor: Asset, found: Furnished) -> None:
    departments = {d.name: d.id for d in wang.session.query(Department)}
    running = stocktake.start(wang, department_id=departments["重症医学科"])
    for code in (vent.code, "E-0001", "ZZZZ9999"):
        stocktake.scan(wang, no=running.no, code=code)
    over = stocktake.start(wang, department_id=departments["急诊科"])
    stocktake.scan(wang, no=over.no, code="E-0002")
    stocktake.scan(wang, no=over.no, code=monitor.number)
    stocktake.finish(wang, no=over.no, update_register=False)
    both = [f"/stocktakes/{s.no}" for s in (running, over)]
    found.pages["stocktake.show"] = both
    found.pages["stocktake.report"] = [f"{url}/report" for url in both]
    found.pages["stocktake.finish"] = [f"{both[0]}/finish"]
