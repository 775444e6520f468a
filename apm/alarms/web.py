"""The pages of alarms: the list, one alarm, and what is done with it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from marshmallow import Schema

from apm.alarms import commands
from apm.alarms.acting import LONGEST_SHELF, actions_of
from apm.alarms.catalogue import Spec
from apm.alarms.evidence import read_evidence
from apm.alarms.kpis import figures
from apm.alarms.opening import LATE
from apm.alarms.queries import (
    group_members,
    group_sizes,
    history_of,
    open_shelf,
    open_shelves,
    rules_for,
)
from apm.alarms.rule_pages import pages as rule_pages
from apm.alarms.schema import NoteIn, ShelveIn, VerdictIn, WhyForm
from apm.core.errors import Invalid
from apm.core.http import Form, context, load, requires
from apm.core.i18n import _
from apm.core.permissions import Permission
from apm.readings import queries
from apm.readings.model import Alarm
from apm.readings.profiles import limits_of
from apm.readings.reasons import sentence_for, title_of
from apm.readings.series import series
from apm.work.states import Priority

READ, HANDLE = Permission.ALARM_READ, Permission.ALARM_HANDLE
web = Blueprint("alarms", __name__)
web.register_blueprint(rule_pages)
CHART_POINTS = 400
BEFORE, AFTER = timedelta(hours=4), timedelta(hours=2)
SHOWN: dict[str, dict[str, Any]] = {
    "all": {},
    "active": {"active": True, "muted": False},
    "acknowledged": {"acknowledged": True},
    "silenced": {"active": True, "muted": True},
}
"""What each tab asks for."""


@web.get("/alarms")
@requires(READ)
def alarm_list() -> ResponseReturnValue:
    """The alarms, active ones first."""
    ctx = context()
    show = request.args.get("show", "all")
    show = show if show in SHOWN else "all"
    priority = request.args.get("priority")
    priority = priority if priority in set(Priority) else None
    page = queries.alarms_page(
        ctx, **SHOWN[show], priority=priority, after=request.args.get("after")
    )
    return render_template(
        "alarms/alarms.html",
        page=page,
        show=show,
        priority=priority,
        priorities=[one.value for one in Priority],
        n_active=queries.count_active(ctx),
        shelves=open_shelves(ctx) if show == "silenced" else [],
        sizes=group_sizes(ctx, page.items),
        title_of=title_of,
    )


@web.get("/alarms/figures")
@requires(READ)
def figures_page() -> ResponseReturnValue:
    """How many alarms there are, how soon they are answered, and which sensors cry wolf."""
    return render_template("alarms/figures.html", known=figures(context()), title_of=title_of)


@web.get("/alarms/<int:alarm_id>")
@requires(READ)
def alarm(alarm_id: int) -> ResponseReturnValue:
    """One alarm: what was seen, since when, and what is done about it."""
    return _page(alarm_id)


@web.post("/alarms/<int:alarm_id>/acknowledge")
@requires(HANDLE)
def acknowledge(alarm_id: int) -> ResponseReturnValue:
    """Say that one has seen it."""
    commands.acknowledge(context(), alarm_id=alarm_id, note=_note())
    return _done(alarm_id, _("The alarm is acknowledged."))


@web.post("/alarms/<int:alarm_id>/clear")
@requires(HANDLE)
def clear(alarm_id: int) -> ResponseReturnValue:
    """End it by hand."""
    commands.clear(context(), alarm_id=alarm_id, note=_note())
    return _done(alarm_id, _("The alarm is cleared."))


@web.post("/alarms/<int:alarm_id>/shelve")
@requires(HANDLE)
def shelve(alarm_id: int) -> ResponseReturnValue:
    """Silence it for a while."""
    return _with(
        alarm_id,
        "shelve",
        ShelveIn(),
        lambda data: commands.shelve(context(), alarm_id=alarm_id, **data),
        _("The alarm is silenced. It calls again by itself."),
    )


@web.post("/alarms/<int:alarm_id>/unshelve")
@requires(HANDLE)
def unshelve(alarm_id: int) -> ResponseReturnValue:
    """Let it call again."""
    commands.unshelve(context(), alarm_id=alarm_id)
    return _done(alarm_id, _("The alarm may call again."))


@web.post("/alarms/<int:alarm_id>/out-of-service")
@requires(Permission.ALARM_AUTHORISE)
def take_out(alarm_id: int) -> ResponseReturnValue:
    """Take its rule out of service."""
    return _with(
        alarm_id,
        "take_out",
        WhyForm(),
        lambda data: commands.take_out(context(), alarm_id=alarm_id, reason=data["why"]),
        _("The alarm is out of service until somebody puts it back."),
    )


@web.post("/alarms/<int:alarm_id>/in-service")
@requires(Permission.ALARM_AUTHORISE)
def put_back(alarm_id: int) -> ResponseReturnValue:
    """Put its rule back into service."""
    commands.put_back(context(), alarm_id=alarm_id)
    return _done(alarm_id, _("The alarm is in service again."))


@web.post("/alarms/<int:alarm_id>/verdict")
@requires(HANDLE)
def judge(alarm_id: int) -> ResponseReturnValue:
    """Say whether it was real."""
    return _with(
        alarm_id,
        "judge",
        VerdictIn(),
        lambda data: commands.judge(context(), alarm_id=alarm_id, is_real=data["real"]),
        _("Thank you. The figures of this rule rest on it."),
    )


def _with(
    alarm_id: int, name: str, schema: Schema, act: Callable[[dict[str, Any]], object], said: str
) -> ResponseReturnValue:
    """Do what a form asks for, or show the page with what is wrong with it."""
    queries.alarm_by_id(context(), alarm_id)
    form = load(schema, request.form)
    if form.data is None:
        return _page(alarm_id, {name: form}, 422)
    try:
        act(form.data)
    except Invalid as error:
        errors = {field: [str(text) for text in texts] for field, texts in error.fields.items()}
        refused = Form(None, errors or {"_schema": [str(error)]}, request.form)
        return _page(alarm_id, {name: refused}, 422)
    return _done(alarm_id, said)


def _done(alarm_id: int, said: str) -> ResponseReturnValue:
    flash(said, "success")
    return redirect(url_for("alarms.alarm", alarm_id=alarm_id), 303)


def _page(
    alarm_id: int, forms: dict[str, Form] | None = None, status: int = 200
) -> ResponseReturnValue:
    ctx = context()
    found = queries.alarm_by_id(ctx, alarm_id)
    end = (found.returned_at or found.ended_at or ctx.now()) + AFTER
    is_limit = found.score is None and found.limit is not None
    points = (
        series(
            ctx, found.sensor_id, start=found.since - BEFORE, end=end, most=CHART_POINTS
        ).points()
        if found.score is None and found.since - BEFORE < end
        else []
    )
    return render_template(
        "alarms/alarm.html",
        alarm=found,
        evidence=read_evidence(found),
        points=points,
        start=found.since - BEFORE,
        end=end,
        is_limit=is_limit,
        late=_lateness(found),
        spec=_spec(found, rules_for(ctx, found.sensor)),
        members=[one for one in group_members(ctx, found.group_id) if one.id != found.id],
        history=history_of(ctx, found),
        shelf=open_shelf(ctx, found),
        actions=actions_of(found, ctx.actor),
        longest=int(LONGEST_SHELF[Priority(found.priority)] / timedelta(minutes=1)),
        limits=limits_of(found.sensor),
        title=title_of(found.reason),
        title_of=title_of,
        sentence=sentence_for(found.reason),
        forms=forms or {},
    ), status


def _spec(alarm: Alarm, specs: tuple[Spec, ...]) -> Spec | None:
    return next((spec for spec in specs if spec.key == alarm.rule), None)


def _lateness(alarm: Alarm) -> timedelta | None:
    """Return how long after it was to be raised an alarm was noticed, if that is long."""
    if alarm.noticed_at is None or not alarm.rule:
        return None
    late: timedelta = alarm.noticed_at - alarm.raised_at
    return late if late >= LATE else None


def _note() -> str | None:
    """Return the note that goes with it; one that is too long is cut, not refused."""
    note: str = request.form.get("note", "").strip()
    return note[: NoteIn.LONGEST] or None
