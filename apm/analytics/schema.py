"""What the API takes and how it shows the figures."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

BY = ("department", "category")


class KpiArgs(Schema):
    """Which period, by days of the hospital, both included; and what figures are grouped by."""

    first = fields.Date(data_key="from")
    last = fields.Date(data_key="to")
    by = fields.String(load_default="department", validate=validate.OneOf(BY))


class Figure(Schema):
    """What all figures say.  `status` is `ok`, or `too_few` when the events allow no value."""

    unit = fields.String()
    n = fields.Integer()
    interval = fields.List(fields.Float(allow_none=True), allow_none=True)
    status = fields.String()
    formula = fields.String()


class KpiOut(Figure):
    """One figure."""

    value = fields.Float(allow_none=True)


class MoneyOut(Figure):
    """A sum of money in minor units, with its currency."""

    value = fields.Integer()
    currency = fields.String()


class GroupOut(Schema):
    """The figures of one department or category, or of all."""

    key = fields.String(allow_none=True)
    name = fields.String()
    repair_cost = fields.Nested(MoneyOut)
    downtime = fields.Nested(KpiOut)
    failures = fields.Nested(KpiOut)
    mtbf = fields.Nested(KpiOut)
    mtbf_use = fields.Nested(KpiOut)
    pm_completion = fields.Nested(KpiOut)
    pm_pending = fields.Integer()
    metered = fields.Integer()


class AnalysisOut(Schema):
    """All figures of a period."""

    first = fields.Date(data_key="from")
    last = fields.Date(data_key="to")
    by = fields.String()
    total = fields.Nested(GroupOut)
    items = fields.List(fields.Nested(GroupOut))
    next = fields.String(allow_none=True)
