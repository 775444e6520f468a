"""Limits from memory say "verify" until an engineer signs that they hold at this hospital."""

import pytest
from sqlalchemy import func, select

from apm.core.audit import AuditEntry
from apm.core.errors import Invalid, NotAllowed, NotFound
from apm.procedures import catalogue, commands, editing, queries, trial
from apm.procedures.model import LimitConfirmation, SignedRecordChanged, Trust
from apm.procedures.releasing import Confirmed, confirm_limit, release
from apm.procedures.shelf import template_for
from apm.procedures.snapshot import steps_for
from apm.work.model import WorkStep
from tests.apm.hospital import make_asset, make_work
from tests.conftest import PASSWORD

pytestmark = pytest.mark.database
BOOK = "ISO 80601-2-12:2020, 201.12.1"


@pytest.fixture
def wang(as_):
    return as_("wang")


def confirm(ctx, step="vt", code="VENT", password=PASSWORD, **said):
    what = Confirmed(step=step, **{"source": BOOK, **said})
    return confirm_limit(ctx, code=code, said=what, password=password)


def steps_of(ctx, order):
    query = select(WorkStep).where(WorkStep.work_order_id == order.id)
    return {step.key: step for step in ctx.session.scalars(query)}


def held(ctx, key, code="VENT"):
    return next(s for s in steps_for(template_for(ctx, code)) if s.key == key)


def test_new_work_carries_the_confirmed_limit_and_who_confirmed_it(wang):
    before = make_work(wang, make_asset(wang), template_code="VENT")
    confirm(wang)
    after = make_work(wang, make_asset(wang), template_code="VENT")
    old, new = steps_of(wang, before)["vt@400"], steps_of(wang, after)["vt@400"]
    assert (old.to_verify, old.confirmed_by) == (True, None), "open work keeps what it had"
    assert not new.to_verify
    assert new.confirmed_by.startswith("Wang Lei, 20")
    assert new.source == BOOK
    assert new.tolerance == old.tolerance == {"type": "sum_of", "abs": 4, "rel": 0.15}
    assert steps_of(wang, after)["pip@10"].to_verify, "another limit still waits"


def test_a_limit_can_be_confirmed_with_another_value(wang):
    confirm(wang, tolerance={"type": "rel", "rel": 0.1})
    assert held(wang, "vt@400").tolerance == {"type": "rel", "rel": 0.1}
    assert catalogue.template("VENT").steps[-7].tolerance["type"] == "sum_of"
    confirm(wang, tolerance={"type": "rel", "rel": 0.05})
    assert held(wang, "vt@400").tolerance == {"type": "rel", "rel": 0.05}, "the last one holds"


def test_the_other_hospital_confirms_for_itself(wang, as_):
    confirm(wang)
    assert held(as_("qin"), "vt@400").to_verify
    assert as_("qin").session.scalar(select(func.count(LimitConfirmation.id))) == 0


def test_the_limit_of_a_maker_gets_a_number(wang):
    with pytest.raises(Invalid) as caught:
        confirm(wang, step="batt")
    assert list(caught.value.fields) == ["tolerance.type"]
    confirm(wang, step="batt", tolerance={"type": "ge", "limit": 60}, source="Manual p. 12")
    assert held(wang, "batt").tolerance == {"type": "ge", "limit": 60}


def test_one_step_of_many_templates_is_confirmed_once(wang):
    made = confirm(wang, step="es10", code="INFP", everywhere=True, source="IEC 62353:2014")
    assert {one.template_code for one in made} == {"INFP", "SYRP"}
    assert not held(wang, "es10", "SYRP").to_verify


def test_a_template_that_changes_its_limit_waits_to_be_confirmed_again(wang):
    confirm(wang)
    commands.create_template(wang, code="VENT", en="Ours", zh="我们的", copy_of="VENT")
    trial.try_draft(wang, code="VENT", answers={"vt@400": {"value": "400"}})
    release(wang, code="VENT", note="As shipped", password=PASSWORD)
    assert held(wang, "vt@400").confirmed_by, "a copy that says the same is as good"
    commands.begin_draft(wang, code="VENT")
    draft = queries.own_template(wang, "VENT").draft
    step = {**editing.step_in(draft, "vt"), "tolerance": {"type": "rel", "rel": 0.2}}
    commands.edit_draft(
        wang, code="VENT", change=lambda old: editing.with_step(old, step, instead_of="vt")
    )
    trial.try_draft(wang, code="VENT", answers={"vt@400": {"value": "400"}})
    release(wang, code="VENT", note="Wider", password=PASSWORD)
    assert held(wang, "vt@400").to_verify
    confirm(wang)
    assert not held(wang, "vt@400").to_verify


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"source": "  "}, "source"),
        ({"source": "x" * 301}, "source"),
        ({"tolerance": {"type": "about"}}, "tolerance.type"),
        ({"tolerance": {"type": "le"}}, "tolerance.limit"),
        ({"tolerance": {"type": "rel", "rel": -1}}, "tolerance.rel"),
        ({"tolerance": {"type": "rel", "rel": 0}}, "tolerance.rel"),
        ({"tolerance": {"type": "between", "low": 2, "high": 1}}, "tolerance.high"),
        ({"step": "nibps", "code": "MON", "tolerance": {"type": "rel", "rel": 0.1}},
         "tolerance.type"),
        ({"password": "wrong"}, "password"),
        ({"password": None}, "password"),
    ],
)  # fmt: skip
def test_what_cannot_be_signed_is_refused_by_its_field(wang, said, field):
    with pytest.raises(Invalid) as caught:
        confirm(wang, **said)
    assert list(caught.value.fields) == [field]
    assert wang.session.scalar(select(func.count(LimitConfirmation.id))) == 0


def test_a_check_has_no_limit_and_technicians_do_not_confirm(wang, as_):
    for step in ("vg1", "none"):
        with pytest.raises(NotFound):
            confirm(wang, step=step)
    with pytest.raises(NotAllowed):
        confirm(as_("chen"))
    with pytest.raises(NotAllowed):
        confirm(as_("system"))


def test_what_is_signed_is_sealed_and_in_the_trail(wang):
    [one] = confirm(wang)
    assert (one.person, one.meaning) == ("Wang Lei", "I confirm this limit for our hospital")
    assert len(one.record_hash) == 64
    entry = wang.session.scalars(
        select(AuditEntry).where(AuditEntry.entity == "LimitConfirmation")
    ).one()
    assert (entry.command, entry.actor) == ("template.confirm_limit", "wang@north.example")
    assert entry.changes["source"] == [None, BOOK]
    with pytest.raises(SignedRecordChanged), wang.writing("test"):
        one.source = "Something else"
    [step] = [s for s in template_for(wang, "VENT").steps if s.id == "vt"]
    assert step.source.trust is Trust.CONFIRMED
