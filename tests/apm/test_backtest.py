"""Models tried on the past: only with what was known then, and a leak that is planted is found."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
from click.testing import CliRunner

from apm.assets.model import Asset, AssetState
from apm.cli import cli
from apm.core.errors import Invalid
from apm.forecasts.backtest import Course, backtest
from apm.forecasts.histories import histories
from apm.forecasts.kinds import Material, material
from apm.forecasts.leaks import find_leaks
from apm.forecasts.model import ModelKind, Outcome
from apm.work.model import WorkOrder
from tests.apm.hospital import make_asset
from tests.apm.judged import live_through

BEGAN = datetime(2024, 1, 1, tzinfo=UTC)
NOW = BEGAN + timedelta(days=720)
ORIGIN = BEGAN + timedelta(days=360)


@pytest.fixture
def aged(as_):
    """Sixteen pumps over two years; a quarter of them fails six times as often."""
    rng = np.random.default_rng(11)
    wang = as_("wang", now=lambda: BEGAN)
    facts = {"lifecycle": AssetState.IN_SERVICE, "in_service_on": date(2023, 12, 20)}
    with wang.writing("test.assets"):
        pumps = [make_asset(wang, "VENT", manufacturer="M", model="X", **facts) for _ in range(16)]
    failures = []
    for k, pump in enumerate(pumps):
        day = 0.0
        while (day := day + float(rng.exponential(45.0 if k < 4 else 270.0))) < 715.0:
            failures.append((BEGAN + timedelta(days=day), pump))
    live_through(as_("system"), failures, days=1.0)
    return pumps


@pytest.mark.database
def test_a_backtest_judges_by_what_came_and_beats_naive_rules_where_there_is_something_to_know(
    as_, aged
):
    ctx = as_("system", now=lambda: NOW)
    course = Course(ORIGIN, NOW, every=90)
    heard = []
    found = backtest(ctx, ModelKind.LIFE, course, told=heard.append)
    assert heard == [ORIGIN + timedelta(days=90 * k) for k in range(4)]
    assert found.origins == 4
    assert sum(found.counts.values()) == 4 * 16  # every pump at every origin
    later = histories(ctx, NOW)
    failed = sum(
        bool(((u.failures > o) & (u.failures <= o + 90)).any())
        for u in later.units
        for o in [at.timestamp() / 86400 for at in heard]
    )
    came = found.counts.get(Outcome.HIT, 0) + found.counts.get(Outcome.MISS, 0)
    assert came == failed
    assert found.figures.skill
    assert found.figures.skill.value > 0.0


@pytest.mark.database
def test_a_planted_leak_is_found_and_named(as_, aged):
    """A repair of before turns out later to be no failure; whoever knows that then cheats."""
    ctx = as_("system", now=lambda: NOW)
    known = histories(ctx, ORIGIN)
    victim = next(unit for unit in known.units if len(unit.failures))
    before = [o for o in _orders_of(ctx, victim.id) if o.created_at < ORIGIN]
    late = as_("system", now=lambda: ORIGIN + timedelta(days=30))
    with late.writing("test.late"):
        for order in before:
            late.session.merge(order).cause_code = "NPF"

    def knows_the_future(ctx, at, kinds):
        """Failures counted by the causes of today."""
        given = material(ctx, at, kinds)
        today = {unit.id: unit for unit in histories(ctx, ctx.now()).units}
        end = given.known.now
        units = [
            replace(unit, failures=today[unit.id].failures[today[unit.id].failures <= end])
            for unit in given.known.units
        ]
        return Material(replace(given.known, units=units))

    ctx = as_("system", now=lambda: NOW)
    assert find_leaks(ctx, ModelKind.LIFE, ORIGIN) == []  # the honest reader does not see it
    leaks = find_leaks(ctx, ModelKind.LIFE, ORIGIN, knows_the_future)
    named = {leak.asset_id: leak for leak in leaks}
    assert victim.id in named
    assert named[victim.id].differs == ("failures",)
    assert named[victim.id].said != named[victim.id].truly
    code = ctx.session.get(Asset, victim.id).code
    assert named[victim.id].subject == code  # people know equipment by its code


def _orders_of(ctx, asset_id):
    return ctx.session.query(WorkOrder).filter_by(asset_id=asset_id).all()


def test_origins_that_cannot_be_judged_are_refused(as_):
    with pytest.raises(Invalid, match="over yet"):
        Course(NOW, NOW).origins(ModelKind.LIFE, NOW)
    with pytest.raises(Invalid, match="origins"):
        Course(BEGAN, NOW, every=1).origins(ModelKind.LIFE, NOW)
    with pytest.raises(Invalid, match="Foretold"):
        Course(BEGAN, NOW, horizon=8).origins(ModelKind.LIFE, NOW)


def test_the_command_line_tells_the_score_and_that_there_is_no_leak(
    aged, database_url, monkeypatch
):
    monkeypatch.setenv("APM_DATABASE_URL", database_url)
    asked = ["predict", "backtest", "--hospital", "NORTH", "--from", "2024-12-26", "--to",
             "2025-06-30", "--every", "90", "--check-leaks"]  # fmt: skip
    done = CliRunner().invoke(cli, asked)
    assert done.exit_code == 0, done.output
    assert "No leak at 3 origins" in done.output
    assert "Warnings that were right" in done.output
    done = CliRunner().invoke(cli, [*asked, "--json"])
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["origins"] == 3
    assert found["baselines"]["always"]["n"] == 48
