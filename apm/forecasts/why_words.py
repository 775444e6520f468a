"""An explanation in words: facts with their values, and by how much they move a chance."""

from __future__ import annotations

from apm.core.i18n import _, choose
from apm.forecasts.blaming import Blame, Fact
from apm.forecasts.cases import Cases
from apm.forecasts.components import LEAST_REPAIRS, Component, Components
from apm.forecasts.trend_cases import TrendCases
from apm.forecasts.wording import number, percent
from apm.labels import LABELS, label
from apm.work.causes import cause_name

LEAST_CHANGE = 0.0005
"""A fact that moves the chance by less is left out: it would be shown as nothing."""
RATIOS = frozenset({"life_record", "life_make"})
DAYS = frozenset({"life_age", "soon_age"})


def fact_words(fact: Fact) -> str:
    """Return what a fact is; one without words is shown by its code."""
    if fact.code not in LABELS["forecast_fact"]:
        return fact.code
    return label("forecast_fact", fact.code) % fact.figures


def value_words(fact: Fact, value: float | None, unit: str = "") -> str:
    """Return the value of a fact; `unit` is that of its sensor."""
    if fact.code.endswith("_since") or fact.code in DAYS:
        return _("never") if value is None else _("%(n)s days", n=number(value, digits=0))
    if value is None:
        return "–"
    if fact.code in RATIOS:
        return _("%(n)s times", n=number(value, digits=2))
    if fact.code.startswith("trend_"):
        return f"{number(value, digits=2)} {unit}".strip()
    return number(value, digits=0)


def points(change: float) -> str:
    """Return by how much a chance moves, in points of per cent, with its sign.

    >>> points(0.0787), points(-0.004)
    ('+7.9 points', '−0.4 points')
    """
    sign = "+" if change > 0 else "−" if change < 0 else ""
    return _("%(n)s points", n=sign + number(abs(100 * change), digits=1))


def telling(blame: Blame) -> list[Fact]:
    """Return the facts that move the chance, the strongest first."""
    return [fact for fact in blame.facts if abs(fact.change) >= LEAST_CHANGE]


def blame_words(blame: Blame) -> str:
    """Return the sum of it in one or two sentences."""
    said = _(
        "The chance within %(days)s days is %(chance)s; with everything as usual it would be "
        "%(usual)s.",
        days=blame.days, chance=percent(blame.chance), usual=percent(blame.usual),
    )  # fmt: skip
    found = telling(blame)
    if not found:
        return said
    if abs(blame.shared) > abs(found[0].change):
        most = _("Most of it they add only together (%(points)s).", points=points(blame.shared))
        return f"{said} {most}"
    most = _(
        "What weighs most: %(fact)s (%(points)s).",
        fact=fact_words(found[0]), points=points(found[0].change),
    )  # fmt: skip
    return f"{said} {most}"


def cases_words(found: Cases | TrendCases) -> str:
    """Return what became of the most similar situations, beside how usual that is."""
    low, high = found.interval
    facts = {
        "n": len(found.nearest), "k": found.failed_nearest, "days": found.days,
        "low": percent(low), "high": percent(high), "of": found.of, "units": found.units,
        "share": percent(found.failed / found.of),
    }  # fmt: skip
    if isinstance(found, TrendCases):
        return _(
            "Of the %(n)s most similar past courses %(k)s passed the limit within %(days)s days "
            "(likely %(low)s to %(high)s). Of all %(of)s courses of %(units)s sensors: %(share)s.",
            **facts,
        )
    return _(
        "Of the %(n)s most similar past situations %(k)s were followed by a failure within "
        "%(days)s days (likely %(low)s to %(high)s). Of all %(of)s situations of %(units)s "
        "devices: %(share)s.",
        **facts,
    )


def component_words(found: Components) -> str:
    """Return which component would be the one, as far as repairs tell."""
    if not found.is_telling:
        return _(
            "Too few repairs to name a component: %(n)s so far, %(least)s are needed.",
            n=found.repairs,
            least=LEAST_REPAIRS,
        )
    first = found.parts[0] if found.parts else None
    if first is None or first.part is None:
        return _(
            "No part stands out: in %(n)s repairs of equipment like this none was taken from the "
            "store.",
            n=found.repairs,
        )
    name = choose(first.part.name, first.part.name_zh)
    return _(
        "Most likely: %(part)s, replaced in %(k)s of %(n)s repairs of equipment like this "
        "(%(share)s; likely %(low)s to %(high)s).",
        part=name, k=first.n, n=found.repairs, **shares(first),
    )  # fmt: skip


def component_name(one: Component) -> str:
    """Return the part or the cause, in the language spoken."""
    if one.part is not None:
        return choose(one.part.name, one.part.name_zh)
    return cause_name(one.cause or "")


def shares(one: Component) -> dict[str, str]:
    """Return a component's share and interval as text."""
    return {"share": percent(one.share), "low": percent(one.low), "high": percent(one.high)}
