"""What somebody does who holds a link: come, answer, write, hand in, wait, finish.

Every command takes hold of the order first and of the link after that, so that a link revoked a
moment ago does nothing any more.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

from sqlalchemy import func, select

from apm.core.command import Context, command
from apm.core.errors import Conflict, Invalid, NotFound
from apm.core.i18n import _l
from apm.core.permissions import Permission
from apm.core.pictures import Picture
from apm.vendors.documents import JPEG, Document
from apm.vendors.link_model import FileKind, VendorFile, VendorLink, VendorNote, VendorVisit
from apm.vendors.links import Held, open_visit, opens
from apm.work.completion import Completion, put_to_done
from apm.work.lifecycle import WORK
from apm.work.loading import FRESH, order_to_change
from apm.work.model import WorkOrder
from apm.work.moving import Facts, announce, take_step
from apm.work.results import Answer, put_answers
from apm.work.states import WorkState

COMING = frozenset({"start", "resume"})
WAITING = frozenset({"wait_parts", "wait_vendor", "wait_access"})
MOST_FILES = 30
"""Of one order: 30 photos of 2 MB."""


@command("vendor_work.come", Permission.WORK_BY_LINK)
def come(ctx: Context, *, link_id: int, person: str, client_key: str) -> WorkOrder:
    """Arrive: a visit begins, and with it the work, if it was not under way.

    Raises:
        NotFound: the link does not open.
        Conflict: the order is not assigned yet, or is done.
    """
    held = _taken(ctx, link_id)
    known = select(VendorVisit).where(VendorVisit.client_key == client_key)
    if ctx.session.scalar(known) or held.visit:
        return held.order
    order = held.order
    ctx.session.add(
        VendorVisit(
            work_order_id=order.id,
            link_id=held.link.id,
            vendor_id=held.link.vendor_id,
            company=held.link.company,
            person=person,
            arrived_at=ctx.now(),
            recorded_by=ctx.actor.name,
            client_key=client_key,
        )
    )
    if order.state is not WorkState.IN_PROGRESS:
        action = "start" if order.state is WorkState.ASSIGNED else "resume"
        take_step(ctx, order, action, Facts())
    return order


@command("vendor_work.wait", Permission.WORK_BY_LINK)
def wait(ctx: Context, *, link_id: int, action: str, facts: Facts) -> WorkOrder:
    """Leave before it is done: for parts, for access, or to come again; the visit ends."""
    if action not in WAITING:
        raise NotFound(_l("There is no such step. Reload the page."))
    held = _taken(ctx, link_id)
    WORK.take(action, held.order.state, ctx.actor, held.order)
    _only_here(held).done = facts.reason
    return take_step(ctx, held.order, action, facts)


@command("vendor_work.answer", Permission.WORK_BY_LINK)
def answer(ctx: Context, *, link_id: int, answers: Mapping[str, Answer]) -> WorkOrder:
    """Store answers of the checklist.

    Raises:
        NotFound: the link does not open, or there is no such step.
        Conflict: the work is not in progress, or nobody of the vendor is there.
        Invalid: an answer does not fit its step.
    """
    held = _taken(ctx, link_id)
    if held.order.state is not WorkState.IN_PROGRESS:
        # In few words: who did what in the hospital is not for outside.
        raise Conflict(
            _l("Answers are taken only while the work is in progress. Start or resume it first."),
            code="not_now",
        )
    _only_here(held)
    put_answers(ctx, held.order, answers)
    return held.order


@command("vendor_work.hand_in", Permission.WORK_BY_LINK)
def hand_in(
    ctx: Context,
    *,
    link_id: int,
    text: str | None = None,
    photos: Sequence[Picture] = (),
    report: Document | None = None,
    client_key: str,
) -> VendorNote:
    """Keep a note, photos, a service report; possible until the hospital has closed the order.

    Raises:
        NotFound: the link does not open.
        Invalid: nothing was given, or there are too many files.
    """
    held = _taken(ctx, link_id)
    known = select(VendorNote).where(VendorNote.client_key == client_key)
    if found := ctx.session.scalar(known):
        return found
    files = [(FileKind.PHOTO, photo.jpeg, JPEG) for photo in photos]
    if report is not None:
        files.append((FileKind.REPORT, report.content, report.media_type))
    if not files and not (text or "").strip():
        message = _l("Write something or choose a file first.")
        raise Invalid(message, fields={"text": [message]})
    _refuse_too_many(ctx, held.order, len(files))
    note = VendorNote(
        work_order_id=held.order.id,
        link_id=held.link.id,
        author=held.actor.name.removeprefix("vendor:"),
        text=(text or "").strip() or None,
        at=ctx.now(),
        client_key=client_key,
    )
    ctx.session.add(note)
    ctx.session.flush()
    ctx.session.add_all(
        VendorFile(
            note_id=note.id,
            work_order_id=held.order.id,
            kind=kind,
            media_type=media_type,
            size=len(content),
            sha256=hashlib.sha256(content).hexdigest(),
            content=content,
        )
        for kind, content, media_type in files
    )
    return note


def _refuse_too_many(ctx: Context, order: WorkOrder, more: int) -> None:
    query = select(func.count(VendorFile.id)).where(VendorFile.work_order_id == order.id)
    if more and (ctx.session.scalar(query) or 0) + more > MOST_FILES:
        message = _l("This work order has %(most)s files already.", most=MOST_FILES)
        raise Invalid(message, fields={"photos": [message]})


@command("vendor_work.complete", Permission.WORK_BY_LINK)
def finish(ctx: Context, *, link_id: int, said: Completion) -> WorkOrder:
    """Say that the work is done.  It is no signature: the hospital signs when it closes the order.

    What failed gets a repair of its own, without the vendor being asked.

    Raises:
        NotFound: the link does not open.
        Conflict: not in progress, or nobody of the vendor is there.
        Invalid: open steps, no cause or no words about what was done.
    """
    held = _taken(ctx, link_id)
    order = held.order
    WORK.take("complete", order.state, ctx.actor, order)
    visit = _only_here(held)
    put_to_done(ctx, order, said)
    order.performed_by = held.actor.name.removeprefix("vendor:")
    visit.done = said.remedy or order.remedy
    announce(ctx, order, "complete")
    return order


def _taken(ctx: Context, link_id: int) -> Held:
    """Return the link, fresh, its order locked."""
    order = order_to_change(ctx, ctx.actor.bound_to or "")
    query = select(VendorLink).where(
        VendorLink.id == link_id, VendorLink.work_order_id == order.id
    )
    link = ctx.session.scalar(query.execution_options(**FRESH))
    if link is None or not opens(link, order, ctx.now()):
        raise NotFound(_l("This link does not open any more. Ask the hospital for a new one."))
    return Held(link, order, open_visit(ctx, link_id))


def _only_here(held: Held) -> VendorVisit:
    if held.visit is None:
        raise Conflict(_l("Say first that you have arrived."), code="not_now")
    return held.visit
