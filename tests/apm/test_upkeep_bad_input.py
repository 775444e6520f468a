"""What people get wrong at maintenance, and what they are told in both languages."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from apm.core.clock import local_day, utc_now
from apm.core.errors import Invalid
from apm.maintenance.model import Plan
from apm.work.completion import Completion, complete
from apm.work.model import Signature, WorkOrder
from apm.work.queries import work_order
from apm.work.states import WorkState
from tests.apm.hospital import make_asset, make_work, pass_all, start_work
from tests.conftest import PASSWORD


@pytest.mark.parametrize(
    ("lang", "words"),
    [("en", "Give whole days, 1 to 3660."), ("zh", "请填写整天数，1至3660。")],
)
@pytest.mark.parametrize("days", ["0", "-1", "3661"])
def test_a_plan_of_no_days_is_refused(as_, login, lang, words, days):
    asset = make_asset(as_("wang"))
    anchor = local_day(utc_now(), "Asia/Shanghai") + timedelta(days=1)
    wanted = {
        "asset": asset.code, "template": "MON", "mode": "fixed", "interval_days": days,
        "anchor": anchor.isoformat(), "early_days": "0", "grace_days": "0",
    }  # fmt: skip

    answer = login("wang").post(f"/plans/new?lang={lang}", data=wanted)

    assert answer.status_code == 422
    assert words in answer.get_data(as_text=True)
    assert as_("wang").session.scalars(select(Plan)).all() == []


def test_five_wrong_passwords_sign_nothing_and_the_right_one_still_does(as_):
    chen = as_("chen")
    order = make_work(as_("wang"), template_code="MON")
    start_work(chen, as_("wang"), order)
    pass_all(chen, order, work_order(chen, order.no).steps)
    said = Completion(labour_minutes=5, cause="USE", remedy="Cleaned")
    for _n in range(5):
        with pytest.raises(Invalid, match="password is wrong"):
            complete(chen, no=order.no, password="wrong", said=said)
    seen = as_("wang").session
    assert seen.scalars(select(WorkOrder.state)).one() is WorkState.IN_PROGRESS
    assert seen.scalars(select(Signature)).all() == []

    complete(chen, no=order.no, password=PASSWORD, said=said)

    assert as_("wang").session.scalars(select(WorkOrder.state)).one() is WorkState.DONE
