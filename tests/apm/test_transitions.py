"""Every step of work orders and requests, tried in every state by everybody, over the API.

What should be is written down here by hand, from the rules of the product, and not read from the
lifecycle tables of the code.  What is refused changes nothing and leaves no trace.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import func, select

from apm.accounts.commands import add_user
from apm.core.audit import AuditEntry
from apm.core.permissions import Role
from apm.requests import confirming, merging, triage
from apm.requests.lifecycle import REQUEST
from apm.requests.model import Request
from apm.requests.queries import request_by_no
from apm.requests.states import RequestState as R
from apm.vendors.links import Company, create_link
from apm.vendors.working import come
from apm.work.completion import Completion, close, complete
from apm.work.lifecycle import WORK
from apm.work.model import WorkOrder
from apm.work.moving import Facts, move_work
from apm.work.states import WorkState as W
from tests.apm.hospital import make_asset, make_request, make_work
from tests.conftest import CAST, PASSWORD

OTHERS = {"tian": Role.TECHNICIAN, "erin": Role.ENGINEER, "vera": Role.VENDOR}
"""More people of North: two who do not have the job, and one with a vendor's account."""
SAID = {
    "reason": "because", "assignee": "tian@north.example", "password": PASSWORD, "cause": "UPF",
    "remedy": "Board replaced", "labour_minutes": 5, "priority": "urgent", "confirm": True,
}  # fmt: skip
HELD = {W.ASSIGNED, W.IN_PROGRESS, W.WAITING_PARTS, W.WAITING_VENDOR, W.WAITING_ACCESS}
WAITING = HELD - {W.ASSIGNED, W.IN_PROGRESS}
BEGUN = HELD | {W.PLANNED}

# Who is who.  "me" is whoever has the job; "link" is the vendor by the link to this very order.
BOSSES = {"wang", "erin", "zhao", "amy", "program"}
DOERS = {"chen", "tian", "wang", "erin", "amy"}
PROGRAM_OR_NOT = ("lin", "chen", "tian", "wang", "erin", "zhao", "amy", "vera", "program",
                  "device", "qin", "visitor", "link")  # fmt: skip

OUTSIDERS = {"lin", "vera", "device", "qin", "visitor"}
"""They are refused before anybody looks at the order: two states are enough for them."""

STEPS: dict[str, tuple[set[W], W | None, set[str]]] = {
    "assign": ({W.PLANNED, W.ASSIGNED}, W.ASSIGNED, BOSSES),
    "take": ({W.PLANNED}, W.ASSIGNED, DOERS),
    "give_back": ({W.ASSIGNED}, W.PLANNED, {"me", *BOSSES}),
    "start": ({W.ASSIGNED}, W.IN_PROGRESS, {"me"}),
    "wait_parts": ({W.IN_PROGRESS}, W.WAITING_PARTS, {"me", "link"}),
    "wait_vendor": ({W.IN_PROGRESS}, W.WAITING_VENDOR, {"me", "link"}),
    "wait_access": ({W.IN_PROGRESS}, W.WAITING_ACCESS, {"me", "link"}),
    "resume": (WAITING, W.IN_PROGRESS, {"me"}),
    "complete": ({W.IN_PROGRESS}, W.DONE, {"me", "link"}),
    "return": ({W.DONE}, W.IN_PROGRESS, BOSSES),
    "close": ({W.DONE}, W.CLOSED, BOSSES - {"program"}),
    "cancel": (BEGUN, W.CANCELLED, BOSSES),
    "hand_over": (HELD, None, {"me", *BOSSES}),
    "prioritise": (BEGUN, None, BOSSES),
    "come": ({W.ASSIGNED, *WAITING}, W.IN_PROGRESS, {"link"}),
}
"""From where, to where (None: stays), by whom.  `come` is how a vendor starts and resumes."""


def may(who: str, action: str, state: W, *, me: str, high_risk: bool) -> bool:
    """Whether the rules let somebody take a step."""
    sources, _target, allowed = STEPS[action]
    if state not in sources:
        return False
    if action == "close" and high_risk and who == me:
        return False
    return who in allowed or (who == me and "me" in allowed)


def refusal(who: str, action: str, state: W) -> set[int]:
    """The answers that are right for a step that somebody may not take."""
    match who:
        case "visitor":
            return {401}
        case "qin":
            return {404}
        case "lin" | "vera" | "device":
            return {403}
        case "link" if state in {W.CLOSED, W.CANCELLED} or "link" not in STEPS[action][2]:
            return {404}
    sources, _target, allowed = STEPS[action]
    if state in sources:
        return {403}
    return {409} if who in allowed else {403, 409}  # nobody's step now, and not theirs either


class House:
    """North with more people, each with a browser, and work orders in any state."""

    def __init__(self, as_: Any, login: Any, bearer: Any, client: Any, monkeypatch: Any) -> None:
        self.client, self._n = client, 0
        system = as_("system")
        for name, role in OTHERS.items():
            email = f"{name}@north.example"
            add_user(system, email=email, name=name, role=role, password=PASSWORD)
            monkeypatch.setitem(CAST, name, ("NORTH", role, name, None))
        self.ctx = {name: as_(name) for name in (*CAST, "system") if name not in {"vera", "lin"}}
        self.ctx["lin"] = as_("lin")
        self.browsers = {name: login(name) for name in CAST}
        self.headers = {"program": bearer(Role.ENGINEER), "device": bearer(Role.DEVICE)}

    def send(self, who: str, path: str, link: str, action: str) -> int:
        """Let somebody try a step; return the status."""
        if who == "link":
            self.ctx["system"].session.rollback()
            sent = {**SAID, "person": "Zhang Wei"}
            return self.client.post(f"{link}/{action}", data=sent).status_code
        browser = self.browsers.get(who, self.client)
        headers = self.headers.get(who, {})
        return browser.post(f"{path}/{action}", json=SAID, headers=headers).status_code

    def order_in(self, state: W, me: str, *, high_risk: bool) -> tuple[str, str]:
        """A new order of somebody in a state, and the address of a link to it."""
        wang, mine = self.ctx["wang"], self.ctx[me]
        category = "VENT" if high_risk else "MON"
        order = make_work(wang, make_asset(wang, category), template_code=None)
        no, link = order.no, self.link_to(order.no, me)
        if state is W.PLANNED:
            move_work(wang, no=no, action="give_back", facts=Facts(reason="x"))
        if state is W.CANCELLED:
            move_work(wang, no=no, action="cancel", facts=Facts(reason="x"))
        if state in {W.PLANNED, W.ASSIGNED, W.CANCELLED}:
            return no, link
        move_work(mine, no=no, action="start")
        if state in WAITING:
            wait = f"wait_{state.value.removeprefix('waiting_')}"
            move_work(mine, no=no, action=wait, facts=Facts(reason="x"))
        if state in {W.DONE, W.CLOSED}:
            done = Completion(cause="UPF", remedy="Board replaced")
            complete(mine, no=no, password=PASSWORD, said=done)
        if state is W.CLOSED:
            close(self.ctx["zhao"], no=no, password=PASSWORD)
        return no, link

    def link_to(self, no: str, me: str) -> str:
        """A vendor's link to an order, which is given to somebody first."""
        wang, self._n = self.ctx["wang"], self._n + 1
        give = Facts(assignee_id=self.ctx[me].actor.user_id, is_confirmed=True)
        move_work(wang, no=no, action="assign", facts=give)
        token = f"{self._n:0>43}"
        company = Company(name="Siemens")
        create_link(wang, no=no, company=company, token=token, client_key=f"key-{self._n:0>8}")
        return f"/v/{token}"

    def snapshot(self, model: Any, no: str) -> tuple[Any, ...]:
        """All of a row, and how much stands in the trail."""
        session = self.ctx["system"].session
        session.rollback()
        row = session.execute(select(*model.__table__.columns).where(model.no == no)).one()
        return (*row, session.scalar(select(func.count(AuditEntry.id))))

    def state(self, no: str) -> W:
        """Where an order stands."""
        session = self.ctx["system"].session
        session.rollback()
        return session.scalars(select(WorkOrder.state).where(WorkOrder.no == no)).one()

    def request_state(self, no: str) -> R:
        """Where a request stands."""
        ctx = self.ctx["system"]
        ctx.session.rollback()
        return request_by_no(ctx, no).state


@pytest.fixture
def house(as_, login, bearer, client, monkeypatch) -> House:
    return House(as_, login, bearer, client, monkeypatch)


def test_the_tables_here_and_in_the_code_name_the_same_steps():
    assert {step.action for step in WORK.steps} | {"come"} == set(STEPS)
    assert {step.action for step in REQUEST.steps} == set(DECISIONS)


CASES = [
    *(("chen", False, state) for state in W),
    *(("wang", True, state) for state in (W.ASSIGNED, W.IN_PROGRESS, W.DONE)),
    ("wang", False, W.DONE),
]
"""Whose job, on high-risk equipment or not: the latter two matter when one engineer does both."""


@pytest.mark.parametrize(("me", "high_risk", "state"), CASES, ids=str)
def test_every_step_of_a_work_order(house, me, high_risk, state):
    no, link = house.order_in(state, me, high_risk=high_risk)
    path, before = f"/api/v1/work-orders/{no}", house.snapshot(WorkOrder, no)
    tried = 0
    for who, action in every(STEPS):
        if may(who, action, state, me=me, high_risk=high_risk):
            continue
        if who in OUTSIDERS and state not in {W.IN_PROGRESS, W.DONE}:
            continue
        if who == "link" and state is W.IN_PROGRESS and action == "come":
            continue  # somebody of the vendor arrives beside the hospital's own: no step
        status = house.send(who, path, link, action)
        allowed = refusal(who, action, state)
        assert status in allowed, f"{who} {action} in {state}: {status}, not {allowed}"
        assert house.snapshot(WorkOrder, no) == before, f"{who} {action} in {state} left a trace"
        tried += 1
    for who, action in every(STEPS):
        if may(who, action, state, me=me, high_risk=high_risk):
            no, link = house.order_in(state, me, high_risk=high_risk)
            if who == "link" and action != "come":
                arrive(house, no, link)
            status = house.send(who, f"/api/v1/work-orders/{no}", link, action)
            target = STEPS[action][1] or state
            assert status in {200, 303}, f"{who} {action} in {state}: {status}"
            assert house.state(no) is target, f"{who} {action} in {state}"
            tried += 1
    left_out = 0 if state in {W.IN_PROGRESS, W.DONE} else len(STEPS) * len(OUTSIDERS)
    assert tried >= len(STEPS) * len(PROGRAM_OR_NOT) - 40 - left_out


def every(steps: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Everybody with every step that they have words for."""
    for who in PROGRAM_OR_NOT:
        for action in steps:
            if (action == "come") <= (who == "link"):
                yield who, action


def arrive(house: House, no: str, link: str) -> None:
    """Somebody of the vendor comes to work that goes on."""
    assert house.client.post(f"{link}/come", data={"person": "Zhang Wei"}).status_code == 303
    assert house.state(no) is W.IN_PROGRESS


def test_nobody_of_a_vendor_acts_before_having_come(house):
    no, link = house.order_in(W.IN_PROGRESS, "chen", high_risk=False)
    before = house.snapshot(WorkOrder, no)
    for action in ("wait_parts", "wait_vendor", "wait_access", "complete"):
        assert house.send("link", "", link, action) == 409
    assert house.snapshot(WorkOrder, no) == before
    assert come.__doc__


# -- requests --------------------------------------------------------------------------------

TRIAGE = {"wang", "erin", "zhao", "amy", "program"}
REPORT = TRIAGE | {"lin", "chen", "tian"}
ALL_R = set(R)
DECISIONS: dict[str, tuple[set[R], R, set[str]]] = {
    "accept": ({R.OPEN, R.NEEDS_INFO}, R.ASSIGNED, TRIAGE),
    "ask": ({R.OPEN}, R.NEEDS_INFO, TRIAGE),
    "mark_duplicate": ({R.OPEN, R.NEEDS_INFO}, R.DUPLICATE, TRIAGE),
    "unmerge": ({R.DUPLICATE}, R.OPEN, TRIAGE),
    "reject": ({R.OPEN, R.NEEDS_INFO}, R.REJECTED, TRIAGE),
    "verify": ({R.RESOLVED}, R.VERIFIED, REPORT | {"link"}),
    "reopen": ({R.RESOLVED}, R.ASSIGNED, REPORT | {"link"}),
}


def request_in(house: House, state: R) -> tuple[str, str, str]:  # noqa: C901  (a way a state)
    """A new request in a state, its reporter's link, and another open one on the same asset."""
    wang, chen = house.ctx["wang"], house.ctx["chen"]
    asset = make_asset(wang, "MON")
    first = make_request(house.ctx["lin"], asset)
    found = make_request(house.ctx["lin"], asset)
    no, link = found.no, f"/r/{found.client_key}"
    plain = {
        R.NEEDS_INFO: lambda: triage.ask(wang, no=no, reason="?"),
        R.REJECTED: lambda: triage.reject(wang, no=no, reason="no"),
        R.DUPLICATE: lambda: merging.mark_duplicate(wang, no=no, of=first.no),
    }
    if state in plain:
        plain[state]()
    if state in {R.OPEN, *plain}:
        return no, link, first.no
    order = triage.accept(wang, no=no)
    if state is R.CANCELLED:
        move_work(wang, no=order.no, action="cancel", facts=Facts(reason="x"))
    if state in {R.ASSIGNED, R.CANCELLED}:
        return no, link, first.no
    move_work(wang, no=order.no, action="assign", facts=Facts(assignee_id=chen.actor.user_id))
    move_work(chen, no=order.no, action="start")
    if state.value.startswith("waiting_"):
        wait = f"wait_{state.value.removeprefix('waiting_')}"
        move_work(chen, no=order.no, action=wait, facts=Facts(reason="x"))
    if state in {R.RESOLVED, R.VERIFIED, R.CLOSED}:
        done = Completion(cause="UPF", remedy="Board replaced")
        complete(chen, no=order.no, password=PASSWORD, said=done)
    if state in {R.VERIFIED, R.CLOSED}:
        confirming.verify(house.ctx["lin"], no=no)
    if state is R.CLOSED:
        close(wang, no=order.no, password=PASSWORD)
    return no, link, first.no


def decide(house: House, who: str, no: str, link: str, action: str, of: str) -> int:
    """Let somebody try a decision; return the status."""
    said = {"reason": "because", "of": of, "rating": 4, "comment": "well", "why": "so"}
    if who == "link":
        return house.client.post(f"{link}/{action}", data=said).status_code
    browser, headers = house.browsers.get(who, house.client), house.headers.get(who, {})
    path = f"/api/v1/requests/{no}/{action}"
    return browser.post(path, json=said, headers=headers).status_code


def refusal_of_decision(who: str, action: str, state: R) -> set[int]:
    """The answers that are right for a decision that somebody may not make."""
    match who:
        case "visitor":
            return {401}
        case "qin":
            return {404}
        case "vera" | "device":
            return {403}
        case "link" if "link" not in DECISIONS[action][2]:
            return {404}
    permitted = who in DECISIONS[action][2]
    return {409} if permitted else {403, 409} if state not in DECISIONS[action][0] else {403}


@pytest.mark.parametrize("state", list(R), ids=str)
def test_every_decision_about_a_request(house, state):
    no, link, other = request_in(house, state)
    assert house.request_state(no) is state
    before = house.snapshot(Request, no)
    for who, action in every(DECISIONS):
        sources, target, allowed = DECISIONS[action]
        if state in sources and who in allowed:
            mine, own_link, of = request_in(house, state)
            status = decide(house, who, mine, own_link, action, of)
            assert status in {200, 303}, f"{who} {action} in {state}: {status}"
            assert house.request_state(mine) is target, f"{who} {action}"
            before = house.snapshot(Request, no)
            continue
        status = decide(house, who, no, link, action, other)
        right = refusal_of_decision(who, action, state)
        assert status in right, f"{who} {action} in {state}: {status}, not {right}"
        assert house.snapshot(Request, no) == before, f"{who} {action} in {state} left a trace"
