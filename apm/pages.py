"""What every page is given: who looks, the menu, and how dates and numbers are written."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_datetime, format_timedelta
from babel.numbers import format_currency, format_decimal
from flask import Flask, g, request, url_for
from jinja2 import FileSystemBytecodeCache

from apm.accounts.queries import own_hospital
from apm.core.chances import chance, percent
from apm.core.clock import utc_now
from apm.core.codes import new_code
from apm.core.http import context
from apm.core.i18n import _, _l, choose, language, ngettext
from apm.core.permissions import Permission
from apm.core.settings import ROOT
from apm.labels import label
from apm.notify.messages import message_text
from apm.notify.queries import unread_count

P = Permission
MENU = (
    ("/", _l("Today"), "home", P.WORK_READ),
    ("/scan", _l("Scan"), "scan", P.ASSET_READ),
    ("/assets", _l("Assets"), "box", P.ASSET_READ),
    ("/requests", _l("Requests"), "bell", P.REQUEST_READ),
    ("/work-orders", _l("Work orders"), "tool", P.WORK_READ),
    ("/queue", _l("Queue"), "users", P.WORK_READ),
    ("/alarms", _l("Alarms"), "alert", P.ALARM_READ),
    ("/fleet", _l("Fleet health"), "heart", P.FORECAST_READ),
    ("/environment", _l("Environment"), "thermometer", P.READING_READ),
    ("/environment/checks", _l("Checks by hand"), "edit", P.ENVIRONMENT_CHECK),
    ("/calendar", _l("Calendar"), "calendar", P.WORK_READ),
    ("/rounds", _l("Rounds"), "pin", P.WORK_READ),
    ("/plans", _l("Plans"), "layers", P.PLAN_READ),
    ("/metrology", _l("Metrology"), "check", P.METROLOGY_READ),
    ("/risk", _l("Risk and intervals"), "refresh", P.PLAN_READ),
    ("/recalls", _l("Recalls"), "alert", P.RECALL_READ),
    ("/stocktakes", _l("Stocktakes"), "list", P.STOCKTAKE_RUN),
    ("/parts", _l("Spare parts"), "layers", P.PART_READ),
    ("/vendors", _l("Vendors"), "users", P.VENDOR_EDIT),
    ("/analytics", _l("Analytics"), "chart", P.ANALYTICS_READ),
    ("/admin/audit", _l("Audit trail"), "shield", P.AUDIT_READ),
    ("/admin/teams", _l("Teams"), "clock", P.TEAM_EDIT),
    ("/admin", _l("Administration"), "gear", P.USER_ADMIN),
)


class Link(NamedTuple):
    """One entry of the menu."""

    url: str
    label: str
    icon: str
    is_current: bool


@dataclass(frozen=True, slots=True)
class HospitalCard:
    """The hospital as the header shows it."""

    name: str
    phone: str | None
    timezone: str
    currency: str


def compiled_templates(folder: Path) -> FileSystemBytecodeCache | None:
    """Keep compiled templates as Python keeps compiled modules: beside them, if one may write.

    Compiling all takes seconds of each process; a file is made anew when its template changes.
    """
    if sys.dont_write_bytecode:
        return None
    try:
        folder.mkdir(exist_ok=True)
    except OSError:  # installed read-only: each process compiles what it shows
        return None
    return FileSystemBytecodeCache(str(folder)) if os.access(folder, os.W_OK) else None


def install(app: Flask) -> None:
    """Give the templates their globals and filters."""
    app.jinja_env.bytecode_cache = compiled_templates(ROOT / "templates" / "__pycache__")
    app.context_processor(_shell)
    app.jinja_env.globals.update(
        _=_,
        ngettext=ngettext,
        label=label,
        choose=choose,
        new_nonce=new_code,
        Permission=P,
        message_text=message_text,
    )
    app.jinja_env.filters.update(
        dateformat=dateformat,
        datetimeformat=datetimeformat,
        decimalformat=decimalformat,
        chance=chance,
        percent=percent,
        money=money,
        timeago=timeago,
    )


def _shell() -> dict[str, Any]:
    """Return what base.html reads.  Safe in an error page: then nobody may be known."""
    if "context" not in g:
        return _nobody()
    ctx = context()
    hospital = own_hospital(ctx)
    g.timezone = hospital.timezone if hospital else "Asia/Shanghai"
    signed_in = ctx.actor.user_id is not None
    card = None
    if hospital:
        card = HospitalCard(
            choose(hospital.name, hospital.name_zh),
            hospital.phone,
            hospital.timezone,
            hospital.currency,
        )
    return {
        **_nobody(),
        "actor": ctx.actor,
        "can": ctx.actor.can,
        "hospital": card,
        "nav": _menu() if signed_in else [],
        "unread": unread_count(ctx) if signed_in else 0,
        "inbox_url": url_for("notify.inbox"),
        "profile_url": url_for("accounts.account"),
        "sign_out_url": url_for("accounts.sign_out"),
    }


def _nobody() -> dict[str, Any]:
    theme = request.cookies.get("theme")
    return {
        "actor": None,
        "can": lambda _permission: False,
        "hospital": None,
        "nav": [],
        "unread": 0,
        "lang": "zh-Hans" if language() == "zh" else "en",
        "other_language_url": _other_language(),
        "theme": theme if theme in {"light", "dark"} else None,
    }


def _menu() -> list[Link]:
    links = [
        (url, text, icon)
        for url, text, icon, permission in MENU
        if context().actor.can(permission)
    ]
    here = max((u for u, _t, _i in links if _is_under(request.path, u)), key=len, default="")
    return [Link(url, str(text), icon, url == here) for url, text, icon in links]


def _is_under(path: str, url: str) -> bool:
    return path == url or (url != "/" and path.startswith(url + "/"))


def _other_language() -> str:
    other = "en" if language() == "zh" else "zh"
    query = [(k, v) for k, v in request.args.items(multi=True) if k != "lang"]
    return f"{request.path}?{urlencode([*query, ('lang', other)])}"


def _locale() -> str:
    return "zh_Hans_CN" if language() == "zh" else "en_GB"


def _zone() -> str:
    return str(g.get("timezone", "Asia/Shanghai"))


def _local(value: datetime) -> datetime:
    return value.astimezone(ZoneInfo(_zone()))


def dateformat(value: date | datetime | None, format: str = "medium") -> str:  # noqa: A002
    """Return a day as the language writes it, in the hospital's time zone."""
    if value is None:
        return "–"
    day = _local(value).date() if isinstance(value, datetime) else value
    return format_date(day, format=format, locale=_locale())


def datetimeformat(value: datetime | None, format: str = "medium") -> str:  # noqa: A002
    """Return a day and time as the language writes it, in the hospital's time zone."""
    if value is None:
        return "–"
    return format_datetime(_local(value), format=format, locale=_locale())


def decimalformat(value: float | None, format: str | None = None) -> str:  # noqa: A002
    """Return a number as the language writes it."""
    return "–" if value is None else format_decimal(value, format=format, locale=_locale())


def money(minor: int | None, currency: str = "CNY") -> str:
    """Return an amount given in minor units (fen), as the language writes money."""
    return "–" if minor is None else format_currency(minor / 100, currency, locale=_locale())


def timeago(value: datetime | None) -> str:
    """Return how long ago (or ahead) an instant is, in words."""
    if value is None:
        return "–"
    delta: timedelta = value - utc_now()
    return format_timedelta(delta, add_direction=True, locale=_locale())
