"""What the page of a work order sends as plain forms, for browsers that run no script."""

from __future__ import annotations

from flask import Blueprint, Response, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from apm.core.errors import Invalid
from apm.core.http import Form, context, load, requires
from apm.core.i18n import _
from apm.core.permissions import Permission
from apm.core.pictures import MOST_BYTES
from apm.labels import label
from apm.work import queries
from apm.work.addenda import add_addendum
from apm.work.answers import overwritten, read_answers
from apm.work.hours import Downtime, set_downtime
from apm.work.model import WorkOrder, WorkStep
from apm.work.page import form_of, order_page
from apm.work.photos import add_photo, photo_jpeg
from apm.work.results import add_cost, answer_steps, record_work
from apm.work.schema import AddendumForm, CostForm, DowntimeForm, RecordForm
from apm.work.times import aware

field_pages = Blueprint("field", __name__)


def _back(no: str, anchor: str, said: str) -> ResponseReturnValue:
    flash(said, "success")
    return redirect(url_for("work.show", no=no, _anchor=anchor), 303)


@field_pages.post("/work-orders/<no>/results")
@requires(Permission.WORK_DO)
def save_answers(no: str) -> ResponseReturnValue:
    """Store the answers and photos of the checklist, all at once."""
    ctx = context()
    order = queries.work_order(ctx, no)
    answers, errors = read_answers(order.steps, request.form)
    if errors:
        return order_page(no, Form(None, errors, request.form), 422)
    if changed := overwritten(ctx, order, answers):
        return order_page(no, Form(None, _both(changed), request.form), 409)
    try:
        answer_steps(ctx, no=no, answers=answers)
        _keep_photos(order)
    except Invalid as error:
        return order_page(no, form_of(error), 422)
    return _back(no, "checklist", _("Answers saved."))


def _both(steps: list[WorkStep]) -> dict[str, list[str]]:
    """Return, by input, what somebody else has answered meanwhile: saved again, ours counts."""
    told = {}
    for step in steps:
        what = [
            "" if step.value is None else f"{step.value:.15g} {step.unit or ''}".strip(),
            str(label("verdict", step.verdict)) if step.verdict else "",
            step.note or "",
        ]
        params = {"who": step.changed_by or "", "answer": " · ".join(filter(None, what)) or "–"}
        text = _(
            "%(who)s answered meanwhile: %(answer)s. Save again to let yours count.", **params
        )
        told[f"s{step.id}"] = [text]
    return told


def _keep_photos(order: WorkOrder) -> None:
    names = {"photos": "", **{f"s{step.id}_photo": step.key for step in order.steps}}
    for name, step in names.items():
        for file in request.files.getlist(name):
            data = file.stream.read(MOST_BYTES + 1)
            if data:
                add_photo(context(), no=order.no, data=data, step=step)


@field_pages.post("/work-orders/<no>/photos")
@requires(Permission.WORK_DO)
def save_photos(no: str) -> ResponseReturnValue:
    """Add photos of the work as a whole."""
    order = queries.work_order(context(), no)
    try:
        _keep_photos(order)
    except Invalid as error:
        return order_page(no, form_of(error), 422)
    return _back(no, "photos", _("Saved."))


@field_pages.get("/work-orders/<no>/photos/<int:photo_id>.jpg")
@requires(Permission.WORK_READ)
def photo(no: str, photo_id: int) -> ResponseReturnValue:
    """One photo."""
    return Response(photo_jpeg(context(), no, photo_id), mimetype="image/jpeg")


@field_pages.post("/work-orders/<no>/record")
@requires(Permission.WORK_DO)
def record(no: str) -> ResponseReturnValue:
    """Note time, cause and remedy on the way."""
    form = load(RecordForm(only=("labour_minutes", "cause", "remedy")), request.form)
    if form.data is None:
        return order_page(no, form, 422)
    record_work(context(), no=no, **form.data)
    return _back(no, "record", _("Saved."))


@field_pages.post("/work-orders/<no>/downtime")
@requires(Permission.WORK_DO)
def downtime(no: str) -> ResponseReturnValue:
    """Put the downtime of a repair right."""
    form = load(DowntimeForm(only=("began", "ended", "kind", "reason")), request.form)
    if form.data is None:
        return order_page(no, form, 422)
    ctx, said = context(), form.data
    times = aware(ctx, said["began"]), aware(ctx, said["ended"])
    try:
        set_downtime(ctx, no=no, said=Downtime(*times, said["kind"], said["reason"]))
    except Invalid as error:
        return order_page(no, form_of(error), 422)
    return _back(no, "record", _("Saved."))


@field_pages.post("/work-orders/<no>/addenda")
@requires(Permission.WORK_READ)
def addendum(no: str) -> ResponseReturnValue:
    """Add a remark below a signed record."""
    form = load(AddendumForm(only=("text",)), request.form)
    if form.data is None:
        return order_page(no, form, 422)
    try:
        add_addendum(context(), no=no, text=form.data["text"])
    except Invalid as error:
        return order_page(no, form_of(error), 422)
    return _back(no, "addenda", _("Saved."))


@field_pages.post("/work-orders/<no>/costs")
@requires(Permission.WORK_READ)
def cost(no: str) -> ResponseReturnValue:
    """Note money spent."""
    form = load(CostForm(), request.form)
    if form.data is None:
        return order_page(no, form, 422)
    fen = round(form.data["amount"] * 100)
    try:
        add_cost(context(), no=no, kind=form.data["kind"], amount=fen, note=form.data["note"])
    except Invalid as error:
        return order_page(no, form_of(error), 422)
    return _back(no, "costs", _("Saved."))
