"""The pages of rounds: where to go, the sheet of one department, and what waits for approval.

Plain forms: without a script a scanned or typed number is looked up by the server.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict

from apm.accounts.queries import hospital_day
from apm.core.errors import Invalid, NotFound
from apm.core.http import Form, context, load, requires
from apm.core.i18n import _, _l, ngettext
from apm.core.permissions import Permission
from apm.procedures.shelf import template_for, templates_for
from apm.work import rounds
from apm.work.answers import read_answers
from apm.work.completion import Completion
from apm.work.lifecycle import is_second_person
from apm.work.model import WorkOrder
from apm.work.page import form_of
from apm.work.results import Answer
from apm.work.round_signing import Passed, approve_device, each, open_checks, pass_device
from apm.work.schema import DeviceForm, RoundForm
from apm.work.signing import Hand, Signer, signer_of

round_pages = Blueprint("rounds", __name__)


@dataclass(slots=True)
class Said:
    """What came with a sheet: once for all, and for each device."""

    form: Form
    orders: list[WorkOrder]
    devices: dict[str, dict[str, Any]] = field(default_factory=dict)
    measured: dict[str, dict[str, Answer]] = field(default_factory=dict)
    errors: dict[str, list[str]] = field(default_factory=dict)

    def marked(self, result: str) -> list[str]:
        """Return the numbers of the orders marked like this, in the order one walks."""
        devices = self.devices
        return [o.no for o in self.orders if devices.get(o.no, {}).get("result") == result]


@dataclass(frozen=True, slots=True)
class Told:
    """What became of one device; the reason why it is not signed, if it is not."""

    order: WorkOrder
    outcome: str
    reason: str | None = None


@round_pages.get("/rounds")
@requires(Permission.WORK_READ)
def overview() -> ResponseReturnValue:
    """Where one's planned work stands, department after department."""
    ctx = context()
    mine = rounds.my_stops(ctx) if ctx.actor.can(Permission.WORK_DO) else []
    done = rounds.stops_to_approve(ctx) if ctx.actor.can(Permission.WORK_CLOSE) else []
    shelf = templates_for(ctx)
    codes = list(dict.fromkeys(stop.template for stop in (*mine, *done)))
    wanted = request.args.get("template")
    wanted = wanted if wanted in codes else None
    return render_template(
        "work/rounds.html",
        mine=[stop for stop in mine if wanted in {None, stop.template}],
        done=[stop for stop in done if wanted in {None, stop.template}],
        names={code: shelf[code].name if code in shelf else code for code in codes},
        wanted=wanted,
        day=hospital_day(ctx),
    )


@round_pages.get("/rounds/<template>/<int:department_id>")
@requires(Permission.WORK_DO)
def sheet(template: str, department_id: int) -> ResponseReturnValue:
    """One's devices of one template in one department."""
    return _sheet(template, department_id)


def _sheet(
    template: str, department_id: int, form: Form | None = None, told: Iterable[Told] = ()
) -> str:
    ctx = context()
    place = _place(template, department_id)
    devices = rounds.sheet_of(ctx, template, department_id)
    simple = [device.order for device in devices if device.why_alone is None]
    checks = {step.key: step for order in simple for step in open_checks(order)}
    return render_template(
        "work/round_sheet.html",
        **place,
        devices=devices,
        checks=list(checks.values()),
        has_simple=bool(simple),
        is_full=len(devices) == rounds.MOST,
        told=told or _told_before("signed"),
        form=form,
        **_scanned(devices),
    )


@round_pages.post("/rounds/<template>/<int:department_id>")
@requires(Permission.WORK_DO)
def sign(template: str, department_id: int) -> ResponseReturnValue:
    """Sign for the devices that passed, one order after another."""
    ctx = context()
    page = partial(_sheet, template, department_id)
    said = _read(template, department_id)
    for order in said.orders:
        if order.no in said.marked("pass"):
            _read_values(said, order, request.form)
    if said.errors:
        return page(Form(None, said.errors, request.form)), 422
    try:
        signer = _signer(said)
    except Invalid as error:
        return page(form_of(error)), error.status
    minutes = (said.form.data or {})["labour_minutes"]

    def one(no: str) -> object:
        device = said.devices[no]
        done = Completion(labour_minutes=minutes, remedy=device["note"])
        passed = Passed(said.measured.get(no, {}), done, device["version"])
        return pass_device(ctx, no=no, signer=signer, passed=passed)

    failed = said.marked("fail")
    signed = each(said.marked("pass"), one)
    if any(signed.values()):
        return page(Form(None, {}, request.form), _told(signed, failed)), 409
    n = len(signed)
    flash(ngettext("%(n)s device is signed.", "%(n)s devices are signed.", n), "success")
    here: dict[str, Any] = {"template": template, "department_id": department_id}
    return redirect(url_for(".sheet", **here, signed=list(signed), failed=failed), 303)


@round_pages.get("/rounds/<template>/<int:department_id>/approval")
@requires(Permission.WORK_CLOSE)
def approval(template: str, department_id: int) -> ResponseReturnValue:
    """The devices of one template and department that are done and not approved yet."""
    return _approval(template, department_id)


def _approval(
    template: str, department_id: int, form: Form | None = None, told: Iterable[Told] = ()
) -> str:
    ctx = context()
    place = _place(template, department_id)
    devices = rounds.sheet_to_approve(ctx, template, department_id)
    own = {d.order.no for d in devices if not is_second_person(ctx.actor, d.order)}
    return render_template(
        "work/round_approval.html",
        **place,
        devices=devices,
        own=own,
        has_simple=any(d.why_alone is None and d.order.no not in own for d in devices),
        told=told or _told_before("approved"),
        form=form,
    )


@round_pages.post("/rounds/<template>/<int:department_id>/approval")
@requires(Permission.WORK_CLOSE)
def approve(template: str, department_id: int) -> ResponseReturnValue:
    """Approve the chosen records, one order after another."""
    ctx = context()
    page = partial(_approval, template, department_id)
    said = _read(template, department_id)
    if said.errors:
        return page(Form(None, said.errors, request.form)), 422
    try:
        signer = _signer(said)
    except Invalid as error:
        return page(form_of(error)), error.status

    def one(no: str) -> object:
        return approve_device(ctx, no=no, signer=signer, version=said.devices[no]["version"])

    closed = each(said.marked("pass"), one)
    if any(closed.values()):
        return page(Form(None, {}, request.form), _told(closed, [], "approved")), 409
    n = len(closed)
    flash(ngettext("%(n)s record is approved.", "%(n)s records are approved.", n), "success")
    here: dict[str, Any] = {"template": template, "department_id": department_id}
    return redirect(url_for(".approval", **here, approved=list(closed)), 303)


def _place(template: str, department_id: int) -> dict[str, Any]:
    ctx = context()
    return {
        "department": rounds.department_of_round(ctx, department_id),
        "template": template_for(ctx, template),
        "here": {"template": template, "department_id": department_id},
        "day": hospital_day(ctx),
    }


def _scanned(devices: list[rounds.Device]) -> dict[str, Any]:
    """Return which device a scanned or typed number means, for browsers that run no script."""
    text = request.args.get("code", "").strip()
    return {"sought": text, "found": rounds.scanned(devices, text) if text else None}


def _signer(said: Said) -> Signer:
    data = said.form.data or {}
    return signer_of(context(), data["password"], Hand(once=data["nonce"]))


def _read(template: str, department_id: int) -> Said:
    """Return what a form says of each device; an order of another hospital is not found."""
    _place(template, department_id)
    typed = request.form
    nos = list(dict.fromkeys(typed.getlist("order")))
    said = Said(load(RoundForm(), typed), rounds.chosen_orders(context(), nos))
    if len(said.orders) < len(nos):
        raise NotFound(_l("There is no such work order here. Check the number in the list."))
    said.errors |= said.form.errors
    for order in said.orders:
        name = f"d{order.id}"
        own = {key: typed.get(f"{name}_{key}", "") for key in ("result", "note", "version")}
        form = load(DeviceForm(), own)
        said.errors |= {f"{name}_{key}": texts for key, texts in form.errors.items()}
        said.devices[order.no] = form.data or {}
    if not said.errors and not said.marked("pass"):
        said.errors["_schema"] = [_("Mark at least one device as passed, then sign.")]
    return said


def _read_values(said: Said, order: WorkOrder, typed: MultiDict[str, str]) -> None:
    asked = [step for step in order.steps if f"s{step.id}" in typed]
    answers, errors = read_answers(asked, typed)
    for step in asked:
        if not typed[f"s{step.id}"].strip():
            errors[f"s{step.id}"] = [_("Give the measured value.")]
    said.errors |= errors
    said.measured[order.no] = answers


def _told(
    signed: Mapping[str, str | None], failed: Iterable[str], outcome: str = "signed"
) -> list[Told]:
    """Return what became of each device, in the order one walks."""
    left = set(failed)
    told = []
    for order in rounds.chosen_orders(context(), [*signed, *left]):
        reason = signed.get(order.no)
        kept = "failed" if order.no in left else outcome
        told.append(Told(order, "refused" if reason else kept, reason))
    return told


def _told_before(outcome: str) -> list[Told]:
    """Return what the address says was signed or approved, as far as the records agree."""
    signed, failed = request.args.getlist(outcome), request.args.getlist("failed")
    if not signed and not failed:
        return []
    told = _told(dict.fromkeys(signed), failed, outcome)
    me = context().actor.user_id
    by = {"signed": "done_by", "approved": "closed_by", "failed": "assignee_id"}
    return [one for one in told if getattr(one.order, by[one.outcome]) == me]
