"""The administrators' pages of channels: what there is, how it fares, who is asked next."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from apm.accounts.queries import colleague
from apm.core.command import Context
from apm.core.errors import Invalid
from apm.core.http import Form, context, load, requires
from apm.core.i18n import _, _l, language
from apm.core.permissions import Permission
from apm.core.sealing import Unreadable, seal, tail_of, unseal
from apm.core.settings import Settings
from apm.labels import label
from apm.notify import channel_commands as commands
from apm.notify import queries
from apm.notify.channel_carrier import parcel_of
from apm.notify.channel_forms import ENTRIES, Filled, read
from apm.notify.escalating import chain_of
from apm.notify.health import is_failing
from apm.notify.model import Channel, DeliveryState
from apm.notify.problems import problem_text
from apm.notify.schema import WHO, ChainForm, ChannelForm
from apm.notify.sending import SendFailed
from apm.notify.topics import PERSONAL, ChannelKind, Topic
from apm.notify.ways.mail import SECURITIES
from apm.notify.ways.table import SEND

channel_pages = Blueprint("channels", __name__)
ADMIN = Permission.USER_ADMIN
STEPS = 3
OWN = frozenset({Topic.MY_REPORT, Topic.ASSIGNED})
"""What concerns one person and is not posted into a group."""


def _settings() -> Settings:
    found: Settings = current_app.config["APM_SETTINGS"]
    return found


@channel_pages.get("/admin/channels")
@requires(ADMIN)
def channels() -> ResponseReturnValue:
    """Channels, what did not get out, and who is asked when nobody answers."""
    return _channels(None)


def _channels(form: Form | None) -> str:
    ctx = context()
    chain = chain_of(ctx)
    empty: list[dict[str, Any]] = [{"after": 10, "who": "nobody"}] * STEPS
    given_up = queries.delivery_page(
        ctx, carrier="channel", state=DeliveryState.DEAD, after=request.args.get("after"), limit=20
    )
    found = queries.channels(ctx)
    return render_template(
        "notify/channels.html",
        channels=found,
        names={channel.id: channel.name for channel in found},
        is_failing=is_failing,
        kinds=list(ChannelKind),
        given_up=given_up,
        chain=(chain + empty)[:STEPS],
        group_words=[(one, label("asked_group", one)) for one in WHO],
        form=form,
    )


@channel_pages.route("/admin/channels/new", methods=["GET", "POST"])
@requires(ADMIN)
def new_channel() -> ResponseReturnValue:
    """A channel to add."""
    kind = request.values.get("kind", "")
    if kind not in set(ChannelKind):
        return redirect(url_for("notify.channels.channels"), 303)
    return _edit(context(), ChannelKind(kind), None)


@channel_pages.route("/admin/channels/<int:channel_id>", methods=["GET", "POST"])
@requires(ADMIN)
def channel(channel_id: int) -> ResponseReturnValue:
    """A channel to change; its secret is never shown again."""
    ctx = context()
    found = queries.channel_by_id(ctx, channel_id)
    return _edit(ctx, found.kind, found)


def _edit(ctx: Context, kind: ChannelKind, found: Channel | None) -> ResponseReturnValue:
    if request.method != "POST":
        return _form(kind, found, None)
    form = load(ChannelForm(), request.form)
    filled = read(kind, request.form, keeps_secret=found is not None)
    errors = {**form.errors, **{n: [str(e) for e in es] for n, es in filled.errors.items()}}
    if errors or form.data is None:
        return _form(kind, found, Form(None, errors, request.form)), 422
    details = _details(kind, form.data, filled, found)
    if found is None:
        made = commands.add_channel(ctx, kind=kind, details=details)
        flash(_("The channel is added. Send a test now."), "success")
        return redirect(url_for("notify.channels.channel", channel_id=made.id), 303)
    commands.edit_channel(ctx, channel_id=found.id, details=details)
    flash(_("Saved."), "success")
    return redirect(url_for("notify.channels.channel", channel_id=found.id), 303)


def _details(
    kind: ChannelKind, typed: dict[str, Any], filled: Filled, found: Channel | None
) -> commands.Details:
    topics = [] if kind in PERSONAL else request.form.getlist("topics")
    key = _settings().secret_key
    secret = dict(filled.secret)
    if secret and found is not None:  # of two secrets one may be entered anew
        with suppress(Unreadable):
            secret = {**unseal(key, found.secret), **secret}
    return commands.Details(
        name=typed["name"],
        config=filled.config,
        topics=[topic for topic in topics if topic in set(Topic) - OWN],
        language=typed["language"],
        secret=seal(key, secret) if secret or found is None else None,
        tail=tail_of(next(iter(secret.values()), "")),
    )


def _form(kind: ChannelKind, found: Channel | None, form: Form | None) -> str:
    return render_template(
        "notify/channel.html",
        kind=kind,
        channel=found,
        form=form,
        entries=ENTRIES[kind],
        is_personal=kind in PERSONAL,
        topic_words=[(one.value, label("topic", one)) for one in Topic if one not in OWN],
        options={"security": [(one, label("mail_security", one)) for one in SECURITIES]},
        is_failing=found is not None and is_failing(found),
        spoken=language(),
    )


@channel_pages.post("/admin/channels/<int:channel_id>/test")
@requires(ADMIN)
def test(channel_id: int) -> ResponseReturnValue:
    """Send a test now and show what came of it."""
    ctx = context()
    found, message = commands.prepare_test(ctx, channel_id=channel_id)
    to = _own_address(ctx, found)
    ctx.session.rollback()  # no transaction is open while we wait for another server
    error: SendFailed | None = None
    try:
        SEND[found.kind](parcel_of(found, message, _settings(), to=to, language=language()))
    except SendFailed as failed:
        error = failed
    commands.note_test(ctx, channel_id=channel_id, error=error)
    if error is None:
        flash(_("The test message is sent. Look whether it has arrived."), "success")
    else:
        flash(_("The test failed. %(why)s", why=problem_text(error.stored)), "error")
    return redirect(url_for("notify.channels.channel", channel_id=channel_id), 303)


def _own_address(ctx: Context, found: Channel) -> str:
    """Where a test of a personal channel goes: to who asks for it."""
    user_id = ctx.actor.user_id
    if found.kind not in PERSONAL or user_id is None:
        return ""
    if found.kind is ChannelKind.EMAIL:
        return colleague(ctx, user_id).email
    rules = queries.rules_for(ctx, [user_id]).get(user_id)
    return rules.addresses.get(str(found.id), "") if rules else ""


@channel_pages.post("/admin/channels/<int:channel_id>/switch")
@requires(ADMIN)
def switch(channel_id: int) -> ResponseReturnValue:
    """Switch a channel on or off."""
    is_active = request.form.get("on") == "yes"
    commands.switch_channel(context(), channel_id=channel_id, is_active=is_active)
    flash(_("The channel is on.") if is_active else _("The channel is off."), "success")
    return redirect(url_for("notify.channels.channel", channel_id=channel_id), 303)


@channel_pages.post("/admin/channels/<int:channel_id>/remove")
@requires(ADMIN)
def remove(channel_id: int) -> ResponseReturnValue:
    """Remove a channel."""
    commands.remove_channel(context(), channel_id=channel_id)
    flash(_("The channel is removed."), "success")
    return redirect(url_for("notify.channels.channels"), 303)


@channel_pages.post("/admin/channels/deliveries/<int:delivery_id>/retry")
@requires(ADMIN)
def retry(delivery_id: int) -> ResponseReturnValue:
    """Try a message again."""
    commands.retry(context(), delivery_id=delivery_id, carrier="channel")
    flash(_("It is tried again within seconds."), "success")
    return redirect(url_for("notify.channels.channels"), 303)


@channel_pages.post("/admin/channels/escalation")
@requires(ADMIN)
def escalation() -> ResponseReturnValue:
    """Say who is asked next."""
    form = load(ChainForm(), request.form)
    if form.data is None:
        return _channels(form), 422
    steps = [
        {"after": form.data[f"after_{n}"], "who": form.data[f"who_{n}"]} for n in range(STEPS)
    ]
    chain = [step for step in steps if step["who"] != "nobody"]
    if not chain:
        message = _l("Name at least one group, so that something urgent is not forgotten.")
        raise Invalid(message, fields={"who_0": [message]})
    commands.set_chain(context(), chain=chain)
    flash(_("Saved."), "success")
    return redirect(url_for("notify.channels.channels"), 303)
