"""What a nurse's phone shows, without a login: the label's page, and the page of one report."""

from __future__ import annotations

from datetime import timedelta

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from apm.accounts.queries import visitor
from apm.assets.model import GONE
from apm.assets.queries import asset_by_code
from apm.core.codes import PublicCode, find_code, normal_code, token_digest
from apm.core.command import Context
from apm.core.errors import DomainError, Invalid
from apm.core.guessing import count_miss, form_key, sender, token_for
from apm.core.http import Form, act_as, context, load, public
from apm.core.i18n import _
from apm.core.limits import limit
from apm.core.permissions import Permission
from apm.core.pictures import MOST_BYTES
from apm.requests import confirming, queries, reporting
from apm.requests.model import Request
from apm.requests.schema import AnswerForm, JoinForm, RatingForm, ReportForm
from apm.requests.symptoms import symptoms_for
from apm.requests.waiting import answer_expected_at

public_pages = Blueprint("public", __name__)
MESSAGES, MESSAGES_WITHIN = 30, timedelta(hours=1)


@public_pages.get("/a/<code>")
@public
def label(code: str) -> ResponseReturnValue:
    """What the QR label opens: the public card and the form, more for the hospital's staff."""
    way = _way_of_label(code)
    return _label_page(way) if isinstance(way, PublicCode) else way


@public_pages.post("/a/<code>")
@public
def report(code: str) -> ResponseReturnValue:
    """A fault report."""
    way = _way_of_label(code)
    if not isinstance(way, PublicCode):
        return way
    form = load(ReportForm(), request.form)
    if form.data is None:
        return _label_page(way, form)
    sent = _sent(way.hospital_id)
    try:
        reporting.report_fault(
            context(), asset_code=way.target, report=reporting.Report(**form.data), sent=sent
        )
    except Invalid as error:
        return _label_page(way, _with_errors(form, error))
    _tell_left_out(sent)
    to = url_for("requests.public.tracking", token=sent.token)
    if request.headers.get("Accept") == "application/json":  # `later.js`, which goes there itself
        return {"to": to}, 201
    return redirect(to, 303)


@public_pages.post("/a/<code>/join")
@public
def join(code: str) -> ResponseReturnValue:
    """Me too: add to the report that is open on this equipment."""
    way = _way_of_label(code)
    if not isinstance(way, PublicCode):
        return way
    form = load(JoinForm(), request.form)
    if form.data is None:
        return _label_page(way, form)
    sent, no = _sent(way.hospital_id), form.data.pop("no")
    more = reporting.Addition(**form.data)
    reporting.join_request(context(), asset_code=way.target, no=no, more=more, sent=sent)
    _tell_left_out(sent)
    return redirect(url_for("requests.public.tracking", token=sent.token), 303)


@public_pages.get("/r/<token>")
@public
def tracking(token: str) -> ResponseReturnValue:
    """The page of one report, for whoever holds its link."""
    found = _request_of_link(token)
    return _tracking_page(token, found) if isinstance(found, Request) else found


@public_pages.post("/r/<token>/comment")
@public
def comment(token: str) -> ResponseReturnValue:
    """Say more about one's report."""
    found = _request_of_link(token)
    if not isinstance(found, Request):
        return found
    form = load(AnswerForm(), request.form)
    if form.data is None:
        return _tracking_page(token, found, form)
    _count_message(token)
    sent = _sent(found.hospital_id)
    pictures = reporting.read_photos(sent)
    try:
        reporting.add_comment(
            context(), no=found.no, **form.data, is_reporter=True, pictures=pictures
        )
    except Invalid as error:
        refused = _with_errors(form, error)
        refused.errors["photos"] = sent.left_out
        return _tracking_page(token, found, refused)
    _tell_left_out(sent)
    return redirect(url_for("requests.public.tracking", token=token), 303)


@public_pages.post("/r/<token>/verify")
@public
def verify(token: str) -> ResponseReturnValue:
    """It works again; with stars."""
    found = _request_of_link(token)
    if not isinstance(found, Request):
        return found
    form = load(RatingForm(), request.form)
    if form.data is None:
        return _tracking_page(token, found, form)
    confirming.verify(context(), no=found.no, **form.data)
    return redirect(url_for("requests.public.tracking", token=token), 303)


@public_pages.post("/r/<token>/reopen")
@public
def reopen(token: str) -> ResponseReturnValue:
    """It is still broken."""
    found = _request_of_link(token)
    if not isinstance(found, Request):
        return found
    form = load(RatingForm(), request.form)
    if form.data is None:
        return _tracking_page(token, found, form)
    _count_message(token)
    confirming.reopen(context(), no=found.no, comment=form.data["comment"])
    return redirect(url_for("requests.public.tracking", token=token), 303)


@public_pages.get("/r/<token>/photos/<int:photo_id>.jpg")
@public
def photo(token: str, photo_id: int) -> ResponseReturnValue:
    """One photo of the report."""
    found = _request_of_link(token)
    if not isinstance(found, Request):
        return found
    return Response(queries.photo_jpeg(context(), found, photo_id), mimetype="image/jpeg")


def _way_of_label(code: str) -> PublicCode | ResponseReturnValue:
    """Return where a label leads, the context bound to its hospital, or a page saying why not.

    Somebody of another hospital learns only that it is not theirs.
    """
    ctx = context()
    way = find_code(ctx.session, "asset", normal_code(code))
    if way is None:
        count_miss(ctx)
        return render_template("requests/label_unknown.html", code=code[:40]), 404
    if not ctx.actor.hospital_id:
        act_as(visitor(way.hospital_id))
    elif ctx.actor.hospital_id != way.hospital_id:
        return render_template("requests/label_elsewhere.html"), 404
    return way


def _label_page(way: PublicCode, form: Form | None = None) -> ResponseReturnValue:
    ctx = context()
    asset = asset_by_code(ctx, way.target)
    is_gone = asset.lifecycle in GONE
    page = render_template(
        "requests/label.html",
        asset=asset,
        is_gone=is_gone,
        can_report=ctx.actor.can(Permission.REQUEST_REPORT) and not is_gone,
        is_staff=ctx.actor.can(Permission.ASSET_READ),
        symptoms=symptoms_for(asset.category),
        open_requests=queries.open_on(ctx, asset),
        form=form,
    )
    return page, 422 if form else 200


def _tracking_page(token: str, found: Request, form: Form | None = None) -> ResponseReturnValue:
    ctx = context()
    page = render_template(
        "requests/tracking.html",
        token=token,
        request_=found,
        comments=queries.comments_of(ctx, found),
        photos=queries.photos_of(ctx, found),
        position=_position(found.followed),
        answer_at=answer_expected_at(ctx, found.followed),
        form=form,
    )
    return page, 422 if form else 200


def _position(found: Request) -> int:
    """Return the step of four a request stands at; 5 when all are behind it."""
    state = found.state.value
    return {"open": 1, "needs_info": 1, "assigned": 2}.get(state, 3 if found.is_open else 5)


def _request_of_link(token: str) -> Request | ResponseReturnValue:
    """Return the request a link leads to, or one page for every link that is no good."""
    before = context()
    hospital_id, no = queries.hospital_of_link(before.session, token) or (0, "")
    ctx = _as_holder(before, hospital_id)
    found = queries.request_if_any(ctx, no)  # asked for a link that is unknown too: it takes time
    if found is not None and not queries.has_expired(found, ctx.now()):
        return found
    act_as(before.actor)  # an expired link does not even say whose it was
    count_miss(context())
    return render_template("requests/link_unknown.html"), 404


def _as_holder(ctx: Context, hospital_id: int) -> Context:
    """Staff of that hospital act as themselves, everybody else as a visitor there."""
    return ctx if ctx.actor.hospital_id == hospital_id else act_as(visitor(hospital_id))


def _sent(hospital_id: int) -> reporting.Sent:
    """Return what came along with the form; a form sent again has the same key and link."""
    key = form_key()
    photos = [file.stream.read(MOST_BYTES + 1) for file in request.files.getlist("photos")]
    is_known = context().actor.user_id is not None
    return reporting.Sent(
        client_key=key,
        token=token_for("link", hospital_id, key),
        photos=tuple(photo for photo in photos if photo),
        address=None if is_known else sender(),
    )


def _tell_left_out(sent: reporting.Sent) -> None:
    """Say which photos did not come along; all else is stored."""
    if sent.left_out:
        why = " ".join(dict.fromkeys(sent.left_out))
        text = _(
            "It is stored, but not every photo: %(why)s You can add another one below.", why=why
        )
        flash(text, "error")


def _count_message(token: str) -> None:
    limit(context(), f"message:{token_digest(token)}", most=MESSAGES, within=MESSAGES_WITHIN)


def _with_errors(form: Form, error: DomainError) -> Form:
    errors = error.fields if isinstance(error, Invalid) else {}
    spoken = {name: [str(text) for text in texts] for name, texts in errors.items()}
    return Form(None, spoken or {"_schema": [str(error)]}, form.typed)
