"""The page where a person says what they want to hear of."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from apm.core.errors import Invalid
from apm.core.http import Form, context, load, requires
from apm.core.i18n import _
from apm.core.permissions import Permission
from apm.core.typed import whole_number
from apm.labels import label
from apm.notify.calendar import has_feed
from apm.notify.model import Channel
from apm.notify.queries import channels, rules_for
from apm.notify.rule_commands import Wishes, choose_rules
from apm.notify.rules import Rules, topics_for
from apm.notify.schema import RulesForm
from apm.notify.topics import PERSONAL, ChannelKind, Choice, Topic

rule_pages = Blueprint("rules", __name__)


@rule_pages.get("/account/notifications")
@requires(Permission.ACCOUNT_OWN)
def rules() -> ResponseReturnValue:
    """What one hears of, how and when; and one's calendar."""
    return _page(None)


@rule_pages.post("/account/notifications")
@requires(Permission.ACCOUNT_OWN)
def choose() -> ResponseReturnValue:
    """Remember it."""
    ctx = context()
    form = load(RulesForm(), request.form)
    if form.data is None:
        return _page(form), 422
    try:
        choose_rules(ctx, wishes=_wishes(form.data, channels(ctx)))
    except Invalid as error:
        errors = {name: [str(e) for e in found] for name, found in error.fields.items()}
        return _page(Form(None, errors, form.typed)), error.status
    flash(_("Saved. It holds from the next message on."), "success")
    return redirect(url_for("notify.rules.rules"), 303)


def _wishes(data: dict[str, Any], known: list[Channel]) -> Wishes:
    ways = {whole_number(one) for one in request.form.getlist("ways")}
    return Wishes(
        topics={t: data[f"topic_{t.value}"] for t in Topic if f"topic_{t.value}" in data},
        ways=frozenset(one for one in ways if one is not None),
        addresses={
            one.id: request.form.get(f"address_{one.id}", "").strip()
            for one in known
            if one.kind in PERSONAL
        },
        quiet_from=data.get("quiet_from"),
        quiet_until=data.get("quiet_until"),
        urgent_breaks=data["urgent_breaks"],
        digest_hour=data["digest_hour"],
    )


def _page(form: Form | None) -> str:
    ctx = context()
    user_id = ctx.actor.user_id or 0
    own = rules_for(ctx, [user_id]).get(user_id) or Rules(None, {})
    personal = [one for one in channels(ctx) if one.kind in PERSONAL and one.is_active]
    return render_template(
        "notify/rules.html",
        form=form,
        rules=own,
        topics=topics_for(own.role),
        choice_words=[(one.value, label("notify_choice", one)) for one in Choice],
        ways=personal,
        used=[one.id for one in personal if _is_chosen(own, one)],
        email=ChannelKind.EMAIL,
        has_feed=has_feed(ctx),
        hour_words=[(hour, f"{hour:02d}:00") for hour in range(24)],
    )


def _is_chosen(own: Rules, channel: Channel) -> bool:
    if own.ways is None:
        return channel.kind is ChannelKind.EMAIL
    return channel.id in own.ways
