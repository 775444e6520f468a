"""What speaks for a person, in words: kept as plain data, said in the reader's language."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from babel.dates import format_datetime, format_time

from apm.assets.categories import all_categories
from apm.core.i18n import _, language, ngettext
from apm.teams.routing import Candidate


def reasons_for(candidate: Candidate, zone: str) -> list[str]:
    """Return what speaks for or against somebody, each a phrase of its own."""
    return [_duty(candidate, zone), *_rest(candidate.as_record())]


def reasons_kept(record: Mapping[str, Any]) -> list[str]:
    """Return the phrases for what was kept when an order went to somebody."""
    return [_("On duty") if record["on_duty"] else _("Off duty"), *_rest(record)]


def _rest(record: Mapping[str, Any]) -> list[str]:
    phrases = []
    if record["category"] and (skill := _skill(record)):
        phrases.append(skill)
    n = record["open"]
    phrases.append(ngettext("%(n)s open order", "%(n)s open orders", n))
    return phrases


def _duty(candidate: Candidate, zone: str) -> str:
    locale = "zh_Hans_CN" if language() == "zh" else "en_GB"
    if candidate.duty_until:
        until = format_time(_local(candidate.duty_until, zone), "HH:mm", locale=locale)
        return _("On duty until %(time)s", time=until)
    if candidate.next_duty:
        begins = _local(candidate.next_duty, zone)
        pattern = "M月d日 HH:mm" if language() == "zh" else "d MMM HH:mm"
        return _("On duty from %(time)s", time=format_datetime(begins, pattern, locale=locale))
    return _("Off duty")


def _local(at: datetime, zone: str) -> datetime:
    return at.astimezone(ZoneInfo(zone)).replace(tzinfo=None)


def _skill(record: Mapping[str, Any]) -> str:
    category = category_name(record["category"])
    if record["expired"]:
        return _("Competence expired: %(category)s", category=category)
    if record["level"] == "alone":
        return _("Competent: %(category)s", category=category)
    if record["level"] == "supervised":
        return _("Under supervision: %(category)s", category=category)
    return ""


def category_name(code: str) -> str:
    """Return the name of a category in the language spoken, its code when there is none."""
    return next((c.name for c in all_categories() if c.code == code), code)
