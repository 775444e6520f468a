"""Why a plan is due now: a list of plain facts, stored with the occurrence and read aloud here.

A reason is a JSON object with `trigger` and `due` (a day) and the numbers of its kind:

- `calendar`, `completion`: `every` (`{"months": 6}`), and `anchor` or `last`;
- `before_use`: `held_since`, the day it went out of use; `due`, the day it was back;
- `meter`: `meter`, `value`, `base`, `every`, `per_day`, `n`, `earliest`, `latest`;
- `condition`: `sensor`, `unit`, `value`, `limit`, `is_above`, `minutes`, `since`;
- `prediction`: `probability`, `horizon_days`, `why`;
- `by_hand`: `by`, `note`.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

from babel.numbers import format_decimal

from apm.core.chances import chance
from apm.core.i18n import _, language, ngettext
from apm.labels import label
from apm.maintenance.due import Interval
from apm.maintenance.model import Plan, PlanMode, PlanTrigger

Reason = dict[str, Any]


def of_calendar(plan: Plan, due: date) -> Reason:
    """Return why the calendar (or the last completion) makes a plan due."""
    every = plan.interval.as_plain()
    if plan.mode is PlanMode.FIXED:
        anchor = plan.anchor.isoformat()
        return {"trigger": "calendar", "due": due.isoformat(), "every": every, "anchor": anchor}
    return {"trigger": "completion", "due": due.isoformat(), "every": every}


def before_use(held_since: date, returned: date) -> Reason:
    """Return why equipment that is back after a time out of use is due before use."""
    held = held_since.isoformat()
    return {"trigger": "before_use", "due": returned.isoformat(), "held_since": held}


def of_trigger(trigger: PlanTrigger) -> Reason:
    """Return why a trigger that is due makes its plan due."""
    due = trigger.due_on.isoformat() if trigger.due_on else None
    return {**(trigger.detail or {}), "trigger": trigger.kind.value, "due": due}


def earliest_first(reasons: Iterable[Reason]) -> list[Reason]:
    """Return reasons by due day; the calendar first among equals."""
    return sorted(reasons, key=lambda reason: (reason["due"] or "", reason["trigger"]))


def said(reason: Reason) -> str:
    """Return one reason as a sentence in the language spoken."""
    tell = _SAYINGS.get(reason["trigger"])
    return tell(reason) if tell else label("occurrence_why", reason["trigger"])


def every(interval: Interval) -> str:
    """Return how often, in words.

    >>> every(Interval(months=6)), every(Interval(days=90)), every(Interval())
    ('Every 6 months', 'Every 90 days', 'No fixed interval')
    """
    if interval.months:
        return ngettext("Every month", "Every %(n)s months", interval.months)
    if interval.days:
        return ngettext("Every day", "Every %(n)s days", interval.days)
    return _("No fixed interval")


def number(value: object) -> str:
    """Return a number as one reads it; nothing for none."""
    if not isinstance(value, (int, float)):
        return "–"
    return str(
        format_decimal(round(value, 2), locale="zh_Hans_CN" if language() == "zh" else "en_GB")
    )


def _calendar(reason: Reason) -> str:
    interval = Interval(**(reason.get("every") or {}))
    return _("Due by the calendar: %(every)s.", every=every(interval))


def _completion(reason: Reason) -> str:
    interval = Interval(**(reason.get("every") or {}))
    return _("Due since the last completion: %(every)s.", every=every(interval))


def _before_use(reason: Reason) -> str:
    return _(
        "Out of use from %(first)s to %(last)s: due before use again.",
        first=reason["held_since"],
        last=reason["due"],
    )


def _meter(reason: Reason) -> str:
    return _(
        "%(meter)s: %(since)s of %(every)s since the last visit (meter at %(value)s).",
        meter=label("meter", reason["meter"]),
        since=number(reason["value"] - reason["base"]),
        every=number(reason["every"]),
        value=number(reason["value"]),
    )


def _condition(reason: Reason) -> str:
    facts = {
        "sensor": reason["sensor"],
        "limit": number(reason["limit"]),
        "unit": reason.get("unit") or "",
        "minutes": reason["minutes"],
        "value": number(reason["value"]),
    }
    if reason["is_above"]:
        return _(
            "%(sensor)s above %(limit)s %(unit)s for %(minutes)s minutes (last %(value)s).",
            **facts,
        )
    return _(
        "%(sensor)s below %(limit)s %(unit)s for %(minutes)s minutes (last %(value)s).", **facts
    )


def _prediction(reason: Reason) -> str:
    return _(
        "Failure within %(days)s days foretold with %(chance)s: %(why)s",
        days=reason["horizon_days"],
        chance=chance(reason["probability"]),
        why=reason["why"],
    )


def _by_hand(reason: Reason) -> str:
    return _("Asked for by %(name)s: %(note)s", name=reason["by"], note=reason["note"])


_SAYINGS = {
    "calendar": _calendar,
    "completion": _completion,
    "before_use": _before_use,
    "meter": _meter,
    "condition": _condition,
    "prediction": _prediction,
    "by_hand": _by_hand,
}
