"""A job finds its person: proposed in the queue, given with one tap, handed over with a word."""

from __future__ import annotations

import re
from datetime import time

import pytest
from playwright.sync_api import Locator, expect

from apm.teams.commands import TeamFacts, save_competence, save_team, set_week
from apm.work.states import Priority
from tests.apm.hospital import make_asset, make_work
from tests.browser.axe import overflow, violations
from tests.browser.conftest import Come
from tests.browser.house import House
from tests.browser.person import Person


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_job_is_given_out_and_handed_over(house: House, come: Come, lang: str) -> None:
    with house.acting("chen") as ctx:
        chen_id = ctx.actor.user_id or 0
    with house.acting("wang") as ctx:
        always = {day: (time(0), time(23, 59)) for day in range(7)}
        set_week(ctx, user_id=chen_id, week=always)
        save_competence(ctx, user_id=chen_id, category_code="VENT")
        save_competence(ctx, user_id=ctx.actor.user_id or 0, category_code="VENT")
        asset = make_asset(ctx, "VENT", department=f"重症医学科{lang}")
        facts = TeamFacts(
            f"Lungs {lang}", f"呼吸组{lang}", None, [asset.department_id], ("VENT",), (chen_id,)
        )
        team = save_team(ctx, facts=facts)
        no = make_work(ctx, asset, priority=Priority.URGENT).no

    wang = come(house, lang, "wang")
    wang.goto(f"/queue?team={team.id}")
    job = card(wang, no)
    expect(job).to_contain_text(wang.say("Proposed: %(name)s", name=chen_of(lang)))
    expect(job).to_contain_text(wang.say("Competent: %(category)s", category=vent_of(lang)))
    expect(job).to_contain_text(re.compile(r"1[0-5]"))  # minutes left to answer
    assert overflow(wang.page) == 0
    assert violations(wang.page) == []
    wang.tap(job.get_by_role("button", name=wang.say("Assign to %(name)s", name=chen_of(lang))))
    wang.sees("In hand")

    chen = come(house, lang, "chen")
    chen.goto(f"/queue?team={team.id}")
    job = card(chen, no)
    form = chen.open_details("Hand over", job)
    chen.field("Person", form).select_option(index=1)
    chen.field("What should they know?", form).fill("Filter in drawer 3")
    chen.button("Hand over", form).tap()
    expect(card(chen, no).locator(".tag")).to_have_text(
        {"en": "Wang Lei", "zh": "王磊"}[chen.lang]
    )
    chen.goto(f"/work-orders/{no}")
    expect(chen.main).to_contain_text("Filter in drawer 3")
    expect(chen.page.locator("#dispatch")).to_contain_text(vent_of(lang))


def card(person: Person, no: str) -> Locator:
    """The card of one order."""
    return person.main.locator("li.job", has_text=no)


def chen_of(lang: str) -> str:
    """Chen's name."""
    return {"en": "Chen Bo", "zh": "陈博"}[lang]


def vent_of(lang: str) -> str:
    """The category's name."""
    return {"en": "Critical care ventilator", "zh": "呼吸机"}[lang]
