"""Scorecards of a simulated hospital whose hazards are known: who is right, who is muted."""

from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest

from apm.accounts.queries import system_actor
from apm.assets.model import AssetState
from apm.core.audit import AuditEntry
from apm.core.command import Context
from apm.forecasts.drifting import drift_of
from apm.forecasts.model import ModelKind, ModelState, ModelVersion, Outcome
from apm.forecasts.muting import hides_interval, review
from apm.forecasts.outcomes import judge_everything
from apm.forecasts.registry import decide_model
from apm.forecasts.scorecard import cards_of
from tests.apm.hospital import make_asset
from tests.apm.judged import live_through, make_version, record_of

pytestmark = pytest.mark.database
BEGAN = datetime(2025, 6, 1, tzinfo=UTC)
MONTHS, GOOD, BAD = 8, 24, 8
RISK = {"good": 0.03, "bad": 0.6}
END = BEGAN + timedelta(days=30 * MONTHS + 2)
NOW = {"now": lambda: END}


class Hospital:
    """32 devices, 8 of them bad, over eight months; who failed in which month is drawn once."""

    def __init__(self, as_) -> None:
        self.as_ = as_
        wang = as_("wang", now=lambda: BEGAN - timedelta(days=200))
        state = {"lifecycle": AssetState.IN_SERVICE, "in_service_on": date(2024, 1, 1)}
        with wang.writing("test.assets"):
            self.assets = [make_asset(wang, **state) for _ in range(GOOD + BAD)]
        self.risk = np.array([RISK["good"]] * GOOD + [RISK["bad"]] * BAD)
        rng = np.random.default_rng(3)
        self.fails = rng.random((MONTHS, GOOD + BAD)) < self.risk
        failures = [
            (self.start(month) + timedelta(days=float(rng.uniform(1, 29))), self.assets[k])
            for month, k in np.argwhere(self.fails)
        ]
        live_through(as_("system"), failures, days=0.5)

    def start(self, month) -> datetime:
        return BEGAN + timedelta(days=30 * int(month))

    def record(self, version, say, *, warn_at=0.4, **facts) -> None:
        """Freeze what a version said of every device at the start of every month."""
        ctx = self.as_("system", **NOW)
        rate = float(self.fails.mean())
        rows = []
        for month in range(MONTHS):
            for k, asset in enumerate(self.assets):
                p = float(say(month, k))
                own = {"probability": p, "base_probability": rate, "warned": p >= warn_at}
                rows.append(record_of(version, asset.id, self.start(month), **own, **facts))
        with ctx.writing("test.records"):
            ctx.session.add_all(rows)

    def judged(self):
        judge_everything(self.as_("system", **NOW))
        return self.as_("system", **NOW)


@pytest.fixture
def hospital(as_):
    return Hospital(as_)


def version(hospital, kind=ModelKind.LIFE, number=1, state=ModelState.ACTIVE):
    ctx = hospital.as_("system", now=lambda: BEGAN)
    return make_version(ctx, kind=kind, version=number, state=state, at=BEGAN)


def state_of(ctx, row):
    return ctx.session.get(ModelVersion, row.id, populate_existing=True)


def test_a_model_that_knows_the_hazards_is_told_from_one_that_knows_nothing(hospital):
    knows, useless = version(hospital), version(hospital, ModelKind.SOON)
    hospital.record(knows, lambda _m, k: hospital.risk[k])
    hospital.record(useless, lambda _m, k: 1.0 - hospital.risk[k])
    ctx = hospital.judged()
    right, wrong = cards_of(ctx, [state_of(ctx, knows), state_of(ctx, useless)])
    bad = hospital.fails[:, GOOD:]
    warned = right.figures.warnings
    # Counted by hand from who was drawn to fail.
    assert (warned.right, warned.n) == (bad.sum(), bad.size)
    assert (warned.caught, warned.events) == (bad.sum(), hospital.fails.sum())
    assert warned.precision
    assert warned.precision.value == pytest.approx(bad.mean())
    assert right.counts[Outcome.HIT] == bad.sum()
    assert right.counts[Outcome.MISS] == hospital.fails[:, :GOOD].sum()
    rate = hospital.fails.mean()
    found = right.figures.skill
    assert found
    assert found.base == pytest.approx(rate * (1 - rate))
    assert found.brier == pytest.approx(np.mean((hospital.risk - hospital.fails) ** 2))
    assert found.low > 0.0 > wrong.figures.skill.high
    always = right.figures.baselines["always"]
    assert always.precision
    assert always.precision.value == pytest.approx(rate)
    calendar = right.figures.baselines["calendar"]
    assert calendar.n == warned.n
    assert calendar.right < warned.right
    said = {round(row.said, 2): (row.k, row.n) for row in right.figures.reliability}
    assert said[0.6] == (bad.sum(), bad.size)


def test_worse_than_the_baseline_is_muted_with_figures_and_a_person_may_overrule(hospital):
    knows, useless = version(hospital), version(hospital, ModelKind.SOON)
    hospital.record(knows, lambda _m, k: hospital.risk[k])
    hospital.record(useless, lambda _m, k: 1.0 - hospital.risk[k])
    ctx = hospital.judged()
    assert [row.kind for row in review(ctx)] == [ModelKind.SOON]
    row = state_of(ctx, useless)
    assert (row.state, row.state_why["code"]) == (ModelState.MUTED, "worse_than_baseline")
    assert row.state_why["high"] < 0.0
    assert row.state_why["n"] == MONTHS * (GOOD + BAD)
    assert state_of(ctx, knows).state is ModelState.ACTIVE
    trail = ctx.session.query(AuditEntry).filter_by(command="model.move").all()
    assert any("muted" in str(entry.changes.get("state")) for entry in trail)
    wang = hospital.as_("wang", **NOW)
    decide_model(
        wang, kind=row.kind, version=1, state=ModelState.ACTIVE, reason="Wrong codes, now mended"
    )
    assert review(hospital.as_("system", **NOW)) == []  # what a person decided is left alone
    later = hospital.as_("system", now=lambda: END + timedelta(days=91))
    assert [row.state for row in review(later)] == [ModelState.MUTED]


def test_too_few_judged_forecasts_decide_nothing(hospital):
    young = version(hospital)
    ctx = hospital.as_("system", **NOW)
    rows = [record_of(young, a.id, BEGAN, probability=0.97) for a in hospital.assets[:20]]
    with ctx.writing("test.records"):
        ctx.session.add_all(rows)
    ctx = hospital.judged()
    [card] = cards_of(ctx, [state_of(ctx, young)])
    assert card.figures.skill is None
    assert review(ctx) == []
    qin = hospital.as_("qin", **NOW)  # of another hospital: none of this is there
    assert cards_of(qin, [young])[0].n_frozen == 0
    assert review(Context(qin.session, system_actor(qin.actor.hospital_id), **NOW)) == []


def test_a_shadow_goes_to_work_only_if_it_beats_the_one_at_work_on_the_same_moments(hospital):
    rate = float(hospital.fails.mean())
    at_work = version(hospital)
    equal = version(hospital, number=2, state=ModelState.SHADOW)
    hospital.record(at_work, lambda _m, k: rate)
    hospital.record(equal, lambda _m, k: rate, was_shadow=True)
    assert review(hospital.judged()) == []
    better = version(hospital, number=3, state=ModelState.SHADOW)
    hospital.record(better, lambda _m, k: hospital.risk[k], was_shadow=True)
    ctx = hospital.judged()
    review(ctx)
    assert state_of(ctx, better).state is ModelState.ACTIVE
    assert state_of(ctx, better).state_why["code"] == "beat_active"
    assert state_of(ctx, at_work).state is ModelState.RETIRED


def test_an_interval_that_does_not_hold_is_hidden(hospital):
    row = version(hospital)
    says = {"life_low": 1.0, "life_median": 2.0, "life_high": 3.0, "confidence": 0.8}
    hospital.record(row, lambda _m, k: hospital.risk[k], **says)
    ctx = hospital.judged()
    [card] = cards_of(ctx, [state_of(ctx, row)])
    assert card.coverage
    assert card.coverage.value < 0.2
    review(ctx)
    assert state_of(ctx, row).state is ModelState.ACTIVE
    assert hides_interval(state_of(ctx, row))


def test_a_fleet_that_moved_away_from_what_was_learnt_is_noticed(hospital):
    steady, moved = version(hospital), version(hospital, ModelKind.SOON)
    rng = np.random.default_rng(5)
    noise = rng.normal(0, 0.02, (MONTHS, GOOD + BAD))
    hospital.record(steady, lambda m, k: np.clip(hospital.risk[k] + noise[m, k], 0, 1))
    shift = [0.0] * 4 + [0.3] * 4
    hospital.record(moved, lambda m, k: np.clip(hospital.risk[k] + noise[m, k] + shift[m], 0, 1))
    ctx = hospital.judged()
    assert drift_of(ctx, state_of(ctx, steady)) is None
    found = drift_of(ctx, state_of(ctx, moved))
    assert found
    assert (found.code, found.what) == ("inputs", "probability")
