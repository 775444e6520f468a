"""What a phone sends from the place of work, as JSON: each thing with its own `Idempotency-Key`.

An answer says which revision of its step it is based on.  If somebody else has changed the step
since, it is not taken (409, `answered_meanwhile`, with the other answer in `fields.theirs`), and
`choice` says which of the two counts.
"""

from __future__ import annotations

import base64
import binascii
from typing import Any

from apm.core.errors import Invalid
from apm.core.http import context, requires
from apm.core.i18n import _l
from apm.core.permissions import Permission
from apm.work import queries
from apm.work.addenda import add_addendum
from apm.work.api_schema import AddendumOut, LabourOut, WorkOrderOut, WorkPhotoOut, WorkStepOut
from apm.work.blueprint import Headed, api, sent_of
from apm.work.choosing import choose_answer
from apm.work.field_model import Addendum, Labour
from apm.work.hours import Downtime, add_labour, set_downtime
from apm.work.model import WorkStep
from apm.work.photos import add_photo
from apm.work.proceeding import answer_of
from apm.work.results import answer_steps, record_work, step_of
from apm.work.schema import (
    AddendumForm,
    AnswerSent,
    ChoiceSent,
    DowntimeForm,
    LabourForm,
    PhotoSent,
    RecordForm,
)
from apm.work.times import aware


@api.route("/work-orders/<no>/results/<step>", methods=["PUT", "POST"])
@api.arguments(AnswerSent)
@api.response(200, WorkStepOut)
@requires(Permission.WORK_DO)
def answer(said: dict[str, Any], no: str, step: str) -> WorkStep:
    """Answer one step; the verdict of a measured value is ours."""
    answers = {step: answer_of(said)}
    order = answer_steps(context(), no=no, answers=answers, sent=sent_of(said))
    return step_of(order, step)


@api.post("/work-orders/<no>/results/<step>/choice")
@api.arguments(ChoiceSent)
@api.response(200, WorkStepOut)
@requires(Permission.WORK_DO)
def choice(said: dict[str, Any], no: str, step: str) -> WorkStep:
    """Say which of two answers to a step counts: mine, or the one stored meanwhile."""
    order = choose_answer(
        context(),
        no=no,
        step=step,
        chosen=said["chosen"],
        mine=answer_of(said),
        sent=sent_of(said),
    )
    return step_of(order, step)


@api.post("/work-orders/<no>/record")
@api.arguments(RecordForm)
@api.response(200, WorkOrderOut)
@requires(Permission.WORK_DO)
def record(said: dict[str, Any], no: str) -> Headed:
    """Note time, cause and remedy on the way."""
    facts = {name: said[name] for name in ("labour_minutes", "cause", "remedy")}
    record_work(context(), no=no, **facts)
    return _order(no)


@api.post("/work-orders/<no>/labour")
@api.arguments(LabourForm)
@api.response(201, LabourOut)
@requires(Permission.WORK_DO)
def labour(said: dict[str, Any], no: str) -> Labour:
    """Note a stretch of work; its minutes are added to those of the order."""
    return add_labour(
        context(), no=no, began=said["began"], ended=said["ended"], sent=sent_of(said)
    )


@api.post("/work-orders/<no>/downtime")
@api.arguments(DowntimeForm)
@api.response(200, WorkOrderOut)
@requires(Permission.WORK_DO)
def downtime(said: dict[str, Any], no: str) -> Headed:
    """Put the downtime of a repair right, before the work is signed."""
    ctx = context()
    times = aware(ctx, said["began"]), aware(ctx, said["ended"])
    set_downtime(ctx, no=no, said=Downtime(*times, said["kind"], said["reason"]))
    return _order(no)


@api.post("/work-orders/<no>/photos")
@api.arguments(PhotoSent)
@api.response(201, WorkPhotoOut)
@requires(Permission.WORK_DO)
def photo(said: dict[str, Any], no: str) -> dict[str, Any]:
    """Add a photo of the work, or of one step."""
    try:
        data = base64.b64decode(said["image"], validate=True)
    except (binascii.Error, ValueError) as error:
        message = _l("This is not base 64.")
        raise Invalid(message, fields={"image": [message]}) from error
    kept = add_photo(context(), no=no, data=data, step=said["step"], sent=sent_of(said))
    return {**vars(kept), "url": f"/work-orders/{no}/photos/{kept.id}.jpg"}


@api.post("/work-orders/<no>/addenda")
@api.arguments(AddendumForm)
@api.response(201, AddendumOut)
@requires(Permission.WORK_READ)
def addendum(said: dict[str, Any], no: str) -> Addendum:
    """Add a remark below a signed record."""
    return add_addendum(context(), no=no, text=said["text"], sent=sent_of(said))


def _order(no: str) -> Headed:
    order = queries.work_order(context(), no)
    return order, 200, {"ETag": f'"{order.version}"'}
