"""Reading work orders: lists, counts, one with everything on it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import joinedload

from apm.accounts.model import User
from apm.accounts.queries import colleagues
from apm.assets.model import Asset
from apm.core.audit import AuditEntry
from apm.core.codes import normal_code
from apm.core.command import Actor, Context
from apm.core.errors import NotFound
from apm.core.i18n import _l
from apm.core.paging import Page, page_of
from apm.core.permissions import ROLES, Permission, Role
from apm.core.typed import whole_number
from apm.work.loading import whole
from apm.work.model import WorkOrder
from apm.work.states import OPEN_WORK, WorkState, WorkType

MINE, NOBODY = "me", "none"
"""What `assignee` may say instead of a person's number."""


def with_place(query: Select[WorkOrder]) -> Select[WorkOrder]:
    """Load what a row shows of the asset or the place, in the same statement."""
    return query.options(
        joinedload(WorkOrder.asset).joinedload(Asset.department),
        joinedload(WorkOrder.asset).joinedload(Asset.location),
        joinedload(WorkOrder.location),
    )


@dataclass(frozen=True, slots=True)
class WorkFilter:
    """Which orders to show; empty means all."""

    states: frozenset[WorkState] = frozenset()
    types: frozenset[WorkType] = frozenset()
    asset: str | None = None
    assignee: str | None = None
    department: int | None = None
    no: str | None = None
    team: int | None = None

    @classmethod
    def of(cls, args: Mapping[str, Any]) -> WorkFilter:
        """Read the filter from an address; what makes no sense is left out."""
        many = getattr(args, "getlist", lambda name: [args[name]] if name in args else [])
        states = set(many("state"))
        chosen = {s for s in WorkState if s.value in states}
        if "open" in states:
            chosen |= OPEN_WORK
        return cls(
            states=frozenset(chosen),
            types=frozenset(t for t in WorkType if t.value in many("type")),
            asset=args.get("asset") or None,
            assignee=args.get("assignee") or None,
            department=whole_number(args.get("department")),
            no=(args.get("q") or "").strip().upper() or None,
            team=whole_number(args.get("team")),
        )


def work_page(
    ctx: Context, wanted: WorkFilter, *, after: str | None = None, limit: int = 50
) -> Page[WorkOrder]:
    """Return the newest orders that fit."""
    query = with_place(_filtered(ctx.actor, select(WorkOrder), wanted))
    return page_of(
        ctx.session, query, by=[WorkOrder.id], after=after, limit=limit, descending=True
    )


def _filtered(actor: Actor, query: Select[WorkOrder], wanted: WorkFilter) -> Select[WorkOrder]:
    if wanted.states:
        query = query.where(WorkOrder.state.in_(wanted.states))
    if wanted.types:
        query = query.where(WorkOrder.type.in_(wanted.types))
    for value, column in ((wanted.no, WorkOrder.no), (wanted.team, WorkOrder.team_id)):
        if value is not None:
            query = query.where(column == value)
    if wanted.assignee is not None:
        query = query.where(_assigned_to(actor, wanted.assignee))
    return _on_asset(query, wanted)


def _on_asset(query: Select[WorkOrder], wanted: WorkFilter) -> Select[WorkOrder]:
    if wanted.asset or wanted.department:
        query = query.join(Asset, WorkOrder.asset_id == Asset.id)
    if wanted.asset:
        query = query.where(Asset.code == normal_code(wanted.asset))
    if wanted.department:
        query = query.where(Asset.department_id == wanted.department)
    return query


def _assigned_to(actor: Actor, who: str) -> Any:
    if who == NOBODY:
        return WorkOrder.assignee_id.is_(None)
    if who == MINE:
        return WorkOrder.assignee_id == (actor.user_id or 0)
    if number := whole_number(who):
        return WorkOrder.assignee_id == number
    return WorkOrder.assignee_id.in_(select(User.id).where(User.email == who.lower()))


def work_counts(ctx: Context) -> dict[str, dict[str, int]]:
    """Return how many orders there are by `state` and by `type`."""
    states = select(WorkOrder.state, func.count(WorkOrder.id)).group_by(WorkOrder.state)
    types = select(WorkOrder.type, func.count(WorkOrder.id)).group_by(WorkOrder.type)
    return {
        "state": {state.value: n for state, n in ctx.session.execute(states)},
        "type": {kind.value: n for kind, n in ctx.session.execute(types)},
    }


def work_order(ctx: Context, no: str) -> WorkOrder:
    """Return one order with steps, costs and signatures, or raise `NotFound`."""
    query = with_place(select(WorkOrder).where(WorkOrder.no == no)).options(*whole())
    found = ctx.session.scalar(query)
    if found is None:
        raise NotFound(_l("There is no such work order here. Check the number in the list."))
    return found


def history_of(ctx: Context, order: WorkOrder) -> list[AuditEntry]:
    """Return what happened to an order, oldest first."""
    # The trail is not hospital-scoped; the order is, and the chain is named as well.
    query = select(AuditEntry).where(
        AuditEntry.entity == "WorkOrder",
        AuditEntry.entity_id == order.id,
        AuditEntry.chain == order.hospital_id,
    )
    return list(ctx.session.scalars(query.order_by(AuditEntry.seq)))


def last_moved_by(ctx: Context, order: WorkOrder) -> tuple[str, datetime | None]:
    """Return who brought an order to the state it is in, and when."""
    for entry in reversed(history_of(ctx, order)):
        if "state" in entry.changes:
            return entry.actor, entry.at
    return "", None


def workers(ctx: Context) -> list[User]:
    """Return the people work can be assigned to."""
    able = frozenset(role for role in Role if Permission.WORK_DO in ROLES[role])
    return colleagues(ctx, able)


def linked_orders(ctx: Context, order: WorkOrder) -> list[WorkOrder]:
    """Return the orders that followed from this one: repairs of failed steps, rework."""
    origins = [f"failed:{order.no}", f"rework:{order.no}"]
    query = select(WorkOrder).where(WorkOrder.origin.in_(origins)).order_by(WorkOrder.id)
    return list(ctx.session.scalars(query))
