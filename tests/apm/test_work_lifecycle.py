"""Who may take a work order from where to where: tried for every state, role and action."""

import threading
from datetime import date

import pytest
from sqlalchemy import select
from sqlalchemy.orm.exc import StaleDataError

from apm.assets.model import Asset, AssetState, Availability
from apm.core.audit import AuditEntry
from apm.core.command import Context
from apm.core.errors import Conflict, DomainError, Invalid, NotAllowed, NotFound
from apm.core.events import Outbox
from apm.requests import triage
from apm.requests.queries import requests_of
from apm.requests.states import RequestState
from apm.work.completion import Completion, close, complete
from apm.work.lifecycle import NEEDS_REASON, WORK, work_actions
from apm.work.model import WorkOrder
from apm.work.moving import Facts, move_work
from apm.work.queries import work_order
from apm.work.states import Priority, WorkType
from apm.work.states import WorkState as W
from tests.apm.hospital import make_asset, make_request, make_work, pass_all, start_work
from tests.conftest import PASSWORD

ACTIONS = list(dict.fromkeys(step.action for step in WORK.steps))
WAY = {
    W.PLANNED: [],
    W.ASSIGNED: ["assign"],
    W.IN_PROGRESS: ["assign", "start"],
    W.WAITING_PARTS: ["assign", "start", "wait_parts"],
    W.WAITING_VENDOR: ["assign", "start", "wait_vendor"],
    W.WAITING_ACCESS: ["assign", "start", "wait_access"],
    W.DONE: ["assign", "start", "complete"],
    W.CLOSED: ["assign", "start", "complete", "close"],
    W.CANCELLED: ["cancel"],
}
"""How chen (told by wang) brings an order into each state."""
SAID = Completion(cause="UPF", remedy="Board replaced")


def act(ctx, no, action, *, to=None):
    if action == "complete":
        return complete(ctx, no=no, password=PASSWORD, said=SAID)
    if action == "close":
        return close(ctx, no=no, password=PASSWORD)
    return move_work(
        ctx, no=no, action=action, facts=Facts("because", assignee_id=to, priority=Priority.LOW)
    )


def bring(as_, order, state):
    chen = as_("chen")
    by = {"assign": "wang", "cancel": "wang", "close": "wang"}
    for action in WAY[state]:
        act(as_(by.get(action, "chen")), order.no, action, to=chen.actor.user_id)


def fresh(ctx, model=WorkOrder, **by):
    return ctx.session.scalars(select(model).filter_by(**by)).one()


@pytest.fixture
def order(as_):
    return make_work(as_("wang"))


@pytest.mark.parametrize("state", list(W))
def test_every_role_in_every_state(as_, order, state):
    """The answer must be what the table says, and the buttons what the answer will be."""
    bring(as_, order, state)
    people = {name: as_(name) for name in ("lin", "chen", "wang", "zhao")}
    for name, ctx in people.items():
        found = fresh(ctx)
        assert found.state is state
        offered = work_actions(ctx.actor, found) if name != "lin" else []
        ctx.session.rollback()
        for action in ACTIONS:
            if action in offered:
                continue  # taken in the test below
            with pytest.raises((NotAllowed, Conflict)):
                act(ctx, order.no, action, to=people["chen"].actor.user_id)
    assert fresh(as_("wang")).state is state


OFFERED = {
    (W.PLANNED, "chen"): ["take"],
    (W.PLANNED, "wang"): ["assign", "take", "cancel", "prioritise"],
    (W.PLANNED, "zhao"): ["assign", "cancel", "prioritise"],
    (W.ASSIGNED, "chen"): ["give_back", "start", "hand_over"],
    (W.ASSIGNED, "wang"): ["assign", "give_back", "cancel", "hand_over", "prioritise"],
    (W.IN_PROGRESS, "chen"): [
        "wait_parts", "wait_vendor", "wait_access", "complete", "hand_over",
    ],
    (W.IN_PROGRESS, "wang"): ["cancel", "hand_over", "prioritise"],
    (W.WAITING_PARTS, "chen"): ["resume", "hand_over"],
    (W.WAITING_VENDOR, "chen"): ["resume", "hand_over"],
    (W.WAITING_ACCESS, "chen"): ["resume", "hand_over"],
    (W.WAITING_ACCESS, "zhao"): ["cancel", "hand_over", "prioritise"],
    (W.DONE, "chen"): [],
    (W.DONE, "wang"): ["return", "close"],
    (W.DONE, "zhao"): ["return", "close"],
    (W.CLOSED, "wang"): [],
    (W.CLOSED, "zhao"): [],
    (W.CANCELLED, "wang"): [],
}  # fmt: skip


@pytest.mark.parametrize(("state", "who"), list(OFFERED))
def test_the_buttons_are_these_and_each_works(as_, state, who):
    expected = OFFERED[state, who]
    for action in expected or [None]:
        order = make_work(as_("wang"))
        bring(as_, order, state)
        ctx = as_(who)
        assert work_actions(ctx.actor, fresh(ctx, no=order.no)) == expected
        if action:
            step = next(s for s in WORK.steps if s.action == action and state in s.sources)
            whom = as_("wang" if action == "hand_over" else "chen").actor.user_id
            moved = act(ctx, order.no, action, to=whom)
            assert moved.state is step.target


def test_an_assignee_is_one_person_not_a_role(as_, order):
    act(as_("wang"), order.no, "assign", to=as_("chen").actor.user_id)
    with pytest.raises(NotAllowed):
        act(as_("wang"), order.no, "start")


@pytest.mark.parametrize("action", sorted(NEEDS_REASON))
def test_these_need_a_reason(as_, order, action):
    source = min(next(s for s in WORK.steps if s.action == action).sources)
    bring(as_, order, source)
    who = as_("wang") if action in {"return", "cancel", "prioritise"} else as_("chen")
    for nothing in (None, " "):
        with pytest.raises(Invalid):
            move_work(who, no=order.no, action=action, facts=Facts(reason=nothing))
    assert fresh(as_("wang")).state is source


def test_waiting_says_why_and_until_when_and_ends(as_, order):
    bring(as_, order, W.IN_PROGRESS)
    facts = Facts(reason="Fan ordered", expected_on=date(2027, 1, 5))
    move_work(as_("chen"), no=order.no, action="wait_parts", facts=facts)
    assert (fresh(as_("wang")).reason, fresh(as_("wang")).expected_on) == (
        "Fan ordered",
        date(2027, 1, 5),
    )
    act(as_("chen"), order.no, "resume")
    assert fresh(as_("wang")).expected_on is None


@pytest.mark.parametrize("whom", ["lin", "zhao", "qin", None], ids=str)
def test_work_is_given_to_those_who_can_do_it(as_, order, whom):
    to = as_(whom).actor.user_id if whom else None
    with pytest.raises(Invalid):
        act(as_("wang"), order.no, "assign", to=to)


def test_a_program_takes_no_work(as_, order):
    with pytest.raises(NotAllowed):
        act(as_("system"), order.no, "take")


@pytest.mark.parametrize("action", ACTIONS)
def test_the_other_hospital_finds_nothing(as_, order, action):
    with pytest.raises(NotFound):
        act(as_("qin"), order.no, action, to=as_("qin").actor.user_id)


@pytest.mark.database
def test_of_two_who_take_it_one_wins_and_the_other_is_told(as_, sessions):
    order = make_work(as_("wang"))
    actors, start = [as_(who).actor for who in ("chen", "wang")], threading.Barrier(2)
    taken, told = [], []

    def take(actor):
        with sessions() as session:
            start.wait()
            try:
                move_work(Context(session, actor), no=order.no, action="take")
                taken.append(actor.user_id)
            except (DomainError, StaleDataError) as error:
                told.append(error)

    threads = [threading.Thread(target=take, args=[actor]) for actor in actors]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(taken), len(told)) == (1, 1)
    assert fresh(as_("wang")).assignee_id == taken[0]


def test_a_stale_page_moves_nothing(as_, order):
    seen = order.version
    move_work(as_("chen"), no=order.no, action="take", version=seen)
    with pytest.raises(Conflict, match="Somebody else"):
        move_work(as_("wang"), no=order.no, action="cancel", facts=Facts("x"), version=seen)


def test_a_repair_takes_the_device_out_of_use_and_brings_it_back(as_):
    asset = make_asset(as_("wang"))
    order = make_work(as_("wang"), asset)
    start_work(as_("chen"), as_("wang"), order)
    device = fresh(as_("wang"), Asset, id=asset.id)
    assert (device.lifecycle, device.availability) == (AssetState.UNDER_REPAIR, Availability.DOWN)
    assert fresh(as_("wang")).down_from is not None

    act(as_("chen"), order.no, "complete")
    device = fresh(as_("wang"), Asset, id=asset.id)
    assert (device.lifecycle, device.availability) == (AssetState.IN_SERVICE, Availability.UP)
    assert fresh(as_("wang")).down_until >= fresh(as_("wang")).down_from

    act(as_("wang"), order.no, "return")
    device = fresh(as_("wang"), Asset, id=asset.id)
    assert device.availability is Availability.DOWN
    assert fresh(as_("wang")).down_until is None


def test_a_device_returns_only_after_its_last_repair(as_):
    asset = make_asset(as_("wang"))
    first, second = make_work(as_("wang"), asset), make_work(as_("wang"), asset)
    for order in (first, second):
        start_work(as_("chen"), as_("wang"), order)
    act(as_("chen"), first.no, "complete")
    assert fresh(as_("wang"), Asset, id=asset.id).availability is Availability.DOWN
    act(as_("chen"), second.no, "complete")
    assert fresh(as_("wang"), Asset, id=asset.id).availability is Availability.UP


def test_a_cancelled_repair_leaves_the_device_out_of_use(as_):
    asset = make_asset(as_("wang"))
    order = make_work(as_("wang"), asset)
    start_work(as_("chen"), as_("wang"), order)
    act(as_("wang"), order.no, "cancel")
    device = fresh(as_("wang"), Asset, id=asset.id)
    assert (device.lifecycle, device.availability) == (AssetState.IN_SERVICE, Availability.DOWN)


def test_high_risk_equipment_returns_when_a_second_person_has_approved(as_):
    asset = make_asset(as_("wang"), category="VENT")
    request = make_request(as_("lin"), asset)
    order = triage.accept(as_("wang"), no=request.no)
    start_work(as_("chen"), as_("wang"), order)
    pass_all(as_("chen"), order, work_order(as_("chen"), order.no).steps)
    act(as_("chen"), order.no, "complete")
    device = fresh(as_("wang"), Asset, id=asset.id)
    assert (device.lifecycle, device.availability) == (AssetState.UNDER_REPAIR, Availability.DOWN)
    [seen] = requests_of(as_("lin"), work_order(as_("lin"), order.no))
    assert seen.state is RequestState.IN_PROGRESS
    act(as_("wang"), order.no, "close")
    device = fresh(as_("wang"), Asset, id=asset.id)
    assert (device.lifecycle, device.availability) == (AssetState.IN_SERVICE, Availability.UP)


def test_maintenance_leaves_the_device_in_use(as_):
    asset = make_asset(as_("wang"))
    order = make_work(as_("wang"), asset, type=WorkType.PREVENTIVE)
    start_work(as_("chen"), as_("wang"), order)
    assert fresh(as_("wang"), Asset, id=asset.id).lifecycle is AssetState.IN_SERVICE


def test_each_step_is_in_the_trail_under_its_name_and_is_news(as_, order):
    bring(as_, order, W.CLOSED)
    ctx = as_("wang")
    entries = [e for e in ctx.session.scalars(select(AuditEntry)) if e.entity == "WorkOrder"]
    named = [e.command for e in entries if "state" in e.changes]
    assert named == [
        "work_order.open", "work_order.assign", "work_order.start", "work_order.complete",
        "work_order.close",
    ]  # fmt: skip
    news = [e.payload["action"] for e in ctx.session.scalars(select(Outbox)) if "moved" in e.kind]
    assert news == ["assign", "start", "complete", "close"]
