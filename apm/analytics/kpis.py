"""The manager's figures: each with its count, its uncertainty and how it was counted."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from functools import reduce

from apm.accounts.queries import own_hospital
from apm.analytics import formulas, queries
from apm.analytics.metered import Use, metered_use
from apm.analytics.period import Period
from apm.analytics.queries import By, Downtime, Failures, Key, Money, Punctuality
from apm.assets.categories import all_categories
from apm.core.command import Context
from apm.core.i18n import _, choose
from apm.work.causes import causes
from predict.errors import NotEnoughData
from predict.proportion import wilson
from predict.reliability import mtbf

CONFIDENCE = 0.9
FEWEST_FAILURES = 3
"""Below this a mean between failures says next to nothing: three already span a factor of nine."""
HOUR = 3600.0


class Status(StrEnum):
    """Whether a figure may be believed."""

    OK = "ok"
    TOO_FEW = "too_few"
    """not enough events for a value; `interval` may still bound it"""


@dataclass(frozen=True, slots=True)
class Kpi:
    """One figure.

    value: None when the events are too few.  n: events it rests on.  interval: 90 % limits in
    the unit of the value, the upper one None when nothing bounds it; None for plain sums.
    """

    name: str
    value: float | None
    unit: str
    n: int
    interval: tuple[float, float | None] | None
    status: Status

    @property
    def formula(self) -> str:
        """How it was counted, in the language spoken."""
        return formulas.of(self.name)


@dataclass(frozen=True, slots=True)
class Line:
    """The figures of one department or category, or of all together."""

    key: Key
    name: str
    repair_cost: Kpi
    downtime: Kpi
    failures: Kpi
    mtbf: Kpi
    mtbf_use: Kpi
    """Per hour of actual use, of the devices that tell it."""
    pm_completion: Kpi
    pm_pending: int
    """Occurrences due in the period whose last day is still to come: not judged yet."""
    metered: int
    """Devices that tell their use."""

    @property
    def kpis(self) -> list[Kpi]:
        """All figures, in the order they are shown."""
        return [
            self.repair_cost, self.downtime, self.failures, self.mtbf, self.mtbf_use,
            self.pm_completion,
        ]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Analysis:
    """What one period looks like: a line a group, the dearest first, and all together."""

    period: Period
    by: By
    currency: str
    total: Line
    lines: list[Line]


@dataclass(frozen=True, slots=True)
class _Sums:
    """What the database returned for one group."""

    money: Money
    failures: Failures
    downtime: Downtime
    in_service: float
    punctuality: Punctuality
    use: Use = field(default_factory=Use)


_NONE = _Sums(Money(0, 0), Failures(0, 0), Downtime(0.0, 0.0, 0), 0.0, Punctuality(0, 0, 0))


def analyse(ctx: Context, *, by: By, period: Period) -> Analysis:
    """Return the figures of a period.  A fixed number of queries, whatever the size."""
    hospital = own_hospital(ctx)
    currency = hospital.currency if hospital else "CNY"
    money = queries.repair_money(ctx, by, period, currency)
    no_failure = [code for code, cause in causes().items() if not cause.is_failure]
    failed = queries.failures(ctx, by, period, no_failure)
    down = queries.downtime(ctx, by, period)
    service = queries.seconds_in_service(ctx, by, period)
    done = queries.punctuality(ctx, by, period)
    used = metered_use(ctx, by, period, no_failure)
    sums = {
        key: _Sums(
            money.get(key, _NONE.money),
            failed.get(key, _NONE.failures),
            down.get(key, _NONE.downtime),
            service.get(key, 0.0),
            done.get(key, _NONE.punctuality),
            used.get(key, _NONE.use),
        )
        for key in {**money, **failed, **down, **service, **done, **used}
    }
    name = _names(ctx, by)
    lines = [_line(key, name(key), group, currency) for key, group in sums.items()]
    lines.sort(key=lambda line: (-(line.repair_cost.value or 0), line.name))
    total = _line(None, _("All together"), _add(sums.values()), currency)
    return Analysis(period, by, currency, total, lines)


def _add(groups: Iterable[_Sums]) -> _Sums:
    parts = list(groups)
    return _Sums(
        Money(sum(p.money.cost for p in parts), sum(p.money.orders for p in parts)),
        Failures(sum(p.failures.n for p in parts), sum(p.failures.n_in_operation for p in parts)),
        Downtime(
            sum(p.downtime.down for p in parts),
            sum(p.downtime.down_in_operation for p in parts),
            sum(p.downtime.spells for p in parts),
        ),
        sum(p.in_service for p in parts),
        Punctuality(
            sum(p.punctuality.judged for p in parts),
            sum(p.punctuality.in_time for p in parts),
            sum(p.punctuality.pending for p in parts),
        ),
        reduce(Use.plus, (p.use for p in parts), Use()),
    )


def _line(key: Key, name: str, sums: _Sums, currency: str) -> Line:
    return Line(
        key,
        name,
        Kpi("repair_cost", sums.money.cost, currency, sums.money.orders, None, Status.OK),
        Kpi("downtime", sums.downtime.down / HOUR, "h", sums.downtime.spells, None, Status.OK),
        Kpi("failures", sums.failures.n, "", sums.failures.n, None, Status.OK),
        _mtbf(
            "mtbf",
            (sums.in_service - sums.downtime.down_in_operation) / HOUR,
            sums.failures.n_in_operation,
        ),
        _mtbf("mtbf_use", sums.use.hours, sums.use.failures),
        _completion(sums.punctuality),
        sums.punctuality.pending,
        sums.use.devices,
    )


def _mtbf(name: str, hours: float, n: int) -> Kpi:
    try:
        found = mtbf(hours, n, CONFIDENCE)
    except NotEnoughData:
        return Kpi(name, None, "h", n, None, Status.TOO_FEW)
    status = Status.OK if n >= FEWEST_FAILURES else Status.TOO_FEW
    value = found.value if status is Status.OK else None
    return Kpi(name, value, "h", n, (found.low, found.high), status)


def _completion(counted: Punctuality) -> Kpi:
    if counted.judged == 0:
        return Kpi("pm_completion", None, "", 0, None, Status.TOO_FEW)
    share = counted.in_time / counted.judged
    limits = wilson(counted.in_time, counted.judged, CONFIDENCE)
    return Kpi("pm_completion", share, "", counted.judged, limits, Status.OK)


def _names(ctx: Context, by: By) -> Callable[[Key], str]:
    if by is By.DEPARTMENT:
        names = {k: choose(en, zh) for k, (en, zh) in queries.department_names(ctx).items()}
        return lambda key: names.get(key, _("No department"))
    categories = {entry.code: entry.name for entry in all_categories()}
    return lambda key: categories.get(str(key), str(key)) if key else _("No equipment named")
