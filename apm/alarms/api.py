"""The JSON API of alarms and their rules."""

from __future__ import annotations

from typing import Any

from flask import Response, jsonify

from apm.alarms import commands, rule_commands
from apm.alarms.acting import actions_of
from apm.alarms.queries import rules_for
from apm.alarms.schema import (
    AlarmOut,
    AlarmPage,
    AlarmsWanted,
    NoteIn,
    ReasonIn,
    RuleIn,
    RuleList,
    ShelveIn,
    VerdictIn,
)
from apm.core.http import check_version, context, requires
from apm.core.intake import Blueprint
from apm.core.permissions import Permission
from apm.readings import queries
from apm.readings.model import Alarm

READ, HANDLE = Permission.ALARM_READ, Permission.ALARM_HANDLE
api = Blueprint("alarms_api", __name__, url_prefix="/api/v1", description="Alarms")


@api.get("/alarms")
@api.arguments(AlarmsWanted, location="query")
@api.response(200, AlarmPage)
@requires(READ)
def alarms(wanted: dict[str, Any]) -> Any:
    """List the alarms, active ones first, then the newest."""
    return queries.alarms_page(context(), **wanted)


@api.get("/alarms/<int:alarm_id>")
@api.response(200, AlarmOut)
@requires(READ)
def alarm(alarm_id: int) -> Response:
    """One alarm with its evidence and the actions open to the caller."""
    return _answer(queries.alarm_by_id(context(), alarm_id))


@api.post("/alarms/<int:alarm_id>/acknowledge")
@api.arguments(NoteIn)
@api.response(200, AlarmOut)
@requires(HANDLE)
def acknowledge(given: dict[str, Any], alarm_id: int) -> Response:
    """Say that somebody has seen it."""
    _check(alarm_id)
    return _answer(commands.acknowledge(context(), alarm_id=alarm_id, **given))


@api.post("/alarms/<int:alarm_id>/clear")
@api.arguments(NoteIn)
@api.response(200, AlarmOut)
@requires(HANDLE)
def clear(given: dict[str, Any], alarm_id: int) -> Response:
    """End it by hand."""
    _check(alarm_id)
    return _answer(commands.clear(context(), alarm_id=alarm_id, **given))


@api.post("/alarms/<int:alarm_id>/shelve")
@api.arguments(ShelveIn)
@api.response(200, AlarmOut)
@requires(HANDLE)
def shelve(given: dict[str, Any], alarm_id: int) -> Response:
    """Silence it for a while: at most 1 hour when urgent, 8 when high, 1 day, 7 days when low."""
    _check(alarm_id)
    return _answer(commands.shelve(context(), alarm_id=alarm_id, **given))


@api.post("/alarms/<int:alarm_id>/unshelve")
@api.response(200, AlarmOut)
@requires(HANDLE)
def unshelve(alarm_id: int) -> Response:
    """Let it call again."""
    _check(alarm_id)
    return _answer(commands.unshelve(context(), alarm_id=alarm_id))


@api.post("/alarms/<int:alarm_id>/out-of-service")
@api.arguments(ReasonIn)
@api.response(200, AlarmOut)
@requires(Permission.ALARM_AUTHORISE)
def take_out(given: dict[str, Any], alarm_id: int) -> Response:
    """Take its rule out of service on its sensor, until somebody puts it back."""
    _check(alarm_id)
    return _answer(commands.take_out(context(), alarm_id=alarm_id, **given))


@api.post("/alarms/<int:alarm_id>/in-service")
@api.response(200, AlarmOut)
@requires(Permission.ALARM_AUTHORISE)
def put_back(alarm_id: int) -> Response:
    """Put its rule back into service."""
    _check(alarm_id)
    return _answer(commands.put_back(context(), alarm_id=alarm_id))


@api.post("/alarms/<int:alarm_id>/verdict")
@api.arguments(VerdictIn)
@api.response(200, AlarmOut)
@requires(HANDLE)
def judge(given: dict[str, Any], alarm_id: int) -> Response:
    """Say whether it was real."""
    _check(alarm_id)
    return _answer(commands.judge(context(), alarm_id=alarm_id, is_real=given["real"]))


@api.get("/sensors/<code>/alarm-rules")
@api.response(200, RuleList)
@requires(Permission.READING_READ)
def rules(code: str) -> Any:
    """List the rules in force on a sensor, those that are off too."""
    ctx = context()
    return {"items": rules_for(ctx, queries.sensor_by_code(ctx, code)), "next": None}


@api.put("/sensors/<code>/alarm-rules/<key>")
@api.arguments(RuleIn)
@api.response(200, RuleList)
@requires(Permission.SENSOR_EDIT)
def set_rule(given: dict[str, Any], code: str, key: str) -> Any:
    """Let one rule depart from what is shipped, and say why."""
    ctx = context()
    change = rule_commands.Change(is_on=given.pop("on"), **given)
    rule_commands.set_rule(ctx, sensor=code, key=key, change=change)
    return {"items": rules_for(ctx, queries.sensor_by_code(ctx, code)), "next": None}


@api.delete("/sensors/<code>/alarm-rules/<key>")
@api.response(200, RuleList)
@requires(Permission.SENSOR_EDIT)
def reset_rule(code: str, key: str) -> Any:
    """Let one rule be as shipped again."""
    ctx = context()
    rule_commands.reset_rule(ctx, sensor=code, key=key)
    return {"items": rules_for(ctx, queries.sensor_by_code(ctx, code)), "next": None}


def _check(alarm_id: int) -> None:
    check_version(queries.alarm_by_id(context(), alarm_id).version)


def _answer(found: Alarm) -> Response:
    plain = AlarmOut(exclude=("actions",)).dump(found)
    answer = jsonify({**plain, "actions": actions_of(found, context().actor)})
    answer.set_etag(str(found.version))
    return answer
