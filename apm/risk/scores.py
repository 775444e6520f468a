"""The scores: what goes into them, what comes out, and the interval that follows.

Sources and bands stand in `seed/risk.yaml`.  The maker's interval, the law and recalls always beat
a score: a score proposes, people decide.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from apm.core.errors import Invalid
from apm.core.i18n import _l, choose
from apm.core.settings import ROOT
from apm.core.shipped import read_yaml

FILE = ROOT / "seed" / "risk.yaml"
EM = ("function", "harm", "upkeep")
VERMONT = ("clinical", "physical", "problems", "incidents", "rules")
HISTORY = "history"
"""Counted from the repairs on record unless somebody enters it."""


@dataclass(frozen=True, slots=True)
class Input:
    """One thing that is scored, from `low` to `high`; `words` say what the numbers mean."""

    key: str
    low: int
    high: int
    en: str
    zh: str
    words: tuple[tuple[int, str, str], ...] = ()

    @property
    def name(self) -> str:
        """Its name in the language spoken."""
        return choose(self.en, self.zh)

    @property
    def choices(self) -> list[tuple[int, str]]:
        """The numbers it may be, each with its words."""
        if not self.words:
            return [(n, str(n)) for n in range(self.high, self.low - 1, -1)]
        return [(n, f"{n} · {choose(en, zh)}") for n, en, zh in self.words]


@dataclass(frozen=True, slots=True)
class Score:
    """A sum and what follows; `months` None: no maintenance at fixed times is proposed."""

    total: int
    months: int | None


@cache
def plain() -> dict[str, Any]:
    """Return the file as it is."""
    read: dict[str, Any] = read_yaml(FILE)
    return read


@cache
def inputs() -> dict[str, Input]:
    """Return everything that is scored, by key."""
    read = plain()
    rows = {
        **{key: read["em"][key] for key in EM},
        HISTORY: read["history"],
        **{key: read["vermont"][key] for key in VERMONT},
    }
    return {
        key: Input(
            key,
            row["low"],
            row["high"],
            row["en"],
            row["zh"],
            tuple((n, en, zh) for n, en, zh in row.get("words", ())),
        )
        for key, row in rows.items()
    }


def proposed(category: str) -> dict[str, int]:
    """Return what we propose to enter for a category; the middle where we know nothing."""
    known = plain()["categories"].get(category)
    if known is not None:
        return dict(known)
    return {key: (inputs()[key].low + inputs()[key].high) // 2 for key in (*EM, *VERMONT)}


def is_known(category: str) -> bool:
    """Tell whether there is a proposal of ours for a category."""
    return category in plain()["categories"]


def check(values: Mapping[str, int]) -> None:
    """Refuse a number that a score does not have, or an input there is none of."""
    wrong: dict[str, list[object]] = {}
    for key, value in values.items():
        known = inputs().get(key)
        if known is None:
            wrong[key] = [_l("There is no such input.")]
        elif not known.low <= value <= known.high:
            wrong[key] = [
                _l("Give a whole number from %(low)s to %(high)s.", low=known.low, high=known.high)
            ]
    if wrong:
        raise Invalid(_l("The scores cannot be like this."), fields=wrong)


def history_points(months_between: float | None, watched: float) -> int:
    """Return the points for a history; `None` months: no failure in `watched` device-months.

    Without a failure the time watched is the least that lies between two; while that is short,
    nothing is known, and nothing is added or taken away.

    >>> history_points(4, 100), history_points(20, 100), history_points(None, 12)
    (2, -1, 0)
    >>> history_points(None, 40)
    -2
    """
    read = plain()["history"]
    if months_between is None:
        enough = read["bands"][-1][0]
        return int(read["beyond"]) if watched > enough else 0
    for below, points in read["bands"]:
        if months_between < below:
            return int(points)
    return int(read["beyond"])


def em_number(values: Mapping[str, int], history: int) -> Score:
    """Return the Fennigkoh-Smith number: function + harm + upkeep + history.

    >>> em_number({"function": 10, "harm": 5, "upkeep": 5}, -2)
    Score(total=18, months=3)
    """
    total = sum(values[key] for key in EM) + values.get(HISTORY, history)
    return Score(total, _months(total, plain()["em"]["months"]))


def vermont(values: Mapping[str, int]) -> Score:
    """Return the University of Vermont's score."""
    total = sum(values[key] for key in VERMONT)
    return Score(total, _months(total, plain()["vermont"]["months"]))


def _months(total: int, table: list[list[int]]) -> int | None:
    return next((months for least, months in table if total >= least), None)
