"""A hospital with one thing of each kind, and the addresses that lead to them."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import quote

from sqlalchemy import select

from apm.accounts import commands
from apm.accounts.model import ApiToken, SignInSession
from apm.core.codes import new_token
from apm.core.command import Context
from apm.core.permissions import Permission, Role
from apm.maintenance.commands import add_plan
from apm.maintenance.model import MeterKind, PlanMode
from apm.maintenance.rhythm import Rhythm
from apm.readings.commands import add_sensor, ingest
from apm.readings.model import Alarm, AlarmKind, Sensor
from apm.requests.reporting import Report, Sent, report_fault
from apm.stocktake.commands import start
from apm.teams.commands import TeamFacts, save_team, set_day, set_special_day
from apm.utilisation.commands import Wish, set_feed
from apm.utilisation.jobs import follow_all
from apm.utilisation.model import FeedWay, MeterBreak
from tests.apm.hospital import jpeg, make_asset, make_work, start_work
from tests.conftest import PASSWORD
from tests.house.checklists import make_template
from tests.house.devices import plug_in
from tests.house.forecasts import foresee
from tests.house.measuring import measure_up
from tests.house.notices import warn_of
from tests.house.outside import invite
from tests.house.reasons import decide
from tests.house.rooms import keep_rooms
from tests.house.storeroom import stock_up
from tests.house.ways_out import open_ways, try_ways


def make_world(as_: Any, name: str) -> dict[str, Any]:
    """One thing of each kind at North, by what addresses call it; `name` is in every text."""
    wang, amy, lin = as_("wang"), as_("amy"), as_("lin")
    ways = open_ways(as_, name)
    asset = make_asset(
        wang, "VENT", number="V-1", name=name, name_zh=name, department=name, location="Bed"
    )
    token = new_token()
    sent = Sent(client_key=token, token=token, photos=(jpeg(),))
    report = Report("alarm", name, reporter_name=name)
    request = report_fault(lin, asset_code=asset.code, report=report, sent=sent)
    order = make_work(wang, asset, title=name, template_code="VENT")
    start_work(amy, wang, order)
    vendor = invite(as_, order.no, name)
    rhythm = Rhythm(PlanMode.FIXED, 6, wang.now().date(), 10, 10)
    plan = add_plan(wang, asset=asset.code, template="VENT", rhythm=rhythm)
    sensor = sensor_on(wang, "S-1", name=name, unit=name[:20], asset=asset.code)
    raise_alarm(as_("system"), sensor, name)
    ways |= try_ways(as_)
    ingest(wang, [{"sensor": "S-1", "at": wang.now().isoformat(), "value": 21.0}])
    count = start(wang, department_id=asset.department_id)
    chen = as_("chen").actor.user_id
    team = save_team(wang, facts=TeamFacts(name[:80], name[:80], chen, member_ids=[chen]))
    set_day(wang, user_id=chen, day=wang.now().date(), note=name)
    set_special_day(wang, day=wang.now().date(), is_working=True, name=name)
    counter = count_something(as_, asset, name)
    plug = plug_in(wang, name)
    stored = stock_up(wang, name, order.no) | measure_up(as_, name, asset, order.no)
    make_template(wang, name)
    rooms = keep_rooms(wang, name)
    decide(as_, name, asset, order.no)
    foreseen = foresee(as_, name, asset, sensor)
    numbers = {
        **stored, **vendor, **rooms, **foreseen,
        "requests": request.no, "r": token, "work-orders": order.no, "stocktakes": count.no,
        "plans": plan.id, "sensors": "S-1", "templates": "VENT", "rounds": "VENT", "alarms": 1,
        "meter-breaks": counter, "rules": "blood_rbc",
        **ways, "recalls": warn_of(wang, name), "connections": plug,
        "teams": team.id, "people": chen,
        "sessions": session_of_zhao(as_("system")), "tokens": token_for_zhao(as_("system")),
    }  # fmt: skip
    return {"code": asset.code, "asset": asset.code, "template": "VENT", "numbers": numbers}


def count_something(as_: Any, asset: Any, name: str) -> int:
    """A counter that was set back, and nobody has said why."""
    wang, system = as_("wang"), as_("system")
    sensor_on(wang, "C-1", name=name, unit="times", quantity="count", asset=asset.code)
    set_feed(wang, sensor="C-1", wish=Wish(FeedWay.COUNTER, MeterKind.USES))
    ago = [wang.now() - timedelta(hours=9 - k) for k in range(7)]
    seen = zip(ago, (70, 71, 72, 0, 1, 2, 3), strict=True)
    ingest(wang, [{"sensor": "C-1", "at": at, "value": value} for at, value in seen])
    follow_all(system)
    return system.session.scalars(select(MeterBreak.id)).one()


def session_of_zhao(ctx: Context) -> int:
    """A browser that the manager is signed in with."""
    who = {"email": "zhao@north.example", "password": PASSWORD}
    commands.sign_in(ctx, **who, browser="test", address="test")
    return ctx.session.scalars(select(SignInSession.id)).one()


def token_for_zhao(ctx: Context) -> int:
    """A program's token."""
    commands.add_token(ctx, name="report", role=Role.MANAGER)
    return ctx.session.scalars(select(ApiToken.id)).one()


def sensor_on(ctx: Context, code: str, **details: Any) -> Sensor:
    """A sensor on a device, a new one unless said otherwise."""
    asset = details.pop("asset", None) or make_asset(ctx).code
    made = {"name": "Room", "quantity": "temperature", "unit": "°C", "asset": asset, **details}
    return add_sensor(ctx, code=code, **made)


def raise_alarm(ctx: Context, sensor: Sensor, name: str) -> None:
    """An alarm with a reading as evidence."""
    series = {
        "at": [ctx.now().isoformat()], "value": [9.0], "expected": [None], "low": [1.0],
        "high": [2.0], "score": [2.0],
    }  # fmt: skip
    evidence = {"kind": "anomaly", "sensor": sensor.code, "name": name, "unit": name[:20]}
    with ctx.writing("test.alarm"):
        ctx.session.add(
            Alarm(
                sensor_id=sensor.id, kind=AlarmKind.ANOMALY, priority="high", since=ctx.now(),
                raised_at=ctx.now(), score=2.0, reason="spike", note=name,
                evidence={**evidence, "series": series},
            )
        )  # fmt: skip


def path_of(rule: str, world: dict[str, Any]) -> str:
    """An address that leads to something that is there."""
    rule = re.sub(r"<any\((\w+)[^)]*\):\w+>", r"\1", rule)
    known = re.search(r"([a-z-]+)/[<{]", rule)
    is_number = re.search(r"<", rule) is not None and rule[rule.index("<") :].startswith("<int:")
    unknown = 1 if is_number else world["code"]
    first = world["numbers"].get(known[1] if known else "", unknown)
    parts = itertools.chain([first], itertools.repeat(1))
    return re.sub(r"<[^>]*>|\{[^}]*\}", lambda _found: quote(str(next(parts))), rule)


def endpoints(app: Any) -> Iterator[tuple[str, str, Permission | None]]:
    """Each method and address that is code of ours, and the permission it asks for."""
    for rule in app.url_map.iter_rules():
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            if rule.endpoint != "static":
                yield method, rule.rule, vars(app.view_functions[rule.endpoint])["permission"]


def rules(app: Any, method: str) -> list[str]:
    """The addresses of pages that take a method; signing out would end a test's session."""
    pages = {(m, r) for m, r, _permission in endpoints(app) if not r.startswith("/api/v1/")}
    return sorted(r for m, r in pages if m == method and r != "/sign-out")
