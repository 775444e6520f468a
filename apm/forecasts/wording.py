"""Forecasts in words: chances as odds, lives as days with how sure that is, reasons as phrases."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import date, timedelta
from fractions import Fraction
from typing import Any

from babel.numbers import format_decimal

from apm.core.chances import chance, percent
from apm.core.clock import local_day
from apm.core.i18n import _, choose, language, ngettext
from apm.forecasts.foretold import RECORD_DAYS
from apm.forecasts.horizons import RANKED_DAYS, known_within
from apm.forecasts.model import Forecast, ForecastRecord, ModelKind
from apm.labels import LABELS, label

LONG = 730
"""Days from which on a life is told in years."""
MOST = 100 * 365
"""Days beyond which a number would say nothing: nothing is kept for a hundred years."""
SHARES = [Fraction(k, n) for n in (10, 5, 4, 3, 2) for k in range(1, n)]
"""What people say for a chance that is not small."""
HIDDEN = frozenset({"code", "weight"})


def odds(p: float) -> str:
    """Return a probability as one would say it.

    >>> [odds(p) for p in (0.16, 0.41, 0.5, 0.75, 0.97, 0.001)]
    ['1 in 6', '2 in 5', '1 in 2', '3 in 4', 'more than 9 in 10', 'fewer than 1 in 100']
    """
    if p > 0.95:
        return _("more than 9 in 10")
    if p < 0.01:
        return _("fewer than 1 in 100")
    if p < 0.29:
        return _("1 in %(n)s", n=round(1 / p))
    share = min(SHARES, key=lambda one: abs(float(one) - p))
    return _("%(k)s in %(n)s", k=share.numerator, n=share.denominator)


def chance_words(p: float, days: int) -> str:
    """Return the chance of a failure, in words and as a number."""
    return _(
        "%(odds)s (%(percent)s) within %(days)s days",
        odds=odds(p),
        percent=chance(p),
        days=days,
    )


def life_words(said: Forecast | ForecastRecord) -> str:
    """Return the remaining life with its interval; nothing where it is not foretold."""
    if not said.life_median:
        return _("none, the limit is passed") if is_past_limit(said) else ""
    in_years = said.life_median >= LONG
    middle = _span(said.life_median, in_years=in_years)
    if said.life_low is None or said.confidence is None:
        days = round(said.life_median)
        return (
            _("%(n)s years", n=middle) if in_years else ngettext("%(n)s day", "%(n)s days", days)
        )
    facts = {
        "middle": middle,
        "sure": percent(said.confidence),
        "low": _span(said.life_low, in_years=in_years),
    }
    if said.life_high is None or said.life_high > MOST:
        if in_years:
            return _("%(middle)s years, %(sure)s beyond %(low)s", **facts)
        return _("%(middle)s days, %(sure)s beyond %(low)s", **facts)
    facts["high"] = _span(said.life_high, in_years=in_years)
    if in_years:
        return _("%(middle)s years, %(sure)s between %(low)s and %(high)s", **facts)
    return _("%(middle)s days, %(sure)s between %(low)s and %(high)s", **facts)


def is_past_limit(said: Forecast | ForecastRecord) -> bool:
    """Tell whether a sensor is beyond its limit already; no other life is over now."""
    return said.life_median == 0.0


def sentence(forecast: Forecast, name: str) -> str:
    """Return what is foretold, as the first sentence of a page; its sensor is loaded.

    Args:
        forecast: with figures.
        name: the equipment, in the language spoken.
    """
    life = life_words(forecast)
    if forecast.kind is ModelKind.TREND:
        what = choose(forecast.sensor.name, forecast.sensor.name_zh) if forecast.sensor else name
        if is_past_limit(forecast):
            return _("%(what)s is beyond its limit already.", what=what)
        if not life:
            return _("%(what)s is not heading for its limit.", what=what)
        return _("%(what)s will probably reach its limit in %(life)s.", what=what, life=life)
    if life:
        return _("Even odds that %(name)s fails within %(life)s.", name=name, life=life)
    days, p = farthest(forecast)
    said = chance_words(p, days)
    return _("%(name)s: the chance of a failure is %(chance)s.", name=name, chance=said)


def farthest(forecast: Forecast) -> tuple[int, float]:
    """Return the chance that people plan by: within 90 days, else the nearest one known."""
    days, likely = known_within(forecast.probabilities, RANKED_DAYS)
    if days:
        return days, likely
    known = {int(days): p for days, p in (forecast.probabilities or {}).items()}
    nearest = min(known, default=0)
    return nearest, known.get(nearest, 0.0)


def work_by(said: Forecast | ForecastRecord, kind: ModelKind, zone: str, *, today: date) -> date:
    """Return by when work should be done: before the early end, never a day that is over."""
    horizon = RECORD_DAYS[kind]
    early = said.life_low if said.life_low is not None else horizon / 2
    day = local_day(said.at, zone) + timedelta(days=max(1, min(int(early), horizon)))
    return max(day, today)


def driver_words(driver: Mapping[str, Any], unit: str = "") -> str:
    """Return what speaks for a forecast; one that is not in the list is shown as it is.

    `unit` is that of the sensor, for its trend.
    """
    code, facts = str(driver.get("code", "")), _named(driver)
    if code in LABELS["driver"]:
        told = label("driver", code) % defaultdict(lambda: "–", {**facts, "unit": unit})
        return " ".join(told.split())
    figures = ", ".join(f"{key} {value}" for key, value in facts.items())
    return f"{code}: {figures}" if figures else code


def needs_words(needs: Mapping[str, Any] | None) -> str:
    """Return what history is missing, how much there is and how much it takes."""
    if not needs:
        return _("Not enough history.")
    what = missing_words(str(needs.get("code", "")))
    if needs.get("need") is None:
        return _("Not enough history: it needs %(what)s.", what=what)
    return _(
        "Not enough history: it needs %(need)s %(what)s and has %(have)s.",
        need=_shown("need", needs["need"]),
        what=what,
        have=_shown("have", needs.get("have", 0)),
    )


def missing_words(code: str) -> str:
    """Return what is missing, for its code."""
    return label("forecast_needs", code) if code in LABELS["forecast_needs"] else code


def number(value: float, *, digits: int = 1) -> str:
    """Return a number as the language writes it."""
    locale = "zh_Hans_CN" if language() == "zh" else "en_GB"
    return str(format_decimal(round(float(value), digits), locale=locale))


def _named(said: Mapping[str, Any]) -> dict[str, str]:
    """Return the figures as text, names in the language spoken."""
    facts = {k: _shown(k, v) for k, v in said.items() if k not in HIDDEN and k[-3:] != "_zh"}
    for key, chinese in ((k[:-3], v) for k, v in said.items() if k.endswith("_zh")):
        facts[key] = choose(str(said.get(key) or ""), str(chinese or ""))
    return facts


def _shown(key: str, value: object) -> str:
    if key == "meter" and str(value) in LABELS["meter"]:
        return label("meter", value)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return "–" if value is None else str(value)
    if key.endswith("days"):
        return number(value, digits=0)
    return number(value, digits=1 if abs(value) >= 1 else 3)


def _span(days: float, *, in_years: bool) -> str:
    return number(days / 365.25) if in_years else number(days, digits=0)
