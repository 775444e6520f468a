"""How the API shows how right the forecasts were."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, fields

from apm.forecasts.horizons import muted_horizons
from apm.forecasts.model import ModelKind, ModelState
from apm.forecasts.score_keeping import Shown


class FigureOut(Schema):
    """A number with its 90 % interval and the cases it rests on."""

    value = fields.Float()
    low = fields.Float()
    high = fields.Float()
    n = fields.Integer()


class SkillOut(Schema):
    """1 - Brier score / that of the baseline: 1 perfect, 0 no better, below 0 worse."""

    brier = fields.Float()
    base = fields.Float()
    value = fields.Float()
    low = fields.Float()
    high = fields.Float()
    n = fields.Integer()
    events = fields.Integer()


class ReliabilityOut(Schema):
    """Forecasts that said `low` to `high`: what they said on average, what share came."""

    low = fields.Float()
    high = fields.Float()
    n = fields.Integer()
    k = fields.Integer()
    said = fields.Float()
    seen = fields.Float()
    interval = fields.List(fields.Float())


class HorizonScoreOut(Schema):
    """How right the chances within `days` were; null where there are too few to say."""

    days = fields.Integer()
    muted = fields.Boolean(
        metadata={"description": "Worse than its baseline beyond doubt: not shown anywhere."}
    )
    n = fields.Integer(metadata={"description": "Judged forecasts that do not overlap."})
    events = fields.Integer()
    waiting = fields.Integer(metadata={"description": "Forecasts whose horizon is not over."})
    versions = fields.Integer(
        metadata={"description": "Versions counted: where its own are few, those before it too."}
    )
    said = fields.Float(allow_none=True)
    base = fields.Float(allow_none=True)
    seen = fields.Nested(FigureOut, allow_none=True)
    skill = fields.Nested(SkillOut, allow_none=True)
    reliability = fields.List(fields.Nested(ReliabilityOut))


class ModelScoreOut(Schema):
    """The score of one version; `precision` and `recall` are of its warnings."""

    kind = fields.Enum(ModelKind, by_value=True)
    version = fields.Integer()
    state = fields.Enum(ModelState, by_value=True)
    counted_at = fields.AwareDateTime(
        format="iso",
        allow_none=True,
        metadata={"description": "Null: not counted yet; the worker does within the hour."},
    )
    outcomes = fields.Dict(keys=fields.String(), values=fields.Integer())
    precision = fields.Nested(FigureOut, allow_none=True)
    recall = fields.Nested(FigureOut, allow_none=True)
    horizons = fields.List(fields.Nested(HorizonScoreOut))


class ModelScoresOut(Schema):
    """The scores of all versions that foretell."""

    items = fields.List(fields.Nested(ModelScoreOut))


def score_shown(one: Shown) -> dict[str, Any]:
    """Return a score as `ModelScoreOut` has it."""
    card, version = one.card, one.version
    told = {
        "kind": version.kind,
        "version": version.version,
        "state": version.state,
        "counted_at": one.at,
    }
    if card is None:
        return told | {"outcomes": {}, "precision": None, "recall": None, "horizons": []}
    muted = muted_horizons(version)
    return told | {
        "outcomes": {outcome.value: n for outcome, n in card.counts.items()},
        "precision": card.figures.warnings.precision,
        "recall": card.figures.warnings.recall,
        "horizons": [
            {name: getattr(figures, name) for name in figures.__dataclass_fields__}
            | {"muted": figures.days in muted}
            for figures in card.horizons
        ],
    }
