"""How the API shows plans, due dates, meters and simulated years."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, fields

from apm.maintenance import lists
from apm.maintenance.due import NEVER
from apm.maintenance.model import PlanTrigger, TriggerKind
from apm.maintenance.schema import WindowDays


class IntervalOut(Schema):
    """From one due date to the next."""

    months = fields.Integer()
    days = fields.Integer()
    hours = fields.Float()
    uses = fields.Float()
    exposures = fields.Float()
    cycles = fields.Float()


class OpenOccurrence(Schema):
    """The occurrence of a plan that has a work order now."""

    id = fields.Integer()
    seq = fields.Integer()
    due = fields.Date()
    opens = fields.Date()
    late_after = fields.Date()
    why = fields.String()
    work_order = fields.String()


class TriggerOut(Schema):
    """What besides the calendar makes a plan due, and where it stands."""

    id = fields.Integer()
    kind = fields.String()
    state = fields.String()
    due = fields.Date(allow_none=True)
    value = fields.Float(allow_none=True)
    detail = fields.Dict(allow_none=True)
    meter = fields.String()
    every = fields.Float()
    sensor = fields.String()
    above = fields.Boolean()
    limit = fields.Float()
    hysteresis = fields.Float()
    minutes = fields.Integer()
    floor = fields.Float()
    horizon_days = fields.Integer()


class PlanOut(Schema):
    """A plan as the API shows it."""

    id = fields.Integer()
    asset = fields.String()
    template = fields.String()
    mode = fields.String()
    interval = fields.Nested(IntervalOut)
    anchor = fields.Date()
    window = fields.Nested(WindowDays)
    next_due = fields.Date(allow_none=True)
    active = fields.Boolean()
    held = fields.String(allow_none=True)
    open = fields.Nested(OpenOccurrence, allow_none=True)
    triggers = fields.List(fields.Nested(TriggerOut))


class OccurrenceOut(Schema):
    """An occurrence as the API shows it."""

    id = fields.Integer()
    plan = fields.Integer()
    asset = fields.String()
    template = fields.String()
    seq = fields.Integer()
    due = fields.Date()
    opens = fields.Date()
    late_after = fields.Date()
    window_end = fields.Date()
    held_since = fields.Date(allow_none=True)
    held_until = fields.Date(allow_none=True)
    state = fields.String()
    extra = fields.Boolean()
    why = fields.String()
    reasons = fields.List(fields.Dict())
    outcome = fields.String(allow_none=True)
    note = fields.String(allow_none=True)
    work_order = fields.String(allow_none=True)
    done_on = fields.Date(allow_none=True)


class PlanList(Schema):
    """A page of plans."""

    items = fields.List(fields.Nested(PlanOut))
    next = fields.String(allow_none=True)


class OccurrenceList(Schema):
    """A page of occurrences."""

    items = fields.List(fields.Nested(OccurrenceOut))
    next = fields.String(allow_none=True)


class Coverage(Schema):
    """How many assets are in scope, how many have the plan already, how many got one now."""

    assets = fields.Integer()
    having = fields.Integer()
    made = fields.Integer()


class RejectedOut(Schema):
    """A row that was not taken."""

    index = fields.Integer()
    code = fields.String()
    detail = fields.String()


class MetersTaken(Schema):
    """What became of meter readings that were sent."""

    accepted = fields.Integer()
    rejected = fields.List(fields.Nested(RejectedOut))


class MeterOut(Schema):
    """A meter of an asset: its newest reading, its pace."""

    meter = fields.String()
    value = fields.Float(allow_none=True)
    at = fields.AwareDateTime(allow_none=True)
    readings = fields.Integer()
    per_day = fields.Float(allow_none=True)
    sensor = fields.String(allow_none=True)


class MeterList(Schema):
    """The meters of an asset."""

    items = fields.List(fields.Nested(MeterOut))


class MonthOut(Schema):
    """One month of a simulated year."""

    month = fields.Date()
    hours = fields.Float()
    visits = fields.Integer()
    in_time = fields.Integer()
    worked = fields.Float()
    backlog = fields.Float()
    departments = fields.Dict(keys=fields.String(), values=fields.Float())


class SimulationOut(Schema):
    """A simulated year."""

    plans = fields.Integer()
    compliance = fields.Float(allow_none=True)
    cut = fields.Boolean()
    months = fields.List(fields.Nested(MonthOut))


def plan_out(row: lists.PlanRow) -> dict[str, Any]:
    """Return a plan (its triggers loaded) as `PlanOut` writes it."""
    plan, now = row.plan, row.open
    by_meter = {
        t.meter.kind.value: t.every
        for t in plan.triggers
        if t.kind is TriggerKind.METER and t.meter
    }
    return {
        "id": plan.id,
        "asset": plan.asset.code,
        "template": plan.template_code,
        "mode": plan.mode.value,
        "interval": {**plan.interval.as_plain(), **by_meter},
        "anchor": plan.anchor,
        "window": {"early_days": plan.early_days, "grace_days": plan.grace_days},
        "next_due": plan.next_due if plan.next_due < NEVER else None,
        "active": plan.is_active,
        "held": plan.held_why,
        "open": now
        and {
            "id": now.id,
            "seq": now.seq,
            "due": now.due,
            "opens": now.opens,
            "late_after": now.late_after,
            "why": now.why,
            "work_order": row.work_order_no,
        },
        "triggers": [trigger_out(trigger) for trigger in plan.triggers],
    }


def trigger_out(trigger: PlanTrigger) -> dict[str, Any]:
    """Return a trigger (its meter and sensor loaded) as `TriggerOut` writes it."""
    known = {
        "meter": trigger.meter.kind.value if trigger.meter else None,
        "every": trigger.every,
        "sensor": trigger.sensor.code if trigger.sensor else None,
        "above": trigger.is_above,
        "limit": trigger.limit,
        "hysteresis": trigger.hysteresis,
        "minutes": trigger.minutes,
        "floor": trigger.floor,
        "horizon_days": trigger.horizon_days,
    }
    return {
        "id": trigger.id,
        "kind": trigger.kind.value,
        "state": trigger.phase.value,
        "due": trigger.due_on,
        "value": trigger.value,
        "detail": trigger.detail,
        **{key: value for key, value in known.items() if value is not None},
    }


def occurrence_out(row: lists.OccurrenceRow) -> dict[str, Any]:
    """Return an occurrence as `OccurrenceOut` writes it."""
    here = row.occurrence
    return {
        "id": here.id,
        "plan": here.plan_id,
        "asset": here.plan.asset.code,
        "template": here.plan.template_code,
        "seq": here.seq,
        "due": here.due,
        "opens": here.opens,
        "late_after": here.late_after,
        "window_end": here.window_end or here.late_after,
        "held_since": here.held_since,
        "held_until": here.held_until,
        "state": here.state.value,
        "extra": here.is_extra,
        "why": here.why,
        "reasons": here.reasons or [],
        "outcome": here.outcome,
        "note": here.note,
        "work_order": row.work_order_no,
        "done_on": here.done_on,
    }
