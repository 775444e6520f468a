"""Work orders as the JSON API takes and shows them."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, fields, validate

from apm.core.http import context
from apm.work.clock_view import clock_of
from apm.work.lifecycle import work_actions
from apm.work.model import WorkOrder
from apm.work.schema import LONG, NEEDED, SHORT
from apm.work.states import Priority, WorkState, WorkType

OPEN = "open"


def _actions(order: WorkOrder) -> list[str]:
    """Return what the caller may do with an order now."""
    return work_actions(context().actor, order)


class ClockOut(Schema):
    """How a clock of an order stands."""

    clock = fields.String(metadata={"description": "`respond` or `resolve`."})
    state = fields.String(metadata={"description": "running, paused, late, met or missed."})
    due_at = fields.AwareDateTime(format="iso")
    minutes = fields.Integer(metadata={"description": "Left; negative when late."})
    text = fields.String()


class TicketListQuery(Schema):
    """Where a list goes on."""

    limit = fields.Integer(load_default=50, validate=validate.Range(1, 500))
    after = fields.String(load_default=None)


class WorkQuery(TicketListQuery):
    """Which work orders; `state=open` means all that are not closed or cancelled."""

    state = fields.List(
        fields.String(validate=validate.OneOf([OPEN, *(s.value for s in WorkState)])),
        load_default=[],
    )
    type = fields.List(fields.Enum(WorkType, by_value=True), load_default=[])
    asset = fields.String(load_default=None)
    assignee = fields.String(
        load_default=None, metadata={"description": "E-mail address, `me` or `none`."}
    )
    team = fields.Integer(load_default=None)


class NewWorkOrder(Schema):
    """A work order to open, on an asset."""

    type = fields.Enum(WorkType, by_value=True, required=True, error_messages=NEEDED)
    asset = fields.String(required=True, validate=SHORT, error_messages=NEEDED)
    title = fields.String(required=True, validate=validate.Length(1, 200), error_messages=NEEDED)
    title_zh = fields.String(load_default=None, validate=validate.Length(max=200))
    priority = fields.Enum(Priority, by_value=True, load_default=Priority.NORMAL)
    template_code = fields.String(load_default=None, data_key="template", validate=SHORT)
    origin = fields.String(load_default=None, validate=validate.Length(1, 80))
    due_on = fields.Date(load_default=None)
    late_after = fields.Date(load_default=None)


class NewCost(Schema):
    """Money spent, in minor units."""

    kind = fields.String(required=True, validate=validate.OneOf(["parts", "labour", "vendor"]))
    amount = fields.Integer(required=True, strict=True, validate=validate.Range(1, 10**13))
    note = fields.String(load_default=None, validate=LONG)


class CostOut(Schema):
    """Money spent, in minor units of `currency`."""

    kind = fields.String()
    amount = fields.Integer()
    currency = fields.String()
    note = fields.String(allow_none=True)


class WorkStepOut(Schema):
    """One step and its answer."""

    key = fields.String()
    section = fields.String()
    kind = fields.String()
    text = fields.String()
    text_zh = fields.String()
    unit = fields.String(allow_none=True)
    reference = fields.Float(allow_none=True)
    reference_text = fields.String(allow_none=True)
    tolerance = fields.Raw(allow_none=True)
    source = fields.String(allow_none=True)
    to_verify = fields.Boolean()
    mandatory = fields.Boolean()
    confirmed_by = fields.String(allow_none=True)
    needs_photo = fields.Boolean()
    on_fail = fields.String()
    value = fields.Float(allow_none=True)
    verdict = fields.String(allow_none=True)
    note = fields.String(allow_none=True)
    answered_by = fields.String(allow_none=True)
    answered_at = fields.AwareDateTime(format="iso", allow_none=True)
    device_at = fields.AwareDateTime(format="iso", allow_none=True)
    received_at = fields.AwareDateTime(format="iso", allow_none=True)
    clock_ahead_s = fields.Integer(allow_none=True)
    revision = fields.Integer()


class WorkPhotoOut(Schema):
    """A photo of the work."""

    id = fields.Integer()
    step = fields.String(attribute="step_key")
    sha256 = fields.String()
    author = fields.String()
    at = fields.AwareDateTime(format="iso")
    url = fields.String()


class LabourOut(Schema):
    """One stretch of work."""

    name = fields.String()
    began_at = fields.AwareDateTime(format="iso")
    ended_at = fields.AwareDateTime(format="iso")
    minutes = fields.Integer()


class AddendumOut(Schema):
    """A remark on a signed record."""

    author = fields.String()
    text = fields.String()
    at = fields.AwareDateTime(format="iso")


class SignatureOut(Schema):
    """Whose name stands under the record, and what it means."""

    name = fields.String()
    meaning = fields.String()
    at = fields.AwareDateTime(format="iso")
    record_hash = fields.String()
    method = fields.String()
    drawn = fields.String(allow_none=True)


class WorkOrderRow(Schema):
    """A work order in a list."""

    no = fields.String()
    type = fields.String()
    origin = fields.String(allow_none=True)
    asset = fields.String(attribute="asset.code", dump_default=None)
    location = fields.String(attribute="location.name", dump_default=None)
    title = fields.String()
    title_zh = fields.String(allow_none=True)
    state = fields.String()
    priority = fields.String()
    high_risk = fields.Boolean()
    assignee = fields.String(attribute="assignee_name", allow_none=True)
    template = fields.String(attribute="template_code", allow_none=True)
    due_on = fields.Date(allow_none=True)
    late_after = fields.Date(allow_none=True)
    expected_on = fields.Date(allow_none=True)
    reason = fields.String(allow_none=True)
    created_at = fields.AwareDateTime(format="iso")
    started_at = fields.AwareDateTime(format="iso", allow_none=True)
    done_at = fields.AwareDateTime(format="iso", allow_none=True)
    closed_at = fields.AwareDateTime(format="iso", allow_none=True)
    cause = fields.String(attribute="cause_code", allow_none=True)
    remedy = fields.String(allow_none=True)
    as_found = fields.String(
        allow_none=True,
        metadata={"description": "defect, wear, nothing or cannot_tell; None: not asked."},
    )
    labour_minutes = fields.Integer()
    down_from = fields.AwareDateTime(format="iso", allow_none=True)
    down_until = fields.AwareDateTime(format="iso", allow_none=True)
    down_kind = fields.String(allow_none=True)
    down_reason = fields.String(allow_none=True)
    team = fields.Integer(
        attribute="team_id", allow_none=True, metadata={"description": "The id of a team."}
    )
    respond_by = fields.AwareDateTime(format="iso", allow_none=True)
    resolve_by = fields.AwareDateTime(format="iso", allow_none=True)
    responded_at = fields.AwareDateTime(format="iso", allow_none=True)
    clock = fields.Method("clock_now", metadata={"type": "object"})
    evidence = fields.Raw(allow_none=True)
    version = fields.Integer()
    actions = fields.Function(_actions, metadata={"type": "array"})

    def clock_now(self, order: WorkOrder) -> Any:
        """Return the clock that counts now, None for work without one."""
        view = clock_of(order, context().now())
        return ClockOut().dump(view.as_json()) if view else None


class WorkOrderOut(WorkOrderRow):
    """A work order with all of its record."""

    steps = fields.List(fields.Nested(WorkStepOut))
    costs = fields.List(fields.Nested(CostOut))
    photos = fields.List(fields.Nested(WorkPhotoOut))
    labour = fields.List(fields.Nested(LabourOut))
    signatures = fields.List(fields.Nested(SignatureOut))
    addenda = fields.List(fields.Nested(AddendumOut))


class WorkOrderPage(Schema):
    """Some work orders."""

    items = fields.List(fields.Nested(WorkOrderRow))
    next = fields.String(allow_none=True)
