"""Trends at their edges: past the limit, just begun anew, and a cluster that goes away."""

import pytest

from apm.alarms.evaluating import evaluate_all
from apm.core.errors import Invalid
from apm.forecasts import trends
from apm.forecasts.courses import courses
from apm.forecasts.foretelling import foretell_all
from apm.forecasts.foretelling_jobs import is_due
from apm.forecasts.kinds import material
from apm.forecasts.model import ForecastRecord, ModelKind, Outcome
from apm.forecasts.outcomes import judge_everything
from apm.forecasts.training import train_kind
from tests.apm.foretelling import device, falling, on
from tests.apm.test_forecasts import NOW, TREND, limited, predictive, rows, wearing

pytestmark = pytest.mark.database


def ct(ctx, value):
    """A CT whose tube gives so much each day, 10 being its limit."""
    asset = device(ctx, category="CT", name="CT scanner", name_zh="CT机")
    limited(ctx, falling(ctx, asset, "TUBE", value, NOW))
    return asset


def told(ctx, asset):
    given = courses(ctx, on(ctx, NOW).now(), {asset.id: ("CT", False)})
    [said] = trends.foretell(given, TREND)
    return said


def test_a_limit_that_is_passed_already_is_no_forecast_but_asks_for_work(as_, login):
    ctx = as_("system")
    asset = ct(ctx, lambda day: wearing(day + 30))
    evaluate_all(on(ctx, NOW), until=on(ctx, NOW).now())
    train_kind(on(ctx, NOW), ModelKind.TREND, why="first")
    foretell_all(on(ctx, NOW))

    [record] = rows(ctx, ForecastRecord)
    [order] = predictive(ctx)
    assert (record.warned, record.life_high) == (True, 0.0)
    assert record.work_order_no == order.no  # the alarm's: the forecast joined it
    sentences = [one["sentences"] for one in order.evidence["also"]]
    assert sentences == [{"en": "Its limit is passed already.", "zh": "已超出限值。"}]
    page = login("wang").get(f"/assets/{asset.code}/forecast").text
    assert "Tube output is beyond its limit already." in page
    assert "in 0 days" not in page

    judge_everything(on(ctx, NOW + 1))
    assert rows(ctx, ForecastRecord)[0].outcome is Outcome.OPEN
    judge_everything(on(ctx, NOW + 31))
    [record] = rows(ctx, ForecastRecord)
    assert (record.outcome, record.outcome_why["code"]) == (Outcome.UNRESOLVED, "limit_before")


def test_a_method_is_not_praised_for_limits_that_were_passed_before(as_):
    ctx = as_("system")
    ct(ctx, lambda day: 5.0 + wearing(10 * day) / 100)
    metrics, _standing = trends.standing(material(on(ctx, NOW), on(ctx, NOW).now()).courses)
    assert (metrics["n"], metrics["failures"]) == (0, 0)


def test_days_before_a_part_was_replaced_do_not_count_as_history(as_):
    ctx = as_("system")
    said = told(ctx, ct(ctx, lambda day: wearing(day) if day < NOW - 6 else 27.0))
    assert (said.needs.have, said.needs.need) == (6, 20)


@pytest.mark.parametrize(("replaced", "says"), [(None, set()), (NOW - 60, {60})])
def test_only_a_course_that_changed_is_said_to_have_changed(as_, replaced, says):
    ctx = as_("system")
    begun = replaced or 0
    said = told(ctx, ct(ctx, lambda d: wearing(d) if d < begun else 27 - 0.2 * (d - begun) ** 0.9))
    assert {one["days"] for one in said.drivers if one["code"] == "since_change"} == says


def test_a_night_without_its_cluster_is_made_up_for(as_):
    pytest.importorskip("distributed", reason="the extra `dask` is not installed")
    ctx = as_("system")
    ct(ctx, wearing)
    foretell_all(on(ctx, NOW))
    with pytest.raises(Invalid, match="Dask"):
        foretell_all(on(ctx, NOW + 1.3), compute="dask://127.0.0.1:1")
    assert is_due(on(ctx, NOW + 1.3))
    assert {row.at for row in rows(ctx)} == {on(ctx, NOW).now()}
