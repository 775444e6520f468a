"""The pages of alarm rules: of one sensor, and of a profile."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from apm.alarms import rule_commands
from apm.alarms.catalogue import UNITS, Spec
from apm.alarms.model import AlarmRule
from apm.alarms.queries import own_rules, rules_for, rules_of_profile
from apm.alarms.schema import RuleIn
from apm.core.errors import Invalid, NotFound
from apm.core.http import Form, context, load, requires
from apm.core.i18n import _, _l, choose
from apm.core.permissions import Permission
from apm.readings.profiles import Profile, profiles
from apm.readings.queries import sensor_by_code
from apm.readings.schema import QUANTITIES
from apm.work.states import Priority

READ, EDIT = Permission.READING_READ, Permission.SENSOR_EDIT
pages = Blueprint("rules", __name__)
CANONICAL = {"temperature": "°C", "humidity": "%"}


@pages.get("/alarms/rules")
@requires(READ)
def overview() -> ResponseReturnValue:
    """The profiles, each with a page of its rules."""
    return render_template("alarms/profiles.html", profiles=list(profiles().values()))


@pages.get("/alarms/rules/<profile>")
@requires(READ)
def profile_page(profile: str) -> ResponseReturnValue:
    """The rules of a profile."""
    ctx, found = context(), _known(profile)
    groups = [
        (quantity, QUANTITIES[quantity], unit, rules_of_profile(ctx, found.code, quantity, unit))
        for quantity, unit in CANONICAL.items()
        if quantity in found.limits
    ]
    return render_template(
        "alarms/profile_rules.html",
        profile=found,
        groups=groups,
        own=own_rules(ctx, sensor_id=None, profile=found.code),
    )


@pages.route(
    "/alarms/rules/<profile>/<any(temperature, humidity):quantity>/<key>",
    methods=["GET", "POST"],
)
@requires(EDIT)
def edit_profile_rule(profile: str, quantity: str, key: str) -> ResponseReturnValue:
    """Let a rule of a profile depart from what is shipped."""
    found = _known(profile)
    specs = rules_of_profile(context(), found.code, quantity, CANONICAL[quantity])
    here = _Edited(
        _spec(specs, key),
        found.name,
        CANONICAL[quantity],
        own_rules(context(), sensor_id=None, profile=found.code).get(key),
        url_for("alarms.rules.profile_page", profile=found.code),
        url_for("alarms.rules.reset_profile_rule", profile=found.code, key=key),
    )
    return _edit(
        here,
        lambda change: rule_commands.set_profile_rule(
            context(), profile=found.code, key=key, change=change
        ),
    )


@pages.post("/alarms/rules/<profile>/<key>/reset")
@requires(EDIT)
def reset_profile_rule(profile: str, key: str) -> ResponseReturnValue:
    """Let a rule of a profile be as shipped again."""
    rule_commands.reset_profile_rule(context(), profile=_known(profile).code, key=key)
    flash(_("The rule is as shipped again."), "success")
    return redirect(url_for("alarms.rules.profile_page", profile=profile), 303)


@pages.get("/sensors/<code>/rules")
@requires(READ)
def sensor_page(code: str) -> ResponseReturnValue:
    """The rules of a sensor."""
    ctx = context()
    found = sensor_by_code(ctx, code)
    return render_template(
        "alarms/sensor_rules.html",
        sensor=found,
        specs=rules_for(ctx, found),
        own=own_rules(ctx, sensor_id=found.id, profile=None),
        profile=profiles().get(found.profile or ""),
        has_unit=found.unit in UNITS.get(found.quantity, ()),
    )


@pages.route("/sensors/<code>/rules/<key>", methods=["GET", "POST"])
@requires(EDIT)
def edit_rule(code: str, key: str) -> ResponseReturnValue:
    """Let a rule of a sensor depart from what is shipped."""
    ctx = context()
    found = sensor_by_code(ctx, code)
    here = _Edited(
        _spec(rules_for(ctx, found), key),
        choose(found.name, found.name_zh),
        found.unit,
        own_rules(ctx, sensor_id=found.id, profile=None).get(key),
        url_for("alarms.rules.sensor_page", code=code),
        url_for("alarms.rules.reset_rule", code=code, key=key),
    )
    return _edit(
        here,
        lambda change: rule_commands.set_rule(context(), sensor=code, key=key, change=change),
    )


@pages.post("/sensors/<code>/rules/<key>/reset")
@requires(EDIT)
def reset_rule(code: str, key: str) -> ResponseReturnValue:
    """Let a rule of a sensor be as shipped again."""
    rule_commands.reset_rule(context(), sensor=code, key=key)
    flash(_("The rule is as shipped again."), "success")
    return redirect(url_for("alarms.rules.sensor_page", code=code), 303)


@dataclass(frozen=True, slots=True)
class _Edited:
    """What the form is about: the rule, whose it is, and where it leads."""

    spec: Spec
    name: str
    unit: str
    row: AlarmRule | None
    back_url: str
    reset_url: str


def _edit(here: _Edited, save: Callable[[rule_commands.Change], object]) -> ResponseReturnValue:
    if request.method != "POST":
        return _form(here, None), 200
    form = load(RuleIn(), request.form)
    if form.data is None:
        return _form(here, form), 422
    try:
        save(rule_commands.Change(is_on=form.data.pop("on"), **form.data))
    except Invalid as error:
        fields = {name: [str(text) for text in texts] for name, texts in error.fields.items()}
        return _form(here, Form(None, fields, request.form)), 422
    flash(_("The rule is changed. It holds from now on."), "success")
    return redirect(here.back_url, 303)


def _form(here: _Edited, form: Form | None) -> str:
    return render_template(
        "alarms/rule_form.html",
        spec=here.spec,
        name=here.name,
        unit=here.unit,
        row=here.row,
        back_url=here.back_url,
        reset_url=here.reset_url,
        form=form,
        proposed=request.args.get("limit"),
        why=request.args.get("why", "")[:2000],
        priorities=[one.value for one in Priority],
    )


def _spec(specs: Sequence[Spec], key: str) -> Spec:
    found = next((spec for spec in specs if spec.key == key), None)
    if found is None:
        raise NotFound(_l("There is no such rule here. Choose one from the list."))
    return found


def _known(code: str) -> Profile:
    found = profiles().get(code)
    if found is None:
        raise NotFound(_l("There is no such profile. Choose one of the list."))
    return found
