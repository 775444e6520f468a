"""Photos of the work, taken on the spot: of the whole, or of one step."""

from __future__ import annotations

import hashlib

from sqlalchemy import select
from sqlalchemy.orm import undefer

from apm.core.command import Context, command
from apm.core.errors import NotFound, TooMany
from apm.core.i18n import _l
from apm.core.permissions import Permission
from apm.core.pictures import Picture, clean_picture
from apm.work.field_model import WorkPhoto
from apm.work.loading import order_to_change
from apm.work.model import WorkOrder
from apm.work.phone import NOT_SAID, Sent
from apm.work.refusals import only_at_work
from apm.work.results import step_of

MOST = 60
"""Photos of one work order."""


def add_photo(
    ctx: Context, *, no: str, data: bytes, step: str = "", sent: Sent = NOT_SAID
) -> WorkPhoto:
    """Keep a photo with a work order; the same picture of the same step is kept once.

    Raises:
        NotFound: no such order or step.
        Conflict: the work is not in progress.
        NotAllowed: it is somebody else's.
        Invalid: it is no picture we read.
        TooMany: the order has all the photos it may have.
    """
    # Decoding takes long; it is done before the command, so that it holds no lock.
    return _keep(ctx, no=no, picture=clean_picture(data), step=step, sent=sent)


@command("work_order.add_photo", Permission.WORK_DO)
def _keep(ctx: Context, *, no: str, picture: Picture, step: str, sent: Sent) -> WorkPhoto:
    """Store a clean picture."""
    order = order_to_change(ctx, no)
    only_at_work(ctx, order)
    if step:
        step_of(order, step)
    digest = hashlib.sha256(picture.jpeg).hexdigest()
    for known in order.photos:
        if (known.step_key, known.sha256) == (step, digest):
            return known
    if len(order.photos) >= MOST:
        raise TooMany(_l("A work order takes at most %(n)s photos."), n=MOST)
    moment = sent.moment(ctx.now())
    photo = WorkPhoto(
        work_order_id=order.id,
        step_key=step,
        jpeg=picture.jpeg,
        sha256=digest,
        width=picture.width,
        height=picture.height,
        author=ctx.actor.name,
        at=moment.at,
        device_at=moment.device_at,
    )
    ctx.session.add(photo)
    ctx.session.flush()  # whoever asked is told its number
    return photo


def photo_jpeg(ctx: Context, no: str, photo_id: int) -> bytes:
    """Return one photo of a work order, or raise `NotFound`."""
    query = (
        select(WorkPhoto)
        .join(WorkOrder, WorkOrder.id == WorkPhoto.work_order_id)
        .where(WorkOrder.no == no, WorkPhoto.id == photo_id)
        .options(undefer(WorkPhoto.jpeg))
    )
    found = ctx.session.scalar(query)
    if found is None:
        raise NotFound(_l("There is no such photo. Reload the page."))
    return found.jpeg
