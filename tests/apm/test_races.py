"""Two people do the same at the same instant: it is done once, and the other is told."""

import threading

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm.exc import StaleDataError

from apm.alarms.commands import clear
from apm.assets.commands import update_asset
from apm.core.command import Context
from apm.core.errors import DomainError
from apm.requests.confirming import reopen, verify
from apm.requests.triage import accept
from apm.stocktake.commands import finish, scan, start
from apm.stocktake.model import Scan, Stocktake
from apm.work.completion import Completion, close, complete
from apm.work.model import Signature, WorkOrder
from apm.work.moving import Facts, move_work
from tests.apm.hospital import make_asset, make_request, make_work, start_work
from tests.conftest import PASSWORD
from tests.house.world import raise_alarm, sensor_on

pytestmark = pytest.mark.database
REPAIRED = Completion(labour_minutes=5, cause="USE", remedy="Cleaned")


@pytest.fixture
def race(sessions, as_):
    """`race(action, "wang", "zhao")` lets both go at once; returns how many got through."""

    def run(action, *names):
        actors, gate, through = [as_(name).actor for name in names], threading.Barrier(2), []

        def go(actor):
            with sessions() as session:
                gate.wait()
                try:
                    action(Context(session, actor))
                    through.append(actor.name)
                except (DomainError, StaleDataError):
                    session.rollback()

        threads = [threading.Thread(target=go, args=[actor]) for actor in actors]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return len(through)

    return run


def count(ctx, model):
    return ctx.session.scalar(select(func.count(model.id)))


def repaired(as_):
    """A request whose repair is done."""
    wang, chen = as_("wang"), as_("chen")
    request = make_request(as_("lin"), make_asset(wang))
    order = accept(wang, no=request.no)
    start_work(chen, wang, order)
    complete(chen, no=order.no, password=PASSWORD, said=REPAIRED)
    return request.no, order.no


def test_a_request_is_accepted_once(as_, race):
    no = make_request(as_("lin"), make_asset(as_("wang"))).no
    assert race(lambda ctx: accept(ctx, no=no), "wang", "zhao") == 1
    assert count(as_("wang"), WorkOrder) == 1


def test_a_repair_is_reopened_or_confirmed_not_both(as_, race):
    no, _order = repaired(as_)
    assert race(lambda ctx: reopen(ctx, no=no), "lin", "wang") == 1
    assert count(as_("wang"), WorkOrder) == 2
    no, _order = repaired(as_)
    assert race(lambda ctx: verify(ctx, no=no, rating=5), "lin", "wang") == 1


def test_work_is_completed_and_closed_once(as_, race):
    order = make_work(as_("wang"))
    start_work(as_("chen"), as_("wang"), order)
    done = lambda ctx: complete(ctx, no=order.no, password=PASSWORD, said=REPAIRED)  # noqa: E731
    assert race(done, "chen", "chen") == 1
    assert race(lambda ctx: close(ctx, no=order.no, password=PASSWORD), "wang", "zhao") == 1
    assert count(as_("wang"), Signature) == 2


def test_work_seen_in_one_state_is_assigned_once(as_, race):
    order, chen = make_work(as_("wang")), as_("chen").actor.user_id
    facts = Facts(assignee_id=chen)
    assign = {"no": order.no, "action": "assign", "facts": facts, "version": order.version}
    assert race(lambda ctx: move_work(ctx, **assign), "wang", "zhao") == 1


def test_a_stocktake_is_begun_counted_and_finished_once(as_, race):
    asset = make_asset(as_("wang"), department="ICU")
    begin = {"department_id": asset.department_id}
    assert race(lambda ctx: start(ctx, **begin), "wang", "zhao") == 1
    [no] = as_("wang").session.scalars(select(Stocktake.no)).all()
    assert race(lambda ctx: scan(ctx, no=no, code=asset.code), "wang", "zhao") == 2
    assert count(as_("wang"), Scan) == 1
    end = {"no": no, "update_register": True}
    assert race(lambda ctx: finish(ctx, **end), "wang", "zhao") == 1


def test_an_alarm_is_cleared_once(as_, race):
    raise_alarm(as_("system"), sensor_on(as_("wang"), "S-1"), "Room")
    assert race(lambda ctx: clear(ctx, alarm_id=1), "wang", "amy") == 1


def test_of_two_changes_to_an_asset_none_is_lost_unseen(as_, sessions):
    asset = make_asset(as_("wang"))
    first, second = as_("wang"), as_("zhao")
    for ctx in (first, second):  # both have read it before either writes
        ctx.session.get(type(asset), asset.id)
    update_asset(first, code=asset.code, note="No power")
    update_asset(second, code=asset.code, serial="SN-9")
    kept = as_("wang").session.get(type(asset), asset.id)
    assert (kept.note, kept.serial) == ("No power", "SN-9")
