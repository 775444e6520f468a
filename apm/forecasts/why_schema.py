"""How the API shows why a forecast says what it says."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, fields

from apm.forecasts.blaming import Blame
from apm.forecasts.cases import Case, Cases
from apm.forecasts.components import Component
from apm.forecasts.explaining import Explained, Explanation
from apm.forecasts.model import ModelKind
from apm.forecasts.schema import ForecastModelOut
from apm.forecasts.trend_cases import TrendCase, TrendCases


class ForecastFactOut(Schema):
    """One fact: its value, what is usual, and by how much it moves the chance, -1..1."""

    code = fields.String()
    figures = fields.Dict()
    now = fields.Float(allow_none=True)
    usual = fields.Float(allow_none=True)
    change = fields.Float()
    last = fields.Float(
        allow_none=True, metadata={"description": "Of events, how many days ago the last was."}
    )


class ForecastBlameOut(Schema):
    """The chance within `days`, and with everything as usual; the facts sum to the difference."""

    days = fields.Integer()
    chance = fields.Float()
    usual = fields.Float()
    facts = fields.List(fields.Nested(ForecastFactOut))


class PastCaseOut(Schema):
    """A past situation like this one; `after_days`: when it failed, null: not in the horizon."""

    asset = fields.String(allow_none=True)
    sensor = fields.String(allow_none=True)
    at = fields.AwareDateTime(format="iso")
    distance = fields.Float()
    after_days = fields.Float(allow_none=True)
    work_order = fields.String(allow_none=True)


class PastCasesOut(Schema):
    """The most similar past situations; `failed` of `of` of all of them, of so many devices."""

    days = fields.Integer()
    nearest = fields.List(fields.Nested(PastCaseOut))
    failed = fields.Integer()
    of = fields.Integer()
    units = fields.Integer()


class ExplainedForecastOut(Schema):
    """One forecast, explained; null where the model cannot be asked or nothing can be compared."""

    kind = fields.Enum(ModelKind, by_value=True)
    sensor = fields.String(allow_none=True)
    at = fields.AwareDateTime(format="iso")
    explained_at = fields.AwareDateTime(
        format="iso",
        allow_none=True,
        metadata={
            "description": "As of when it is explained: earlier than `at` until the worker has "
            "explained the newest, null while it has explained none."
        },
    )
    model = fields.Nested(ForecastModelOut, allow_none=True)
    blame = fields.Nested(ForecastBlameOut, allow_none=True)
    cases = fields.Nested(PastCasesOut, allow_none=True)


class BlamedComponentOut(Schema):
    """A part that repairs replaced, or a cause they found, with Wilson's 90 % interval."""

    part = fields.String(allow_none=True)
    cause = fields.String(allow_none=True)
    n = fields.Integer()
    share = fields.Float()
    low = fields.Float()
    high = fields.Float()


class ForecastWhyOut(Schema):
    """Why the forecasts of one asset say what they say."""

    asset = fields.String()
    forecasts = fields.List(fields.Nested(ExplainedForecastOut))
    repairs = fields.Integer(metadata={"description": "Repairs that components were counted in."})
    components = fields.List(fields.Nested(BlamedComponentOut))


def shown(found: Explanation) -> dict[str, Any]:
    """Return an explanation as `ForecastWhyOut` has it."""
    known = found.components
    named = [*known.parts, *known.causes] if known and known.is_telling else []
    return {
        "asset": found.asset.code,
        "forecasts": [_explained(one) for one in found.explained],
        "repairs": known.repairs if known else 0,
        "components": [_component(one) for one in named],
    }


def _explained(one: Explained) -> dict[str, Any]:
    said = one.forecast
    return {
        "kind": said.kind,
        "sensor": said.sensor.code if said.sensor else None,
        "at": said.at,
        "explained_at": one.at,
        "model": said.model,
        "blame": _blame(one.blame),
        "cases": _cases(one.cases),
    }


def _blame(found: Blame | None) -> dict[str, Any] | None:
    if found is None:
        return None
    return {name: getattr(found, name) for name in ("days", "chance", "usual", "facts")}


def _cases(found: Cases | TrendCases | None) -> dict[str, Any] | None:
    if found is None:
        return None
    return {
        "days": found.days, "failed": found.failed, "of": found.of, "units": found.units,
        "nearest": [_case(case) for case in found.nearest],
    }  # fmt: skip


def _case(case: Case | TrendCase) -> dict[str, Any]:
    told = {"at": case.at, "distance": case.distance, "sensor": None, "work_order": None}
    if isinstance(case, TrendCase):
        asset = case.sensor.asset
        return told | {
            "asset": asset.code if asset else None,
            "sensor": case.sensor.code,
            "after_days": case.after_days,
        }
    after = None
    if case.failed_at is not None:
        after = (case.failed_at - case.at).total_seconds() / 86400.0
    return told | {"asset": case.asset.code, "after_days": after, "work_order": case.order}


def _component(one: Component) -> dict[str, Any]:
    return {
        "part": one.part.number if one.part else None, "cause": one.cause,
        "n": one.n, "share": one.share, "low": one.low, "high": one.high,
    }  # fmt: skip
