"""What a vendor's link opens, without a login: one work order, and nothing beside it."""

from __future__ import annotations

from datetime import timedelta

from flask import Blueprint, Response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from apm.core.codes import token_digest
from apm.core.command import Actor
from apm.core.errors import Conflict, DomainError, Invalid
from apm.core.guessing import count_miss, form_key
from apm.core.http import Form, act_as, context, load, public
from apm.core.limits import limit
from apm.core.permissions import VENDOR_LINK
from apm.core.pictures import MOST_BYTES as MOST_PHOTO_BYTES
from apm.core.pictures import clean_picture
from apm.vendors import working
from apm.vendors.documents import MOST_BYTES, read_report
from apm.vendors.link_model import VendorFile
from apm.vendors.link_schema import ComeForm, HandInForm, VendorStepForm
from apm.vendors.links import Held, held_link, way_of_token
from apm.vendors.visits import file_of, notes_of
from apm.work.answers import read_answers
from apm.work.causes import causes_of_repairs
from apm.work.completion import Completion
from apm.work.evidence import asks_as_found
from apm.work.lifecycle import work_actions
from apm.work.moving import Facts
from apm.work.queries import work_order
from apm.work.results import missing_steps, takes_reference, verdict_of_person
from apm.work.states import AsFound

link_pages = Blueprint("link", __name__)
MESSAGES, MESSAGES_WITHIN = 60, timedelta(hours=1)
MOST_PHOTOS = 4


@link_pages.get("/v/<token>")
@public
def show(token: str) -> ResponseReturnValue:
    """The order, with what may be done now."""
    held = _held(token)
    return _page(token, held) if isinstance(held, Held) else held


@link_pages.post("/v/<token>/come")
@public
def come(token: str) -> ResponseReturnValue:
    """Somebody has arrived."""
    held = _held(token)
    if not isinstance(held, Held):
        return held
    form = load(ComeForm(), request.form)
    if form.data is None:
        return _page(token, held, form)
    _count(token)
    link_id, person = held.link.id, form.data["person"]
    working.come(context(), link_id=link_id, person=person, client_key=form_key())
    return _back(token)


@link_pages.post("/v/<token>/results")
@public
def answer(token: str) -> ResponseReturnValue:
    """Answers of the checklist."""
    held = _held(token)
    if not isinstance(held, Held):
        return held
    answers, errors = read_answers(held.order.steps, request.form)
    if errors:
        return _page(token, held, Form(None, errors, request.form))
    try:
        working.answer(context(), link_id=held.link.id, answers=answers)
    except Invalid as error:
        return _again(token, error)
    return _back(token, "checklist")


@link_pages.post("/v/<token>/notes")
@public
def hand_in(token: str) -> ResponseReturnValue:
    """A note, photos, the service report."""
    held = _held(token)
    if not isinstance(held, Held):
        return held
    form = load(HandInForm(), request.form)
    if form.data is None:
        return _page(token, held, form)
    _count(token)
    try:
        photos = [clean_picture(data) for data in _sent("photos", MOST_PHOTO_BYTES)[:MOST_PHOTOS]]
        reports = [read_report(data) for data in _sent("report", MOST_BYTES)[:1]]
        working.hand_in(
            context(),
            link_id=held.link.id,
            text=form.data["text"],
            photos=photos,
            report=reports[0] if reports else None,
            client_key=form_key(),
        )
    except Invalid as error:
        return _again(token, error)
    return _back(token, "notes")


@link_pages.post("/v/<token>/<action>")
@public
def act(token: str, action: str) -> ResponseReturnValue:
    """Leave: for parts, for access, to come again, or because it is done."""
    held = _held(token)
    if not isinstance(held, Held):
        return held
    form = load(VendorStepForm(), request.form)
    if form.data is None:
        return _page(token, held, form)
    said, link_id = form.data, held.link.id
    try:
        if action == "complete":
            done = Completion(
                said["labour_minutes"],
                said["cause"],
                said["remedy"],
                has_follow_up=True,
                as_found=said["as_found"],
            )
            working.finish(context(), link_id=link_id, said=done)
        else:
            facts = Facts(reason=said["reason"], expected_on=said["expected_on"])
            working.wait(context(), link_id=link_id, action=action, facts=facts)
    except Invalid as error:
        return _again(token, error)
    return _back(token)


@link_pages.get("/v/<token>/files/<int:file_id>")
@public
def file(token: str, file_id: int) -> ResponseReturnValue:
    """A file that was handed in on this order by this link."""
    held = _held(token)
    if not isinstance(held, Held):
        return held
    ctx = context()
    own = {f.id for note in notes_of(ctx, held.order, held.link.id) for f in note.files}
    return file_answer(*file_of(ctx, held.order, file_id if file_id in own else 0))


def file_answer(found: VendorFile, content: bytes) -> Response:
    """Return a file to be saved, never to be shown as a page of ours."""
    ending = "pdf" if found.media_type.endswith("pdf") else "jpg"
    name = f"{found.kind.value}-{found.id}.{ending}"
    answer = Response(content, mimetype=found.media_type)
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    answer.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return answer


def _held(token: str) -> Held | ResponseReturnValue:
    """Return the link, the context bound to it, or one answer for all that do not open.

    Whoever holds a link acts as its vendor, be they signed in or not.
    """
    before = context().actor
    hospital_id, link_id = way_of_token(context(), token)
    act_as(Actor("vendor:", hospital_id, VENDOR_LINK))
    if held := held_link(context(), link_id):
        act_as(held.actor)
        return held
    act_as(before)
    count_miss(context())
    return render_template("vendors/link_unknown.html"), 404


def _page(
    token: str, held: Held, form: Form | None = None, status: int = 422
) -> ResponseReturnValue:
    ctx = context()
    order = work_order(ctx, held.order.no)
    page = render_template(
        "vendors/link.html",
        token=token,
        order=order,
        link=held.link,
        visit=held.visit,
        actions=work_actions(ctx.actor, order),
        notes=notes_of(ctx, order, held.link.id),
        causes=causes_of_repairs(),
        as_found=list(AsFound) if asks_as_found(order) else [],
        missing=missing_steps(order),
        takes_reference=takes_reference,
        verdict_of_person=verdict_of_person,
        form=form,
    )
    return page, status if form else 200


def _again(token: str, error: DomainError) -> ResponseReturnValue:
    """Show the page with what was refused; the command has rolled everything back."""
    held = _held(token)
    if not isinstance(held, Held):
        return held
    fields = error.fields if isinstance(error, Invalid) else {}
    spoken = {name: [str(text) for text in texts] for name, texts in fields.items()}
    general = [] if isinstance(error, Conflict) and spoken else [str(error)]
    return _page(
        token, held, Form(None, {**spoken, "_schema": general}, request.form), error.status
    )


def _back(token: str, anchor: str | None = None) -> ResponseReturnValue:
    return redirect(url_for("vendors.link.show", token=token, _anchor=anchor), 303)


def _count(token: str) -> None:
    limit(context(), f"vendor:{token_digest(token)}", most=MESSAGES, within=MESSAGES_WITHIN)


def _sent(field: str, most: int) -> list[bytes]:
    files = [file.stream.read(most + 1) for file in request.files.getlist(field)]
    return [data for data in files if data]
