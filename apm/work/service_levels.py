"""What is promised for each priority: how soon somebody answers, how soon it works again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import select

from apm.core.command import Context, command
from apm.core.errors import Invalid
from apm.core.i18n import _l, ngettext
from apm.core.permissions import Permission
from apm.teams.working_time import WorkingCalendar
from apm.work.clock_model import Runs, ServiceLevel, Unit
from apm.work.states import Priority

LONGEST = timedelta(days=730)


@dataclass(frozen=True, slots=True)
class Target:
    """How long something may take."""

    amount: int
    unit: Unit

    def length(self, runs: Runs, calendar: WorkingCalendar) -> timedelta:
        """Return it as time on the clock; a working day is one opening day long."""
        if self.unit is Unit.DAYS and runs is Runs.WORKING:
            return self.amount * calendar.day_length
        return timedelta(**{self.unit.value: self.amount})

    def words(self, runs: Runs) -> str:
        """Return it in words."""
        n = self.amount
        if runs is Runs.WORKING:
            if self.unit is Unit.MINUTES:
                return ngettext("%(n)s working minute", "%(n)s working minutes", n)
            if self.unit is Unit.HOURS:
                return ngettext("%(n)s working hour", "%(n)s working hours", n)
            return ngettext("%(n)s working day", "%(n)s working days", n)
        if self.unit is Unit.MINUTES:
            return ngettext("%(n)s minute", "%(n)s minutes", n)
        if self.unit is Unit.HOURS:
            return ngettext("%(n)s hour", "%(n)s hours", n)
        return ngettext("%(n)s day", "%(n)s days", n)


@dataclass(frozen=True, slots=True)
class Promise:
    """What holds for one priority."""

    priority: Priority
    runs: Runs
    respond: Target
    resolve: Target


USUAL = {
    promise.priority: promise
    for promise in (
        Promise(Priority.URGENT, Runs.ALWAYS, Target(15, Unit.MINUTES), Target(4, Unit.HOURS)),
        Promise(Priority.HIGH, Runs.WORKING, Target(1, Unit.HOURS), Target(1, Unit.DAYS)),
        Promise(Priority.NORMAL, Runs.WORKING, Target(4, Unit.HOURS), Target(3, Unit.DAYS)),
        Promise(Priority.LOW, Runs.WORKING, Target(1, Unit.DAYS), Target(7, Unit.DAYS)),
    )
}
"""What holds until a hospital says otherwise: our own proposal, not a rule of anybody's."""


def promises(ctx: Context) -> dict[Priority, Promise]:
    """Return what the hospital promises, by priority."""
    own = {row.priority: _promise(row) for row in ctx.session.scalars(select(ServiceLevel))}
    return {**USUAL, **own}


def promise_for(ctx: Context, priority: Priority) -> Promise:
    """Return what the hospital promises for one priority."""
    return promises(ctx)[priority]


def _promise(row: ServiceLevel) -> Promise:
    return Promise(
        row.priority,
        row.runs,
        Target(row.respond, row.respond_unit),
        Target(row.resolve, row.resolve_unit),
    )


@command("service_level.set", Permission.TEAM_EDIT)
def set_promise(ctx: Context, *, promise: Promise) -> ServiceLevel:
    """Promise something else for one priority; clocks that run already keep what they had."""
    usual_day = WorkingCalendar("UTC")
    wrong = {}
    respond = promise.respond.length(promise.runs, usual_day)
    resolve = promise.resolve.length(promise.runs, usual_day)
    if promise.respond.amount < 1 or respond > LONGEST:
        wrong["respond"] = [_l("Give a time from one minute to two years.")]
    if promise.resolve.amount < 1 or resolve > LONGEST:
        wrong["resolve"] = [_l("Give a time from one minute to two years.")]
    elif resolve < respond:
        wrong["resolve"] = [_l("A repair cannot be due before the first answer.")]
    if wrong:
        raise Invalid(_l("These times do not fit."), fields=wrong)
    query = select(ServiceLevel).where(ServiceLevel.priority == promise.priority)
    row = ctx.session.scalar(query) or ServiceLevel(priority=promise.priority)
    row.runs = promise.runs
    row.respond, row.respond_unit = promise.respond.amount, promise.respond.unit
    row.resolve, row.resolve_unit = promise.resolve.amount, promise.resolve.unit
    ctx.session.add(row)
    return row
