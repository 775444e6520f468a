"""Work orders in the field, and a phone that loses the network."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Locator, expect
from sqlalchemy import select

from apm.core.command import Context
from apm.work.model import WorkOrder, WorkStep
from apm.work.moving import Facts, move_work
from tests.apm.hospital import make_asset, make_work, start_work
from tests.browser.house import House
from tests.browser.person import Person
from tests.processes import until

IS_CUT_OFF = "fetch('/ping', {cache: 'no-store'}).then(() => false, () => true)"
WAKE = """() => {
  const worker = navigator.serviceWorker?.controller;
  worker?.postMessage({});
  return Boolean(worker);
}"""


def started(house: House, template: str | None = "VENT", category: str = "VENT") -> str:
    """The number of a repair that Chen has started."""
    with house.acting("wang") as wang, house.acting("chen") as chen:
        made = make_work(wang, make_asset(wang, category), template_code=template)
        start_work(chen, wang, made)
        return made.no


def given_to_chen(house: House, template: str | None = None) -> str:
    """The number of a repair that Chen has not started yet."""
    with house.acting("wang") as wang:
        made = make_work(wang, make_asset(wang, "MON"), template_code=template)
        give = Facts(assignee_id=acting_id(house, "chen"), is_confirmed=True)
        move_work(wang, no=made.no, action="assign", facts=give)
        return made.no


def acting_id(house: House, name: str) -> int:
    with house.acting(name) as ctx:
        return ctx.actor.user_id or 0


def pass_to(house: House, no: str, name: str) -> None:
    """Give work in progress to somebody else."""
    with house.acting("wang") as wang:
        facts = Facts(assignee_id=acting_id(house, name), reason="Shift ends", is_confirmed=True)
        move_work(wang, no=no, action="hand_over", facts=facts)


@contextmanager
def no_network(person: Person) -> Iterator[None]:
    """The phone is in the basement."""
    with person.watch.cut():
        person.context.set_offline(True)
        until(lambda: is_cut_off(person), seconds=20, what="the service worker is cut off too")
        yield
        person.context.set_offline(False)


def is_cut_off(person: Person) -> bool:
    """Whether the page's service worker, woken for it, finds no network: it is a process apart."""
    is_there = person.page.evaluate(WAKE)
    workers = person.context.service_workers
    if is_there and not workers:
        return False
    return all(worker.evaluate(IS_CUT_OFF) for worker in workers)


def banner(person: Person) -> Locator:
    return person.page.locator("#sync")


def ready(person: Person, path: str) -> None:
    """Go to a page, which the phone then keeps."""
    person.goto(path)
    person.page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    person.goto(path)  # the worker is in charge from the second page on

    def is_kept() -> bool:
        kept: bool = person.page.evaluate(
            "path => caches.open('apm-pages').then(c => c.match(path)).then(Boolean)", path
        )
        return kept

    until(is_kept, seconds=20, what=f"{path} is kept on the phone")


def steps_of(house: House, no: str) -> dict[str, WorkStep]:
    with house.acting("wang") as ctx:
        order = the_order(ctx, no)
        rows = ctx.session.scalars(select(WorkStep).where(WorkStep.work_order_id == order.id))
        return {step.key: step for step in rows}


def the_order(ctx: Context, no: str) -> WorkOrder:
    return ctx.session.scalars(select(WorkOrder).where(WorkOrder.no == no)).one()


def say_pass(person: Person, card: Locator, verdict: str = "Pass") -> None:
    card.get_by_label(person.say(verdict), exact=True).check()
    expect(card.locator("[data-said]")).to_contain_text(person.say("Saved here"))


def synced(person: Person) -> None:
    expect(banner(person)).to_contain_text(person.say("All is sent."))
