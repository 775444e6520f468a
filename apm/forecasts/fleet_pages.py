"""The fleet: which equipment is most at risk, why, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Any, TypeVar

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict

from apm.accounts.queries import hospital_day, zone_of
from apm.assets.categories import all_categories
from apm.assets.model import Risk
from apm.assets.queries import departments
from apm.core.chances import percent
from apm.core.command import Context
from apm.core.http import context, requires
from apm.core.i18n import _, choose
from apm.core.permissions import Permission
from apm.forecasts import wording
from apm.forecasts.fleet import FleetCounts, FleetFilter, fleet_counts, fleet_page
from apm.forecasts.fleet_model import Band, Standing
from apm.forecasts.handling import schedule_forecast
from apm.forecasts.horizons import muted_horizons
from apm.forecasts.model import ModelKind
from apm.forecasts.together import together
from apm.labels import label

fleet_pages = Blueprint("fleet", __name__)
SHOWN: dict[str, dict[str, Any]] = {
    "all": {},
    "asks": {"only_asking": True},
    "needs": {"standing": Standing.NEEDS},
    "muted": {"standing": Standing.MUTED},
}
"""What each tab asks for."""
FILTERS = ("department", "category", "kind", "risk", "band")
One = TypeVar("One", bound=StrEnum)


@fleet_pages.get("/fleet")
@requires(Permission.FORECAST_READ)
def overview() -> ResponseReturnValue:
    """The fleet, ranked by what a failure within 90 days would cost times its chance."""
    ctx = context()
    show = request.args.get("show", "all")
    show = show if show in SHOWN else "all"
    wanted = filter_of(request.args, show)
    after = request.args.get("after")
    page = fleet_page(ctx, wanted, after=after)
    counts = fleet_counts(ctx, wanted)
    places = [(d.name, choose(d.name, d.name_zh)) for d in departments(ctx)]
    address = request.args.to_dict(flat=False)
    return render_template(
        "forecasts/fleet.html",
        page=page,
        counts=counts,
        show=show,
        wanted=wanted,
        after=after,
        address={n: v for n, v in address.items() if n in {"q", "show", *FILTERS}},
        chosen=[(kind, value) for kind in FILTERS for value in getattr(wanted, kind)],
        departments=places,
        categories=[(c.code, c.name) for c in all_categories()],
        kinds=list(ModelKind),
        risks=list(Risk),
        bands=list(Band),
        cell_heads=[{"text": label("chance_band", one), "num": True} for one in Band],
        visits=together(ctx) if show in {"all", "asks"} and not after else None,
        is_stale=counts.is_stale(ctx.now()),
        needed=_needed(counts),
        **words(ctx),
    )


@fleet_pages.post("/fleet/forecasts/<int:record_id>/schedule")
@requires(Permission.FORECAST_HANDLE)
def schedule(record_id: int) -> ResponseReturnValue:
    """Open the work that a forecast speaks for."""
    order = schedule_forecast(context(), record_id=record_id)
    flash(_("The work is planned. Give it to somebody here."), "success")
    return redirect(url_for("work.show", no=order.no), 303)


def filter_of(args: MultiDict[str, str], show: str) -> FleetFilter:
    """Return the filter an address says; values that mean nothing are left out."""
    return FleetFilter(
        q=args.get("q", "").strip()[:200],
        department=tuple(args.getlist("department")),
        category=tuple(args.getlist("category")),
        kind=_known(args.getlist("kind"), ModelKind),
        risk=_known(args.getlist("risk"), Risk),
        band=_known(args.getlist("band"), Band),
        **SHOWN[show],
    )


def words(ctx: Context) -> dict[str, object]:
    """Return what the templates say forecasts with."""
    zone, today = zone_of(ctx), hospital_day(ctx)
    return {
        "odds": wording.odds,
        "percent": percent,
        "chance_words": wording.chance_words,
        "life_words": wording.life_words,
        "driver_words": wording.driver_words,
        "needs_words": wording.needs_words,
        "forecast_sentence": wording.sentence,
        "farthest": wording.farthest,
        "muted_horizons": muted_horizons,
        "work_by": lambda said: wording.work_by(said, said.kind, zone, today=today),
    }


def _known(texts: Iterable[str], kind: type[One]) -> tuple[One, ...]:
    values = {one.value for one in kind}
    return tuple(kind(text) for text in texts if text in values)


def _needed(counts: FleetCounts) -> list[tuple[str, int]]:
    """Return what is missing, in words, and to how many assets; the most common first."""
    return [(wording.missing_words(code), n) for code, n in counts.needs.most_common()]
