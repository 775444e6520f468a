"""Counting a department: found, missing, unexpected, unknown, by several people at once."""

from threading import Thread

import pytest
from sqlalchemy import func, select

from apm.accounts.queries import own_hospital
from apm.assets.commands import advance, create_asset, move_asset
from apm.assets.model import Asset, AssetState, Department
from apm.core.audit import AuditEntry
from apm.core.clock import local_day, utc_now
from apm.core.codes import new_code
from apm.core.command import Context
from apm.core.errors import Conflict, Invalid, NotAllowed, NotFound
from apm.stocktake.commands import finish, move_here, scan, start
from apm.stocktake.model import Expectation, Found, Scan, Stocktake
from apm.stocktake.queries import counts_of, missing_from, scans_of, stocktake_by_no

pytestmark = pytest.mark.database


@pytest.fixture
def ward(as_):
    """ICU of North with three assets, one retired; others elsewhere and at South."""
    ctx = as_("wang")
    made = {
        number: create_asset(
            ctx, number=number, name=f"Pump {number}", category="INFP", department=department
        )
        for number, department in [
            ("I-1", "ICU"), ("I-2", "ICU"), ("I-3", "ICU"), ("I-OLD", "ICU"), ("E-1", "ER"),
        ]
    }  # fmt: skip
    advance(ctx, code=made["I-OLD"].code, action="retire")
    made["S-1"] = create_asset(
        as_("qin"), number="S-1", name="Pump", category="INFP", department="ICU"
    )
    return made


@pytest.fixture
def icu(as_, ward) -> int:
    """The number of North's ICU in the database."""
    return as_("wang").session.scalars(select(Department.id).where(Department.name == "ICU")).one()


@pytest.fixture
def running(as_, icu) -> str:
    """The number of a running count of the ICU."""
    return start(as_("chen"), department_id=icu).no


def counts(as_, no: str):
    ctx = as_("wang")
    stocktake = stocktake_by_no(ctx, no)
    return counts_of(ctx, [stocktake])[stocktake.id]


def test_it_expects_what_is_registered_and_not_gone(as_, ward, icu):
    stocktake = start(as_("chen"), department_id=icu)
    assert stocktake.expected == 3
    assert stocktake.started_by == "Chen Bo"
    ctx = as_("wang")
    rows = ctx.session.scalars(select(Expectation.asset_id)).all()
    assert set(rows) == {ward[number].id for number in ("I-1", "I-2", "I-3")}
    zone = own_hospital(ctx).timezone
    assert stocktake.no == f"ST-{local_day(utc_now(), zone).year}-000001"


def test_one_count_a_department_at_a_time(as_, ward, icu, running):
    with pytest.raises(Conflict, match=running):
        start(as_("wang"), department_id=icu)
    assert as_("wang").session.scalar(select(func.count(Stocktake.id))) == 1
    finish(as_("wang"), no=running, update_register=False)
    assert start(as_("wang"), department_id=icu).no.endswith("000002")


def test_what_is_expected_stays_so(as_, ward, running):
    """An asset moved away or bought after the start changes no expectation."""
    move_asset(as_("wang"), code=ward["I-1"].code, location=None, department="ER")
    create_asset(as_("wang"), number="I-9", name="New", category="INFP", department="ICU")
    assert counts(as_, running).missing == 3
    assert scan(as_("chen"), no=running, code="I-1").scan.found is Found.EXPECTED
    assert scan(as_("chen"), no=running, code="I-9").scan.found is Found.UNEXPECTED


@pytest.mark.parametrize(
    ("written", "found"),
    [
        ("{I-1}", Found.EXPECTED),
        ("I-1", Found.EXPECTED),
        (" {I-1}\n", Found.EXPECTED),
        ("https://apm.example/a/{I-1}?x=1", Found.EXPECTED),
        ("E-1", Found.UNEXPECTED),
        ("I-OLD", Found.UNEXPECTED),
        ("{S-1}", Found.UNKNOWN),
        ("S-1", Found.UNKNOWN),
        ("9317263578123", Found.UNKNOWN),
        ("=1+1", Found.UNKNOWN),
    ],
)
def test_a_scan_says_what_it_was(as_, ward, running, written, found):
    code = written.format(**{number: asset.code for number, asset in ward.items()})
    counted = scan(as_("chen"), no=running, code=code)
    assert (counted.scan.found, counted.is_new) == (found, True)
    assert (counted.scan.asset_id is None) == (found is Found.UNKNOWN)


def test_lower_case_is_read(as_, ward, running):
    code = ward["I-1"].code.lower()
    assert scan(as_("chen"), no=running, code=code).scan.found is Found.EXPECTED


@pytest.mark.parametrize("code", ["", "   ", "x" * 101])
def test_nothing_is_not_counted(as_, running, code):
    with pytest.raises(Invalid):
        scan(as_("chen"), no=running, code=code)
    assert as_("wang").session.scalars(select(Scan)).all() == []


def test_the_same_thing_again_changes_nothing(as_, ward, running):
    scan(as_("chen"), no=running, code=ward["I-1"].code)
    scan(as_("chen"), no=running, code="strange")
    before = as_("wang").session.scalar(select(func.count(AuditEntry.id)))
    for code in (ward["I-1"].code, "I-1", "strange"):
        assert not scan(as_("wang"), no=running, code=code).is_new
    assert counts(as_, running).found == 1
    assert as_("wang").session.scalar(select(func.count(AuditEntry.id))) == before
    assert {s.scanned_by for s in scans_of(as_("wang"), _stocktake(as_, running))} == {"Chen Bo"}


def test_several_people_share_a_run(sessions, as_, ward, running):
    """Two scan the same and different labels at once; each counts once and nobody fails."""
    actors = [as_("chen").actor, as_("wang").actor]
    codes = [ward["I-1"].code, ward["I-2"].code, "odd-1", "odd-2"]
    failures = []

    def count(actor, order):
        with sessions() as session:
            for code in order:
                try:
                    scan(Context(session, actor), no=running, code=code)
                except Exception as error:  # a thread's exception would be lost
                    failures.append(error)

    threads = [Thread(target=count, args=(a, codes[:: 1 - 2 * i])) for i, a in enumerate(actors)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    got = counts(as_, running)
    assert (got.found, got.missing, got.unknown) == (2, 1, 2)


def test_two_counts_do_not_mix(as_, ward, running):
    ctx = as_("wang")
    er = ctx.session.scalars(select(Department.id).where(Department.name == "ER")).one()
    other = start(ctx, department_id=er).no
    scan(ctx, no=other, code="E-1")
    scan(ctx, no=other, code="I-1")
    here, there = counts(as_, running), counts(as_, other)
    assert (here.found, here.missing, here.unexpected) == (0, 3, 0)
    assert (there.found, there.missing, there.unexpected) == (1, 0, 1)


def test_moving_what_was_found_here(as_, ward, running):
    scan(as_("chen"), no=running, code="E-1")
    move_here(as_("chen"), no=running, code=ward["E-1"].code)
    ctx = as_("wang")
    moved = ctx.session.get(Asset, ward["E-1"].id)
    assert moved.department_id == ctx.session.scalar(
        select(Department.id).where(Department.name == "ICU")
    )
    entry = ctx.session.scalars(
        select(AuditEntry).where(AuditEntry.entity == "Asset").order_by(AuditEntry.id.desc())
    ).first()
    assert (entry.command, entry.entity_id) == ("asset.move", moved.id)
    assert "department_id" in entry.changes
    assert counts(as_, running).unexpected == 1  # that it was found here stays on record


@pytest.mark.parametrize(("code", "refusal"), [("I-2", NotFound), ("{I-OLD}", Conflict)])
def test_only_what_was_scanned_and_lives_is_moved(as_, ward, running, code, refusal):
    code = code.format(**{"I-OLD": ward["I-OLD"].code})
    scan(as_("chen"), no=running, code="I-OLD")
    with pytest.raises(refusal):
        move_here(as_("chen"), no=running, code=code)


def test_finishing_changes_the_register_only_when_asked(as_, ward, running):
    scan(as_("chen"), no=running, code="I-1")
    done = finish(as_("chen"), no=running, update_register=False)
    assert done.finished_by == "Chen Bo"
    assert _lifecycle(as_, ward["I-2"]) is AssetState.IN_SERVICE
    for act in (
        lambda: scan(as_("chen"), no=running, code="I-2"),
        lambda: finish(as_("chen"), no=running, update_register=False),
    ):
        with pytest.raises(Conflict):
            act()
    assert counts(as_, running).missing == 2


def test_finishing_brings_the_register_up_to_date(as_, ward, icu, running):
    advance(as_("wang"), code=ward["I-2"].code, action="stand_by")
    advance(as_("wang"), code=ward["I-3"].code, action="quarantine")
    scan(as_("chen"), no=running, code="I-1")
    finish(as_("wang"), no=running, update_register=True)
    missing = as_("wang").session.get(Asset, ward["I-2"].id)
    assert (missing.lifecycle, missing.return_to) == (AssetState.MISSING, AssetState.STANDBY)
    assert _lifecycle(as_, ward["I-1"]) is AssetState.IN_SERVICE
    assert _lifecycle(as_, ward["I-3"]) is AssetState.QUARANTINED  # locked away, not lost
    assert _lifecycle(as_, ward["E-1"]) is AssetState.IN_SERVICE

    again = start(as_("wang"), department_id=icu).no
    scan(as_("chen"), no=again, code="I-2")
    finish(as_("wang"), no=again, update_register=True)
    assert _lifecycle(as_, ward["I-2"]) is AssetState.STANDBY


def test_who_may_change_the_register(as_, ward, running):
    with pytest.raises(NotAllowed):
        finish(as_("chen"), no=running, update_register=True)
    assert stocktake_by_no(as_("wang"), running).finished_at is None
    with pytest.raises(NotAllowed):
        scan(as_("lin"), no=running, code="I-1")


def test_the_other_hospital_sees_nothing_of_it(as_, ward, icu, running):
    for act in (
        lambda: scan(as_("qin"), no=running, code="S-1"),
        lambda: finish(as_("qin"), no=running, update_register=False),
        lambda: start(as_("qin"), department_id=icu),
    ):
        with pytest.raises(NotFound):
            act()
    assert as_("qin").session.scalars(select(Scan)).all() == []


def test_the_missing_are_in_order(as_, ward, running):
    scan(as_("chen"), no=running, code="I-2")
    ctx = as_("wang")
    listed = missing_from(ctx, stocktake_by_no(ctx, running))
    assert [asset.number for asset in listed] == ["I-1", "I-3"]


def test_an_unknown_label_is_not_taken_for_ours(as_, running):
    assert scan(as_("chen"), no=running, code=new_code()).scan.found is Found.UNKNOWN


def _stocktake(as_, no: str) -> Stocktake:
    return stocktake_by_no(as_("wang"), no)


def _lifecycle(as_, asset: Asset) -> AssetState:
    return as_("wang").session.get(Asset, asset.id).lifecycle
