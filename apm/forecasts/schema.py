"""How the API asks for forecasts and shows them."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from apm.forecasts.model import ModelKind

OK, NOT_ENOUGH = "ok", "not_enough_history"


class ForecastQuery(Schema):
    """Which forecasts, and which page of them."""

    kind = fields.Enum(ModelKind, by_value=True, load_default=None, allow_none=True)
    warns = fields.Boolean(load_default=None, allow_none=True)
    after = fields.String()
    limit = fields.Integer(load_default=50, validate=validate.Range(min=1, max=500))


class RemainingLifeOut(Schema):
    """Days until the failure or the limit: even odds, and where it lies with `confidence`."""

    median = fields.Float()
    low = fields.Float()
    high = fields.Float()
    confidence = fields.Float()


class ForecastModelOut(Schema):
    """The model that said it."""

    kind = fields.Enum(ModelKind, by_value=True)
    version = fields.Integer()


class FailureForecastOut(Schema):
    """What one model says of one asset or sensor."""

    asset = fields.String()
    sensor = fields.String(allow_none=True)
    kind = fields.Enum(ModelKind, by_value=True)
    status = fields.String(validate=validate.OneOf([OK, NOT_ENOUGH]))
    at = fields.AwareDateTime(format="iso")
    probability = fields.Dict(
        keys=fields.String(),
        values=fields.Float(),
        allow_none=True,
        metadata={"description": "Days ahead to the probability of a failure within them."},
    )
    muted_horizons = fields.List(
        fields.Integer(),
        metadata={"description": "Days ahead whose chance did worse than its baseline: not said."},
    )
    remaining_life_days = fields.Nested(RemainingLifeOut, allow_none=True)
    drivers = fields.List(fields.Dict())
    needs = fields.Dict(allow_none=True)
    model = fields.Nested(ForecastModelOut, allow_none=True)
    warns = fields.Boolean()
    rank = fields.Float()


class ForecastPageOut(Schema):
    """Some forecasts, what would cost people and money the most first."""

    items = fields.List(fields.Nested(FailureForecastOut))
    next = fields.String(allow_none=True)


class AssetForecastOut(Schema):
    """All that is foretold of one asset; with too little history, what is missing."""

    asset = fields.String()
    status = fields.String(validate=validate.OneOf([OK, NOT_ENOUGH]))
    needs = fields.Dict(allow_none=True)
    forecasts = fields.List(fields.Nested(FailureForecastOut))
