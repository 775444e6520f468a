"""Visits of other companies: each leaves a record, whether it was announced by a link or not."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import selectinload

from apm.core.command import Context, command
from apm.core.errors import Invalid, NotFound
from apm.core.i18n import _l
from apm.core.permissions import Permission
from apm.vendors.link_model import VendorFile, VendorNote, VendorVisit
from apm.vendors.links import Company, author_of, named
from apm.work.loading import order_to_change
from apm.work.model import WorkOrder
from apm.work.moving import when_moved
from apm.work.states import WorkState


@dataclass(frozen=True, slots=True)
class Visited:
    """Who was here, when, and what they did."""

    company: Company
    person: str
    arrived_at: datetime
    left_at: datetime | None
    done: str


@command("vendor_visit.record", Permission.WORK_READ)
def record_visit(ctx: Context, *, no: str, visited: Visited, client_key: str) -> VendorVisit:
    """Write down a visit that came by no link; sent twice, it is one.

    Raises:
        NotFound: no such order here.
        Invalid: no company, or times that cannot be.
    """
    order = order_to_change(ctx, no)
    known = select(VendorVisit).where(VendorVisit.client_key == client_key)
    if found := ctx.session.scalar(known):
        return found
    _refuse_impossible(ctx, visited)
    name, _phone = named(ctx, visited.company)
    visit = VendorVisit(
        work_order_id=order.id,
        vendor_id=visited.company.vendor_id,
        company=name,
        person=visited.person,
        arrived_at=visited.arrived_at,
        left_at=visited.left_at,
        done=visited.done,
        recorded_by=author_of(ctx),
        client_key=client_key,
    )
    ctx.session.add(visit)
    ctx.session.flush()
    return visit


def _refuse_impossible(ctx: Context, visited: Visited) -> None:
    if visited.arrived_at > ctx.now():
        message = _l("This time has not come yet.")
        raise Invalid(message, fields={"arrived_at": [message]})
    if visited.left_at is not None and not visited.arrived_at <= visited.left_at <= ctx.now():
        message = _l("Give a time after the arrival that has passed.")
        raise Invalid(message, fields={"left_at": [message]})


@when_moved
def end_visits(ctx: Context, order: WorkOrder, _action: str) -> None:
    """When nobody works on an order any more, whoever came for it has left."""
    if order.state is WorkState.IN_PROGRESS:
        return
    query = select(VendorVisit).where(
        VendorVisit.work_order_id == order.id, VendorVisit.left_at.is_(None)
    )
    for visit in ctx.session.scalars(query):
        visit.left_at = ctx.now()
    ctx.session.flush()


def visits_of(ctx: Context, order: WorkOrder) -> list[VendorVisit]:
    """Return the visits for an order, newest first."""
    query = select(VendorVisit).where(VendorVisit.work_order_id == order.id)
    query = query.order_by(VendorVisit.arrived_at.desc(), VendorVisit.id.desc())
    return list(ctx.session.scalars(query.limit(50)))


def notes_of(ctx: Context, order: WorkOrder, link_id: int | None = None) -> list[VendorNote]:
    """Return what vendors said and handed in, oldest first; by one link if given."""
    query = select(VendorNote).where(VendorNote.work_order_id == order.id)
    if link_id is not None:
        query = query.where(VendorNote.link_id == link_id)
    query = query.options(selectinload(VendorNote.files)).order_by(VendorNote.id)
    return list(ctx.session.scalars(query.limit(200)))


def file_of(ctx: Context, order: WorkOrder, file_id: int) -> tuple[VendorFile, bytes]:
    """Return one file with its content, or raise `NotFound`."""
    query = select(VendorFile, VendorFile.content).where(
        VendorFile.id == file_id, VendorFile.work_order_id == order.id
    )
    found = ctx.session.execute(query).first()
    if found is None:
        raise NotFound(_l("There is no such file. Go back to the work order."))
    return found[0], found[1]
