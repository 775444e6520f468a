"""Plans for many assets at once: by category, model, department."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import selectinload

from apm.assets.model import GONE, Asset, Department
from apm.core.command import Context, command
from apm.core.errors import Invalid
from apm.core.i18n import _l
from apm.core.permissions import Permission
from apm.maintenance.commands import begin_plan
from apm.maintenance.model import Plan
from apm.maintenance.rhythm import Rhythm
from apm.maintenance.trigger_commands import attach
from apm.maintenance.wishes import Wanted
from apm.maintenance.workload import Scope
from apm.procedures.shelf import template_for

AT_ONCE = 500
"""Plans of one transaction."""
MOST = 20_000
"""Plans of one request."""


@dataclass(frozen=True, slots=True)
class Coverage:
    """How many assets are in scope, and how many have a plan for the template already."""

    assets: int
    having: int

    @property
    def missing(self) -> int:
        """How many plans would be made."""
        return self.assets - self.having


def coverage(ctx: Context, scope: Scope, template: str) -> Coverage:
    """Return how many plans `plan_many` would make."""
    code = template_for(ctx, template).code
    query = select(func.count(Asset.id)).where(*_in(scope))
    having = ctx.session.scalar(query.where(_has_plan(code)))
    return Coverage(ctx.session.scalar(query) or 0, having or 0)


def scope_named(ctx: Context, said: Mapping[str, Any]) -> Scope:
    """Return the scope that names a department (in either language), a category and a model.

    Raises:
        Invalid: there is no such department.
    """
    department_id = None
    if name := said.get("department"):
        named = or_(Department.name == name, Department.name_zh == name)
        department_id = ctx.session.scalar(select(Department.id).where(named).limit(1))
        if department_id is None:
            message = _l("There is no such department. Choose one from the list.")
            raise Invalid(message, fields={"department": [message]})
    return Scope(department_id, said.get("category") or None, said.get("model") or None)


def plan_many(
    ctx: Context,
    *,
    scope: Scope,
    template: str,
    rhythm: Rhythm,
    triggers: Sequence[Wanted] = (),
) -> int:
    """Plan maintenance of every asset in scope that has no such plan; return how many were made.

    Safe to repeat and to break off: each transaction makes some hundred plans, and what is there
    already is left as it is.

    Raises:
        NotFound: no such template.
        Invalid: the rhythm does not work, or the scope is everything.
    """
    if scope == Scope():
        message = _l("Choose a category, a model or a department.")
        raise Invalid(message, fields={"category": [message]})
    made = 0
    while made < MOST:
        some = _plan_some(ctx, scope=scope, template=template, rhythm=rhythm, triggers=triggers)
        made += some
        if some < AT_ONCE:
            break
    return made


@command("plan.add_many", Permission.PLAN_EDIT)
def _plan_some(
    ctx: Context, *, scope: Scope, template: str, rhythm: Rhythm, triggers: Sequence[Wanted]
) -> int:
    """Make the next plans of a scope; return how many."""
    rhythm.check()
    chosen = template_for(ctx, template)
    query = select(Asset).where(*_in(scope), ~_has_plan(chosen.code)).order_by(Asset.id)
    found = list(ctx.session.scalars(query.limit(AT_ONCE)))
    stopped = (
        select(Plan)
        .where(Plan.asset_id.in_([asset.id for asset in found]))
        .where(Plan.template_code == chosen.code)
        .options(selectinload(Plan.triggers))
    )
    known = {plan.asset_id: plan for plan in ctx.session.scalars(stopped)}
    plans = [begin_plan(ctx, asset, chosen.code, rhythm, known.get(asset.id)) for asset in found]
    ctx.session.flush()
    for plan in plans:
        for wanted in triggers:
            attach(ctx, plan, wanted)
    return len(found)


def _in(scope: Scope) -> list[ColumnElement[bool]]:
    return [Asset.lifecycle.not_in(GONE), *scope.fits()]


def _has_plan(code: str) -> ColumnElement[bool]:
    return (
        select(Plan.id)
        .where(Plan.asset_id == Asset.id, Plan.template_code == code, Plan.is_active)
        .exists()
    )
