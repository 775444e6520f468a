"""From a forecast to a part with a life, an age and two costs: what options are weighed with.

The life is that of the forecast: for a life of its kind the Weibull law with its mean rate, for a
trend the Weibull law through the early end and the middle of its interval, counted from its last
lasting change.  A planned visit is taken to avert only a share of failures (`costing.AVERTED`), so
that much of a failure's cost counts; where own costs are few, money is counted in planned visits.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement

from apm.assets.model import Asset
from apm.core.command import Context
from apm.forecasts.costing import AVERTED, DEFAULT_RATIO, Floor, floor_of
from apm.forecasts.lifetimes import rate_of_make
from apm.forecasts.model import Forecast, ModelKind
from apm.work.model import WorkOrder
from apm.work.states import OPEN_WORK, WorkType
from predict.age_replacement import Policy, Weibull
from predict.grouping import Job
from predict.options import weibull_of

VISIT = 0.3
"""The share of planned work that is going there and getting hold of the device; our choice."""
LIVES = ("since_failure", "since_renewal", "since_new", "since_records")


def is_planned_work() -> tuple[ColumnElement[bool], ...]:
    """Return what is true of work that is planned and not done yet: somebody will be there."""
    return (
        WorkOrder.type.in_({WorkType.PREVENTIVE, WorkType.INSPECTION}),
        WorkOrder.state.in_(OPEN_WORK),
        WorkOrder.done_at.is_(None),
    )


@dataclass(frozen=True, slots=True)
class Money:
    """Costs of one planned visit and of one failure; in fen, else in planned visits."""

    planned: float
    failure: float
    is_own: bool

    @property
    def averted(self) -> float:
        """What of a failure's cost planned work can save."""
        return AVERTED * self.failure

    @property
    def visit(self) -> float:
        """What going there costs."""
        return VISIT * self.planned


@dataclass(frozen=True, slots=True)
class Wear:
    """A part that a forecast speaks of: as a job, and when it is best replaced if alone."""

    job: Job
    policy: Policy

    @property
    def wait(self) -> float:
        """Days until then; inf where planned work before a failure never pays."""
        return max(self.policy.age - self.job.age, 0.0)


def money_of(ctx: Context) -> Money:
    """Return what planned work and failures cost here, in two statements."""
    return money_from(floor_of(ctx))


def money_from(floor: Floor) -> Money:
    """Return the costs that a floor rests on.

    >>> money_from(Floor(0.4, None, None, 0, 0))
    Money(planned=1.0, failure=5.0, is_own=False)
    """
    if floor.planned is None or floor.failure is None:
        return Money(1.0, DEFAULT_RATIO, is_own=False)
    return Money(floor.planned, floor.failure, is_own=True)


def wear_of(said: Forecast, asset: Asset, money: Money) -> Wear | None:
    """Return the part a forecast speaks of; None where it tells of no life.

    Args:
        said: with its model loaded.
        asset: whose it is.
        money: what it costs.
    """
    found = _trend(said) if said.kind is ModelKind.TREND else _life(said, asset)
    if found is None:
        return None
    life, age = found
    job = Job(f"{said.id}", life, age, money.planned, money.averted)
    return Wear(job, job.policy())


def _life(said: Forecast, asset: Asset) -> tuple[Weibull, float] | None:
    if said.kind is not ModelKind.LIFE or said.model is None:
        return None
    figures = {one.get("code"): one for one in said.drivers}
    age = next((figures[code].get("days") for code in LIVES if code in figures), None)
    ratio = figures.get("failures_last_year", {}).get("ratio")
    parameters = said.model.parameters
    if age is None or not ratio or "makes" not in parameters:
        return None
    make = "|".join((asset.category, asset.manufacturer or "", asset.model or ""))
    rate, shape = rate_of_make(parameters, make, asset.category) * ratio, parameters["shape"]
    return Weibull(shape, rate ** (-1.0 / shape)), float(age)


def _trend(said: Forecast) -> tuple[Weibull, float] | None:
    if said.life_median is None or said.life_low is None or not said.confidence:
        return None
    figures = {one.get("code"): one for one in said.drivers}
    known = figures.get("since_change") or figures.get("slope") or {}
    age = float(known.get("days") or 0.0)
    low, median = age + said.life_low, age + said.life_median
    if not 0.0 < low < median:
        return None
    return weibull_of((1.0 - said.confidence) / 2.0, low, median), age
