"""Measured values over the years: one series an asset and step, and a warning before it fails."""

from __future__ import annotations

from datetime import timedelta

import pytest

from apm.accounts.queries import hospital_day
from apm.metrology import drifting
from apm.metrology.limits import ends
from apm.metrology.model import AppliedPart, Method, ProtectionClass
from apm.metrology.safety import describe_safety, open_safety_test
from apm.procedures.model import Verdict
from apm.work.model import WorkOrder
from apm.work.queries import work_order
from apm.work.states import WorkState
from tests.apm.hospital import make_asset

pytestmark = pytest.mark.database


@pytest.mark.parametrize(
    ("tolerance", "reference", "expected"),
    [
        ({"type": "le", "limit": 500}, None, (None, 500)),
        ({"type": "ge", "limit": 2}, None, (2, None)),
        ({"type": "between", "low": 1, "high": 3}, None, (1, 3)),
        ({"type": "abs", "abs": 0.5}, 10, (9.5, 10.5)),
        ({"type": "rel", "rel": 0.1}, 400, (360, 440)),
        ({"type": "sum_of", "abs": 1, "rel": 0.05}, 100, (94, 106)),
        ({"type": "max_of", "abs": 3, "rel": 0.15}, 10, (7, 13)),
        ({"type": "asym_rel", "low": -0.1, "high": 0.2}, 100, (90, 120)),
        ({"type": "manufacturer"}, None, (None, None)),
        ({"type": "manufacturer", "low": 4}, None, (4, None)),
        ({"type": "rel", "rel": 0.1}, None, (None, None)),
        (None, 3, (None, None)),
    ],
)
def test_the_two_ends_of_a_tolerance(tolerance, reference, expected):
    assert ends(tolerance, reference) == expected


def measured(as_, asset, values, *, key="es3", who="wang", every=365):
    """Safety tests of so many days apart, the last one today; each signed long ago."""
    for n, value in enumerate(values):
        ctx = as_(who)
        order = open_safety_test(ctx, asset=asset.code)
        ctx = as_(who)
        at = ctx.now() - timedelta(days=every * (len(values) - 1 - n))
        with ctx.writing("test.measured"):
            row = ctx.session.get(WorkOrder, order.id)
            row.state, row.done_at = WorkState.CLOSED, at
            [step] = [s for s in work_order(ctx, order.no).steps if s.key == key]
            step.value, step.verdict, step.answered_at = value, Verdict.PASS, at


def described(as_, who="wang", **details):
    """An asset whose safety can be measured."""
    asset = make_asset(as_(who), "MON", **details)
    describe_safety(
        as_(who), asset=asset.code, protection=ProtectionClass.I, parts=[AppliedPart.CF],
        method=Method.DIRECT,
    )  # fmt: skip
    return asset


def test_a_rising_leakage_is_seen_before_it_fails(as_):
    rising, steady = described(as_, number="D-1"), described(as_, number="D-2")
    short, theirs = described(as_, number="D-3"), described(as_, "qin", number="D-4")
    measured(as_, rising, [200, 252, 301, 349, 400])  # 50 uA a year: 500 in two years
    measured(as_, steady, [200, 203, 199, 201, 200])
    measured(as_, short, [200, 300, 400])
    measured(as_, theirs, [200, 252, 301, 349, 400], who="qin")
    assert drifting.compute_drifts(as_("system")) == 1
    [found] = drifting.drift_page(as_("wang")).items
    assert (found.asset.number, found.step_key, found.n, found.limit) == ("D-1", "es3", 5, 500)
    assert found.slope == pytest.approx(50, abs=2)
    away = (found.crosses_on - hospital_day(as_("wang"))).days
    assert away == pytest.approx(730, abs=40)
    assert found.earliest <= found.crosses_on <= found.latest
    assert drifting.compute_drifts(as_("system")) == 1  # again: the same, once
    assert len(drifting.drift_page(as_("wang")).items) == 1


def test_three_measurements_are_no_history(as_, login):
    asset = described(as_, number="D-3")
    measured(as_, asset, [200, 300, 400])
    [series] = [s for s in drifting.series_of(as_("wang"), asset) if s.key == "es3"]
    assert (series.n, series.trend) == (3, None)
    assert (
        "Not enough history: 3 of 4" in login("chen").get(f"/metrology/assets/{asset.code}").text
    )


def test_work_that_is_not_signed_does_not_count(as_):
    asset = described(as_)
    order = open_safety_test(as_("wang"), asset=asset.code)
    ctx = as_("wang")
    with ctx.writing("test.measured"):
        for step in work_order(ctx, order.no).steps:
            step.value = 1.0
    assert drifting.series_of(as_("wang"), asset) == []


def test_what_crosses_too_far_away_is_no_warning(as_):
    asset = described(as_)
    measured(as_, asset, [200, 202, 204, 206, 208])
    assert drifting.compute_drifts(as_("system")) == 0


def test_the_pages_and_the_api(as_, login, client, bearer):
    asset = described(as_, number="D-1")
    measured(as_, asset, [200, 252, 301, 349, 400])
    drifting.compute_drifts(as_("system"))
    page = login("chen").get("/metrology/drift").text
    assert "D-1" in page
    assert "D-1" not in login("qin").get("/metrology/drift").text
    own = login("chen").get(f"/metrology/assets/{asset.code}").text
    assert "Drifts to its limit" in own
    assert "<svg" in own
    assert "moves to its limit" in login("chen").get(f"/assets/{asset.code}").text
    [item] = client.get("/api/v1/drifts", headers=bearer()).json["items"]
    assert (item["asset"], item["step"], item["n"]) == (asset.code, "es3", 5)
