"""Pages of accounts: sign-in, one's own account, the hospital's people, the audit trail."""

from __future__ import annotations

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from apm.accounts import commands, queries
from apm.accounts.audit_queries import AuditFilter, audit_page
from apm.accounts.identity import COOKIE
from apm.accounts.people import automatic_name, names_by_record
from apm.accounts.schema import NewPassword, Preferences, SignIn
from apm.core.errors import DomainError
from apm.core.http import Form, context, load, public, requires
from apm.core.i18n import _
from apm.core.permissions import Permission
from apm.core.typed import own_path

web = Blueprint("accounts", __name__)


@web.app_template_filter("person")
def person(recorded: str | None) -> str:
    """Say who it was that a record names: `{{ entry.actor|person }}`."""
    if not recorded:
        return ""
    if found := automatic_name(recorded):
        return found
    if "people" not in g:
        g.people = names_by_record(context())
    names: dict[str, str] = g.people
    return names.get(recorded, recorded)


@web.route("/sign-in", methods=["GET", "POST"])
@public
def sign_in() -> ResponseReturnValue:
    """The door."""
    target = own_path(request.values.get("next"), "/")
    if request.method != "POST":
        return render_template("accounts/sign_in.html", form=None, target=target)
    form = load(SignIn(), request.form)
    status = 422
    if form.data:
        try:
            token = commands.sign_in(
                context(),
                **form.data,
                browser=request.user_agent.string,
                address=request.remote_addr or "",
            )
        except DomainError as error:
            form, status = Form(None, {"password": [str(error)]}, form.typed), error.status
        else:
            answer = redirect(target, 303)
            answer.set_cookie(
                COOKIE,
                token,
                max_age=int(commands.SESSION_LIFE.total_seconds()),
                httponly=True,
                samesite="Lax",
                secure=request.is_secure,
            )
            return answer
    return render_template("accounts/sign_in.html", form=form, target=target), status


@web.post("/sign-out")
@public
def sign_out() -> ResponseReturnValue:
    """End this session."""
    token = request.cookies.get(COOKIE)
    if token and context().actor.user_id is not None:
        commands.sign_out(context(), token=token)
    answer = redirect(url_for("accounts.sign_in"), 303)
    answer.delete_cookie(COOKIE)
    return answer


@web.get("/account")
@requires(Permission.ACCOUNT_OWN)
def account() -> ResponseReturnValue:
    """One's own account."""
    return _account(None)


def _account(form: Form | None) -> str:
    ctx = context()
    user_id = ctx.actor.user_id
    return render_template(
        "accounts/account.html",
        form=form,
        person=queries.colleague(ctx, user_id or 0),
        role=queries.roles_in(ctx, user_id or 0),
        sessions=queries.sessions_in_hospital(ctx, user_id=user_id, now=ctx.now()),
        current=queries.session_by_token(ctx.session, request.cookies.get(COOKIE, ""), ctx.now()),
    )


@web.post("/account/language")
@requires(Permission.ACCOUNT_OWN)
def set_language() -> ResponseReturnValue:
    """Choose a language for good."""
    form = load(Preferences(), request.form)
    if form.data is None:
        return _account(form), 422
    commands.set_language(context(), **form.data)
    return redirect(url_for("accounts.account", lang=form.data["language"]), 303)


@web.post("/account/password")
@requires(Permission.ACCOUNT_OWN)
def change_password() -> ResponseReturnValue:
    """Change one's password; every browser signs in again."""
    form = load(NewPassword(), request.form)
    if form.data:
        try:
            commands.change_password(context(), **form.data)
        except DomainError as error:
            form = Form(None, {"current": [str(error)]}, form.typed)
        else:
            flash(_("Your password has changed. Sign in with the new one."))
            return redirect(url_for("accounts.sign_in"), 303)
    return _account(form), 422


@web.post("/account/sessions/<int:session_id>/revoke")
@requires(Permission.ACCOUNT_OWN)
def revoke_session(session_id: int) -> ResponseReturnValue:
    """Sign another browser out."""
    commands.revoke_session(context(), session_id=session_id)
    flash(_("That browser is signed out."))
    return redirect(own_path(request.form.get("back"), url_for("accounts.account")), 303)


@web.get("/admin")
@requires(Permission.USER_ADMIN)
def admin() -> ResponseReturnValue:
    """People, sessions and tokens of the hospital."""
    ctx = context()
    people = [(user, queries.roles_in(ctx, user.id)) for user in queries.colleagues(ctx)]
    return render_template(
        "accounts/admin.html",
        people=people,
        sessions=queries.sessions_in_hospital(ctx, now=ctx.now()),
        tokens=queries.api_tokens(ctx),
    )


@web.get("/admin/audit")
@requires(Permission.AUDIT_READ)
def audit() -> ResponseReturnValue:
    """The audit trail."""
    wanted = AuditFilter.of(request.args)
    page = audit_page(context(), wanted, after=request.args.get("after"))
    return render_template("accounts/audit.html", page=page, wanted=wanted)


@web.post("/admin/tokens/<int:token_id>/revoke")
@requires(Permission.USER_ADMIN)
def revoke_token(token_id: int) -> ResponseReturnValue:
    """End an API token."""
    commands.revoke_token(context(), token_id=token_id)
    flash(_("That token is ended."))
    return redirect(url_for("accounts.admin"), 303)
