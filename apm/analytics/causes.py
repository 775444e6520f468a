"""What failures came from, as engineers confirmed it; and how often the proposal was right."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

from sqlalchemy import select

from apm.analytics.period import Period
from apm.assets.categories import category
from apm.assets.model import Asset, Department, Location
from apm.attribution.model import Attribution
from apm.core.command import Context
from apm.core.errors import Invalid
from apm.core.i18n import _, choose
from apm.work.model import WorkOrder
from predict.cause_scoring import LEAST_CASES, Bin, Score, brier, reliability
from predict.cause_table import CAUSES, Cause
from predict.errors import NotEnoughData
from predict.proportion import wilson

MOST_CASES = 20_000
MOST_LINES = 10
LEAST_OF_A_GROUP = 3
"""Fewer confirmed cases of one group say nothing: no action is built on them."""


class By(StrEnum):
    """What the confirmed causes are counted by."""

    MODEL = "model"
    DEPARTMENT = "department"
    CATEGORY = "category"
    MONTH = "month"


@dataclass(frozen=True, slots=True)
class Case:
    """One failure with a confirmed cause; texts in the language spoken."""

    no: str
    failed_at: datetime
    cause: Cause
    said: Cause | None
    said_with: float | None
    asset: str
    model: str
    category: str
    department: str
    room: str
    month: str
    by: str | None

    def key(self, by: By) -> str:
        """Return the group it counts in."""
        return str(getattr(self, by.value))


@dataclass(frozen=True, slots=True)
class Share:
    """Cases of one cause among n: share with its 90 % interval."""

    k: int
    n: int
    share: float
    interval: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Line:
    """One group: its confirmed cases by cause."""

    name: str
    n: int
    shares: dict[Cause, Share]


@dataclass(frozen=True, slots=True)
class Action:
    """Where somebody can do something: one group with many cases of one cause, and the last."""

    name: str
    found: Share
    orders: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Calibration:
    """How proposals did; `score` None: fewer than `LEAST_CASES`."""

    bins: tuple[Bin, ...]
    score: Score | None
    proposed: int
    open: int
    """Decided cases for which nothing was proposed."""
    needed: int = LEAST_CASES


def confirmed_cases(ctx: Context, period: Period) -> list[Case]:
    """Return the failures of a period whose cause somebody confirmed, newest first."""
    query = (
        select(
            WorkOrder.no, Attribution, Asset, Department.name.label("department"),
            Department.name_zh.label("department_zh"), Location.name.label("room"),
            Location.name_zh.label("room_zh"),
        )
        .join(WorkOrder, WorkOrder.id == Attribution.work_order_id)
        .join(Asset, Asset.id == Attribution.asset_id)
        .outerjoin(Department, Department.id == Asset.department_id)
        .outerjoin(Location, Location.id == Asset.location_id)
        .where(
            Attribution.confirmed_cause.is_not(None),
            Attribution.failed_at >= period.start,
            Attribution.failed_at < period.end,
        )
        .order_by(Attribution.failed_at.desc(), Attribution.id.desc())
        .limit(MOST_CASES)
    )  # fmt: skip
    zone = ZoneInfo(period.zone)
    return [
        Case(
            no=row.no,
            failed_at=row.Attribution.failed_at,
            cause=row.Attribution.confirmed_cause,
            said=row.Attribution.said_at_once,
            said_with=row.Attribution.said_with,
            asset=choose(row.Asset.name, row.Asset.name_zh),
            model=_model(row.Asset),
            category=_category(row.Asset.category),
            department=choose(row.department, row.department_zh) or _("None"),
            room=choose(row.room, row.room_zh) or _("None"),
            month=f"{row.Attribution.failed_at.astimezone(zone):%Y-%m}",
            by=row.Attribution.confirmed_by,
        )
        for row in ctx.session.execute(query)
    ]


def _model(asset: Asset) -> str:
    return " ".join(part for part in (asset.manufacturer, asset.model) if part) or _("Unknown")


def _category(code: str) -> str:
    try:
        return category(code).name
    except Invalid:  # a category that is no longer in the catalogue
        return code


def share(k: int, n: int) -> Share:
    """Return a share with its interval, n > 0."""
    return Share(k, n, k / n, wilson(k, n))


def lines_by(cases: Sequence[Case], by: By) -> list[Line]:
    """Return the cases by group: months in order, others with the most cases first."""
    groups: dict[str, list[Cause]] = {}
    for case in cases:
        groups.setdefault(case.key(by), []).append(case.cause)
    lines = [_line(name, causes) for name, causes in groups.items()]
    if by is By.MONTH:
        return sorted(lines, key=lambda line: line.name)
    return sorted(lines, key=lambda line: (-line.n, line.name))


def total_of(cases: Sequence[Case]) -> Line:
    """Return all cases as one line; there is at least one."""
    return _line(_("All"), [case.cause for case in cases])


def _line(name: str, causes: Iterable[Cause]) -> Line:
    counts = Counter(causes)
    n = counts.total()
    return Line(name, n, {cause: share(counts[cause], n) for cause in CAUSES})


def actions(cases: Sequence[Case], cause: Cause, key: Callable[[Case], str]) -> list[Action]:
    """Return the groups in which a cause was confirmed most often, of those with enough cases."""
    groups: dict[str, list[Case]] = {}
    for case in cases:
        groups.setdefault(key(case), []).append(case)
    found = []
    for name, some in groups.items():
        hits = [case for case in some if case.cause is cause]
        if hits and len(some) >= LEAST_OF_A_GROUP:
            orders = tuple(case.no for case in hits[:3])
            found.append(Action(name, share(len(hits), len(some)), orders))
    return sorted(found, key=lambda a: (-a.found.k, -a.found.share, a.name))[:MOST_LINES]


def calibration(cases: Sequence[Case]) -> Calibration:
    """Return how often the cause that was proposed first was confirmed."""
    known = [case for case in cases if case.said is not None and case.said_with is not None]
    made = [case for case in known if case.said is not Cause.UNDETERMINED]
    said = [case.said_with or 0.0 for case in made]
    true = [case.said is case.cause for case in made]
    try:
        score = brier(said, true)
    except NotEnoughData:
        score = None
    return Calibration(reliability(said, true), score, len(made), len(known) - len(made))
