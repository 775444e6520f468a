"""From evidence to a proposed cause: naive Bayes by a table that people can read.

    log odds(c) = log(prior(c) / prior(undetermined)) + sum of w * weight(piece, c)

with the weights of `predict.cause_table`.  Without correlation every w is 1, and the result is
Bayes' theorem for independent evidence.  But pieces of one group come together (a hot room raises
an alarm as well), and counting each in full would be too sure.  So within a group the piece that
tells most counts in full, the next half, the next a quarter: a group never counts more than twice
its strongest piece (tempered likelihood; compare the discounting of dependent evidence in
I. J. Good, "Probability and the Weighing of Evidence", 1950, chapter 6).

What could not be seen is left out; that nothing was found counts only where it was looked for.

How much a piece says is said in words after the bounds of H. Jeffreys, "Theory of Probability",
third edition 1961, appendix B: a factor of 10 is strong, one of its root clear.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from math import exp, log, sqrt

from predict.cause_table import (
    CAUSES,
    KINDS,
    NAMED,
    PRIOR_CASES,
    VERSION,
    Cause,
    Kind,
    starting_prior,
)

LEAST_PROBABILITY = 0.5
"""Below this no cause stands out."""
LEAST_COVERAGE = 0.3
"""Below this share of the table too little could be seen to say anything."""
DISCOUNT = 0.5
CLEAR, STRONG, SLIGHT = sqrt(10.0), 10.0, 1.25


class Strength(IntEnum):
    """How much one piece says, in words."""

    NOTHING = 0
    SLIGHT = 1
    CLEAR = 2
    STRONG = 3


@dataclass(frozen=True, slots=True)
class Piece:
    """One piece of evidence and what it did.

    share: its w, 1 or less.  weights: by named cause w * log(P(level | c) / P(level | undet.)).
    """

    kind: str
    level: str
    share: float
    weights: Mapping[Cause, float]

    @property
    def speaks_for(self) -> Cause | None:
        """The cause it raises most; None when it raises none."""
        best = max(NAMED, key=lambda cause: self.weights[cause])
        return best if self.weights[best] >= log(SLIGHT) else None

    @property
    def speaks_against(self) -> Cause | None:
        """The cause it lowers most; None when it lowers none."""
        worst = min(NAMED, key=lambda cause: self.weights[cause])
        return worst if self.weights[worst] <= -log(SLIGHT) else None

    @property
    def factor(self) -> float:
        """By how much it multiplies the odds of the cause it speaks for, else against."""
        cause = self.speaks_for or self.speaks_against
        return exp(self.weights[cause]) if cause else 1.0

    @property
    def loudness(self) -> float:
        """How much it tells: by how much it raises a cause, else by how much it lowers one."""
        return _loudness(self.weights)

    @property
    def strength(self) -> Strength:
        """How much that is in words."""
        size = max(self.factor, 1.0 / self.factor)
        if size >= STRONG * (1 - 1e-9):
            return Strength.STRONG
        if size >= CLEAR:
            return Strength.CLEAR
        return Strength.SLIGHT if size >= SLIGHT else Strength.NOTHING


@dataclass(frozen=True, slots=True)
class Priors:
    """Shares by cause, summing to 1, and the n confirmed cases that shaped them."""

    shares: Mapping[Cause, float]
    counts: Mapping[Cause, int]

    @property
    def n(self) -> int:
        """How many confirmed cases there are."""
        return sum(self.counts.values())


@dataclass(frozen=True, slots=True)
class Proposal:
    """What the evidence says.

    cause: the proposal, `undetermined` when none stands out.  probability: of the proposed cause;
    of the likeliest named one when undetermined.  likeliest: that cause.  coverage: share of the
    table's kinds that could be seen, 0 to 1.  pieces: those that tell most first.
    """

    cause: Cause
    probability: float
    likeliest: Cause
    posterior: Mapping[Cause, float]
    coverage: float
    pieces: tuple[Piece, ...]
    version: str = VERSION


@dataclass(frozen=True, slots=True)
class Change:
    """If `kind` showed `level`, the proposal would be another: `cause` with `probability`.

    level None: if this piece were not there.
    """

    kind: str
    level: str | None
    cause: Cause
    probability: float


def learned_priors(counts: Mapping[Cause, int]) -> Priors:
    """Return the priors after so many confirmed cases of each cause.

    Dirichlet prior worth `PRIOR_CASES` cases, multinomial counts; this is the posterior mean.

    >>> found = learned_priors({Cause.WEAR: 36})
    >>> round(found.shares[Cause.WEAR], 3), found.n
    (0.781, 36)
    """
    if min(counts.values(), default=0) < 0:
        raise ValueError("counts must not be negative")
    start = starting_prior()
    total = PRIOR_CASES + sum(counts.values())
    shares = {c: (PRIOR_CASES * start[c] + counts.get(c, 0)) / total for c in CAUSES}
    return Priors(shares, {c: int(counts.get(c, 0)) for c in CAUSES})


def propose(
    seen: Mapping[str, str],
    priors: Priors | None = None,
    *,
    kinds: Mapping[str, Kind] = KINDS,
    discount: float = DISCOUNT,
) -> Proposal:
    """Return the cause that the evidence speaks for.

    Args:
        seen: level by kind, for the kinds that could be looked at.
        priors: what is believed beforehand; None: the starting prior.
        kinds: the table.
        discount: weight of each further piece of a group relative to the one before, 0 to 1;
            1 takes all pieces for independent.

    Raises:
        ValueError: a kind or a level that the table does not have.

    >>> found = propose({"room_temperature": "long", "symptom": "alarm", "recent_work": "none",
    ...                  "maintenance": "in_time", "age": "middle", "parts": "none"})
    >>> found.cause.value, round(found.probability, 2), found.pieces[0].kind
    ('environment', 0.77, 'room_temperature')
    """
    for kind, level in seen.items():
        if kind not in kinds or level not in kinds[kind].levels:
            raise ValueError(f"the table has no {level!r} of {kind!r}")
    pieces = _weighed(seen, kinds, discount)
    shares = (priors or learned_priors({})).shares
    odds = {
        c: shares[c] * exp(sum(piece.weights[c] for piece in pieces)) if c in NAMED else shares[c]
        for c in CAUSES
    }
    total = sum(odds.values())
    posterior = {c: odd / total for c, odd in odds.items()}
    likeliest = max(NAMED, key=lambda cause: posterior[cause])
    coverage = len(seen) / len(kinds)
    stands_out = posterior[likeliest] >= LEAST_PROBABILITY and coverage >= LEAST_COVERAGE
    cause = likeliest if stands_out else Cause.UNDETERMINED
    return Proposal(cause, posterior[likeliest], likeliest, posterior, coverage, pieces)


def _weighed(
    seen: Mapping[str, str], kinds: Mapping[str, Kind], discount: float
) -> tuple[Piece, ...]:
    """Return the pieces with their shares, the most telling first."""
    order = sorted(seen, key=lambda kind: -_loudness(kinds[kind].weights[seen[kind]]))
    before: dict[str, int] = {}
    pieces = []
    for code in order:
        kind = kinds[code]
        place = before.get(kind.group, 0)
        before[kind.group] = place + 1
        share = discount**place
        weights = {c: share * kind.weights[seen[code]][c] for c in NAMED}
        pieces.append(Piece(code, seen[code], share, weights))
    return tuple(sorted(pieces, key=lambda piece: -piece.loudness))


def _loudness(weights: Mapping[Cause, float]) -> float:
    """Return how much a piece tells: by how much it raises a cause, else by how much it lowers."""
    raised = max(weights[cause] for cause in NAMED)
    return raised if raised >= log(SLIGHT) else -min(weights[cause] for cause in NAMED)


def what_would_change(
    seen: Mapping[str, str],
    priors: Priors | None = None,
    *,
    kinds: Mapping[str, Kind] = KINDS,
    most: int = 4,
) -> tuple[Change, ...]:
    """Return what would lead to another proposal, the surest first: one thing at a time.

    Looked at are each piece that was found, as if it were not there, and each kind that could not
    be seen, at each level that says something.
    """
    now = propose(seen, priors, kinds=kinds).cause
    tried: list[tuple[str, str | None, dict[str, str]]] = [
        (kind, None, {k: v for k, v in seen.items() if k != kind})
        for kind, level in seen.items()
        if level != kinds[kind].quiet
    ]
    tried += [
        (code, level, {**seen, code: level})
        for code, kind in kinds.items()
        if code not in seen
        for level in kind.levels
        if level != kind.quiet
    ]
    found = []
    for code, level, then in tried:
        other = propose(then, priors, kinds=kinds)
        if other.cause != now:
            found.append(Change(code, level, other.cause, other.probability))
    # What was found and might be wrong comes before what nobody measures here.
    return tuple(sorted(found, key=lambda c: (c.level is not None, -c.probability))[:most])
