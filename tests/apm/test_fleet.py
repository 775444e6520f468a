"""The fleet's page: ranked, filtered, counted; what is shown of whom, and what is not."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from sqlalchemy import select

from apm.assets.commands import advance
from apm.assets.model import Asset, Risk
from apm.core.clock import utc_now
from apm.forecasts.arranging import arrange_fleet
from apm.forecasts.fleet import FleetFilter, fleet_counts, fleet_page
from apm.forecasts.fleet_model import Band, FleetEntry, Standing
from apm.forecasts.foretold import Trained
from apm.forecasts.model import ModelKind, ModelState
from apm.forecasts.registry import Standing as RegistryStanding
from apm.forecasts.registry import register
from tests.apm.foretold import foretell, make_model
from tests.apm.hospital import make_asset
from tests.queries import count_queries

pytestmark = pytest.mark.database


def names(page):
    return [row.entry.asset.name for row in page.items]


@pytest.fixture
def fleet(as_):
    """One of each kind, and one of another hospital that must never come back."""
    system = as_("system")
    at_work, muted = make_model(system), make_model(system, ModelKind.SOON, ModelState.MUTED)
    shadow = make_model(system, ModelKind.TREND, ModelState.SHADOW)

    def made(name, category="VENT", **more):
        return make_asset(as_("wang"), category, name=name, **more)

    foretell(system, made("Worst", department="ICU"), at_work, chance=0.6, warns=True)
    foretell(system, made("Middle", "MON", department="Ward"), at_work, chance=0.24)
    foretell(system, made("Harmless", "MON", department="Ward"), at_work, chance=0.01)
    foretell(system, made("Too new"), None, chance=None)
    foretell(system, made("Misjudged"), muted, chance=0.9)
    foretell(system, made("On trial"), shadow, chance=0.9)
    south = as_("qin")
    foretell(south, make_asset(south, "VENT", name="Of South"), make_model(south), chance=0.99)
    return as_


def test_the_fleet_is_ranked_by_what_a_failure_would_cost(fleet):
    wang = fleet("wang")

    page = fleet_page(wang, FleetFilter())
    first = fleet_page(wang, FleetFilter(), limit=2)
    rest = fleet_page(wang, FleetFilter(), limit=2, after=first.next)

    assert names(page) == ["Worst", "Middle", "Harmless"]
    assert names(first) + names(rest) == names(page)
    assert rest.next is None


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (FleetFilter(only_asking=True), ["Worst"]),
        (FleetFilter(department=("Ward",)), ["Middle", "Harmless"]),
        (FleetFilter(category=("VENT",)), ["Worst"]),
        (FleetFilter(kind=(ModelKind.TREND,)), []),
        (FleetFilter(risk=(Risk.HIGH,)), ["Worst"]),
        (FleetFilter(band=(Band.POSSIBLE,)), ["Middle"]),
        (FleetFilter(q="harm"), ["Harmless"]),
        (FleetFilter(standing=Standing.NEEDS), ["Too new"]),
        (FleetFilter(standing=Standing.MUTED), ["Misjudged"]),
    ],
)
def test_each_filter_keeps_what_it_says(fleet, wanted, found):
    assert names(fleet_page(fleet("wang"), wanted)) == found


def test_a_search_finds_the_same_however_much_it_finds(fleet, monkeypatch):
    def found():
        return [
            names(fleet_page(fleet("wang"), FleetFilter(q=q)))
            for q in ("ventilator", "harm", "nothing so called")
        ]

    named = found()
    monkeypatch.setattr("apm.forecasts.fleet.FEW", 0)
    assert found() == named == [["Worst"], ["Harmless"], []]


def test_the_counts_are_those_of_the_lists(fleet):
    wang = fleet("wang")

    counts = fleet_counts(wang, FleetFilter())
    of_ward = fleet_counts(wang, FleetFilter(department=("Ward",), only_asking=True))

    assert counts.standing == {Standing.FORETOLD: 3, Standing.NEEDS: 1, Standing.MUTED: 1}
    assert (counts.asking, counts.total, counts.needs) == (1, 5, {"failures": 1})
    assert counts.cells[Risk.HIGH, Band.PROBABLE] == 1
    assert sum(counts.cells.values()) == 3
    assert (of_ward.standing, of_ward.asking) == ({Standing.FORETOLD: 2}, 0)


def test_the_best_forecast_speaks_for_an_asset_and_a_warning_before_all(fleet):
    system = fleet("system")
    soon = make_model(system, ModelKind.SOON)
    asset = system.session.scalar(select(Asset).where(Asset.name == "Middle"))

    foretell(system, asset, soon, chance=0.1, warns=True)
    [row] = fleet_page(fleet("wang"), FleetFilter(only_asking=True, category=("MON",))).items

    assert (row.entry.kind, row.entry.chance) == (ModelKind.SOON, 0.1)
    assert row.record is not None
    assert row.record.model.kind is ModelKind.SOON


def test_what_a_replaced_version_said_stands_until_the_new_one_has_foretold(fleet):
    system = fleet("system")
    register(
        system, kind=ModelKind.LIFE,
        trained=Trained({"mtbf": {}, "mtbf_all": None}, 3, 20, None, "1" * 64), metrics={},
        data_until=utc_now(), trained_why="drift",
        standing=RegistryStanding(ModelState.ACTIVE, {"code": "beats_active"}),
    )  # fmt: skip
    register(
        system, kind=ModelKind.SOON,
        trained=Trained({"mtbf": {}, "mtbf_all": None}, 3, 20, None, "2" * 64), metrics={},
        data_until=utc_now(), trained_why="schedule",
        standing=RegistryStanding(ModelState.ACTIVE, {"code": "beats_baseline"}),
    )  # fmt: skip

    arrange_fleet(system)

    wang = fleet("wang")
    assert names(fleet_page(wang, FleetFilter())) == ["Worst", "Middle", "Harmless"]
    assert fleet_counts(wang, FleetFilter()).standing[Standing.FORETOLD] == 3
    assert names(fleet_page(wang, FleetFilter(standing=Standing.MUTED))) == []


def test_arranging_again_changes_nothing_and_what_is_retired_leaves(fleet):
    before = arrange_fleet(fleet("system"))
    wang = fleet("wang")
    asset = wang.session.scalar(select(Asset).where(Asset.name == "Harmless"))
    advance(wang, code=asset.code, action="retire")

    after = arrange_fleet(fleet("system"))

    assert (before, after) == (0, 1)
    assert names(fleet_page(fleet("wang"), FleetFilter())) == ["Worst", "Middle"]
    assert len(fleet("system").session.scalars(select(FleetEntry)).all()) == 4


def test_a_page_costs_the_same_however_much_is_on_it(fleet, engine):
    system, wang = fleet("system"), fleet("wang")
    model = make_model(system, ModelKind.LIFE)
    with count_queries(engine) as few:
        fleet_page(wang, FleetFilter(), limit=1)
    for no in range(12):
        foretell(system, make_asset(fleet("wang"), name=f"More {no}"), model, chance=0.3)
    wang.session.rollback()
    with count_queries(engine) as many:
        page = fleet_page(wang, FleetFilter(), limit=50)
    with count_queries(engine) as counting:
        fleet_counts(wang, FleetFilter())

    assert len(page.items) == 15
    assert (len(many), len(counting)) == (len(few), 1)


def test_the_page_says_it_in_words_and_shows_no_number_of_who_may_not(fleet, login):
    browser = login("wang")

    page = browser.get("/fleet").text
    needs = browser.get("/fleet?show=needs").text
    muted = browser.get("/fleet?show=muted").text

    text = " ".join(re.sub(r"<[^>]+>", " ", page).split())
    assert "3 in 5 60 %" in text
    assert "62 days, 80 % between 41 and 95" in text
    assert "3 failures in the last year" in text
    assert "Plan work before" in text
    assert "Worst" in page
    assert "Misjudged" not in page
    assert "Of South" not in page
    assert "needs 5 failures of this kind of equipment on record and has 1" in needs
    assert "3 of 5 assets have enough history." in needs
    assert "Misjudged" in muted
    assert "90 %" not in muted.split("<table")[1]


def test_old_forecasts_say_that_they_are_old(as_, login):
    old = as_("system", now=lambda: utc_now() - timedelta(days=3))
    foretell(old, make_asset(as_("wang")), make_model(old))

    assert "These forecasts are old" in login("wang").get("/fleet").text


def test_an_empty_fleet_says_what_to_do(login):
    for show in ("all", "asks", "needs", "muted"):
        assert 'class="empty"' in login("wang").get(f"/fleet?show={show}").text
