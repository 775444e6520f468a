"""Reporting a fault: by anybody who holds the label, or by staff."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from apm.accounts.queries import colleague
from apm.assets.model import GONE, Asset
from apm.assets.queries import asset_by_code
from apm.core.codes import PublicCode, token_digest
from apm.core.command import Context, command
from apm.core.errors import Conflict, Invalid, NotFound
from apm.core.i18n import _, _l
from apm.core.limits import limit
from apm.core.permissions import Permission
from apm.core.pictures import Picture, clean_picture
from apm.requests.events import AdverseEventSuspected, RequestMoved, RequestReported
from apm.requests.harm import mark_harm
from apm.requests.loading import request_to_change
from apm.requests.model import Comment, Photo, Request
from apm.requests.states import Triage
from apm.requests.symptoms import SYMPTOMS
from apm.requests.urgency import priority_of, propose
from apm.requests.waiting import resume_clock, watch_anew, watch_request
from apm.work.numbers import locked_counter, next_number
from apm.work.states import Priority

VISITOR = "visitor"
"""The author of what somebody without a login wrote."""
MOST_PHOTOS = 4
PER_ASSET, PER_ADDRESS, WITHIN = 12, 40, timedelta(hours=1)
"""How many anonymous messages we take; a whole hospital may share one address."""


@dataclass(frozen=True, slots=True)
class Sent:
    """What came with any message: the form's own key, the sender's link, photos.

    `address` is a digest of the network address, given for anonymous senders only.
    """

    client_key: str
    token: str
    photos: tuple[bytes, ...] = ()
    address: str | None = None
    left_out: list[str] = field(default_factory=list)
    """Filled in while the photos are read: why some were not kept."""


@dataclass(frozen=True, slots=True)
class Report:
    """What somebody says about a fault."""

    symptom: str
    description: str | None = None
    patient_involved: bool = False
    adverse_event: bool = False
    """Somebody may have been harmed."""
    waited_s: int = 0
    """How long it lay on a phone without a network: a span, as a phone's clock may be wrong."""
    reporter_name: str | None = None
    reporter_contact: str | None = None


def report_fault(ctx: Context, *, asset_code: str, report: Report, sent: Sent) -> Request:
    """Store a report and return it; the same form sent again returns the first one.

    Raises:
        NotFound: no such asset here.
        Conflict: it is retired.
        Invalid: no such symptom.
        TooMany: an anonymous sender or asset has sent too many.

    A file that is no photo holds no report back: it is left out, and `sent.left_out` says why.
    """
    ctx.actor.require(Permission.REQUEST_REPORT)
    asset = asset_by_code(ctx, asset_code)
    if found := request_by_key(ctx, sent.client_key):
        return _same(found, asset)
    if report.symptom not in SYMPTOMS:
        message = _l("Choose what is wrong.")
        raise Invalid(message, fields={"symptom": [message]})
    pictures = _received(ctx, asset, sent)
    return _store(ctx, asset_id=asset.id, report=report, sent=sent, pictures=pictures)


def _received(ctx: Context, asset: Asset, sent: Sent) -> list[Picture]:
    """Check what came before anything is written; decoding photos holds no lock."""
    if sent.address is not None:  # before the photos: reading them is what costs
        limit(ctx, f"report-from:{sent.address}", most=PER_ADDRESS, within=WITHIN)
    pictures = read_photos(sent)
    if sent.address is not None:
        limit(ctx, f"report:{asset.code}", most=PER_ASSET, within=WITHIN)
    return pictures


def read_photos(sent: Sent) -> list[Picture]:
    """Return the photos that are photos; what is not is said in `sent.left_out`."""
    pictures = []
    for photo in sent.photos[:MOST_PHOTOS]:
        try:
            pictures.append(clean_picture(photo))
        except Invalid as error:
            sent.left_out.append(str(error))
    if len(sent.photos) > MOST_PHOTOS:
        sent.left_out.append(_("Send at most %(most)s photos.", most=MOST_PHOTOS))
    return pictures


@command("request.report", Permission.REQUEST_REPORT)
def _store(
    ctx: Context, *, asset_id: int, report: Report, sent: Sent, pictures: list[Picture]
) -> Request:
    """Write a checked report, its photos and its link."""
    locked_counter(ctx, "R")  # two copies of one form: the second waits, then finds the first
    asset = ctx.session.get_one(Asset, asset_id, populate_existing=True)
    if found := request_by_key(ctx, sent.client_key):
        return _same(found, asset)
    refuse_retired(asset)
    person = colleague(ctx, ctx.actor.user_id) if ctx.actor.user_id else None
    request = Request(
        no=next_number(ctx, "R"),
        asset=asset,
        symptom=report.symptom,
        description=report.description,
        patient_involved=report.patient_involved,
        said_at=ctx.now() - timedelta(seconds=report.waited_s) if report.waited_s else None,
        adverse_at=ctx.now() if report.adverse_event else None,
        reporter_name=person.name if person else report.reporter_name,
        reporter_contact=report.reporter_contact,
        reporter_id=person.id if person else None,
        reported_at=ctx.now(),
        client_key=sent.client_key,
        triage=Triage.OPEN,
        work_order=None,
    )
    propose(ctx, request, asset)
    watch_request(ctx, request)
    ctx.session.add(request)
    ctx.session.flush()  # photos and the event need its id
    _attach(ctx, request, sent, pictures)
    ctx.emit(
        RequestReported(
            request.id,
            request.no,
            asset.id,
            request.symptom,
            priority_of(request) is Priority.URGENT,
        )
    )
    if report.adverse_event:
        ctx.emit(AdverseEventSuspected(request.id, request.no, asset.id))
    return request


def request_by_key(ctx: Context, client_key: str) -> Request | None:
    """Return what a form with this key has made."""
    query = select(Request).where(Request.client_key == client_key)
    return ctx.session.scalar(query.options(joinedload(Request.asset)))


def _same(found: Request, asset: Asset) -> Request:
    if found.asset_id != asset.id:
        raise Conflict(_l("This form was already used. Open the page again and send it."))
    return found


def refuse_retired(asset: Asset) -> None:
    """Raise `Conflict` for an asset that is out of use for good."""
    if asset.lifecycle in GONE:
        raise Conflict(_l("This equipment is retired. Do not use it; call the department."))


def _attach(ctx: Context, request: Request, sent: Sent, pictures: list[Picture]) -> None:
    """Give the sender a link of their own, and keep the photos."""
    ctx.session.add(
        PublicCode(
            code=token_digest(sent.token),
            kind="request",
            hospital_id=request.hospital_id,
            target=request.no,
        )
    )
    _keep(ctx, request, pictures)


def _keep(ctx: Context, request: Request, pictures: Sequence[Picture]) -> None:
    ctx.session.add_all(
        Photo(request_id=request.id, jpeg=p.jpeg, width=p.width, height=p.height, at=ctx.now())
        for p in pictures
    )


@dataclass(frozen=True, slots=True)
class Addition:
    """What somebody adds to a report that is there already."""

    text: str | None = None
    patient_involved: bool = False
    adverse_event: bool = False


def join_request(ctx: Context, *, asset_code: str, no: str, more: Addition, sent: Sent) -> Request:
    """Add to a request that is open already ("me too"); the sender gets a link of their own.

    The link shows the report, and numbers can be guessed: whoever holds the label of one asset
    joins reports on that asset alone.

    Raises:
        NotFound: this asset has no such report.
        Conflict: it is no longer open; report anew.
        TooMany: as `report_fault`.
    """
    ctx.actor.require(Permission.REQUEST_REPORT)
    query = select(Request).where(Request.no == no).options(joinedload(Request.asset))
    known = ctx.session.scalar(query)
    if known is None or known.asset.code != asset_code:
        raise NotFound(_l("There is no such request here. Check the number in the list."))
    pictures = _received(ctx, known.asset, sent)
    return _join(ctx, no=no, more=more, sent=sent, pictures=pictures)


@command("request.join", Permission.REQUEST_REPORT)
def _join(
    ctx: Context, *, no: str, more: Addition, sent: Sent, pictures: list[Picture]
) -> Request:
    """Write a checked addition to an open report."""
    request = request_to_change(ctx, no)
    digest = token_digest(sent.token)
    if ctx.session.scalar(select(PublicCode).where(PublicCode.code == digest)):
        return request  # the same form again
    if not request.is_open:
        raise Conflict(_l("That report is finished. Open the label again and report anew."))
    with ctx.session.no_autoflush:  # one line in the trail
        if more.patient_involved and not request.patient_involved:
            request.patient_involved = True
            propose(ctx, request, request.asset)
            watch_anew(ctx, request)
        if more.adverse_event:
            mark_harm(ctx, request)
    _attach(ctx, request, sent, pictures)
    _say(ctx, request, more.text or "+1")
    return request


@command("request.comment", Permission.REQUEST_REPORT)
def add_comment(
    ctx: Context,
    *,
    no: str,
    text: str | None,
    is_reporter: bool = False,
    pictures: Sequence[Picture] = (),
) -> Request:
    """Say or show something about a request; an answer puts it before triage again."""
    request = request_to_change(ctx, no)
    if not (text or "").strip() and not pictures:
        message = _l("Write something first.")
        raise Invalid(message, fields={"text": [message]})
    is_answer = is_reporter or ctx.actor.user_id == request.reporter_id
    if request.triage is Triage.NEEDS_INFO and is_answer:
        request.triage = Triage.OPEN
        resume_clock(ctx, request)
    _keep(ctx, request, pictures)
    _say(ctx, request, text)
    return request


def _say(ctx: Context, request: Request, text: str | None) -> None:
    author = colleague(ctx, ctx.actor.user_id).name if ctx.actor.user_id else VISITOR
    if said := (text or "").strip():
        ctx.session.add(Comment(request_id=request.id, author=author, text=said, at=ctx.now()))
    ctx.session.flush()
    ctx.emit(
        RequestMoved(request.id, request.no, "comment", request.state.value, request.reporter_id)
    )
