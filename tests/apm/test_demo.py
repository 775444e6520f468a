"""The demo as a whole: the process, and the hospital that it built."""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import Select, func, select
from sqlalchemy.orm import joinedload

from apm.accounts.model import Hospital
from apm.accounts.queries import system_actor
from apm.alarms.evaluating import evaluate_all
from apm.alarms.model import Neighbours
from apm.assets.model import Asset, AssetState, Availability, Department
from apm.assets.queries import RegisterFilter, register_page
from apm.core.audit import AuditEntry, verify_chain
from apm.core.codes import find_code
from apm.core.command import Context
from apm.core.db import make_engine, make_sessions
from apm.core.settings import ROOT
from apm.demo.desk import Desk, read_desk
from apm.detecting.queries import sensors_due
from apm.detecting.scoring import score_all
from apm.forecasts.model import ForecastRecord, ModelKind, ModelVersion, Outcome
from apm.maintenance.generation import generate
from apm.maintenance.model import Occurrence, OccurrenceState
from apm.maintenance.queries import plans_to_look_at
from apm.metrology.model import VerificationDuty
from apm.readings.model import Alarm, AlarmKind, Latest, Sensor
from apm.requests.model import Request
from apm.requests.states import Triage
from apm.utilisation.following import feeds_due
from apm.utilisation.model import Feed
from apm.work.completion import is_intact
from apm.work.loading import whole
from apm.work.model import WorkOrder
from apm.work.numbers import next_number
from apm.work.states import WorkState, WorkType
from tests.processes import until

pytestmark = pytest.mark.timeout(900)  # the first builds two years
WITHOUT_WORK = {AssetState.QUARANTINED, AssetState.MISSING, AssetState.RETIRED}
DRIFTING = "MRI-ROOM-T3"
LOGIN = re.compile(r"^ {2}(\w+@demo\.apm) +(\S+)", re.MULTILINE)


@dataclass
class Run:
    """One run of the command: how it went, what it said."""

    code: int
    output: str
    url: str = ""


@contextmanager
def running(folder: Path, log: Path, *options: str) -> Iterator[Run]:
    """`apm demo` from its start until SIGTERM; figures are complete after the block."""
    env = {k: v for k, v in os.environ.items() if not k.startswith(("APM_", "PORT"))}
    env |= {"APM_SECRET_KEY": "x" * 48, "PYTHONUNBUFFERED": "1"}
    command = [sys.executable, "app.py", "demo", "--host", "127.0.0.1", "--port", "0"]
    run = Run(-1, "")
    with log.open("w") as out:
        process = subprocess.Popen(
            [*command, "--data", str(folder), *options], cwd=ROOT, env=env, stdout=out, stderr=out
        )
        try:
            run.url = until(lambda: _answering(process, log), seconds=600, what="the demo answers")
            yield run
        finally:
            process.send_signal(signal.SIGTERM)
            run.code = process.wait(timeout=120)
            run.output = log.read_text()


def _answering(process: subprocess.Popen[bytes], log: Path) -> str | None:
    assert process.poll() is None, log.read_text()
    said = re.search(r"Open (http\S+)", log.read_text())
    if said is None:
        return None
    try:
        return said[1] if httpx.get(f"{said[1]}/healthz").status_code == 200 else None
    except httpx.TransportError:
        return None


@pytest.fixture(scope="session")
def first_run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Run]:
    """The folder that one first start made, and how that went; made once for all processes."""
    base = tmp_path_factory.getbasetemp()
    base = base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base
    folder, figures = base / "demo", base / "demo.json"
    with (base / "demo.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not figures.exists():
            with running(folder, base / "demo.log") as run:
                pass
            figures.write_text(json.dumps(asdict(run)))
    return folder, Run(**json.loads(figures.read_text()))


@pytest.fixture
def folder(first_run: tuple[Path, Run], tmp_path: Path) -> Path:
    """A copy of what the first start made, for one test."""
    copy = tmp_path / "demo"
    shutil.copytree(first_run[0], copy)
    return copy


@pytest.fixture
def desk(folder: Path) -> Desk:
    """Logins, token and the instant the history ends at."""
    found = read_desk(folder / "demo-logins.json")
    assert found
    return found


@pytest.fixture
def ctx(folder: Path, desk: Desk) -> Iterator[Context]:
    """The system in the demo hospital, at the instant it was built."""
    engine = make_engine(f"sqlite:///{folder / 'demo.db'}")
    with make_sessions(engine)() as session:
        top = Context(session, system_actor(None))
        [hospital] = session.scalars(select(Hospital))
        assert (hospital.code, hospital.is_demo) == ("DEMO", True)
        top.session.commit()
        yield Context(session, system_actor(hospital.id), lambda: desk.built_at)
    engine.dispose()


def count(ctx: Context, query: Any) -> int:
    """Return how many rows a query finds."""
    return ctx.session.scalar(select(func.count()).select_from(query.subquery())) or 0


def test_the_first_start_builds_prints_logins_and_stops_cleanly(
    first_run: tuple[Path, Run],
) -> None:
    made, run = first_run

    assert run.code == 0, run.output
    assert len(LOGIN.findall(run.output)) == 5
    assert "not for production" in run.output
    assert "█" in run.output  # the QR code
    assert (made / "demo-logins.json").stat().st_mode & 0o777 == 0o600
    assert not list(made.glob("*.making*"))


def test_a_second_start_builds_nothing_and_things_go_wrong_before_ones_eyes(
    first_run: tuple[Path, Run], folder: Path, desk: Desk, ctx: Context, tmp_path: Path
) -> None:
    before = set(ctx.session.scalars(select(Alarm.id)))
    ctx.session.commit()

    def new_alarms() -> list[Alarm]:
        ctx.session.rollback()
        query = select(Alarm).where(Alarm.id.not_in(before)).options(joinedload(Alarm.sensor))
        found = list(ctx.session.scalars(query))
        return found if len({alarm.sensor.code for alarm in found}) >= 3 else []

    with running(folder, tmp_path / "log", "--speed", "8") as run:
        page = httpx.get(f"{run.url}/sign-in").text
        tour = httpx.get(f"{run.url}/tour")
        raised = until(new_alarms, seconds=240, what="new alarms")

    assert run.code == 0, run.output
    assert "Building the demo" not in run.output
    assert LOGIN.findall(run.output) == LOGIN.findall(first_run[1].output)
    assert all(login.password in page for login in desk.logins)
    assert tour.status_code == 200
    assert len({alarm.sensor.code for alarm in raised}) == 3
    orders = ctx.session.scalars(
        select(WorkOrder).where(
            WorkOrder.type == WorkType.PREDICTIVE, WorkOrder.state == "planned"
        )
    ).all()
    named = {alarm.work_order_no for alarm in raised if alarm.work_order_no}
    foretold = {order.no for order in orders if (order.origin or "").startswith("forecast:")}
    drifting = {alarm.work_order_no for alarm in ctx.session.scalars(of_sensor(DRIFTING))}
    assert named == {order.no for order in orders} - foretold - drifting


def test_the_register_is_whole(ctx: Context) -> None:
    assets = ctx.session.scalars(select(Asset)).all()

    assert 280 <= len(assets) <= 340
    assert count(ctx, select(Department.id)) >= 12
    assert count(ctx, select(Sensor.id)) == 27
    assert all(asset.name_zh and find_code(ctx.session, "asset", asset.code) for asset in assets)
    pumps = {asset.id for asset in assets if asset.category == "INFP"}
    found = register_page(ctx, RegisterFilter(q="输液泵"), limit=200).items
    assert {asset.id for asset in found} == pumps


def test_the_audit_trail_tells_two_years_and_is_sound(ctx: Context) -> None:
    report = verify_chain(ctx.session, ctx.actor.hospital_id or 0)

    assert report.broken_at is None
    at = list(ctx.session.scalars(
        select(AuditEntry.at).where(AuditEntry.chain == report.chain).order_by(AuditEntry.seq)
    ))  # fmt: skip
    lived = [instant for instant in at if instant <= ctx.now()]
    assert lived == sorted(lived)
    assert (lived[-1] - lived[0]).days >= 729


def test_something_is_in_every_state(ctx: Context) -> None:
    orders = set(ctx.session.scalars(select(WorkOrder.state).distinct()))
    triage = set(ctx.session.scalars(select(Request.triage).distinct()))
    kinds = set(ctx.session.scalars(select(WorkOrder.type).distinct()))
    outcomes = set(ctx.session.scalars(select(Occurrence.state).distinct()))

    assert orders == set(WorkState)
    assert triage == set(Triage)
    assert kinds == set(WorkType)
    assert {OccurrenceState.OPEN, OccurrenceState.DONE, OccurrenceState.MISSED} <= outcomes


def test_nine_of_ten_visits_were_in_time(ctx: Context) -> None:
    rows = ctx.session.execute(
        select(Occurrence.done_on, Occurrence.late_after).where(
            Occurrence.late_after < ctx.now().date()
        )
    ).all()

    in_time = sum(done is not None and done <= late for done, late in rows)
    assert len(rows) > 500
    assert 0.85 < in_time / len(rows) < 0.95


def test_what_is_out_of_use_is_what_is_being_repaired(ctx: Context) -> None:
    down = select(WorkOrder.asset_id).where(
        WorkOrder.down_from.is_not(None), WorkOrder.down_until.is_(None)
    )
    in_repair = set(ctx.session.scalars(down))

    assets = ctx.session.scalars(select(Asset).where(Asset.lifecycle.not_in(WITHOUT_WORK))).all()
    assert len(in_repair) >= 5
    overdue = select(VerificationDuty.asset_id).where(VerificationDuty.blocked_why.is_not(None))
    blocked = set(ctx.session.scalars(overdue))
    assert 1 <= len(blocked) <= 8
    out_of_use = {a.id for a in assets if a.availability is not Availability.UP}
    assert out_of_use - blocked == in_repair - blocked
    assert all(a.id in in_repair for a in assets if a.lifecycle is AssetState.UNDER_REPAIR)


def test_numbers_go_on_and_records_are_as_they_were_signed(ctx: Context) -> None:
    last = ctx.session.scalars(select(WorkOrder.no).order_by(WorkOrder.id.desc())).first()
    signed = ctx.session.scalars(
        select(WorkOrder).where(WorkOrder.state == WorkState.CLOSED).options(*whole())
    ).all()

    with ctx.writing("test.number"):
        number = next_number(ctx, "WO")
    assert last
    assert int(number[-6:]) == int(last[-6:]) + 1
    assert len(signed) > 1000
    assert all(len(order.signatures) == 2 and is_intact(order) for order in signed)
    assert all(o.done_by != o.closed_by for o in signed if o.high_risk)


def test_the_worker_has_nothing_to_catch_up_with(ctx: Context) -> None:
    plans = plans_to_look_at(ctx, ctx.now().date())
    made = [generate(ctx, plan_id=plan_id) for plan_id in plans]

    assert made.count(None) == len(made)
    # Readings of the minutes after it was built may be there already, and wait for the worker.
    live = set(ctx.session.scalars(select(Latest.sensor_id).where(Latest.at > ctx.now())))
    told = set(ctx.session.scalars(select(Feed.sensor_id).where(Feed.id.in_(feeds_due(ctx)))))
    assert {due.sensor_id for due in sensors_due(ctx)} <= live
    assert told <= live
    assert score_all(ctx, until=ctx.now()).readings == 0
    assert evaluate_all(ctx, until=ctx.now()).readings == 0


def of_sensor(code: str) -> Select[Alarm]:
    return select(Alarm).join(Sensor).where(Sensor.code == code)


def test_one_sensor_of_the_mri_room_drifts_and_its_neighbours_say_so(
    ctx: Context, desk: Desk
) -> None:
    alarms = ctx.session.scalars(
        of_sensor(DRIFTING).where(Alarm.noticed_at <= desk.built_at)
    ).all()
    said = dict(
        ctx.session.execute(
            select(Sensor.code, Neighbours.verdict).join(
                Sensor, Sensor.id == Neighbours.sensor_id
            ).where(Sensor.code.startswith("MRI-ROOM-T"))
        ).all()
    )  # fmt: skip

    assert AlarmKind.SENSOR_FAULT in {alarm.kind for alarm in alarms}
    assert len({alarm.work_order_no for alarm in alarms}) == 1
    assert said == {"MRI-ROOM-T": "alike", "MRI-ROOM-T2": "alike", DRIFTING: "sensor"}


def test_two_old_troubles_were_found_and_dealt_with_and_nothing_else(
    ctx: Context, desk: Desk
) -> None:
    query = select(Alarm).join(Sensor).where(Sensor.code != DRIFTING)
    alarms = ctx.session.scalars(
        query.where(Alarm.raised_at <= desk.built_at).options(joinedload(Alarm.sensor))
    ).all()
    orders = {order.no: order.state for order in ctx.session.scalars(select(WorkOrder))}

    assert {alarm.sensor.code for alarm in alarms} == {"CT2-ROOM-T", "BB-FRIDGE-3"}
    assert [alarm.kind for alarm in alarms].count(AlarmKind.ANOMALY) == 2
    assert {alarm.kind for alarm in alarms} == {AlarmKind.ANOMALY, AlarmKind.HIGH}
    assert all(a.acknowledged and a.ended_at and not a.active for a in alarms)
    assert {orders[a.work_order_no or ""] for a in alarms} == {WorkState.CLOSED}


def test_one_forecast_plans_work_one_was_false_and_one_model_is_muted_by_its_score(
    ctx: Context, desk: Desk
) -> None:
    records = ctx.session.scalars(
        select(ForecastRecord)
        .where(ForecastRecord.at <= desk.built_at)
        .options(joinedload(ForecastRecord.sensor))
    ).all()
    warned = {r.sensor.code: r for r in records if r.sensor and r.warned}

    tube, pump = warned["CT1-TUBE-OUTPUT"], warned["HD-PUMP-VIB"]
    order = ctx.session.scalars(select(WorkOrder).where(WorkOrder.no == tube.work_order_no)).one()
    assert order.state == WorkState.PLANNED
    assert tube.life_median is not None
    assert order.due_on
    assert order.due_on < (tube.at + timedelta(days=tube.life_median)).date()
    assert (pump.dismissed_why, pump.outcome) == ("checked_fine", Outcome.FALSE_ALARM)
    assert warned["MRI-HELIUM"].outcome in {Outcome.AVERTED, Outcome.HIT}
    silenced, life = standing(ctx, desk, ModelKind.SOON), standing(ctx, desk, ModelKind.LIFE)
    why = json.loads(silenced["state_why"])
    assert (silenced["state"], why["code"]) == ("muted", "worse_than_baseline")
    assert why["high"] < 0
    assert life["state"] == "active"


def standing(ctx: Context, desk: Desk, kind: ModelKind) -> dict[str, str]:
    """Return what the story's model of a kind had become: a night since may have taught anew."""
    model_id = ctx.session.scalars(
        select(ModelVersion.id).where(ModelVersion.kind == kind, ModelVersion.version == 1)
    ).one()
    entries = select(AuditEntry).where(
        AuditEntry.entity == "ModelVersion",
        AuditEntry.entity_id == model_id,
        AuditEntry.at <= desk.built_at,
    )
    found: dict[str, str] = {}
    for entry in ctx.session.scalars(entries.order_by(AuditEntry.seq)):
        found |= {name: new for name, (_old, new) in entry.changes.items()}
    return found
