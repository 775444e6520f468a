"""What may be said of a forecast: figures, that its model is muted, or what is missing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import defer

from apm.forecasts.fleet_model import Standing
from apm.forecasts.model import Forecast, ModelState, ModelVersion

REPLACED = "replaced"
"""Why a model is retired that a better one took the place of."""
MUTED = "muted"
"""The code in `needs` of a forecast that is not shown because its model is muted."""

SLIM = (defer(ModelVersion.parameters), defer(ModelVersion.metrics), defer(ModelVersion.made_with))
"""For a model loaded beside many rows: its numbers are long, and would come with each of them."""


def standing_of(
    row: Any, state: ModelState | None, why: Mapping[str, Any] | None = None
) -> Standing | None:
    """Return what may be said of a forecast, given the state of its model.

    Args:
        row: a forecast, or a row with its `probabilities`, `life_median` and `needs`.
        state: None where no model made it.
        why: why the model is in that state.

    Returns:
        None for a forecast of a model that only tries itself out, or was taken out of service.
    """
    if row.probabilities is not None or row.life_median is not None:
        if state is ModelState.ACTIVE or was_at_work(state, why):
            return Standing.FORETOLD
        return Standing.MUTED if state is ModelState.MUTED else None
    if row.needs:
        return Standing.MUTED if row.needs.get("code") == MUTED else Standing.NEEDS
    return None


def was_at_work(state: ModelState | None, why: Mapping[str, Any] | None) -> bool:
    """Tell whether a better version took the place of one at work.

    What it said stands until the other has foretold: else nothing were shown until the next night.
    """
    known = why or {}
    return (
        state is ModelState.RETIRED
        and known.get("code") == REPLACED
        and known.get("was") == ModelState.ACTIVE.value
    )


def standing_of_loaded(forecast: Forecast) -> Standing | None:
    """Return what may be said of a forecast whose model is loaded."""
    model = forecast.model
    return (
        standing_of(forecast, model.state, model.state_why)
        if model
        else standing_of(forecast, None)
    )
