"""The pages of places: all of them, one room with its past, and what is known of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from apm.accounts.queries import zone_of
from apm.assets.queries import locations
from apm.core.command import Context
from apm.core.errors import DomainError
from apm.core.http import Form, context, load, requires
from apm.core.i18n import _, choose
from apm.core.permissions import Permission
from apm.environment import places
from apm.environment.climate import damp_now
from apm.environment.places import COLD_STORES, Place
from apm.environment.reporting import reports_by_start
from apm.environment.schema import PlaceIn
from apm.environment.stretches import Stretch, heat_map, mkt_window, stretch_of
from apm.environment.wall import cards_of, curves, outside_since
from apm.readings.profiles import profiles
from predict.excursions import Excursion

READ, EDIT = Permission.READING_READ, Permission.ENVIRONMENT_EDIT
place_pages = Blueprint("places", __name__)
PERIODS = {
    "day": timedelta(days=1), "week": timedelta(days=7), "month": timedelta(days=30),
    "quarter": timedelta(days=91),
}  # fmt: skip
HEAT_DAYS = 28
WEEKDAYS = [date(2024, 1, 1) + timedelta(days=k) for k in range(7)]
"""Days that stand for the days of the week, a Monday first."""
Shown = tuple[Stretch, Excursion, float | None]
"""A sensor's stretch, one excursion in it, and its mean kinetic temperature."""


@place_pages.get("/environment/places")
@requires(READ)
def all_places() -> ResponseReturnValue:
    """The places that are watched."""
    ctx = context()
    return render_template(
        "environment/places.html",
        rows=places.watched_places(ctx),
        profiles=profiles(),
        others=[(place.code, choose(place.name, place.name_zh)) for place in locations(ctx)],
    )


@place_pages.get("/environment/places/choose")
@requires(EDIT)
def choose_place() -> ResponseReturnValue:
    """Go on to what is known of the place that was chosen."""
    found = places.place_by_code(context(), request.args.get("place", ""))
    return redirect(url_for("environment.places.describe", place=found.location.code), 303)


@place_pages.get("/environment/<place>")
@requires(READ)
def show(place: str) -> ResponseReturnValue:
    """One place: what it reads, its limits, when they were left, what broke meanwhile."""
    ctx = context()
    found = places.place_by_code(ctx, place)
    period = request.args.get("period", "")
    period = period if period in PERIODS else "week"
    end = ctx.now()
    start = end - PERIODS[period]
    sensors = places.sensors_in(ctx, found.location, start)
    cards = cards_of(ctx, sensors, end)
    points = curves(ctx, cards, end)
    stretches = [stretch_of(ctx, one, start, end) for one in sensors]
    chosen = _chosen(stretches, [card.seen.code for card in cards])
    holes = chosen.gaps() if chosen else []
    orders = places.orders_between(ctx, found.location, start, end)
    return render_template(
        "environment/place.html",
        place=found,
        period=period,
        periods=list(PERIODS),
        now=end,
        cards=cards,
        points=points,
        since={c.seen.sensor_id: outside_since(points[c.seen.sensor_id], c.limits) for c in cards},
        stretches=stretches,
        chosen=chosen,
        excursions=_excursions(stretches),
        reports=reports_by_start(ctx, [one.sensor_id for one in sensors]),
        orders=orders,
        began_at=places.began_at,
        equipment=places.equipment_in(ctx, found.location),
        damp=damp_now(cards, end),
        grid=_heat(ctx, chosen, end),
        gaps=len(holes),
        longest_gap=max(holes, key=lambda gap: gap[1] - gap[0], default=None),
        weekdays=WEEKDAYS,
        profile=profiles().get(found.profile or ""),
    )


@place_pages.route("/environment/<place>/settings", methods=["GET", "POST"])
@requires(EDIT)
def describe(place: str) -> ResponseReturnValue:
    """Say what is known of a place."""
    found = places.place_by_code(context(), place)
    if request.method != "POST":
        return _settings(found, None)
    form = load(PlaceIn(), request.form)
    if form.data is None:
        return _settings(found, form), 422
    try:
        places.describe_place(context(), place=place, **form.data)
    except DomainError as error:
        fields = {name: [str(text) for text in texts] for name, texts in error.fields.items()}
        refused = Form(None, fields or {"_schema": [str(error)]}, request.form)
        return _settings(places.place_by_code(context(), place), refused), error.status
    flash(_("The place is saved."), "success")
    return redirect(url_for("environment.places.show", place=found.location.code), 303)


def _settings(place: Place, form: Form | None) -> str:
    choices = [(profile.code, profile.name) for profile in profiles().values()]
    return render_template(
        "environment/place_settings.html", place=place, form=form, profiles=choices
    )


def _chosen(stretches: Sequence[Stretch], order: Sequence[str]) -> Stretch | None:
    """Return the sensor that is asked for, else the one that is worst off."""
    by_code = {one.seen.code: one for one in stretches}
    wanted = request.args.get("sensor", "")
    codes = [wanted, *order]
    return next((by_code[code] for code in codes if code in by_code), None)


def _excursions(stretches: Sequence[Stretch]) -> list[Shown]:
    """Return all excursions of the period, the newest first."""
    found = [
        (one, excursion, one.mkt(*mkt_window(excursion)) if _is_store(one) else None)
        for one in stretches
        for excursion in one.found
    ]
    return sorted(found, key=lambda row: -row[1].start)


def _is_store(one: Stretch) -> bool:
    return one.seen.profile in COLD_STORES and one.seen.quantity == "temperature"


def _heat(ctx: Context, chosen: Stretch | None, end: datetime) -> list[list[float | None]] | None:
    if chosen is None:
        return None
    month = stretch_of(ctx, chosen.seen, end - timedelta(days=HEAT_DAYS), end)
    grid = heat_map(month, zone_of(ctx))
    if grid is None:
        return None
    # A cell that was never read is equal to no number, not even itself.
    return [[value if value == value else None for value in row] for row in grid.tolist()]  # noqa: PLR0124
