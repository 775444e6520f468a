"""An asset goes its way: used, repaired, quarantined, lost, found, retired."""

import pytest

from apm.assets.categories import all_categories, find_category, nearest_category
from apm.assets.commands import (
    advance,
    create_asset,
    mark_under_repair,
    move_asset,
    return_to_service,
)
from apm.assets.lifecycle import _GUARDS as GUARDS
from apm.assets.lifecycle import LIFECYCLE, before_retirement
from apm.assets.model import AssetState, Availability
from apm.assets.queries import asset_by_code
from apm.core.codes import find_code
from apm.core.errors import Conflict, NotAllowed, NotFound
from apm.core.panels import Panel, Panels
from apm.core.permissions import Permission

S = AssetState


@pytest.fixture
def ctx(as_):
    return as_("wang")


@pytest.fixture
def asset(ctx):
    return create_asset(ctx, number="A-1", name="Evita", category="VENT")


def during(ctx, act, *args):
    with ctx.writing("test.act"):
        act(ctx, *args)


@pytest.mark.parametrize("before", [S.IN_SERVICE, S.STANDBY, S.ON_LOAN])
def test_a_repaired_asset_returns_where_it_was(ctx, as_, before):
    asset = create_asset(ctx, number="B", name="x", category="OTHER", lifecycle=before)

    during(ctx, mark_under_repair, asset)
    repairing = (asset.lifecycle, asset.availability)
    during(ctx, mark_under_repair, asset)
    during(ctx, return_to_service, asset)

    assert repairing == (S.UNDER_REPAIR, Availability.DOWN)
    assert (asset.lifecycle, asset.availability) == (before, Availability.UP)
    assert asset.return_to is None


def test_a_repair_does_not_release_from_quarantine(ctx, asset):
    advance(ctx, code=asset.code, action="stand_by")
    advance(ctx, code=asset.code, action="quarantine")

    during(ctx, mark_under_repair, asset)
    during(ctx, return_to_service, asset)
    held = (asset.lifecycle, asset.availability)
    advance(ctx, code=asset.code, action="release")

    assert held == (S.QUARANTINED, Availability.DOWN)
    assert (asset.lifecycle, asset.availability) == (S.STANDBY, Availability.UP)


def test_what_is_quarantined_during_its_repair_goes_back_to_service_when_released(ctx, asset):
    during(ctx, mark_under_repair, asset)
    advance(ctx, code=asset.code, action="quarantine")
    advance(ctx, code=asset.code, action="release")
    assert (asset.lifecycle, asset.availability) == (S.IN_SERVICE, Availability.UP)


def test_a_retired_asset_is_not_repaired(ctx, asset):
    advance(ctx, code=asset.code, action="retire")
    with pytest.raises(Conflict, match="retired"):
        during(ctx, mark_under_repair, asset)
    during(ctx, return_to_service, asset)
    assert (asset.lifecycle, asset.availability) == (S.RETIRED, Availability.DOWN)


def test_a_missing_asset_is_found_again(ctx, asset):
    advance(ctx, code=asset.code, action="report_missing")
    lost = asset.availability
    advance(ctx, code=asset.code, action="find")
    assert lost is Availability.DOWN
    assert (asset.lifecycle, asset.availability) == (S.IN_SERVICE, Availability.UP)


def test_no_step_leads_out_of_disposal_or_into_a_repair():
    assert not [s for s in LIFECYCLE.steps if S.DISPOSED in s.sources]
    assert not [s for s in LIFECYCLE.steps if s.target is S.UNDER_REPAIR]


def test_a_guard_can_hold_retirement_back(ctx, asset):
    def open_work(_ctx, found):
        raise Conflict(f"{found.number} has open work")

    with GUARDS.trial():
        before_retirement(open_work)
        with pytest.raises(Conflict, match="A-1 has open work"):
            advance(ctx, code=asset.code, action="retire")
    advance(ctx, code=asset.code, action="quarantine")
    assert asset_by_code(ctx, asset.code).lifecycle is S.QUARANTINED


def test_a_nurse_takes_no_step(as_, asset):
    with pytest.raises(NotAllowed):
        advance(as_("lin"), code=asset.code, action="retire")


def test_another_hospital_takes_no_step(as_, asset):
    with pytest.raises(NotFound):
        advance(as_("qin"), code=asset.code, action="retire")


def test_an_asset_is_moved(ctx, as_, asset):
    move_asset(as_("chen"), code=asset.code, location="Bed 9")
    moved = asset_by_code(as_("wang"), asset.code)
    assert (moved.location.name, moved.department) == ("Bed 9", None)
    assert find_code(ctx.session, "location", moved.location.code) is not None


def test_panels_stand_in_order_and_only_for_those_who_may(ctx, as_, asset):
    panels = Panels()

    def stating(title):
        return lambda _ctx, _asset: Panel(title, "tool", "x.html") if title else None

    with panels.entries.trial():
        panels.register(order=20, permission=Permission.ASSET_READ)(stating("second"))
        panels.register(order=10, permission=Permission.WORK_READ)(stating("first"))
        panels.register(order=15, permission=Permission.ASSET_READ)(stating(None))

        assert [p.title for p in panels.of(ctx, asset)] == ["first", "second"]
        assert [p.title for p in panels.of(as_("lin"), asset)] == ["second"]


@pytest.mark.parametrize(
    ("text", "code"),
    [("呼吸机", "VENT"), ("VENT", "VENT"), ("ventilator", "VENT"), (" Infusion-Pump ", "INFP"),
     ("ＣＴ", "CT"), ("除颤仪", "DEFIB"), ("spaceship", None), ("", None)],
)  # fmt: skip
def test_a_category_is_found_by_any_of_its_names(text, code):
    assert find_category(text) == code


def test_a_misspelt_category_has_a_nearest():
    assert nearest_category("defibrilator").code == "DEFIB"
    assert nearest_category("qqqq") is None


def test_every_category_has_both_names_and_a_risk():
    for entry in all_categories():
        assert entry.en
        assert entry.zh
        assert find_category(entry.en) == find_category(entry.zh) == entry.code
