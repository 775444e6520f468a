"""A hospital's own template: copied, edited, tried, released, retired; never rewritten."""

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm.exc import StaleDataError

from apm.core.audit import AuditEntry
from apm.core.errors import Conflict, Invalid, NotAllowed, NotFound, Stale
from apm.procedures import catalogue, commands, editing, queries, releasing, trial
from apm.procedures.difference import Change, difference
from apm.procedures.documents import document_of
from apm.procedures.model import SignedRecordChanged, Verdict
from apm.procedures.shelf import template_for, templates_for
from apm.procedures.snapshot import steps_for
from apm.work.completion import complete
from apm.work.model import WorkStep
from apm.work.photos import add_photo
from apm.work.results import Answer, answer_steps
from seed.demo.drafts import CODE, write_round
from tests.apm.hospital import jpeg, make_asset, make_work, pass_all, start_work
from tests.conftest import PASSWORD
from tests.queries import count_queries

pytestmark = pytest.mark.database
WARM = {
    "id": "warm", "kind": "measure", "section": "measurement", "en": "Warmth", "zh": "温度",
    "unit": "degC", "at": [36, 37], "tolerance": {"type": "abs", "abs": 0.5},
    "source": "Manual p. 3", "trust": "seen",
}  # fmt: skip


def put(ctx, code, step, instead_of=None):
    made = editing.checked_step(step)
    return commands.edit_draft(
        ctx, code=code, change=lambda old: editing.with_step(old, made, instead_of=instead_of)
    )


def let_go(ctx, code, note="New"):
    """Try a draft and release it."""
    steps = trial.draft_steps(ctx, queries.own_template(ctx, code))
    answer = {"verdict": "na"} if steps[0].kind == "measure" else {"verdict": "pass"}
    trial.try_draft(ctx, code=code, answers={steps[0].key: answer})
    return releasing.release(ctx, code=code, note=note, password=PASSWORD)


def make_own(ctx, code="WARMER", **names):
    """A released template with one measurement."""
    commands.create_template(ctx, code=code, en="Warmer", zh="辐射台", **names)
    put(ctx, code, WARM)
    return let_go(ctx, code)


@pytest.fixture
def wang(as_):
    return as_("wang")


def keys(template):
    return [step.key for step in steps_for(template)]


def test_a_copy_keeps_the_code_and_takes_the_place_once_it_is_released(wang):
    commands.create_template(wang, code="vent", en="Our ventilator", zh="呼吸机", copy_of="VENT")
    commands.edit_draft(wang, code="VENT", change=lambda d: editing.without_step(d, "vt"))
    assert "vt@50" in keys(template_for(wang, "VENT")), "a draft changes nothing"
    let_go(wang, "VENT")
    held = template_for(wang, "vent")
    assert (held.en, held.version, held.is_own) == ("Our ventilator", "1", True)
    assert "vt@50" not in keys(held)
    assert templates_for(wang)["VENT"] == held
    assert "vt@50" in keys(catalogue.template("VENT")), "what is shipped stays as it is"


def test_the_other_hospital_has_only_what_is_shipped(wang, as_):
    make_own(wang)
    make_own(wang, code="VENT2")
    qin = as_("qin")
    assert list(templates_for(qin)) == list(catalogue.templates())
    with pytest.raises(NotFound):
        template_for(qin, "WARMER")
    with pytest.raises(NotFound):
        queries.own_template_or_404(qin, "WARMER")
    with pytest.raises(NotFound):
        commands.edit_draft(qin, code="WARMER", change=lambda old: old)
    assert make_own(qin).number == 1, "a code is taken in one hospital only"


def test_open_work_keeps_the_version_it_began_with(wang):
    make_own(wang)
    order = make_work(wang, make_asset(wang), template_code="WARMER")
    commands.begin_draft(wang, code="WARMER")
    put(wang, "WARMER", {**WARM, "tolerance": {"type": "abs", "abs": 2}}, instead_of="warm")
    put(wang, "WARMER", {"id": "look", "kind": "check", "en": "Look", "zh": "看"})
    let_go(wang, "WARMER")
    later = make_work(wang, make_asset(wang), template_code="warmer")
    query = select(WorkStep).order_by(WorkStep.position)
    old = list(wang.session.scalars(query.where(WorkStep.work_order_id == order.id)))
    new = list(wang.session.scalars(query.where(WorkStep.work_order_id == later.id)))
    assert [step.tolerance["abs"] for step in old] == [0.5, 0.5]
    assert [(step.key, step.tolerance) for step in new] == [
        ("look", None),
        ("warm@36", {"type": "abs", "abs": 2}),
        ("warm@37", {"type": "abs", "abs": 2}),
    ]
    assert (order.template_version, later.template_version) == ("1", "2")


def test_a_released_version_never_changes(wang):
    first = make_own(wang)
    sealed = (first.record_hash, dict(first.document))
    commands.begin_draft(wang, code="WARMER")
    put(wang, "WARMER", {**WARM, "en": "Heat"}, instead_of="warm")
    second = let_go(wang, "WARMER", "Clearer words")
    wang.session.expire_all()
    assert (first.record_hash, first.document) == sealed
    assert second.number == 2
    assert second.record_hash != first.record_hash
    with pytest.raises(SignedRecordChanged), wang.writing("test"):
        first.note = "Something else"
    with pytest.raises(SignedRecordChanged), wang.writing("test"):
        wang.session.delete(first)


def test_a_draft_must_be_tried_and_signed_and_be_new(wang):
    commands.create_template(wang, code="WARMER", en="Warmer", zh="辐射台")
    with pytest.raises(Invalid, match="without steps"):
        releasing.release(wang, code="WARMER", note="x", password=PASSWORD)
    put(wang, "WARMER", WARM)
    with pytest.raises(Conflict, match="tried"):
        releasing.release(wang, code="WARMER", note="x", password=PASSWORD)
    trial.try_draft(wang, code="WARMER", answers={"warm@36": {"value": "36,2"}})
    put(wang, "WARMER", {**WARM, "zh": "暖"}, instead_of="warm")
    with pytest.raises(Conflict, match="tried"):
        releasing.release(wang, code="WARMER", note="x", password=PASSWORD)
    trial.try_draft(wang, code="WARMER", answers={"warm@36": {"value": "36,2"}})
    for note, password in (("", PASSWORD), ("x", "wrong"), ("x", None)):
        with pytest.raises(Invalid):
            releasing.release(wang, code="WARMER", note=note, password=password)
    assert releasing.release(wang, code="WARMER", note="x", password=PASSWORD).number == 1
    commands.begin_draft(wang, code="WARMER")
    trial.try_draft(wang, code="WARMER", answers={"warm@36": {"value": "36,2"}})
    with pytest.raises(Conflict, match="Nothing has changed"):
        releasing.release(wang, code="WARMER", note="x", password=PASSWORD)


def test_five_wrong_passwords_release_nothing(wang):
    commands.create_template(wang, code="WARMER", en="Warmer", zh="辐射台")
    put(wang, "WARMER", WARM)
    trial.try_draft(wang, code="WARMER", answers={"warm@36": {"value": "36"}})
    for _ in range(5):
        with pytest.raises(Invalid, match="password is wrong"):
            releasing.release(wang, code="WARMER", note="x", password="wrong")
    assert queries.own_template(wang, "WARMER").released == 0
    assert "WARMER" not in templates_for(wang)


def test_the_test_run_judges_like_work_and_touches_no_equipment(wang):
    commands.create_template(wang, code="WARMER", en="Warmer", zh="辐射台")
    put(wang, "WARMER", WARM)
    maker = {"type": "manufacturer"}
    put(wang, "WARMER", {**WARM, "id": "time", "unit": "min", "at": None, "tolerance": maker})
    answers = {
        "warm@36": {"value": "３６．５"},
        "warm@37": {"value": "37.6 ℃"},
        "time": {"value": "90", "low": "60"},
    }
    run = trial.try_draft(wang, code="WARMER", answers=answers)
    verdicts = {key: one["verdict"] for key, one in run.results.items()}
    assert verdicts == {"warm@36": "pass", "warm@37": "fail", "time": "pass"}
    assert (run.answered, run.of) == (3, 3)
    assert wang.session.scalar(select(WorkStep)) is None
    with pytest.raises(Invalid) as caught:
        trial.try_draft(wang, code="WARMER", answers={"warm@36": {"value": "36.5 K"}})
    assert list(caught.value.fields) == ["warm@36.value"]
    with pytest.raises(Invalid, match="at least one"):
        trial.try_draft(wang, code="WARMER", answers={"nothing": {"value": "1"}})


def test_a_retired_template_is_offered_no_longer_but_what_is_planned_goes_on(wang):
    make_own(wang)
    commands.retire(wang, code="WARMER")
    assert "WARMER" not in templates_for(wang)
    assert template_for(wang, "WARMER").is_retired
    assert make_work(wang, make_asset(wang), template_code="WARMER").template_version == "1"
    with pytest.raises(Conflict):
        commands.retire(wang, code="WARMER")
    commands.reinstate(wang, code="WARMER")
    assert "WARMER" in templates_for(wang)


def test_where_it_stood_before_a_shipped_one_that_one_holds_again(wang):
    commands.create_template(wang, code="US", en="Ours", zh="我们的", copy_of="US")
    let_go(wang, "US")
    assert template_for(wang, "US").is_own
    commands.retire(wang, code="US")
    assert template_for(wang, "US") == catalogue.template("US")


def test_two_people_change_one_draft_and_the_second_is_told(wang, as_):
    own = commands.create_template(wang, code="WARMER", en="Warmer", zh="辐射台")
    seen = own.version
    zhao = as_("zhao")
    put(zhao, "WARMER", WARM)
    with pytest.raises(Stale, match="Somebody else"):
        commands.edit_draft(wang, code="WARMER", base=seen, change=lambda old: old)


def test_technicians_read_and_engineers_edit(as_):
    chen, qin = as_("chen"), as_("qin")
    with pytest.raises(NotAllowed):
        commands.create_template(chen, code="X1", en="X", zh="某")
    with pytest.raises(NotAllowed):
        releasing.release(as_("system"), code="X1", note="x", password=PASSWORD)
    assert commands.create_template(qin, code="X1", en="X", zh="某").code == "X1"


def test_what_is_taken_or_shipped_is_not_taken_again(wang):
    make_own(wang)
    for code in ("WARMER", "warmer"):
        with pytest.raises(Conflict, match="already"):
            commands.create_template(wang, code=code, en="X", zh="某")
    with pytest.raises(Conflict, match="shipped"):
        commands.create_template(wang, code="MON", en="X", zh="某")
    with pytest.raises(Invalid):
        commands.create_template(wang, code="1 X", en="X", zh="某")
    with pytest.raises(NotFound):
        commands.create_template(wang, code="X1", en="X", zh="某", copy_of="TOASTER")


def test_two_people_begin_one_template_at_once(wang, as_):
    zhao = as_("zhao")
    commands.create_template(wang, code="WARMER", en="Warmer", zh="辐射台")
    with pytest.raises((Conflict, IntegrityError, StaleDataError)):
        commands.create_template(zhao, code="WARMER", en="Warmer", zh="辐射台")


def test_a_draft_can_be_thrown_away(wang):
    commands.create_template(wang, code="WARMER", en="Warmer", zh="辐射台")
    commands.discard_draft(wang, code="WARMER")
    assert queries.own_template(wang, "WARMER") is None
    make_own(wang)
    commands.begin_draft(wang, code="WARMER")
    commands.discard_draft(wang, code="WARMER")
    assert template_for(wang, "WARMER").version == "1"
    with pytest.raises(Conflict, match="no draft"):
        commands.discard_draft(wang, code="WARMER")


def test_steps_move_within_their_section_and_stop_at_its_ends(wang):
    document = document_of(catalogue.template("VENT"))
    moved = editing.moved(document, "q2", up=True)
    ids = [s["id"] for s in moved["steps"]]
    assert ids.index("q2") + 1 == ids.index("q1")
    assert editing.moved(document, "q1", up=True) == document
    assert editing.moved(document, "q6", up=False) == document
    with pytest.raises(NotFound):
        editing.moved(document, "q99", up=True)


def test_a_difference_says_what_was_added_removed_changed_and_moved():
    old = document_of(catalogue.template("VENT"))
    new = editing.moved(editing.without_step(old, "q6"), "q2", up=True)
    changed = {**editing.step_in(new, "vt"), "tolerance": {"type": "rel", "rel": 0.1}}
    new = editing.with_step(new, changed, instead_of="vt")
    new = editing.with_step(new, editing.checked_step(WARM))
    new = editing.with_head(new, {"minutes": 90})
    found = difference(old, new)
    assert [(f.name, f.before, f.after) for f in found.head] == [("minutes", None, 90)]
    said = {(one.change, one.step["id"]) for one in found.steps}
    moved = {step for change, step in said if change is Change.MOVED}
    assert len(moved) == 1
    assert moved <= {"q1", "q2"}
    assert said - {(Change.MOVED, step) for step in moved} == {
        (Change.CHANGED, "vt"),
        (Change.ADDED, "warm"),
        (Change.REMOVED, "q6"),
    }
    [vt] = [one for one in found.steps if one.step["id"] == "vt"]
    assert [(f.name, f.after) for f in vt.fields] == [("tolerance", {"type": "rel", "rel": 0.1})]
    assert not difference(new, new)


def test_a_circle_of_templates_is_refused(wang):
    for code, other in (("AA", "VENT"), ("BB", "AA"), ("CC", "BB")):
        commands.create_template(wang, code=code, en=code, zh="某")
        commands.edit_draft(
            wang, code=code, change=lambda d, o=other: editing.with_head(d, {"absorbs": [o]})
        )
    for target in ("CC", "AA", "NONE"):
        with pytest.raises(Invalid) as caught:
            commands.edit_draft(
                wang, code="AA", change=lambda d, t=target: editing.with_head(d, {"absorbs": [t]})
            )
        assert caught.value.fields
    draft = queries.own_template(wang, "AA").draft
    assert draft["absorbs"] == ["VENT"], "nothing was half-written"


def test_a_photo_that_is_needed_is_asked_for_and_a_mere_note_opens_no_repair(wang, as_):
    commands.create_template(wang, code="LOOK", en="Look", zh="看")
    put(wang, "LOOK", {"id": "a", "kind": "check", "en": "Label", "zh": "标签", "photo": True})
    put(wang, "LOOK", {"id": "b", "kind": "check", "en": "Dust", "zh": "灰尘", "on_fail": "note"})
    let_go(wang, "LOOK")
    chen = as_("chen")
    order = make_work(wang, make_asset(wang), template_code="LOOK", type="inspection")
    start_work(chen, wang, order)
    steps = list(chen.session.scalars(select(WorkStep).where(WorkStep.work_order_id == order.id)))
    pass_all(chen, order, steps)
    answer_steps(chen, no=order.no, answers={"b": Answer(verdict=Verdict.FAIL)})
    with pytest.raises(Invalid) as caught:
        complete(chen, no=order.no, password=PASSWORD)
    assert list(caught.value.fields) == ["photos"]
    add_photo(chen, no=order.no, data=jpeg(), step="a")
    done = complete(chen, no=order.no, password=PASSWORD)
    assert done.state == "done"


def test_the_trail_names_every_step_of_it(wang):
    make_own(wang)
    commands.retire(wang, code="WARMER")
    query = select(AuditEntry.command).where(AuditEntry.command.like("template.%"))
    assert set(wang.session.scalars(query)) == {
        "template.create", "template.edit", "template.try_draft", "template.release",
        "template.retire",
    }  # fmt: skip


def test_the_shelf_takes_as_many_queries_however_much_stands_on_it(wang, engine):
    templates_for(wang)
    wang.session.rollback()
    with count_queries(engine) as few:
        templates_for(wang)
    for n in range(5):
        make_own(wang, code=f"W{n}")
    with count_queries(engine) as many:
        assert len(templates_for(wang)) == 19
    assert len(many) == len(few)


def test_the_draft_of_the_demo_is_sound(wang):
    write_round(wang)
    steps = trial.draft_steps(wang, queries.own_template(wang, CODE))
    assert [step.key for step in steps] == ["clean", "alarm", "hr@60", "hr@120"]
