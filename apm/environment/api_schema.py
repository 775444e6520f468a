"""How the API shows rooms and excursions."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from apm.assets.schema import LONG
from apm.readings.schema import Instant, PageWanted


class LimitsOut(Schema):
    """What a value must stay within."""

    low = fields.Float()
    high = fields.Float()
    source = fields.String()
    verify = fields.Boolean(attribute="to_verify")


class RoomSensorOut(Schema):
    """A sensor of a room or on equipment there, with its newest value."""

    code = fields.String()
    asset = fields.String(allow_none=True)
    quantity = fields.String()
    unit = fields.String()
    value = fields.Float(allow_none=True)
    at = fields.AwareDateTime(allow_none=True)
    state = fields.String()
    limits = fields.Nested(LimitsOut, allow_none=True)
    alarm = fields.Integer(allow_none=True)


class RoomOut(Schema):
    """A place that is watched; its state is the most pressing of its sensors."""

    id = fields.Integer()
    code = fields.String()
    name = fields.String()
    name_zh = fields.String(allow_none=True)
    floor = fields.String(allow_none=True)
    profile = fields.String(allow_none=True)
    stores = fields.String(allow_none=True)
    checked_by_hand = fields.Boolean()
    state = fields.String()
    sensors = fields.List(fields.Nested(RoomSensorOut))


class RoomList(Schema):
    """Rooms, in the order they were entered."""

    items = fields.List(fields.Nested(RoomOut))
    next = fields.String(allow_none=True)


class ExcursionsWanted(PageWanted):
    """Which excursions; without a period those of the last seven days."""

    start = Instant(data_key="from", attribute="from")
    to = Instant()
    room = fields.String(validate=validate.Length(max=LONG))


class ExcursionOut(Schema):
    """One time that a sensor left its limits.

    `minutes` is "at least" where `cut`: a gap in the readings ended it.  `mkt` is the mean kinetic
    temperature (°C) of it and the 24 hours before its end, for cold stores.
    """

    sensor = fields.String()
    room = fields.String(allow_none=True)
    asset = fields.String(allow_none=True)
    quantity = fields.String()
    unit = fields.String()
    side = fields.String()
    start = fields.AwareDateTime()
    end = fields.AwareDateTime()
    minutes = fields.Float()
    min = fields.Float()
    max = fields.Float()
    n = fields.Integer()
    mkt = fields.Float(allow_none=True)
    state = fields.String(validate=validate.OneOf(["ongoing", "ended"]))
    cut = fields.Boolean()
    limits = fields.Nested(LimitsOut)
    report = fields.Integer(allow_none=True)
    signed = fields.Boolean()


class ExcursionList(Schema):
    """Excursions, sensor after sensor; fewer than asked for is not the end while `next` is."""

    items = fields.List(fields.Nested(ExcursionOut))
    next = fields.String(allow_none=True)
