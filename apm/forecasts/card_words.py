"""The figures of a scorecard as text: a number with its interval and n, or what is missing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from apm.core.chances import chance, percent
from apm.core.i18n import _, _l, ngettext
from apm.forecasts.foretold import RECORD_DAYS
from apm.forecasts.horizons import muted_horizons
from apm.forecasts.model import ModelVersion
from apm.forecasts.scorecard import Card
from apm.forecasts.scoring import Figures, HorizonFigures, Lead, Warnings
from apm.forecasts.wording import number
from apm.labels import LABELS, label
from predict.forecast_score import (
    LEAST_EVENTS,
    LEAST_FORECASTS,
    LEAST_WARNINGS,
    Figure,
)
from predict.interval_score import LEAST_FAILURES, Coverage

RULES = ("mtbf", "calendar", "always")
FORMULAS = (
    (_l("Warnings that were right"), _l("(hits + averted) / all judged warnings, Wilson 90 %.")),
    (
        _l("Failures foretold"),
        _l("Failures and findings that a warning came before, of all; each counts once."),
    ),
    (
        _l("False alarms"),
        _l("Judged warnings that were wrong, by device and month of 30.44 days; Garwood 90 %."),
    ),
    (
        _l("Warned ahead by"),
        _l("Days from the warning to the failure or finding: median, middle half."),
    ),
    (
        _l("Skill"),
        _l(
            "1 - Brier score / Brier score of the baseline. The Brier score is the mean of "
            "(probability - what came)²; the baseline says 1 - exp(-horizon / mean time between "
            "failures of the category). 90 % by bootstrap over devices."
        ),
    ),
    (
        _l("Chances for each time ahead"),
        _l(
            "Every forecast keeps all its chances; each is judged by the same rule when its time "
            "is over. Where a version's own are too few, those of the versions at work before it "
            "count too. A chance whose skill is below 0 with its whole interval is muted alone."
        ),
    ),
    (
        _l("Interval kept"),
        _l(
            "Share of remaining lives that ended between low and high; devices that still run "
            "count for as long as they ran (product-limit estimate)."
        ),
    ),
    (
        _l("Saved"),
        _l(
            "Averted x (mean cost of a repair - mean cost of planned work) - false alarms x mean "
            "cost of planned work, from this hospital's closed orders of two years."
        ),
    ),
)


@dataclass(frozen=True, slots=True)
class Cell:
    """One figure: the number, its doubt in small letters; no number: why."""

    value: str
    note: str = ""
    is_number: bool = True


NOTHING = Cell("–", "", is_number=False)


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table: what is counted, for the model and for each simple rule."""

    name: str
    cells: tuple[Cell, ...]


def rows_of_card(found: Figures, kept: Coverage | None) -> list[Row]:
    """Return the table of a card: columns are the model and `RULES`."""
    rules = [found.baselines.get(rule) for rule in RULES]
    every = [found.warnings, *rules]
    return [
        Row(_("Warnings that were right"), tuple(_share(w, "precision") for w in every)),
        Row(_("Failures foretold"), tuple(_share(w, "recall") for w in every)),
        Row(_("False alarms per device and month"), tuple(_rate(w) for w in every)),
        Row(_("Warned ahead by"), tuple(_lead(w.lead if w else None) for w in every)),
        Row(_("Skill against the baseline"), (_skill(found), NOTHING, NOTHING, NOTHING)),
        Row(_("Interval kept"), (_kept(kept), NOTHING, NOTHING, NOTHING)),
    ]


@dataclass(frozen=True, slots=True)
class HorizonRow:
    """One horizon in the table of chances: what it is, its figures, whether it is shown."""

    name: str
    note: str
    said: Cell
    seen: Cell
    skill: Cell
    muted: str
    """Why its chance is not shown; empty: it is."""


def rows_of_horizons(card: Card) -> list[HorizonRow]:
    """Return the table of a card's chances, the nearest horizon first."""
    rows = []
    for one in card.horizons:
        note = ""
        if one.days == RECORD_DAYS[card.version.kind]:
            note = _("warnings and work rest on it")
        elif one.versions > 1:
            note = ngettext(
                "with the %(n)s version at work before it",
                "with the %(n)s versions at work before it",
                one.versions - 1,
            )
        name = _("within %(n)s days", n=one.days)
        muted = muted_words(card.version, one.days)
        rows.append(HorizonRow(name, note, *_of_horizon(one), _skill(one), muted))
    return rows


def muted_words(version: ModelVersion, days: int) -> str:
    """Return why the chance within so many days is not shown; empty: it is."""
    if days not in muted_horizons(version):
        return ""
    why = (version.state_why or {})["horizons"][str(days)]
    if why.get("code") == "test":
        return _(
            "In the test on the past no better than its baseline, so it is not shown. It is "
            "judged on and comes back when it does better."
        )
    return _(
        "Worse than its baseline beyond doubt, so it is not shown. It is judged on and comes back "
        "when it does better."
    )


def _of_horizon(one: HorizonFigures) -> tuple[Cell, Cell]:
    """Return what was said on average beside the baseline, and what came."""
    if one.said is None or one.base is None or one.seen is None:
        return _few(one.n, LEAST_FORECASTS, one.waiting), NOTHING
    base = _("baseline %(base)s; n = %(n)s", base=chance(one.base), n=one.n)
    low, high = percent(one.seen.low), percent(one.seen.high)
    note = _(
        "%(k)s of %(n)s; likely %(low)s to %(high)s", k=one.events, n=one.n, low=low, high=high
    )
    return Cell(chance(one.said), base), Cell(percent(one.seen.value), note)


def _share(found: Warnings | None, name: str) -> Cell:
    if found is None:
        return NOTHING
    figure: Figure | None = getattr(found, name)
    k, n = (found.right, found.n) if name == "precision" else (found.caught, found.events)
    if figure is None:
        return _few(n, LEAST_WARNINGS)
    low, high = percent(figure.low), percent(figure.high)
    note = _("%(k)s of %(n)s; likely %(low)s to %(high)s", k=k, n=n, low=low, high=high)
    return Cell(percent(figure.value), note)


def _rate(found: Warnings | None) -> Cell:
    if found is None or found.false_alarms is None:
        return NOTHING
    rate = found.false_alarms
    low, high = number(rate.low, digits=3), number(rate.high, digits=3)
    note = _("%(n)s in all; likely %(low)s to %(high)s", n=rate.n, low=low, high=high)
    return Cell(number(rate.value, digits=3), note)


def _lead(lead: Lead | None) -> Cell:
    if lead is None:
        return NOTHING
    low, high = number(lead.low, digits=0), number(lead.high, digits=0)
    note = _("half between %(low)s and %(high)s; n = %(n)s", low=low, high=high, n=lead.n)
    return Cell(_("%(n)s days", n=number(lead.median, digits=0)), note)


def _skill(figures: Figures | HorizonFigures) -> Cell:
    found = figures.skill
    if found is None:
        if figures.n < LEAST_FORECASTS:
            return _few(figures.n, LEAST_FORECASTS)
        if figures.events <= figures.n - figures.events:
            note = _("%(k)s failures; needs %(need)s", k=figures.events, need=LEAST_EVENTS)
        else:
            quiet = figures.n - figures.events
            note = _("%(k)s without a failure; needs %(need)s", k=quiet, need=LEAST_EVENTS)
        return Cell(_("Too few to say"), note, is_number=False)
    note = _(
        "likely %(low)s to %(high)s; Brier score %(brier)s against %(base)s; n = %(n)s",
        low=_two(found.low),
        high=_two(found.high),
        brier=number(found.brier, digits=3),
        base=number(found.base, digits=3),
        n=found.n,
    )
    return Cell(_two(found.value), note)


def _two(value: float) -> str:
    return number(round(value, 2) + 0.0, digits=2)  # a small loss is 0, not -0


def _kept(found: Coverage | None) -> Cell:
    if found is None:
        return Cell(
            _("Too few to say"),
            _(
                "needs %(n)s failures, and devices watched to the end of their interval",
                n=LEAST_FAILURES,
            ),
            is_number=False,
        )
    note = _(
        "said %(said)s; likely %(low)s to %(high)s; n = %(n)s, %(failures)s failures",
        said=percent(found.said),
        low=percent(found.low),
        high=percent(found.high),
        n=found.n,
        failures=found.failures,
    )
    return Cell(percent(found.value), note)


def _few(n: int, need: int, waiting: int = 0) -> Cell:
    if waiting:
        note = _(
            "n = %(n)s; needs %(need)s; of %(waiting)s the time is not over",
            n=n, need=need, waiting=waiting,
        )  # fmt: skip
    else:
        note = _("n = %(n)s; needs %(need)s", n=n, need=need)
    return Cell(_("Too few to say"), note, is_number=False)


def why_words(version: ModelVersion) -> str:
    """Return why a version is in its state; a code without words is shown with its figures."""
    return told("state_why", version.state_why or {})


def told(kind: str, said: Mapping[str, Any]) -> str:
    """Return the words of a code with its figures."""
    code = str(said.get("code", ""))
    if code not in LABELS[kind]:
        return code
    facts: defaultdict[str, str] = defaultdict(lambda: "–")
    facts.update({k: _text(v) for k, v in said.items()})
    return label(kind, code) % facts


def _text(value: object) -> str:
    if isinstance(value, float):
        return number(value, digits=3)
    return "–" if value is None else str(value)
