"""Which component fails: what repairs of equipment of the same model replaced and found.

A repair counts once for each part of which more was issued than came back, and for its cause.
Each share is that of repairs of real faults done within five years, with Wilson's interval; they
need not sum to the whole.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select

from apm.assets.model import Asset
from apm.core.command import Context
from apm.core.many import among
from apm.parts.model import Part, StockMove
from apm.parts.queries import used_parts
from apm.work.causes import causes
from apm.work.model import WorkOrder
from apm.work.states import WorkState, WorkType
from predict.proportion import wilson

SPAN = timedelta(days=5 * 365)
LEAST_REPAIRS = 5
"""Repairs of the model below which those of its category are looked at."""
MOST_REPAIRS = 2000
"""Repairs counted, the newest: more would tell no more."""
MOST = 3
UNKNOWN = "UPF"


@dataclass(frozen=True, slots=True)
class Component:
    """What repairs replaced (`part`) or found (`cause`), and in how many, with the interval."""

    part: Part | None
    cause: str | None
    n: int
    share: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Components:
    """The commonest, of so many repairs; of the same model, else of the category."""

    parts: list[Component]
    causes: list[Component]
    repairs: int
    is_of_model: bool

    @property
    def is_telling(self) -> bool:
        """Whether there are enough repairs to say anything."""
        return self.repairs >= LEAST_REPAIRS


def components_of(ctx: Context, asset: Asset, at: datetime) -> Components:
    """Return what fails in equipment like this, by repairs before `at`, in four statements."""
    is_alike = and_(Asset.manufacturer == asset.manufacturer, Asset.model == asset.model)
    counted = _repairs(ctx, at, and_(Asset.category == asset.category, is_alike))
    of_model = len(counted) >= LEAST_REPAIRS
    if not of_model:
        counted = _repairs(ctx, at, Asset.category == asset.category)
    n = len(counted)
    found = Counter(
        row.cause_code for row in counted if row.cause_code and row.cause_code != UNKNOWN
    )
    used = _parts(ctx, {row.id for row in counted})
    return Components(
        [_share(part, None, k, n) for part, k in used],
        [_share(None, code, k, n) for code, k in found.most_common(MOST)],
        n,
        of_model,
    )


def _share(part: Part | None, cause: str | None, k: int, n: int) -> Component:
    return Component(part, cause, k, k / n, *wilson(k, n))


def _repairs(ctx: Context, at: datetime, of: ColumnElement[bool]) -> list[Any]:
    """Return the newest repairs of real faults."""
    none = [code for code, cause in causes().items() if not cause.is_failure]
    query = (
        select(WorkOrder.id, WorkOrder.cause_code)
        .join(Asset, Asset.id == WorkOrder.asset_id)
        .where(
            of,
            WorkOrder.type == WorkType.CORRECTIVE,
            WorkOrder.state != WorkState.CANCELLED,
            WorkOrder.done_at <= at,
            WorkOrder.done_at > at - SPAN,
            or_(WorkOrder.cause_code.is_(None), WorkOrder.cause_code.not_in(none)),
        )
        .order_by(WorkOrder.done_at.desc(), WorkOrder.id.desc())
        .limit(MOST_REPAIRS)
    )
    return list(ctx.session.execute(query))


def _parts(ctx: Context, orders: set[int]) -> list[tuple[Part, int]]:
    """Return the parts that most of these repairs used, and in how many."""
    used = used_parts().where(among(StockMove.work_order_id, orders)).subquery()
    most = (
        select(used.c.part_id, func.count().label("n"))
        .group_by(used.c.part_id)
        .order_by(func.count().desc(), used.c.part_id)
        .limit(MOST)
        .subquery()
    )
    query = (
        select(Part, most.c.n)
        .join(most, most.c.part_id == Part.id)
        .order_by(most.c.n.desc(), Part.id)
    )
    return [(part, n) for part, n in ctx.session.execute(query)]
