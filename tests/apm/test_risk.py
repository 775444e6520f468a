"""Interval by risk: known scores, evidence counted by hand, decisions on record."""

from __future__ import annotations

from datetime import timedelta

import pytest

from apm.core.errors import Conflict, Invalid, NotFound
from apm.procedures.model import Verdict
from apm.risk import commands, queries
from apm.risk.evidence import Change, Evidence, propose
from apm.risk.model import Schedule
from apm.risk.scores import em_number, history_points, inputs, plain, proposed, vermont
from apm.work.model import WorkOrder
from apm.work.queries import work_order
from apm.work.states import WorkState, WorkType
from predict.maintenance_yield import rate, share
from tests.apm.hospital import make_asset, make_work
from tests.queries import count_queries

pytestmark = pytest.mark.database


def signed(as_, asset, kind, *, months_ago, failed=False, cause=None, who="wang"):
    """Work on an asset that was signed so many months ago."""
    template = asset.category if kind is WorkType.PREVENTIVE else None
    order = make_work(as_(who), asset, type=kind, template_code=template)
    ctx = as_(who)
    at = ctx.now() - timedelta(days=30.4375 * months_ago)
    with ctx.writing("test.signed"):
        row = ctx.session.get(WorkOrder, order.id)
        row.state, row.created_at, row.done_at, row.cause_code = WorkState.CLOSED, at, at, cause
        if failed:
            work_order(ctx, order.no).steps[0].verdict = Verdict.FAIL


def old_asset(as_, category="VENT", who="wang", **details):
    """A device in service for three years."""
    since = (as_(who).now() - timedelta(days=1100)).date()
    return make_asset(as_(who), category, in_service_on=since, **details)


def test_known_scores():
    """Figures of `facts.md`: a ventilator without failures, an ECG recorder."""
    ventilator = {"function": 10, "harm": 5, "upkeep": 5}
    assert (em_number(ventilator, 0).total, em_number(ventilator, 0).months) == (20, 3)
    recorder = {"function": 6, "harm": 3, "upkeep": 2}
    assert (em_number(recorder, 0).total, em_number(recorder, 0).months) == (11, None)
    assert em_number(recorder, 1).months == 12
    assert em_number({**recorder, "history": 2}, -2).total == 13  # what is entered counts
    worst = {"clinical": 5, "physical": 4, "problems": 5, "incidents": 2, "rules": 2}
    assert (vermont(worst).total, vermont(worst).months) == (18, 6)
    assert vermont(dict.fromkeys(worst, 2)).months == 12
    assert vermont(dict.fromkeys(worst, 1)).months is None


@pytest.mark.parametrize(
    ("months", "watched", "points"),
    [(3, 36, 2), (6, 36, 1), (9, 36, 0), (18, 36, -1), (30, 90, -2), (None, 36, -2),
     (None, 30, 0), (None, 5, 0)],
)  # fmt: skip
def test_points_for_history(months, watched, points):
    assert history_points(months, watched) == points


def test_every_proposal_is_within_its_scale():
    for category, values in plain()["categories"].items():
        assert set(values) == set(inputs()) - {"history"}, category
        for key, value in values.items():
            assert inputs()[key].low <= value <= inputs()[key].high, (category, key)


def test_intervals_of_shares_and_rates():
    """Wilson (1927) as in Newcombe 1998, table I: 81 of 263 and 0 of 20; Garwood's tables."""
    found = share(81, 263)
    assert (found.low, found.high) == (
        pytest.approx(0.2553, abs=1e-4),
        pytest.approx(0.3662, abs=1e-4),
    )
    assert share(0, 20).high == pytest.approx(0.1611, abs=1e-4)
    assert (share(0, 0), rate(3, 0)) == (None, None)
    ten = rate(10, 1)
    assert (ten.low, ten.high) == (pytest.approx(4.795, abs=1e-3), pytest.approx(18.39, abs=1e-2))
    with pytest.raises(ValueError, match="hits"):
        share(3, 2)


@pytest.mark.parametrize(
    ("completed", "found", "failures", "longer", "change", "months"),
    [
        (5, 5, 0, True, Change.TOO_FEW, 6),
        (40, 14, 0, True, Change.SHORTER, 3),
        (40, 2, 90, True, Change.SHORTER, 3),
        (100, 0, 1, True, Change.LONGER, 12),
        (100, 0, 1, False, Change.KEEP, 6),
        (40, 0, 1, True, Change.KEEP, 6),
        (100, 8, 1, True, Change.KEEP, 6),
        (100, 0, 40, True, Change.KEEP, 6),
    ],
)
def test_what_the_evidence_speaks_for(completed, found, failures, longer, change, months):
    evidence = Evidence(20, 720.0, failures, completed, found)
    said = propose(evidence, 6, may_be_longer=longer)
    assert (said.change, said.months) == (change, months)


def test_the_counts_are_those_of_the_records(as_):
    one, other = old_asset(as_), old_asset(as_)
    theirs, monitor = old_asset(as_, who="qin"), old_asset(as_, "MON")
    signed(as_, one, WorkType.PREVENTIVE, months_ago=20)
    signed(as_, one, WorkType.PREVENTIVE, months_ago=10, failed=True)
    signed(as_, other, WorkType.PREVENTIVE, months_ago=10)
    signed(as_, one, WorkType.CORRECTIVE, months_ago=8, cause="BATT")
    signed(as_, other, WorkType.CORRECTIVE, months_ago=8, cause="NPF")  # no fault: no failure
    signed(as_, monitor, WorkType.CORRECTIVE, months_ago=8, cause="BATT")
    signed(as_, theirs, WorkType.PREVENTIVE, months_ago=10, failed=True, who="qin")
    make_work(as_("wang"), one, type=WorkType.PREVENTIVE, template_code="VENT")  # open
    found = {a.category.code: a for a in queries.assessments(as_("wang"))}
    vent = found["VENT"].evidence
    assert (vent.assets, vent.completed, vent.found, vent.failures) == (2, 3, 1, 1)
    assert vent.device_months == pytest.approx(40, abs=0.2)
    assert found["VENT"].inputs.history == -2  # one failure in 40 device months
    assert found["MON"].evidence.failures == 1
    mine = queries.risk_of(as_("wang"), one)
    assert (mine.evidence.failures, mine.evidence.completed, mine.evidence.found) == (1, 2, 1)


def test_a_hospital_enters_its_own_and_an_asset_differs(as_):
    asset = old_asset(as_)
    usual = queries.risk_of(as_("wang"), asset).inputs.em.total
    commands.score_category(
        as_("wang"), category="vent", inputs={"upkeep": 3, "harm": 5}, reason="Newer models"
    )
    known = queries.assessment_of(as_("wang"), "VENT")
    assert known.inputs.entered == {"upkeep": 3}  # five is the proposal, and not kept
    assert queries.risk_of(as_("wang"), asset).inputs.em.total == usual - 2
    commands.score_asset(
        as_("wang"), asset=asset.code, inputs={"function": 8, "upkeep": 3, "history": 2},
        reason="In the training room",
    )  # fmt: skip
    risk = queries.risk_of(as_("wang"), asset)
    assert risk.own.inputs == {"function": 8, "history": 2}
    assert risk.inputs.em.total == 8 + 5 + 3 + 2
    [(listed, _score)] = queries.overrides_in(as_("wang"), "VENT")
    assert listed.code == asset.code
    assert queries.overrides_in(as_("qin"), "VENT") == []
    assert queries.assessment_of(as_("qin"), "VENT").inputs.entered == {}
    commands.score_asset(
        as_("wang"), asset=asset.code, inputs={"function": 10, "upkeep": 3}, reason="Back"
    )
    assert queries.risk_of(as_("wang"), asset).own is None


@pytest.mark.parametrize("wrong", [{"function": 11}, {"harm": 0}, {"mood": 3}, {"history": -3}])
def test_a_number_that_a_score_does_not_have_is_refused(as_, wrong):
    with pytest.raises(Invalid):
        commands.score_category(as_("wang"), category="VENT", inputs=wrong, reason="x")
    asset = old_asset(as_)
    with pytest.raises(Invalid):
        commands.score_asset(as_("wang"), asset=asset.code, inputs=wrong, reason="x")
    with pytest.raises(NotFound):
        commands.score_category(as_("wang"), category="NOPE", inputs={}, reason="x")


def test_imaging_and_new_models_follow_their_maker(as_):
    old_asset(as_, "CT")
    old_asset(as_, "VENT")
    for category in ("CT", "VENT"):
        with pytest.raises(Conflict):
            commands.review_schedule(
                as_("wang"), category=category, schedule=Schedule.AEM, reason="Cheaper"
            )
    review = commands.review_schedule(
        as_("wang"), category="CT", schedule=Schedule.OEM, reason="Looked at"
    )
    assert (review.review_again_on - review.reviewed_at.date()).days in {365, 366}


def test_the_makers_interval_holds_until_somebody_reviewed(as_):
    asset = old_asset(as_, "INFP")
    for n in range(20):
        signed(as_, asset, WorkType.PREVENTIVE, months_ago=30 - n)
    known = queries.assessment_of(as_("wang"), "INFP")
    assert known.barriers == []
    assert known.suggested <= known.template.interval_months
    with pytest.raises(Conflict, match="maker"):
        commands.decide_interval(
            as_("wang"), category="INFP", months=24, is_approved=True, reason="Nothing found"
        )
    commands.review_schedule(
        as_("wang"), category="INFP", schedule=Schedule.AEM, reason="Two years without a fault"
    )
    made = commands.decide_interval(
        as_("wang"), category="INFP", months=24, is_approved=True, reason="Nothing found"
    )
    assert (made.old_months, made.evidence["completed"]) == (known.current, 20)
    assert queries.assessment_of(as_("wang"), "INFP").current == 24
    commands.decide_interval(
        as_("wang"), category="INFP", months=36, is_approved=False, reason="Too long"
    )
    assert queries.assessment_of(as_("wang"), "INFP").current == 24
    assert len(queries.decisions_of(as_("wang"), "INFP")) == 2
    assert queries.decisions_of(as_("qin"), "INFP") == []
    for months in (24, 0, 500):
        with pytest.raises(Invalid):
            commands.decide_interval(
                as_("wang"), category="INFP", months=months, is_approved=True, reason="x"
            )


def test_the_overview_asks_no_more_for_more_equipment(as_, engine):
    old_asset(as_)
    with count_queries(engine) as few:
        queries.assessments(as_("wang"))
    for n in range(6):
        asset = old_asset(as_, ["MON", "ECG", "CT"][n % 3])
        signed(as_, asset, WorkType.PREVENTIVE, months_ago=5)
    with count_queries(engine) as many:
        assert len(queries.assessments(as_("wang"))) == 4
    assert len(many) == len(few)


def test_the_pages(as_, login):
    asset = old_asset(as_)
    browser = login("wang")
    assert "Critical care ventilator" in browser.get("/risk").text
    assert "Critical care ventilator" not in login("qin").get("/risk").text
    form = {**{k: str(v) for k, v in proposed("VENT").items()}, "upkeep": "4", "history": "-1",
            "reason": "Newer", "nonce": "n" * 20}  # fmt: skip
    url = "/risk/categories/VENT"
    assert browser.post(f"{url}/scores", data=form).status_code == 303
    page = browser.get(url).text
    assert "Newer" in page
    assert browser.post(f"{url}/scores", data={**form, "harm": "9"}).status_code == 422
    said = {"schedule": "aem", "reason": "x", "nonce": "m" * 20}
    assert browser.post(f"{url}/review", data=said).status_code == 409
    said = {"schedule": "oem", "reason": "Keep it", "nonce": "k" * 20}
    assert browser.post(f"{url}/review", data=said).status_code == 303
    said = {"months": "3", "approved": "true", "reason": "Often wrong", "nonce": "l" * 20}
    assert browser.post(f"{url}/decision", data=said).status_code == 303
    assert "Often wrong" in browser.get(url).text
    own = f"/risk/assets/{asset.code}"
    assert browser.post(own, data={**form, "nonce": "o" * 20}).status_code == 303
    assert browser.post(own, data={**form, "reason": "", "nonce": "q" * 20}).status_code == 422
    assert "EM number" in login("chen").get(f"/assets/{asset.code}").text
    assert login("chen").post(f"{url}/decision", data=said).status_code == 403
    assert login("qin").get(own).status_code == 404


def test_the_api(as_, client, bearer):
    asset = old_asset(as_)
    headers = bearer()
    [one] = client.get("/api/v1/risk/categories", headers=headers).json["items"]
    assert (one["category"], one["schedule"], one["aem_eligible"]) == ("VENT", "oem", False)
    body = {"inputs": {"upkeep": 3}, "reason": "Newer"}
    url = "/api/v1/risk/categories/VENT"
    after = client.put(url, json=body, headers=headers)
    assert (after.status_code, after.json["inputs"]["upkeep"]) == (200, 3)
    assert (
        client.put(url, json={**body, "inputs": {"upkeep": 9}}, headers=headers).status_code == 422
    )
    review = {"schedule": "oem", "reason": "Looked at"}
    assert client.post(f"{url}/reviews", json=review, headers=headers).status_code == 201
    decision = {"months": 3, "approved": True, "reason": "Often wrong"}
    made = client.post(f"{url}/decisions", json=decision, headers=headers)
    assert (made.status_code, made.json["new_months"]) == (201, 3)
    own = f"/api/v1/assets/{asset.code}/risk"
    assert client.put(own, json=body, headers=headers).json["own"] == {}
    body = {"inputs": {"function": 8}, "reason": "Training"}
    assert client.put(own, json=body, headers=headers).json["own"] == {"function": 8}
    assert client.get(own, headers=headers).json["reason"] == "Training"
    assert client.get(f"{url}X", headers=headers).status_code == 404
