"""The checklist: judged by the server, answered by the assignee, finished under a signature."""

import pytest
from sqlalchemy import select

from apm.assets.model import Asset, Availability
from apm.core.errors import Conflict, Invalid, NotAllowed, NotFound, TooMany
from apm.procedures.model import Verdict
from apm.work import queries, signing
from apm.work.completion import Completion, close, complete, is_intact
from apm.work.model import WorkOrder, WorkStep
from apm.work.moving import Facts, move_work
from apm.work.results import Answer, add_cost, answer_steps
from apm.work.states import CostKind, Priority, WorkState, WorkType
from tests.apm.hospital import make_asset, make_work, pass_all, start_work
from tests.conftest import PASSWORD

PASS, FAIL, NA = Verdict.PASS, Verdict.FAIL, Verdict.NOT_APPLICABLE
SAID = Completion(cause="UPF", remedy="Board replaced", labour_minutes=45)


@pytest.fixture
def asset(as_):
    return make_asset(as_("wang"), "VENT", name="Ventilator")


@pytest.fixture
def order(as_, asset):
    """A ventilator's maintenance, which chen has started."""
    made = make_work(as_("wang"), asset, template_code="VENT", type=WorkType.PREVENTIVE)
    start_work(as_("chen"), as_("wang"), made)
    return made


def whole(as_, no):
    return queries.work_order(as_("wang"), no)


def step(as_, key):
    return as_("wang").session.scalars(select(WorkStep).where(WorkStep.key == key)).one()


def say(as_, order, key, **answer):
    answer_steps(as_("chen"), no=order.no, answers={key: Answer(**answer)})
    return step(as_, key).verdict


@pytest.mark.parametrize(
    ("key", "value", "verdict"),
    [
        ("vt@400", 464, PASS),  # 400 +- (4 + 15 %)
        ("vt@400", 464.1, FAIL),
        ("es1", 0.3, PASS),
        ("es1", 0.31, FAIL),
        ("leak@30", 200, PASS),
        ("leak@30", 201, FAIL),
    ],
)
def test_the_server_judges_whatever_the_page_claims(as_, order, key, value, verdict):
    claimed = FAIL if verdict is PASS else PASS
    assert say(as_, order, key, value=value, verdict=claimed) is verdict
    assert step(as_, key).answered_by == "chen@north.example"


def test_a_limit_of_the_maker_is_typed_in_and_then_judged(as_, order):
    assert say(as_, order, "batt", value=50) is Verdict.UNJUDGED
    assert say(as_, order, "batt", value=50, low=60) is FAIL
    assert say(as_, order, "batt", value=61, low=60) is PASS
    assert say(as_, order, "batt", value=61, verdict=FAIL) is FAIL, "no limit: a person judges"


def test_what_the_device_shows_is_the_reference_where_there_is_no_set_point(as_):
    scanner = make_work(as_("wang"), make_asset(as_("wang"), "CT"), template_code="CT")
    start_work(as_("chen"), as_("wang"), scanner)
    assert say(as_, scanner, "ctdi@head", value=59) is Verdict.UNJUDGED
    assert say(as_, scanner, "ctdi@head", value=59, reference=50) is PASS
    assert say(as_, scanner, "ctdi@head", value=61, reference=50) is FAIL
    assert say(as_, scanner, "tab@300", value=303, reference=303) is FAIL, "a set point stays"


@pytest.mark.parametrize(
    ("key", "answer"),
    [("q1", {"value": 5}), ("vt@400", {"verdict": PASS}), ("vt@400", {"verdict": FAIL})],
    ids=["number for a check", "pass without number", "fail without number"],
)
def test_answers_that_fit_no_step_are_refused(as_, order, key, answer):
    with pytest.raises(Invalid) as refused:
        say(as_, order, key, **answer)
    assert key in refused.value.fields
    assert step(as_, key).verdict is None


def test_an_answer_can_be_taken_back(as_, order):
    say(as_, order, "q1", verdict=FAIL, note="torn")
    assert say(as_, order, "q1") is None
    assert step(as_, "q1").answered_by is None


def test_one_wrong_answer_stores_none_of_them(as_, order):
    both = {"q1": Answer(verdict=PASS), "vt@400": Answer(verdict=PASS)}
    with pytest.raises(Invalid):
        answer_steps(as_("chen"), no=order.no, answers=both)
    assert step(as_, "q1").verdict is None


def test_only_the_assignee_answers_and_only_at_work(as_, order):
    answers = {"q1": Answer(verdict=PASS)}
    with pytest.raises(NotAllowed):
        answer_steps(as_("wang"), no=order.no, answers=answers)
    with pytest.raises(NotAllowed):
        answer_steps(as_("zhao"), no=order.no, answers=answers)
    with pytest.raises(NotFound):
        answer_steps(as_("qin"), no=order.no, answers=answers)
    with pytest.raises(NotFound):
        answer_steps(as_("chen"), no=order.no, answers={"nonsense": Answer(verdict=PASS)})
    move_work(as_("chen"), no=order.no, action="wait_parts", facts=Facts("fan"))
    with pytest.raises(Conflict):
        answer_steps(as_("chen"), no=order.no, answers=answers)


def test_mandatory_steps_must_be_judged_before_it_is_done(as_, order):
    with pytest.raises(Invalid) as refused:
        complete(as_("chen"), no=order.no, password=PASSWORD)
    assert "45" in str(refused.value.fields["steps"][0])
    steps = whole(as_, order.no).steps
    pass_all(as_("chen"), order, [s for s in steps if s.mandatory and s.key != "batt"])
    say(as_, order, "batt", value=50)
    with pytest.raises(Invalid, match="cannot be completed"):
        complete(as_("chen"), no=order.no, password=PASSWORD)
    say(as_, order, "batt", value=50, verdict=PASS)
    assert complete(as_("chen"), no=order.no, password=PASSWORD).state is WorkState.DONE


@pytest.mark.database
def test_a_failure_needs_a_follow_up_which_is_one_repair(as_, asset, order):
    pass_all(as_("chen"), order, whole(as_, order.no).steps)
    say(as_, order, "q1", verdict=FAIL)
    with pytest.raises(Invalid) as refused:
        complete(as_("chen"), no=order.no, password=PASSWORD)
    assert "follow_up" in refused.value.fields

    said = Completion(has_follow_up=True)
    complete(as_("chen"), no=order.no, password=PASSWORD, said=said)
    [repair] = queries.linked_orders(as_("wang"), order)
    assert repair.type is WorkType.CORRECTIVE
    assert repair.priority is Priority.URGENT, "a ventilator is of high risk"
    assert repair.asset_id == asset.id
    assert repair.title.startswith("Failed: Expiratory valve")
    device = as_("wang").session.get(Asset, asset.id)
    assert device.availability is Availability.DOWN

    move_work(as_("wang"), no=order.no, action="return", facts=Facts("again"))
    complete(as_("chen"), no=order.no, password=PASSWORD, said=said)
    assert len(queries.linked_orders(as_("wang"), order)) == 1


def test_a_repair_says_cause_and_remedy(as_):
    repair = make_work(as_("wang"))
    start_work(as_("chen"), as_("wang"), repair)
    with pytest.raises(Invalid) as refused:
        complete(as_("chen"), no=repair.no, password=PASSWORD)
    assert set(refused.value.fields) == {"cause", "remedy"}
    with pytest.raises(Invalid):
        said = Completion(cause="GREMLINS", remedy="Chased away")
        complete(as_("chen"), no=repair.no, password=PASSWORD, said=said)
    complete(as_("chen"), no=repair.no, password=PASSWORD, said=SAID)
    done = whole(as_, repair.no)
    assert (done.cause_code, done.remedy, done.labour_minutes) == ("UPF", "Board replaced", 45)


@pytest.mark.parametrize("password", [None, "", "wrong"])
def test_without_the_right_password_nothing_is_signed(as_, password):
    repair = make_work(as_("wang"))
    start_work(as_("chen"), as_("wang"), repair)
    with pytest.raises(Invalid) as refused:
        complete(as_("chen"), no=repair.no, password=password, said=SAID)
    assert "password" in refused.value.fields
    assert whole(as_, repair.no).state is WorkState.IN_PROGRESS
    assert whole(as_, repair.no).signatures == []


def test_trying_passwords_has_an_end(as_, monkeypatch):

    monkeypatch.setattr(signing, "MOST_TRIES", 2)
    repair = make_work(as_("wang"))
    for _ in range(2):
        with pytest.raises(Invalid):
            close(as_("wang"), no=repair.no, password="wrong")
    with pytest.raises(TooMany):
        close(as_("wang"), no=repair.no, password=PASSWORD)


def test_high_risk_work_is_approved_by_somebody_else(as_):
    repair = make_work(as_("wang"), make_asset(as_("wang"), "VENT"))
    start_work(as_("wang"), as_("wang"), repair)
    complete(as_("wang"), no=repair.no, password=PASSWORD, said=SAID)
    with pytest.raises(NotAllowed):
        close(as_("wang"), no=repair.no, password=PASSWORD)
    closed = close(as_("zhao"), no=repair.no, password=PASSWORD)
    assert closed.state is WorkState.CLOSED


def test_both_signatures_say_who_and_what_for_and_fit_the_record(as_):
    repair = make_work(as_("wang"))
    start_work(as_("chen"), as_("wang"), repair)
    complete(as_("chen"), no=repair.no, password=PASSWORD, said=SAID)
    close(as_("zhao"), no=repair.no, password=PASSWORD)
    signed = whole(as_, repair.no)
    assert [(s.name, s.meaning) for s in signed.signatures] == [
        ("Chen Bo", "performed"),
        ("Zhao Min", "approved"),
    ]
    assert len({s.record_hash for s in signed.signatures}) == 1
    assert is_intact(signed)

    ctx = as_("wang")
    with ctx.writing("tamper"):
        ctx.session.scalars(select(WorkOrder)).one().remedy = "Nothing was done"
    assert not is_intact(whole(as_, repair.no))


def test_a_closed_order_takes_nothing_more(as_, order):
    pass_all(as_("chen"), order, whole(as_, order.no).steps)
    complete(as_("chen"), no=order.no, password=PASSWORD)
    close(as_("zhao"), no=order.no, password=PASSWORD)
    with pytest.raises(Conflict):
        answer_steps(as_("chen"), no=order.no, answers={"q1": Answer(verdict=FAIL)})
    with pytest.raises(Conflict):
        add_cost(as_("chen"), no=order.no, kind=CostKind.PARTS, amount=100)
    for action in ("assign", "start", "return", "cancel"):
        with pytest.raises(Conflict):
            move_work(as_("wang"), no=order.no, action=action, facts=Facts("x"))


def test_costs_are_fen_and_above_zero(as_, order):
    add_cost(as_("chen"), no=order.no, kind=CostKind.PARTS, amount=12345, note="Fan")
    [cost] = whole(as_, order.no).costs
    assert (cost.amount, cost.currency, cost.note) == (12345, "CNY", "Fan")
    for wrong in (0, -5):
        with pytest.raises(Invalid):
            add_cost(as_("chen"), no=order.no, kind=CostKind.PARTS, amount=wrong)
    with pytest.raises(NotAllowed):
        stranger = make_work(as_("wang"))
        add_cost(as_("chen"), no=stranger.no, kind=CostKind.PARTS, amount=1)
