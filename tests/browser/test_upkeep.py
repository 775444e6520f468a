"""Three stories of maintenance on a phone: the month's round, a failed test, a verification."""

from __future__ import annotations

import re
from datetime import date, timedelta

import pytest
from playwright.sync_api import expect
from sqlalchemy import select

from apm.accounts.queries import hospital_day
from apm.assets.model import Asset, Availability, Risk
from apm.core.clock import utc_now
from apm.maintenance.commands import add_plan
from apm.maintenance.jobs import generate_due
from apm.maintenance.model import Occurrence, OccurrenceState, Plan, PlanMode
from apm.maintenance.rhythm import Rhythm
from apm.maintenance.settling import settle
from apm.metrology.jobs import watch
from apm.procedures.releasing import release
from apm.procedures.shelf import templates_for
from apm.procedures.trial import try_draft
from apm.work.completion import close
from apm.work.model import WorkOrder
from apm.work.moving import Facts, move_work
from apm.work.queries import work_order
from apm.work.states import WorkType
from seed.demo.drafts import CODE, write_round
from tests.apm.hospital import make_asset, make_work, pass_all, start_work
from tests.apm.metrology import verify
from tests.browser.conftest import Come
from tests.browser.house import House
from tests.browser.person import Person
from tests.conftest import PASSWORD

LANGUAGES = pytest.mark.parametrize("lang", ["en", "zh"])


def sign(chen: Person) -> None:
    """Complete the order on its page."""
    record = chen.page.locator("#record")
    chen.field("Working time", record).fill("20")
    record.get_by_label(chen.say("Your password")).fill(PASSWORD)
    chen.button("Complete", record).tap()
    expect(chen.page.locator(".lead")).to_contain_text(chen.say("Done"))


def all_but_one(house: House, no: str) -> int:
    """Answer every step but the first check; return that one."""
    with house.acting("chen") as ctx:
        first, *others = work_order(ctx, no).steps
        pass_all(ctx, work_order(ctx, no), others)
        return first.id


def hand_out(house: House, lang: str) -> list[str]:
    """Two monitors fall due by a short template of the hospital's own, and are Chen's."""
    with house.acting("wang") as wang, house.acting("system") as system:
        today = hospital_day(wang)
        if CODE not in templates_for(wang):
            write_round(wang)
            try_draft(wang, code=CODE, answers={"hr@60": {"value": "64"}})
            release(wang, code=CODE, note="第一版", password=PASSWORD)
        for n in (1, 2):
            asset = make_asset(
                wang, number=f"RD{lang}-{n}", department=f"Ward {lang}", location=f"{lang} {n}"
            )
            rhythm = Rhythm(PlanMode.FIXED, 1, today, 7, 7)
            add_plan(wang, asset=asset.code, template=CODE, rhythm=rhythm)
        generate_due(system)
        query = (
            select(WorkOrder.no)
            .join(Asset, Asset.id == WorkOrder.asset_id)
            .where(Asset.number.like(f"RD{lang}-%"))
        )
        numbers = list(wang.session.scalars(query.order_by(WorkOrder.id)))
        with house.acting("chen") as chen_ctx:
            give = Facts(assignee_id=chen_ctx.actor.user_id)
            for no in numbers:
                move_work(wang, no=no, action="assign", facts=give)
    return numbers


def mark(chen: Person, number: str, *values: str) -> None:
    """Type a number, as a scanner would; the sheet goes to the device, which passes."""
    chen.page.locator("#scan-code").fill(number)
    chen.button("Continue").tap()
    card = chen.page.locator(f"[data-number='{number}']")
    expect(card).to_have_class(re.compile("toned"))
    card.get_by_label(chen.say("Pass"), exact=True).check()
    for field, value in zip(card.locator(".measure input").all(), values, strict=True):
        field.fill(value)


@LANGUAGES
def test_the_months_round_on_a_phone(house: House, come: Come, lang: str) -> None:
    """Two monitors fall due; the technician goes round with one sheet and signs once."""
    numbers = hand_out(house, lang)
    chen = come(house, lang, "chen")
    chen.goto("/rounds")
    chen.main.get_by_role("link", name=re.compile(f"Ward {lang}")).tap()

    mark(chen, f"RD{lang}-2", "61", "150")
    outside = chen.page.locator(f"[data-number='RD{lang}-2'] .verdict").last
    expect(outside).to_contain_text(chen.say("Outside the limit"))
    mark(chen, f"RD{lang}-1", "60", "121")
    chen.field("Working time of each device").fill("5")
    chen.field("Your password").fill(PASSWORD)
    with chen.watch.refusals(409):
        chen.button("Sign").tap()
        chen.sees("Not signed")
    expect(chen.page.locator("#told .t-ok")).to_have_count(1)

    mark(chen, f"RD{lang}-2", "61", "119")
    chen.field("Your password").fill(PASSWORD)
    chen.button("Sign").tap()
    chen.sees("Nothing of yours is left here.")

    with house.acting("system") as ctx:  # as the worker does when it hears of it
        orders = list(ctx.session.scalars(select(WorkOrder).where(WorkOrder.no.in_(numbers))))
        for order in orders:
            settle(ctx, work_order_id=order.id)
        dates = ctx.session.scalars(
            select(Occurrence).where(Occurrence.work_order_id.in_([o.id for o in orders]))
        ).all()
        assert [one.state for one in dates] == [OccurrenceState.DONE] * 2
        assert all(one.done_on <= one.late_after for one in dates)
        plan = ctx.session.get_one(Plan, dates[0].plan_id)
        assert plan.next_due > hospital_day(ctx)
    chen.goto(f"/plans/{plan.id}")
    chen.sees("Done")


@LANGUAGES
def test_a_failed_defibrillator_is_out_of_use_until_it_is_repaired(
    house: House, come: Come, lang: str
) -> None:
    """One failed step opens one repair and takes it out of use; two people bring it back."""
    with house.acting("wang") as wang, house.acting("chen") as ctx:
        asset = make_asset(wang, "DEFIB", number=f"DF{lang}", risk=Risk.HIGH)
        order = make_work(wang, asset, template_code="DEFIB", type=WorkType.PREVENTIVE)
        start_work(ctx, wang, order)
        no, code = order.no, asset.code
    step = all_but_one(house, no)
    chen = come(house, lang, "chen")
    chen.goto(f"/work-orders/{no}")
    card = chen.page.locator(f"#step-{step}")
    card.get_by_label(chen.say("Fail"), exact=True).check()
    expect(card.locator("[role=status]")).to_contain_text(chen.say("Fail"))
    sign(chen)

    chen.goto(f"/assets/{code}")
    expect(chen.page.locator(".lead")).to_contain_text(chen.say("Do not use"))
    with house.acting("wang") as wang, house.acting("chen") as ctx:
        repairs = wang.session.scalars(
            select(WorkOrder).where(WorkOrder.origin == f"failed:{no}")
        ).all()
        assert len(repairs) == 1
        start_work(ctx, wang, repairs[0])
        repair = repairs[0].no
    chen.goto(f"/work-orders/{repair}")
    record = chen.page.locator("#record")
    record.get_by_label(chen.say("Cause")).select_option(index=1)
    record.get_by_label(chen.say("What was done?")).fill("更换电极线 paddles")
    sign(chen)
    with house.acting("wang") as wang:
        close(wang, no=repair, password=PASSWORD)
    chen.goto(f"/assets/{code}")
    expect(chen.page.locator(".lead")).to_contain_text(chen.say("Usable"))


@LANGUAGES
def test_an_expired_verification_blocks_use_until_it_is_renewed(
    house: House, come: Come, lang: str
) -> None:
    """The worker blocks it the day after its last; a new certificate frees it at once."""
    with house.acting("wang") as wang:
        asset = make_asset(wang, "ECG", number=f"VE{lang}")
        verify(wang, asset, until=1, ago=300)
        code = asset.code
    with house.acting("system") as system:
        system.now = lambda: utc_now() + timedelta(days=2)
        watch(system)
    wang_phone = come(house, lang, "wang")
    wang_phone.goto(f"/metrology/assets/{code}")
    wang_phone.sees("Do not use")

    form = wang_phone.open_details("Record a certificate")
    today = hospital_day_of(house)
    wang_phone.field("Certificate number", form).fill(f"JL-{lang}")
    wang_phone.field("Issued by", form).fill("省计量院")
    wang_phone.field("Issued on", form).fill(today.isoformat())
    wang_phone.field("Valid until", form).fill((today + timedelta(days=365)).isoformat())
    wang_phone.button("Record the certificate", form).tap()

    wang_phone.sees("The certificate is recorded.")
    expect(wang_phone.page.locator(".notice.t-bad")).to_have_count(0)
    with house.acting("wang") as ctx:
        found = ctx.session.scalars(select(Asset).where(Asset.code == code)).one()
        assert found.availability is Availability.UP


def hospital_day_of(house: House) -> date:
    """The day it is there."""
    with house.acting("wang") as ctx:
        return hospital_day(ctx)
