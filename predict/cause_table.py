"""The table behind a proposed cause: what is to be seen, and how likely each cause makes it.

Each kind of evidence has levels; for each cause the probabilities of the levels sum to 1.  The
column `undetermined` is how often a level is seen when nothing special is going on: the weight of
a level for a cause is its probability there over that.

The numbers are judged by people, not measured: no public data joins the failures of hospital
equipment with their rooms, records and causes.  They follow what is written about attribution in
clinical engineering (Wang et al., Journal of Clinical Engineering 35, 2010, 132-144, for the
causes; ISO 14224 for operation, maintenance and environment).  Whoever uses them measures their
calibration with `predict.cause_scoring` and says so.

The prior is what is believed before anything is seen.  Named root causes of 9,113 recalls (FDA,
medical device recalls): design 12 %, process control 11 %, nonconforming material 7 % and software
design 3 % are quality; employee error 4 %; equipment maintenance 1 %; "other" 22 % and "under
investigation" 15 % are undetermined.  A recall tells what makers withdrew, not what breaks in a
hospital, and it never names wear or a hot room: so it counts for a quarter of the prior, and the
other three quarters are equal shares.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from math import isclose, log

VERSION = "2026-11"
"""Changes with every number below; kept with each proposal."""


class Cause(StrEnum):
    """What a failure is put down to; the order is that of the table's columns."""

    QUALITY = "quality"
    USER = "user"
    ENVIRONMENT = "environment"
    WEAR = "wear"
    SERVICE = "service"
    UNDETERMINED = "undetermined"


CAUSES = tuple(Cause)
NAMED = CAUSES[:-1]
"""The causes that can be proposed; the last says that none stands out."""
FDA = {
    Cause.QUALITY: 0.12 + 0.11 + 0.07 + 0.03,
    Cause.USER: 0.04,
    Cause.ENVIRONMENT: 0.0,
    Cause.WEAR: 0.0,
    Cause.SERVICE: 0.01,
    Cause.UNDETERMINED: 0.22 + 0.15,
}
"""Shares of the recalls whose root cause is among these."""
FDA_WEIGHT = 0.25
PRIOR_CASES = 12.0
"""How many confirmed cases the starting prior is worth."""


def starting_prior() -> dict[Cause, float]:
    """Return the shares believed before a hospital has confirmed anything; they sum to 1.

    >>> {cause.value: round(share, 3) for cause, share in starting_prior().items()}
    {'quality': 0.235, 'user': 0.138, 'environment': 0.125, 'wear': 0.125, 'service': 0.128, \
'undetermined': 0.248}
    """
    total, equal = sum(FDA.values()), 1.0 / len(CAUSES)
    return {c: FDA_WEIGHT * FDA[c] / total + (1.0 - FDA_WEIGHT) * equal for c in CAUSES}


Columns = tuple[float, float, float, float, float, float]
"""One probability for each of `CAUSES`."""


@dataclass(frozen=True)
class Kind:
    """Something that can be looked for.

    code: its name.  group: pieces of one group tend to come together, see `cause.propose`.
    levels: what may be seen, with P(level | cause) for each of `CAUSES`.
    quiet: the level that says that nothing was found; None if no level does.
    """

    code: str
    group: str
    levels: Mapping[str, Columns]
    quiet: str | None

    @cached_property
    def weights(self) -> dict[str, dict[Cause, float]]:
        """By level, the natural log of P(level | cause) over P(level | undetermined)."""
        return {
            level: {c: log(p / columns[-1]) for c, p in zip(CAUSES, columns, strict=True)}
            for level, columns in self.levels.items()
        }


def _kind(code: str, group: str, quiet: str | None = None, **levels: Columns) -> Kind:
    for cause, column in zip(CAUSES, zip(*levels.values(), strict=True), strict=True):
        if not isclose(sum(column), 1.0, abs_tol=1e-9) or min(column) <= 0.0:
            raise ValueError(f"the levels of {code} do not sum to 1 for {cause}")
    return Kind(code, group, levels, quiet)


# fmt: off
#                          quality user  envir. wear  serv. undet.
KINDS: dict[str, Kind] = {kind.code: kind for kind in (
    _kind("room_temperature", "surroundings", "none",
          none=           (0.80, 0.80, 0.25, 0.80, 0.80, 0.80),
          brief=          (0.15, 0.15, 0.25, 0.15, 0.15, 0.15),
          long=           (0.05, 0.05, 0.50, 0.05, 0.05, 0.05)),
    _kind("room_humidity", "surroundings", "none",
          none=           (0.85, 0.85, 0.55, 0.85, 0.85, 0.85),
          brief=          (0.11, 0.11, 0.20, 0.11, 0.11, 0.11),
          long=           (0.04, 0.04, 0.25, 0.04, 0.04, 0.04)),
    _kind("power", "surroundings", "none",
          none=           (0.95, 0.95, 0.55, 0.95, 0.95, 0.95),
          event=          (0.05, 0.05, 0.45, 0.05, 0.05, 0.05)),
    _kind("room_alarm", "surroundings", "none",
          none=           (0.92, 0.92, 0.60, 0.92, 0.92, 0.92),
          alarm=          (0.08, 0.08, 0.40, 0.08, 0.08, 0.08)),
    _kind("room_peers", "surroundings", "usual",
          usual=          (0.94, 0.94, 0.65, 0.94, 0.94, 0.94),
          together=       (0.06, 0.06, 0.35, 0.06, 0.06, 0.06)),
    _kind("symptom", "use", None,
          damage=         (0.06, 0.34, 0.02, 0.10, 0.08, 0.10),
          accessory=      (0.08, 0.22, 0.02, 0.12, 0.10, 0.12),
          power=          (0.16, 0.14, 0.22, 0.14, 0.16, 0.16),
          climate=        (0.08, 0.05, 0.28, 0.16, 0.06, 0.10),
          output=         (0.32, 0.08, 0.12, 0.30, 0.32, 0.22),
          alarm=          (0.22, 0.12, 0.30, 0.13, 0.20, 0.20),
          other=          (0.08, 0.05, 0.04, 0.05, 0.08, 0.10)),
    _kind("device_log", "use", "none",
          none=           (0.45, 0.25, 0.40, 0.45, 0.50, 0.60),
          user=           (0.05, 0.60, 0.05, 0.05, 0.10, 0.12),
          technical=      (0.45, 0.10, 0.20, 0.45, 0.35, 0.23),
          power=          (0.05, 0.05, 0.35, 0.05, 0.05, 0.05)),
    _kind("no_fault_found", "use", "never",
          never=          (0.90, 0.60, 0.80, 0.90, 0.90, 0.65),
          before=         (0.07, 0.15, 0.10, 0.08, 0.07, 0.10),
          now=            (0.03, 0.25, 0.10, 0.02, 0.03, 0.25)),
    _kind("parts", "use", None,
          replaced=       (0.65, 0.25, 0.40, 0.70, 0.45, 0.45),
          none=           (0.35, 0.75, 0.60, 0.30, 0.55, 0.55)),
    _kind("shift", "use", "spread",
          spread=         (0.95, 0.70, 0.93, 0.95, 0.95, 0.95),
          one_shift=      (0.05, 0.30, 0.07, 0.05, 0.05, 0.05)),
    _kind("maintenance", "condition", "in_time",
          in_time=        (0.85, 0.85, 0.85, 0.55, 0.85, 0.85),
          overdue=        (0.10, 0.10, 0.10, 0.28, 0.10, 0.10),
          missed=         (0.05, 0.05, 0.05, 0.17, 0.05, 0.05)),
    _kind("last_result", "condition", "well",
          well=           (0.80, 0.85, 0.85, 0.48, 0.75, 0.82),
          near=           (0.15, 0.12, 0.12, 0.36, 0.15, 0.14),
          failed=         (0.05, 0.03, 0.03, 0.16, 0.10, 0.04)),
    _kind("own_alarm", "condition", "none",
          none=           (0.80, 0.90, 0.80, 0.60, 0.88, 0.90),
          alarm=          (0.20, 0.10, 0.20, 0.40, 0.12, 0.10)),
    _kind("age", "life", None,
          young=          (0.60, 0.45, 0.45, 0.15, 0.45, 0.45),
          middle=         (0.30, 0.35, 0.35, 0.35, 0.35, 0.35),
          old=            (0.10, 0.20, 0.20, 0.50, 0.20, 0.20)),
    _kind("hazard", "life", None,
          falling=        (0.45, 0.20, 0.20, 0.05, 0.20, 0.20),
          flat=           (0.40, 0.55, 0.55, 0.30, 0.55, 0.55),
          rising=         (0.15, 0.25, 0.25, 0.65, 0.25, 0.25)),
    _kind("commissioning", "life", "later",
          first_months=   (0.30, 0.06, 0.04, 0.02, 0.12, 0.04),
          first_year=     (0.30, 0.16, 0.14, 0.08, 0.18, 0.14),
          later=          (0.40, 0.78, 0.82, 0.90, 0.70, 0.82)),
    _kind("peers", "fleet", "alike",
          alike=          (0.45, 0.92, 0.92, 0.85, 0.92, 0.92),
          more=           (0.55, 0.08, 0.08, 0.15, 0.08, 0.08)),
    _kind("lot", "fleet", "alone",
          alone=          (0.60, 0.95, 0.95, 0.93, 0.95, 0.95),
          others=         (0.40, 0.05, 0.05, 0.07, 0.05, 0.05)),
    _kind("recall", "fleet", "none",
          none=           (0.70, 0.97, 0.97, 0.97, 0.97, 0.97),
          open=           (0.30, 0.03, 0.03, 0.03, 0.03, 0.03)),
    _kind("recent_work", "service", "none",
          none=           (0.86, 0.86, 0.86, 0.86, 0.20, 0.86),
          month=          (0.10, 0.10, 0.10, 0.10, 0.32, 0.10),
          week=           (0.04, 0.04, 0.04, 0.04, 0.48, 0.04)),
)}
# fmt: on
