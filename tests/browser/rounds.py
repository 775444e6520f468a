"""A round on the way: simple devices, one that is not, and records that wait for approval."""

from __future__ import annotations

from datetime import timedelta

from apm.accounts.queries import hospital_day
from apm.core.command import Context
from apm.work.completion import Completion
from apm.work.moving import Facts, move_work
from apm.work.queries import work_order
from apm.work.results import Answer
from apm.work.round_signing import Passed, pass_device
from apm.work.signing import BY_PASSWORD, signer_of
from apm.work.states import WorkType
from seed.demo.drafts import CODE
from tests.apm.hospital import make_asset, make_work
from tests.conftest import PASSWORD

VALUES = {"hr@60": Answer(value=61), "hr@120": Answer(value=119)}


def keep_round(wang: Context, chen: Context, pages: dict[str, list[str]]) -> list[str]:
    """Give Chen a round, signed for in part; note the addresses, and return those of his own."""
    signer = signer_of(chen, PASSWORD, BY_PASSWORD)
    department = 0
    for n, code in enumerate((CODE, CODE, CODE, "MON"), 1):
        asset = make_asset(
            wang, number=f"MON-2021-00{n}", name="Bedside monitor, recovery", name_zh="监护仪",
            serial=f"SN-{n}", department="重症医学科", location=f"Recovery {n // 2}",
        )  # fmt: skip
        department = asset.department_id or 0
        due = hospital_day(wang) + timedelta(days=40 + n)
        order = make_work(wang, asset, type=WorkType.PREVENTIVE, template_code=code, due_on=due)
        give = Facts(assignee_id=chen.actor.user_id, is_confirmed=True, reason="Round")
        move_work(wang, no=order.no, action="assign", facts=give)
        if n == 1:
            said = Completion(labour_minutes=5, remedy="已清洁")
            passed = Passed(VALUES, said, work_order(wang, order.no).version)
            pass_device(chen, no=order.no, signer=signer, passed=passed)
    at = f"/rounds/{CODE}/{department}"
    pages["work.rounds.sheet"] = [at]
    pages["work.rounds.approval"] = [f"{at}/approval"]
    return [
        "/rounds",
        at,
        f"{at}?code=MON-2021-002",
        f"{at}?code=E-1",
        f"/rounds/MON/{department}",
    ]
