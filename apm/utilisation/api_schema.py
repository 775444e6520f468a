"""What the JSON API says of use and energy."""

from __future__ import annotations

from marshmallow import Schema, fields


class DayUseOut(Schema):
    """One day of an asset; hours that are none of the three are unknown."""

    day = fields.Date()
    on_h = fields.Float(allow_none=True)
    standby_h = fields.Float(allow_none=True)
    off_h = fields.Float(allow_none=True)
    starts = fields.Integer(allow_none=True)
    kwh = fields.Float(allow_none=True)
    counted = fields.Dict(keys=fields.String(), values=fields.Float())


class AssetUseOut(Schema):
    """The use of an asset."""

    asset = fields.String()
    first = fields.Date(data_key="from")
    last = fields.Date(data_key="to")
    share_on = fields.Float(allow_none=True)
    items = fields.List(fields.Nested(DayUseOut))
    next = fields.String(allow_none=True)


class EnergyLineOut(Schema):
    """The energy of one device, room or department; money in minor units."""

    name = fields.String()
    kwh = fields.Float()
    kwh_standby = fields.Float(allow_none=True)
    cost = fields.Integer(allow_none=True)
    co2_kg = fields.Float(allow_none=True)
    measured_devices = fields.Integer()
    devices = fields.Integer()
    measured_share = fields.Float(allow_none=True)


class EnergyOut(Schema):
    """The energy of a period."""

    first = fields.Date(data_key="from")
    last = fields.Date(data_key="to")
    by = fields.String()
    items = fields.List(fields.Nested(EnergyLineOut))
    total = fields.Nested(EnergyLineOut)
    next = fields.String(allow_none=True)
