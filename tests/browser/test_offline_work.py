"""Work where there is no network: kept on the phone, sent once, in order, over nobody's work."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import FilePayload, expect
from sqlalchemy import select

from apm.core.audit import AuditEntry
from apm.procedures.model import Verdict
from apm.work.completion import Completion, close, complete
from apm.work.field_model import Addendum, AnswerChoice, Labour, WorkPhoto
from apm.work.results import Answer, answer_steps
from apm.work.states import WorkState
from tests.apm.hospital import jpeg, pass_all
from tests.browser.conftest import Come
from tests.browser.field import (
    banner,
    given_to_chen,
    no_network,
    pass_to,
    ready,
    say_pass,
    started,
    steps_of,
    synced,
    the_order,
)
from tests.browser.house import House
from tests.browser.repair_story import sign_by_hand
from tests.conftest import PASSWORD

pytestmark = pytest.mark.timeout(240)
LANGUAGES = pytest.mark.parametrize("lang", ["en", "zh"])
SAID = Completion(cause="UPF", remedy="Board replaced", labour_minutes=10)


@LANGUAGES
def test_answers_given_without_a_network_arrive_once_and_in_order(
    far_house: House, come: Come, lang: str
) -> None:
    no = started(far_house)
    chen = come(far_house, lang, "chen")
    ready(chen, f"/work-orders/{no}")
    cards = chen.page.locator("[data-kind=check]")

    with no_network(chen):
        for place in range(3):
            say_pass(chen, cards.nth(place))
        say_pass(chen, cards.nth(0), "Fail")
        value = chen.page.locator("[data-step='vt@400']")
        value.locator("[data-tolerance]").fill("402,5")
        value.locator("[data-tolerance]").blur()
        expect(value.locator("[data-said]")).to_contain_text(chen.say("Saved here"))
        expect(banner(chen)).to_contain_text(chen.say("Offline."))
        expect(banner(chen)).to_contain_text("5")
        assert steps_of(far_house, no)["vt@400"].value is None

        chen.page.close()  # the phone's app is killed
        chen.page = chen.context.new_page()
        chen.goto(f"/work-orders/{no}")
        expect(banner(chen)).to_contain_text(chen.say("Offline."))
        time = re.compile(re.escape(chen.say("This page is as of {time}.")).split("\\{")[0])
        expect(banner(chen)).to_contain_text(time)
        expect(banner(chen)).to_contain_text("5")
        cards = chen.page.locator("[data-kind=check]")
        expect(cards.nth(0).get_by_label(chen.say("Fail"), exact=True)).to_be_checked()
        expect(chen.page.locator("[data-step='vt@400'] [data-tolerance]")).to_have_value("402,5")

    expect(banner(chen)).not_to_contain_text(chen.say("Offline."))
    synced(chen)
    steps = steps_of(far_house, no)
    keys = [cards.nth(place).get_attribute("data-step") for place in range(3)]
    assert [steps[str(key)].revision for key in keys] == [2, 1, 1], "each once, none lost"
    assert steps[str(keys[0])].verdict is Verdict.FAIL, "the later answer came later"
    assert (steps["vt@400"].value, steps["vt@400"].revision) == (402.5, 1)
    with far_house.acting("wang") as ctx:
        trail = select(AuditEntry).where(
            AuditEntry.entity == "WorkStep",
            AuditEntry.entity_id.in_([step.id for step in steps.values()]),
            AuditEntry.command == "work_order.answer",
        )
        told = list(ctx.session.scalars(trail.order_by(AuditEntry.seq)))
    order = [str(keys[0]), str(keys[1]), str(keys[2]), str(keys[0]), "vt@400"]
    by_id = {step.id: key for key, step in steps.items()}
    assert [by_id[entry.entity_id] for entry in told] == order


def test_a_whole_repair_while_the_server_is_away(far_house: House, come: Come) -> None:
    """Started, photographed, timed, signed by hand in a basement; sent when the server is back."""
    no = given_to_chen(far_house)
    chen = come(far_house, "en", "chen")
    ready(chen, f"/work-orders/{no}")

    with chen.watch.cut():
        far_house.go_dark()
        chen.button("Start").tap()
        chen.sees("Saved here and sent later: {step}".replace("{step}", "Start"))
        chen.button("Start the timer").tap()
        expect(chen.button("Stop the timer")).to_be_visible()
        photo = FilePayload(name="fan.jpg", mimeType="image/jpeg", buffer=jpeg(1800, 900))
        chen.page.locator("input[data-photo='']").set_input_files(photo)
        expect(chen.page.get_by_alt_text("Photo, saved here")).to_be_visible()
        record = chen.page.locator("#record")
        record.get_by_label("Cause").select_option("UPF")
        chen.button("Part replaced, tested", record).tap()
        expect(record.get_by_label("What was done?")).to_have_value("Part replaced, tested")
        sign_by_hand(chen, record)
        chen.button("Complete", record).tap()
        expect(chen.page.locator("[data-kept-step]")).to_contain_text("Complete")
        chen.page.reload()
        expect(banner(chen)).to_contain_text("4")
        far_house.serve()
        chen.page.evaluate("window.dispatchEvent(new Event('online'))")
        expect(chen.page.locator(".lead")).to_contain_text(chen.say("Done"))
    with far_house.acting("wang") as ctx:
        order = the_order(ctx, no)
        assert (order.state, order.remedy) == (WorkState.DONE, "Part replaced, tested")
        [labour] = ctx.session.scalars(select(Labour).where(Labour.work_order_id == order.id))
        assert labour.name == "chen@north.example"
        photos = select(WorkPhoto).where(WorkPhoto.work_order_id == order.id)
        assert [p.width for p in ctx.session.scalars(photos)] == [1600]
    expect(chen.page.get_by_role("img", name="Signature of Chen Bo")).to_be_visible()


@LANGUAGES
def test_two_answers_stand_side_by_side(far_house: House, come: Come, lang: str) -> None:
    no = started(far_house)
    chen = come(far_house, lang, "chen")
    ready(chen, f"/work-orders/{no}")
    card = chen.page.locator("[data-step='vt@400']")
    other = chen.page.locator("[data-kind=check]").first
    with no_network(chen):
        card.locator("[data-tolerance]").fill("402")
        card.locator("[data-tolerance]").blur()
        expect(card.locator("[data-said]")).to_contain_text(chen.say("Saved here"))
        say_pass(chen, other)
        pass_to(far_house, no, "wang")
        with far_house.acting("wang") as wang:
            answer_steps(wang, no=no, answers={"vt@400": Answer(value=470.5)})
        pass_to(far_house, no, "chen")
        refused = chen.watch.refusals(409)
        refused.__enter__()
    panel = chen.page.locator("#outbox")
    expect(panel).to_contain_text("470.5")
    refused.__exit__(None, None, None)
    expect(panel).to_contain_text("402")
    expect(panel).to_contain_text("wang@north.example")
    expect(card.locator("[data-said]")).to_contain_text(chen.say("Not taken"))
    expect(other.locator("[data-said]")).not_to_contain_text(chen.say("Saved here"))
    assert steps_of(far_house, no)["vt@400"].value == 470.5, "nothing is overwritten"

    chen.button("The other counts" if lang == "zh" else "Mine counts", panel).tap()

    expect(panel).to_be_hidden()
    synced(chen)
    kept = 470.5 if lang == "zh" else 402
    expect(card.locator("[data-tolerance]")).to_have_value(f"{kept:g}")
    assert steps_of(far_house, no)["vt@400"].value == kept
    with far_house.acting("wang") as ctx:
        order = the_order(ctx, no)
        choice = select(AnswerChoice).where(AnswerChoice.work_order_id == order.id)
        assert ctx.session.scalars(choice).one().chosen == ("theirs" if lang == "zh" else "mine")


def test_an_order_closed_meanwhile_keeps_what_was_written_readable(
    far_house: House, come: Come
) -> None:
    no = started(far_house, template="US", category="US")
    chen = come(far_house, "en", "chen")
    ready(chen, f"/work-orders/{no}")
    card = chen.page.locator("[data-kind=check]").first
    with no_network(chen):
        card.get_by_label("Fail", exact=True).check()
        card.locator("summary").click()
        card.get_by_label(re.compile("^Note")).fill("Crack in the probe")
        card.get_by_label(re.compile("^Note")).blur()
        pass_to(far_house, no, "wang")
        with far_house.acting("wang") as wang, far_house.acting("zhao") as zhao:
            pass_all(wang, the_order(wang, no), list(steps_of(far_house, no).values()))
            complete(wang, no=no, password=PASSWORD, said=SAID)
            close(zhao, no=no, password=PASSWORD)
        refused = chen.watch.refusals(409)
        refused.__enter__()
    panel = chen.page.locator("#outbox")
    expect(panel).to_contain_text("This work order was closed by zhao@north.example.")
    expect(panel).to_contain_text("Crack in the probe")
    refused.__exit__(None, None, None)

    chen.button("Send as an addendum", panel).tap()

    expect(chen.page.locator("#addenda")).to_contain_text("Crack in the probe")
    expect(chen.page.locator("#outbox")).to_be_hidden()
    with far_house.acting("wang") as ctx:
        order = the_order(ctx, no)
        [added] = ctx.session.scalars(select(Addendum).where(Addendum.work_order_id == order.id))
        assert added.author == "chen@north.example"


def test_a_page_that_arrives_late_is_not_kept_for_the_phones_next_owner(
    far_house: House, come: Come
) -> None:
    no = started(far_house)
    chen = come(far_house, "en", "chen")
    ready(chen, f"/work-orders/{no}")
    [worker] = chen.context.service_workers

    kept = worker.evaluate("""async () => {
      const arrived = (user) =>
        new Response("page", { headers: { "Apm-User": user, "Apm-Keep": "1" } });
      const mine = await owner();
      await store("/work-orders/of-mine", arrived(mine));
      await store("/work-orders/of-another", arrived(mine + "x"));
      const pages = await caches.open(PAGES);
      const found = [];
      for (const path of ["/work-orders/of-mine", "/work-orders/of-another"])
        found.push(Boolean(await pages.match(path)));
      return found;
    }""")

    assert kept == [True, False]
