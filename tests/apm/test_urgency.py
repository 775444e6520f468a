"""How urgent a report is: the table, its reasons, and what triage does against it."""

import pytest
from sqlalchemy import select

from apm.assets.commands import advance
from apm.core.errors import Invalid
from apm.requests import triage
from apm.requests.model import Request
from apm.requests.reporting import Addition, Sent, join_request
from apm.requests.symptoms import SYMPTOMS
from apm.requests.triage import Acceptance
from apm.requests.urgency import ONE_LOWER, SEVERE, WORDS, Fact, judge, priority_of, reasons_of
from apm.work.states import PRIORITY_RANK, Priority
from tests.apm.hospital import make_asset, make_request

F = Fact
TABLE = [
    ({F.PATIENT, F.LOW_RISK}, "urgent"),
    ({F.PATIENT, F.SPARE}, "urgent"),
    ({F.HIGH_RISK, F.SEVERE}, "urgent"),
    ({F.HIGH_RISK, F.CRITICAL_AREA}, "urgent"),
    ({F.HIGH_RISK}, "high"),
    ({F.SEVERE, F.CRITICAL_AREA}, "high"),
    ({F.CRITICAL_AREA}, "normal"),
    ({F.SEVERE, F.LOW_RISK}, "normal"),
    ({F.LOW_RISK}, "low"),
    (set(), "normal"),
    ({F.HIGH_RISK, F.SEVERE, F.SPARE}, "high"),
    ({F.LOW_RISK, F.SPARE}, "low"),
]


@pytest.mark.parametrize(("facts", "priority"), TABLE, ids=range(len(TABLE)))
def test_the_table(facts, priority):
    found = judge(frozenset(facts))
    assert (found.priority, set(found.facts)) == (priority, facts)


def test_every_fact_has_words_and_every_severe_symptom_is_one():
    assert set(WORDS) == set(Fact)
    assert set(SYMPTOMS) >= SEVERE
    assert all(PRIORITY_RANK[low] >= PRIORITY_RANK[high] for high, low in ONE_LOWER.items())


@pytest.mark.parametrize(
    ("category", "department", "symptom", "priority", "reasons"),
    [
        ("MON", "Ward 3", "screen", "normal", []),
        ("MON", "Ward 3", "values", "normal", ["severe"]),
        ("MON", "NICU", "values", "high", ["severe", "critical_area"]),
        ("MON", "急诊科", "values", "high", ["severe", "critical_area"]),
        ("VENT", "Ward 3", "flow", "urgent", ["high_risk", "severe"]),
        ("VENT", "Ward 3", "broken", "high", ["high_risk"]),
        ("OTHER", "Ward 3", "noise", "low", ["low_risk"]),
    ],
)
def test_a_report_says_what_it_is_and_why(as_, category, department, symptom, priority, reasons):
    asset = make_asset(as_("wang"), category, department=department)
    request = make_request(as_("lin"), asset, symptom=symptom)
    assert (priority_of(request), request.priority_reasons) == (priority, reasons)
    assert len(reasons_of(request)) == len(reasons)


def test_a_spare_of_the_same_kind_in_the_same_department_takes_the_hurry_out(as_):
    broken = make_asset(as_("wang"), "VENT", department="Ward")
    elsewhere = make_asset(as_("wang"), "VENT", department="Other ward")
    another_kind = make_asset(as_("wang"), "MON", department="Ward")
    for asset in (elsewhere, another_kind):
        advance(as_("wang"), code=asset.code, action="stand_by")
    assert make_request(as_("lin"), broken).priority is Priority.URGENT
    spare = make_asset(as_("wang"), "VENT", department="Ward")
    advance(as_("wang"), code=spare.code, action="stand_by")
    request = make_request(as_("lin"), broken)
    assert (request.priority, request.priority_reasons[-1]) == (Priority.HIGH, "spare")


def test_me_too_with_a_patient_makes_it_urgent_from_then_on(as_):
    asset = make_asset(as_("wang"))
    request = make_request(as_("lin"), asset, symptom="screen")
    assert request.priority is Priority.NORMAL
    sent = Sent(client_key="k" * 16, token="t" * 16)
    more = Addition(patient_involved=True)
    join_request(as_("lin"), asset_code=asset.code, no=request.no, more=more, sent=sent)
    found = as_("wang").session.scalar(select(Request))
    assert (found.priority, found.priority_reasons) == (Priority.URGENT, ["patient"])


def test_less_urgent_than_proposed_needs_a_reason_which_is_kept(as_, login):
    request = make_request(as_("lin"), make_asset(as_("wang"), "VENT"))
    for why in (None, " "):
        with pytest.raises(Invalid) as refusal:
            triage.accept(as_("wang"), no=request.no, how=Acceptance(Priority.LOW, why=why))
        assert "why" in refusal.value.fields
    page = login("wang").get(f"/requests/{request.no}").get_data(as_text=True)
    assert "Proposed priority: Urgent" in page
    assert "The equipment is of high risk." in page
    answer = login("wang").post(
        f"/requests/{request.no}/accept", data={"part": "accept", "priority": "low"}
    )
    assert answer.status_code == 422
    how = Acceptance(Priority.LOW, why="Not in use this week")
    order = triage.accept(as_("wang"), no=request.no, how=how)
    assert order.priority is Priority.LOW
    found = as_("wang").session.scalar(select(Request))
    assert (found.priority, found.priority_note) == (Priority.URGENT, "Not in use this week")
    assert "Not in use this week" in login("wang").get(f"/requests/{request.no}").get_data(
        as_text=True
    )


def test_more_urgent_than_proposed_needs_no_words(as_):
    request = make_request(as_("lin"), make_asset(as_("wang")), symptom="screen")
    order = triage.accept(as_("wang"), no=request.no, how=Acceptance(Priority.URGENT))
    assert order.priority is Priority.URGENT


def test_programs_read_the_reasons(as_, client, bearer):
    request = make_request(as_("lin"), make_asset(as_("wang"), "VENT"))
    shown = client.get(f"/api/v1/requests/{request.no}", headers=bearer()).get_json()
    assert shown["priority"] == "urgent"
    assert shown["priority_reasons"][0] == "The equipment is of high risk."
