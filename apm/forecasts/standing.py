"""What may be said of a forecast: figures, that its model is muted, or what is missing."""

from __future__ import annotations

from typing import Any

from apm.forecasts.fleet_model import Standing
from apm.forecasts.model import Forecast, ModelState

MUTED = "muted"
"""The code in `needs` of a forecast that is not shown because its model is muted."""


def standing_of(row: Any, state: ModelState | None) -> Standing | None:
    """Return what may be said of a forecast, given the state of its model.

    Args:
        row: a forecast, or a row with its `probabilities`, `life_median` and `needs`.
        state: None where no model made it.

    Returns:
        None for a forecast of a model that only tries itself out, or is replaced.
    """
    if row.probabilities is not None or row.life_median is not None:
        if state is ModelState.ACTIVE:
            return Standing.FORETOLD
        return Standing.MUTED if state is ModelState.MUTED else None
    if row.needs:
        return Standing.MUTED if row.needs.get("code") == MUTED else Standing.NEEDS
    return None


def standing_of_loaded(forecast: Forecast) -> Standing | None:
    """Return what may be said of a forecast whose model is loaded."""
    return standing_of(forecast, forecast.model.state if forecast.model else None)
