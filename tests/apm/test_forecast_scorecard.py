"""Scorecards of a simulated hospital whose hazards are known: who is right, who is muted."""

from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
from sqlalchemy import select

from apm.accounts.queries import system_actor
from apm.assets.model import AssetState
from apm.core.audit import AuditEntry
from apm.core.command import Context
from apm.forecasts.drifting import drift_of
from apm.forecasts.model import (
    Forecast,
    ForecastRecord,
    ModelKind,
    ModelState,
    ModelVersion,
    Outcome,
)
from apm.forecasts.muting import hides_interval, review
from apm.forecasts.outcomes import judge_everything
from apm.forecasts.proving import disproved
from apm.forecasts.registry import decide_model
from apm.forecasts.scorecard import cards_of
from tests.apm.foretold import foretell
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
        self.failures = [(at, asset.id) for at, asset in failures]
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
                said = {name: v(k) if callable(v) else v for name, v in facts.items()}
                rows.append(record_of(version, asset.id, self.start(month), **own, **said))
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


def came_within(hospital, days) -> dict[tuple[int, int], bool]:
    """By month and device, whether it failed in time; the first of those that do not overlap."""
    found = {}
    for k, asset in enumerate(hospital.assets):
        free = BEGAN
        for month in range(MONTHS):
            at, until = hospital.start(month), hospital.start(month) + timedelta(days=days)
            if at < free or until > END:
                continue
            after = [t for t, asset_id in hospital.failures if asset_id == asset.id and at < t]
            first = min(after, default=until)
            found[month, k] = first < until
            free = min(first, until)
    return found


@pytest.fixture
def misled(hospital):
    """A model that is right about the next 30 days, and says the contrary about the next 90."""
    row = version(hospital, ModelKind.SOON)
    within_90 = 1.0 - (1.0 - hospital.risk) ** 3
    hospital.record(
        row,
        lambda _m, k: hospital.risk[k],
        probabilities=lambda k: {"30": float(hospital.risk[k]), "90": float(1.0 - within_90[k])},
    )
    return row


def test_each_horizon_is_judged_when_it_is_over_against_a_constant_rate(hospital, misled):
    ctx = hospital.judged()
    [card] = cards_of(ctx, [state_of(ctx, misled)])
    near, far = card.horizons
    assert (near.days, far.days) == (30, 90)
    assert near.skill == card.figures.skill
    came = came_within(hospital, 90)
    y = np.array(list(came.values()), float)
    said = np.array([(1.0 - hospital.risk[k]) ** 3 for _m, k in came])
    base = 1.0 - (1.0 - hospital.fails.mean()) ** 3
    assert (far.n, far.events) == (len(y), y.sum())
    assert far.skill.brier == pytest.approx(np.mean((said - y) ** 2))
    assert far.skill.base == pytest.approx(np.mean((base - y) ** 2))
    assert (far.said, far.seen.value) == pytest.approx((said.mean(), y.mean()))
    assert far.waiting == 2 * (GOOD + BAD)  # of the last two months the 90 days are not over
    assert sum(row.n for row in far.reliability) == len(y)


def test_a_horizon_worse_than_its_baseline_is_muted_alone_and_at_once(hospital, misled, login):
    ctx = hospital.judged()
    row = state_of(ctx, misled)
    chances = {"30": 0.5, "90": 0.6}
    asset = hospital.assets[0]
    said, _ = foretell(ctx, asset, row, record=False, probabilities=chances, rank=0.3)
    assert [one.id for one in review(ctx)] == [row.id]
    row = state_of(ctx, misled)
    assert (row.state, row.state_why["horizons"].keys()) == (ModelState.ACTIVE, {"90"})
    assert row.state_why["horizons"]["90"]["high"] < 0.0
    shown = ctx.session.get(Forecast, said.id, populate_existing=True)
    assert (shown.probabilities, shown.rank) == ({"30": 0.5}, 0.25)
    wang = login("wang")
    page = wang.get(f"/assets/{asset.code}/forecast").text
    assert "not shown: its chances did worse than plain arithmetic" in page
    [told] = wang.get(f"/api/v1/assets/{asset.code}/forecast").json["forecasts"]
    assert (told["probability"], told["muted_horizons"]) == ({"30": 0.5}, [90])
    [score] = wang.get("/api/v1/forecasts/scores").json["items"]
    assert [(one["days"], one["muted"]) for one in score["horizons"]] == [(30, False), (90, True)]
    assert "Worse than its baseline beyond doubt" in wang.get("/analytics/forecasts").text
    first = ctx.session.query(ForecastRecord).filter_by(model_version_id=row.id).first()
    page = wang.get(f"/fleet/records/{first.id}").text
    assert page.count("<tr>") == 3  # the head, 30 and 90 days
    assert review(hospital.as_("system", **NOW)) == []  # nothing new


def test_the_next_version_answers_for_the_last_until_it_has_a_past_of_its_own(hospital, misled):
    ctx = hospital.judged()
    heir = version(hospital, ModelKind.SOON, number=2)
    chances = {"30": 0.1, "90": 0.2}
    at = END - timedelta(days=1)
    rows = [record_of(heir, a.id, at, probabilities=chances) for a in hospital.assets]
    with ctx.writing("test.young"):
        ctx.session.add_all(rows)
    [card] = cards_of(ctx, [state_of(ctx, heir)])
    near, far = card.horizons
    assert (near.versions, near.n, near.skill) == (1, 0, None)
    assert (far.versions, far.skill.is_worse) == (2, True)
    decide_model(
        hospital.as_("wang", **NOW),
        kind=ModelKind.SOON, version=2, state=ModelState.ACTIVE, reason="Mended",
    )  # fmt: skip
    ctx = hospital.as_("system", **NOW)
    review(ctx)
    assert "horizons" not in state_of(ctx, heir).state_why  # what a person decided is left alone
    ctx = hospital.as_("system", now=lambda: END + timedelta(days=91))
    review(ctx)
    assert "90" in state_of(ctx, heir).state_why["horizons"]


def test_a_horizon_no_better_in_the_test_on_the_past_is_not_shown_from_the_start():
    good = {"n": 90, "failures": 20, "brier": 0.10, "base_brier": 0.12}
    bad, few = {**good, "brier": 0.13}, {**good, "brier": 0.13, "failures": 9}
    assert disproved({"horizons": {"7": few, "90": bad, "365": good}}).keys() == {"90"}


def test_what_failed_while_a_model_might_not_warn_it_has_not_missed(hospital):
    """Muted or on trial it foretells and is scored, but its silence is no miss."""
    row = version(hospital)

    def say(month, k):
        return 0.9 if month < 4 and hospital.fails[month, k] else 0.1

    hospital.record(row, say)
    ctx = hospital.judged()
    with ctx.writing("test.shadow"):
        for one in ctx.session.scalars(select(ForecastRecord)):
            one.was_shadow = one.at >= hospital.start(4)
    [card] = cards_of(ctx, [state_of(ctx, row)])

    at_work = int(hospital.fails[:4].sum())
    found = card.figures
    assert (found.warnings.caught, found.warnings.events) == (at_work, at_work)
    assert found.baselines["always"].n == 4 * (GOOD + BAD)
    assert found.n == MONTHS * (GOOD + BAD)  # its chances are scored all the while
    assert found.months < 4.1 * (GOOD + BAD)


def test_an_interval_hidden_meanwhile_does_not_renew_what_a_person_decided(hospital):
    row = version(hospital)
    says = {"life_low": 1.0, "life_median": 2.0, "life_high": 3.0, "confidence": 0.8}
    hospital.record(row, lambda _m, k: hospital.risk[k], **says)
    wang = hospital.as_("wang", now=lambda: END - timedelta(days=80))
    decide_model(wang, kind=row.kind, version=1, state=ModelState.ACTIVE, reason="we know")
    ctx = hospital.judged()
    review(ctx)
    kept = state_of(ctx, row)
    assert hides_interval(kept)
    assert kept.state_since == END - timedelta(days=80)


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
