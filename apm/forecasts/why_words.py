"""An explanation in words: facts with their values, and by how much they move a chance."""

from __future__ import annotations

from typing import Any

from apm.core.chances import chance, percent
from apm.core.i18n import _, choose, ngettext
from apm.forecasts.blaming import Blame, Fact
from apm.forecasts.cases import Cases
from apm.forecasts.components import LEAST_REPAIRS, Component, Components
from apm.forecasts.trend_cases import TrendCases
from apm.forecasts.wording import number
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


def value_words(fact: Fact, unit: str = "") -> str:
    """Return the value of a fact now; `unit` is that of its sensor."""
    said = _value(fact, fact.now, unit)
    if fact.last is None or not fact.now:
        return said
    return ngettext(
        "%(times)s, the last %(n)s day ago", "%(times)s, the last %(n)s days ago",
        max(1, round(fact.last)), times=said,
    )  # fmt: skip


def usual_words(fact: Fact) -> str:
    """Return what is usual in its place."""
    return _value(fact, fact.usual, "")


def _value(fact: Fact, value: float | None, unit: str) -> str:
    if value is None:
        return "–"
    if fact.code in DAYS:
        return ngettext("%(n)s day", "%(n)s days", round(value))
    if fact.code in RATIOS:
        return _("%(n)s ×", n=number(value, digits=2))
    if fact.code.startswith("trend_"):
        return f"{number(value, digits=2)} {unit}".strip()
    return number(value, digits=0)


def points(change: float) -> str:
    """Return by how much a chance moves, in points of per cent, with its sign.

    >>> points(0.0787), points(-0.004), points(0.00001)
    ('+7.9 points', '−0.4 points', '0 points')
    """
    size = round(abs(100 * change), 1)
    sign = "" if not size else "+" if change > 0 else "−"
    return _("%(n)s points", n=sign + number(size, digits=1))


def telling(blame: Blame) -> list[Fact]:
    """Return the facts that move the chance, the strongest first."""
    return [fact for fact in blame.facts if abs(fact.change) >= LEAST_CHANGE]


def blame_words(blame: Blame, *, is_trend: bool) -> str:
    """Return the sum of it in one or two sentences."""
    facts: dict[str, Any] = {
        "days": blame.days, "chance": chance(blame.chance), "usual": chance(blame.usual),
    }  # fmt: skip
    if is_trend:
        said = _(
            "The chance that the limit is reached within %(days)s days is %(chance)s. Without "
            "any readings it would be %(usual)s, by how often such equipment fails.",
            **facts,
        )
    else:
        said = _(
            "The chance of a failure within %(days)s days is %(chance)s. If everything were as "
            "usual it would be %(usual)s.",
            **facts,
        )
    found = telling(blame)
    if not found:
        return said
    most = _(
        "What weighs most: %(fact)s (%(points)s).",
        fact=fact_words(found[0]), points=points(found[0].change),
    )  # fmt: skip
    return f"{said} {most}"


def cases_words(found: Cases | TrendCases) -> str:
    """Return what became of the most similar situations, beside how usual that is."""
    low, high = found.interval
    facts = {
        "k": found.failed_nearest, "days": found.days, "low": percent(low), "high": percent(high),
        "of": found.of, "share": percent(found.failed / found.of),
    }  # fmt: skip
    n = len(found.nearest)
    if isinstance(found, TrendCases):
        if n == 1:
            return _one_course(found) % facts
        return _(
            "The limit was passed within %(days)s days in %(k)s of the %(n)s most similar past "
            "courses (likely %(low)s to %(high)s). Of all %(of)s courses of %(units)s sensors it "
            "was %(share)s.",
            n=n, units=found.units, **facts,
        )  # fmt: skip
    if n == 1:
        return _one_device(found) % facts
    return _(
        "A failure followed within %(days)s days in %(k)s of the %(n)s most similar past "
        "situations (likely %(low)s to %(high)s). Of all %(of)s situations of %(units)s devices "
        "it was %(share)s.",
        n=n, units=found.units, **facts,
    )  # fmt: skip


def _one_course(found: TrendCases) -> str:
    if found.failed_nearest:
        return _(
            "Only one sensor can be compared. After its most similar course the limit was passed "
            "within %(days)s days; of all its courses looked through (%(of)s) it was %(share)s."
        )
    return _(
        "Only one sensor can be compared. After its most similar course the limit was not passed "
        "within %(days)s days; of all its courses looked through (%(of)s) it was %(share)s."
    )


def _one_device(found: Cases) -> str:
    if found.failed_nearest:
        return _(
            "Only one device can be compared. Its most similar situation was followed by a "
            "failure within %(days)s days; of all its situations looked through (%(of)s) "
            "%(share)s were."
        )
    return _(
        "Only one device can be compared. Its most similar situation was not followed by a "
        "failure within %(days)s days; of all its situations looked through (%(of)s) %(share)s "
        "were."
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
