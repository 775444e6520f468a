"""The proposed cause: against Bayes by enumeration, and against failures whose cause is known."""

from __future__ import annotations

import math
from collections import Counter
from itertools import product

import numpy as np
import pytest

from predict.cause import (
    DISCOUNT,
    LEAST_PROBABILITY,
    Strength,
    learned_priors,
    propose,
    what_would_change,
)
from predict.cause_scoring import brier, log_loss, reliability
from predict.cause_table import CAUSES, KINDS, NAMED, PRIOR_CASES, Cause, starting_prior
from predict.errors import NotEnoughData
from predict.proportion import wilson

ONE_A_GROUP = {kind.group: code for code, kind in KINDS.items()}
"""The last kind of each group: these are independent by the table."""


def simulated(rng, *, n, together=0.0, hidden=0.3):
    """`n` failures: cause, what is seen, and what of it could be seen.

    With the chance `together` a further piece of a group does not tell by itself but repeats the
    first: as loud for the same cause where its level allows.
    """
    prior = starting_prior()
    for _ in range(n):
        cause = CAUSES[rng.choice(len(CAUSES), p=[prior[c] for c in CAUSES])]
        seen, luck = {}, {}
        for code, kind in KINDS.items():
            column = [columns[CAUSES.index(cause)] for columns in kind.levels.values()]
            draw = rng.random()
            if kind.group in luck and rng.random() < together:
                draw = luck[kind.group]
            luck.setdefault(kind.group, draw)
            level = int(np.searchsorted(np.cumsum(column), draw))
            if rng.random() >= hidden:
                seen[code] = list(kind.levels)[min(level, len(column) - 1)]
        yield cause, seen


def by_enumeration(seen, prior):
    """P(cause | seen) from the joint distribution over every cause and every outcome."""
    codes = list(seen)
    joint = {}
    for cause in CAUSES:
        for outcome in product(*(KINDS[code].levels for code in codes)):
            p = prior[cause]
            for code, level in zip(codes, outcome, strict=True):
                p *= KINDS[code].levels[level][CAUSES.index(cause)]
            joint[cause, outcome] = p
    assert math.isclose(sum(joint.values()), 1.0)
    observed = tuple(seen[code] for code in codes)
    total = sum(joint[cause, observed] for cause in CAUSES)
    return {cause: joint[cause, observed] / total for cause in CAUSES}


@pytest.mark.parametrize("seed", range(20))
def test_independent_evidence_gives_what_enumeration_gives(seed):
    rng = np.random.default_rng(seed)
    codes = rng.choice(sorted(ONE_A_GROUP.values()), size=4, replace=False)
    seen = {code: str(rng.choice(list(KINDS[code].levels))) for code in codes}
    found = propose(seen).posterior
    wanted = by_enumeration(seen, starting_prior())
    assert found == pytest.approx(wanted, rel=1e-12)


def test_without_a_discount_all_evidence_counts_as_enumeration_counts_it():
    seen = {"room_temperature": "brief", "room_alarm": "alarm", "power": "none", "age": "old"}
    found = propose(seen, discount=1.0).posterior
    assert found == pytest.approx(by_enumeration(seen, starting_prior()), rel=1e-12)


def test_a_group_counts_at_most_twice_its_strongest_piece():
    loud = {
        "room_temperature": "long", "room_humidity": "long", "power": "event",
        "room_alarm": "alarm", "room_peers": "together",
    }  # fmt: skip
    pieces = propose(loud).pieces
    total = sum(piece.weights[Cause.ENVIRONMENT] for piece in pieces)
    strongest = max(piece.weights[Cause.ENVIRONMENT] for piece in pieces)
    assert strongest == pytest.approx(math.log(10))
    assert strongest < total <= 2 * strongest
    assert [piece.share for piece in sorted(pieces, key=lambda p: -p.share)] == [
        DISCOUNT**n for n in range(5)
    ]


def test_the_contributions_add_up_to_the_posterior():
    priors = learned_priors({Cause.USER: 7, Cause.WEAR: 3})
    seen = {"symptom": "damage", "device_log": "user", "parts": "none", "age": "young",
            "maintenance": "overdue", "recent_work": "none"}  # fmt: skip
    found = propose(seen, priors)
    for cause in NAMED:
        odds = math.log(priors.shares[cause] / priors.shares[Cause.UNDETERMINED])
        odds += sum(piece.weights[cause] for piece in found.pieces)
        said = math.log(found.posterior[cause] / found.posterior[Cause.UNDETERMINED])
        assert said == pytest.approx(odds)
    assert sum(found.posterior.values()) == pytest.approx(1)
    assert found.cause is Cause.USER
    loudest = found.pieces[0]
    assert (loudest.kind, loudest.speaks_for, loudest.strength) == (
        "device_log", Cause.USER, Strength.CLEAR,
    )  # fmt: skip
    assert loudest.factor == pytest.approx(0.60 / 0.12)


def test_the_order_in_which_things_are_seen_does_not_matter():
    seen = {"room_temperature": "long", "room_alarm": "alarm", "age": "old", "hazard": "rising"}
    backwards = dict(reversed(seen.items()))
    assert propose(seen).posterior == pytest.approx(propose(backwards).posterior)


def test_what_could_not_be_seen_says_nothing_and_what_was_not_found_does():
    nothing = propose({})
    assert nothing.posterior == pytest.approx(starting_prior())
    assert (nothing.cause, nothing.coverage) == (Cause.UNDETERMINED, 0.0)
    looked = propose({"room_temperature": "none"})
    assert looked.posterior[Cause.ENVIRONMENT] < nothing.posterior[Cause.ENVIRONMENT]
    assert looked.pieces[0].speaks_against is Cause.ENVIRONMENT


def test_little_coverage_or_no_clear_cause_is_undetermined():
    strong = {"room_temperature": "long", "power": "event"}
    found = propose(strong)
    assert found.probability >= LEAST_PROBABILITY
    assert found.cause is Cause.UNDETERMINED  # two of twenty kinds could be seen
    assert found.likeliest is Cause.ENVIRONMENT
    quiet = {code: kind.quiet for code, kind in KINDS.items() if kind.quiet}
    found = propose(quiet)
    assert found.cause is Cause.UNDETERMINED
    assert max(found.posterior, key=found.posterior.get) is Cause.UNDETERMINED


@pytest.mark.parametrize("wrong", [{"mood": "bad"}, {"age": "ancient"}])
def test_what_the_table_does_not_have_is_refused(wrong):
    with pytest.raises(ValueError, match="the table has no"):
        propose(wrong)


def test_confirmed_cases_move_the_prior_as_a_dirichlet_does():
    counts = {Cause.WEAR: 30, Cause.USER: 6}
    learned = learned_priors(counts)
    rng = np.random.default_rng(5)
    start = [PRIOR_CASES * starting_prior()[c] + counts.get(c, 0) for c in CAUSES]
    drawn = rng.dirichlet(start, 200_000).mean(axis=0)
    assert [learned.shares[c] for c in CAUSES] == pytest.approx(drawn.tolist(), abs=2e-3)
    assert (learned.n, learned.counts[Cause.QUALITY]) == (36, 0)
    assert learned_priors({}).shares == pytest.approx(starting_prior())
    with pytest.raises(ValueError, match="negative"):
        learned_priors({Cause.WEAR: -1})


def test_what_would_change_is_what_the_other_proposal_says():
    seen = {"room_temperature": "long", "symptom": "climate", "recent_work": "none",
            "maintenance": "in_time", "age": "middle", "parts": "none"}  # fmt: skip
    now = propose(seen).cause
    assert now is Cause.ENVIRONMENT
    changes = what_would_change(seen, most=50)
    assert ("room_temperature", None) in {(c.kind, c.level) for c in changes}
    for change in changes:
        then = {**seen, change.kind: change.level}
        if change.level is None:
            del then[change.kind]
        other = propose(then)
        assert (other.cause, other.probability) == (change.cause, change.probability)
        assert other.cause is not now
    unchanged = {code for code in KINDS if code not in seen} - {c.kind for c in changes}
    for code in unchanged:
        for level in KINDS[code].levels:
            if level != KINDS[code].quiet:
                assert propose({**seen, code: level}).cause is now


def test_probabilities_are_true_where_the_table_is_true():
    """Independent evidence from the table itself: said and true shares agree in every bin."""
    rng = np.random.default_rng(20261129)
    cases = list(simulated(rng, n=3000))
    found = [propose(seen, discount=1.0) for _cause, seen in cases]
    hits = [p.likeliest is cause for (cause, _seen), p in zip(cases, found, strict=True)]
    bins = reliability([p.probability for p in found], hits)
    assert sum(one.n for one in bins) == 3000
    for one in bins:
        assert one.n > 100
        low, high = wilson(one.confirmed, one.n, 0.999)
        assert low <= one.said <= high
    truth = [cause for cause, _seen in cases]
    shares = Counter(truth)
    prior_only = -sum(n / 3000 * math.log(starting_prior()[c]) for c, n in shares.items())
    assert log_loss([p.posterior for p in found], truth) < 0.75 * prior_only
    score = brier([p.probability for p in found], hits)
    assert score.interval[0] < score.brier < score.interval[1]
    assert score.brier < score.reference


def test_the_discount_pays_where_pieces_of_a_group_repeat_each_other():
    """With repeated evidence full weights are too sure: the discount predicts better."""
    rng = np.random.default_rng(7)
    cases = list(simulated(rng, n=1500, together=0.9, hidden=0.1))
    truth = [cause for cause, _seen in cases]
    loss = {
        d: log_loss([propose(seen, discount=d).posterior for _cause, seen in cases], truth)
        for d in (DISCOUNT, 1.0)
    }
    assert loss[DISCOUNT] < loss[1.0]
    # Honest the other way: where nothing repeats, the discount costs something.
    alone = list(simulated(np.random.default_rng(8), n=1500, hidden=0.1))
    truth = [cause for cause, _seen in alone]
    costs = {
        d: log_loss([propose(seen, discount=d).posterior for _cause, seen in alone], truth)
        for d in (DISCOUNT, 1.0)
    }
    assert costs[1.0] < costs[DISCOUNT] < costs[1.0] + 0.2


def test_every_column_of_the_table_is_a_distribution():
    for kind in KINDS.values():
        for column in zip(*kind.levels.values(), strict=True):
            assert sum(column) == pytest.approx(1)
        assert kind.quiet is None or kind.quiet in kind.levels


def test_scores_against_a_hand_count():
    said, true = [0.55, 0.6, 0.7, 0.85, 0.95, 1.0], [True, False, True, True, True, False]
    bins = reliability(said, true)
    assert [(b.n, b.confirmed) for b in bins] == [(0, 0), (2, 1), (1, 1), (1, 1), (2, 1)]
    assert bins[0].interval is None
    assert bins[1].said == pytest.approx(0.575)
    with pytest.raises(NotEnoughData):
        brier(said, true)
    twice = brier(said * 2, true * 2)
    wanted = np.mean((np.array(said) - np.array(true)) ** 2)
    assert (twice.brier, twice.n) == (pytest.approx(wanted), 12)
    assert twice.reference == pytest.approx(4 / 6 * 2 / 6)


@pytest.mark.parametrize(("said", "true"), [([0.5], []), ([1.5], [True]), ([math.nan], [True])])
def test_bad_scores_are_refused(said, true):
    with pytest.raises(ValueError, match="probabilities"):
        reliability(said, true)


def test_log_loss_against_equal_shares():
    equal = dict.fromkeys(CAUSES, 1 / 6)
    assert log_loss([equal, equal], [Cause.WEAR, Cause.USER]) == pytest.approx(math.log(6))
    with pytest.raises(ValueError, match="as many"):
        log_loss([], [])
    with pytest.raises(ValueError, match="every cause"):
        log_loss([{Cause.WEAR: 1.0}], [Cause.WEAR])
