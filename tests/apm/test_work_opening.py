"""Opening work: once for each reason, numbered without gaps, with a checklist of its own."""

import threading

import pytest
from sqlalchemy import func, select

from apm.assets.model import Location
from apm.core.command import Context
from apm.core.errors import NotAllowed, NotFound
from apm.core.events import Outbox
from apm.procedures.catalogue import template
from apm.procedures.snapshot import steps_for
from apm.work.commands import open_work
from apm.work.model import WorkOrder, WorkStep
from apm.work.moving import Facts, move_work
from apm.work.results import Answer, answer_steps
from apm.work.states import Priority, WorkState, WorkType
from tests.apm.hospital import make_asset, make_work, start_work

PREDICTIVE = WorkType.PREDICTIVE


@pytest.fixture
def asset(as_):
    return make_asset(as_("wang"))


def count(ctx, model):
    return ctx.session.scalar(select(func.count()).select_from(model))


@pytest.mark.database
def test_the_same_origin_opens_one_order(as_, asset):
    first = make_work(as_("wang"), asset, type=WorkType.PREVENTIVE, origin="occurrence:9")
    again = make_work(as_("system"), asset, type=WorkType.PREVENTIVE, origin="occurrence:9")
    other = make_work(as_("wang"), asset, type=WorkType.PREVENTIVE, origin="occurrence:10")
    assert (first.no, first.no) == (again.no, other.no[:-1] + "1")
    assert other.no.endswith("-000002")
    assert count(as_("wang"), WorkOrder) == 2
    opened = [e for e in as_("wang").session.scalars(select(Outbox)) if "opened" in e.kind]
    assert len(opened) == 2


@pytest.mark.database
def test_two_detectors_at_the_same_moment_open_one_order(as_, sessions, asset):
    actor, start, numbers = as_("system").actor, threading.Barrier(2), []

    def detect(n):
        with sessions() as session:
            start.wait()
            made = open_work(
                Context(session, actor), type=PREDICTIVE, asset=asset, title="Check",
                origin=f"alarm:{n}", evidence={"score": n},
            )  # fmt: skip
            numbers.append(made.no)

    threads = [threading.Thread(target=detect, args=[n]) for n in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(numbers) == 2
    assert len(set(numbers)) == 1
    found = as_("wang").session.scalars(select(WorkOrder)).one()
    assert len(found.evidence["also"]) == 1


def test_a_second_finding_joins_the_open_one_as_evidence(as_, asset):
    first = make_work(as_("system"), asset, type=PREDICTIVE, origin="alarm:1", evidence={"s": 1})
    joined = make_work(as_("system"), asset, type=PREDICTIVE, origin="alarm:2", evidence={"s": 2})
    again = make_work(as_("system"), asset, type=PREDICTIVE, origin="alarm:2", evidence={"s": 2})
    assert first.id == joined.id == again.id
    assert again.evidence == {"s": 1, "also": [{"s": 2, "origin": "alarm:2"}]}


def test_findings_elsewhere_or_after_the_end_open_their_own(as_, asset):
    first = make_work(as_("system"), asset, type=PREDICTIVE, origin="alarm:1", evidence={})
    elsewhere = make_work(
        as_("system"), make_asset(as_("wang")), type=PREDICTIVE, origin="alarm:2"
    )
    repair = make_work(as_("system"), asset, origin="alarm:3")
    move_work(as_("wang"), no=first.no, action="cancel", facts=Facts(reason="false alarm"))
    later = make_work(as_("system"), asset, type=PREDICTIVE, origin="alarm:4")
    assert len({first.id, elsewhere.id, repair.id, later.id}) == 4
    still = make_work(as_("system"), asset, type=PREDICTIVE, origin="alarm:1")
    assert still.id == first.id, "what was opened once is not opened again"


def test_a_place_may_have_work_without_an_asset(as_):
    ctx = as_("wang")
    with ctx.writing("test"):
        room = Location(code="ROOM0001", name="CT room")
        ctx.session.add(room)
    facts = {"type": PREDICTIVE, "title": "Check the cooling", "location": room}
    first = open_work(as_("system"), origin="alarm:1", **facts)
    second = open_work(as_("system"), origin="alarm:2", **facts)
    assert first.id == second.id
    assert (first.asset_id, first.location_id, first.high_risk) == (None, room.id, False)


def test_the_checklist_is_a_copy(as_, asset):
    order = make_work(as_("wang"), asset, template_code="MON")
    ctx = as_("wang")
    steps = list(ctx.session.scalars(select(WorkStep).order_by(WorkStep.position)))
    assert [s.key for s in steps] == [s.key for s in steps_for(template("MON"))]
    assert {s.work_order_id for s in steps} == {order.id}
    assert order.template_version == template("MON").version


def test_drift_is_counted_from_the_first_measurement_of_this_device(as_):

    scanner = make_asset(as_("wang"), "US")
    first = make_work(as_("wang"), scanner, template_code="US", type=WorkType.PREVENTIVE)
    start_work(as_("chen"), as_("wang"), first)
    answer_steps(as_("chen"), no=first.no, answers={"pen": Answer(value=16.0)})
    ctx = as_("wang")
    with ctx.writing("test"):
        ctx.session.scalars(select(WorkOrder)).one().state = WorkState.CLOSED

    second = make_work(as_("wang"), scanner, template_code="US", type=WorkType.PREVENTIVE)
    other = make_work(as_("wang"), make_asset(as_("wang"), "US"), template_code="US")
    query = select(WorkStep.reference).where(WorkStep.key == "pen")
    by_order = query.where(WorkStep.work_order_id == second.id)
    assert as_("wang").session.scalar(by_order) == 16.0
    by_order = query.where(WorkStep.work_order_id == other.id)
    assert as_("wang").session.scalar(by_order) is None


def test_an_unknown_template_opens_nothing(as_, asset):
    with pytest.raises(NotFound):
        make_work(as_("wang"), asset, template_code="TOASTER")
    assert count(as_("wang"), WorkOrder) == 0
    assert make_work(as_("wang"), asset).no.endswith("-000001"), "no number is lost"


@pytest.mark.parametrize("who", ["lin", "chen"])
def test_who_only_works_opens_no_orders(as_, who, asset):
    with pytest.raises(NotAllowed):
        make_work(as_(who), asset)


def test_high_risk_is_kept_with_the_order(as_):
    assert make_work(as_("wang"), make_asset(as_("wang"), "VENT")).high_risk
    assert not make_work(as_("wang"), make_asset(as_("wang"), "MON")).high_risk


def test_each_hospital_counts_for_itself(as_, asset):
    here = make_work(as_("wang"), asset, origin="occurrence:1")
    there = make_work(as_("qin"), make_asset(as_("qin")), origin="occurrence:1")
    assert here.no == there.no
    assert here.id != there.id
    assert here.priority is Priority.NORMAL
