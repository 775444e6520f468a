"""Recalls and safety notices: which equipment one touches, and what is done about it."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlalchemy import select

from apm.assets.commands import advance, update_asset
from apm.assets.model import AssetState, Availability
from apm.assets.queries import asset_by_code, asset_by_number
from apm.attribution.finding import failure_of
from apm.attribution.proposing import assess
from apm.attribution.wording import said
from apm.core.errors import Conflict, Invalid, NotFound
from apm.core.i18n import speaking
from apm.core.permissions import Role
from apm.notify.model import Notification
from apm.recalls.commands import (
    add_notice,
    change_notice,
    close_notice,
    decide,
    open_orders,
    take_out_of_use,
)
from apm.recalls.model import CaseState, Issuer, RecallClass
from apm.recalls.queries import case_page, notice_by_id
from apm.recalls.scope import Scope
from apm.work.queries import work_order
from apm.work.states import Priority, WorkType
from apm.worker.delivery import deliver
from predict.cause_table import Cause
from tests.apm.hospital import make_asset, make_work
from tests.queries import count_queries

pytestmark = pytest.mark.database
ACME = {"manufacturer": "Acme", "model": "V1"}


def details(**other):
    """A notice about Acme's V1."""
    given = {
        "number": "2026-17",
        "issuer": Issuer.NMPA,
        "recall_class": RecallClass.II,
        "published_on": date(2026, 3, 2),
        "title": "Blower may stop",
        "title_zh": "风机可能停转",
        "manufacturer": "ACME",
        "models": "V1, V2",
        "action": "Replace the blower",
    }
    return {**given, **other}


def touched(ctx, notice):
    """Numbers of the assets it touches."""
    return {case.asset.number for case in case_page(ctx, notice_by_id(ctx, notice.id)).items}


@pytest.mark.parametrize(
    ("scope", "model", "lot", "serial", "is_meant"),
    [
        (Scope("Acme"), "V9", None, None, True),
        (Scope("Acme", "V1、V2"), "v 2", None, None, True),
        (Scope("Acme", "V1\nV2"), "V3", None, None, False),
        (Scope("Acme", "V1"), None, None, None, True),
        (Scope("Acme", serial=("SN9", "SN120")), "V1", None, "SN0100", True),
        (Scope("Acme", serial=("SN9", "SN120")), "V1", None, "SN121", False),
        (Scope("Acme", serial=("SN9", "SN120")), "V1", None, "QX10", False),
        (Scope("Acme", serial=("SN9", None)), "V1", None, "SN8", False),
        (Scope("Acme", lot=(None, "L3")), "V1", "L2", "1", True),
        (Scope("Acme", lot=(None, "L3")), "V1", "L4", "1", False),
        (Scope("Acme", lot=("L1", "L3"), serial=("1", "5")), "V1", "L2", "9", False),
        (Scope("Acme", lot=("L1", "L3"), serial=("1", "5")), "V1", None, "4", True),
    ],
)
def test_what_a_notice_is_about(scope, model, lot, serial, is_meant):
    assert (scope.is_of("ＡＣＭＥ", model) and scope.holds(lot, serial)) is is_meant
    assert not scope.is_of("Other", model)
    assert not scope.is_of(None, model)


def test_a_notice_finds_its_equipment_at_once_and_later(as_):
    wang, qin = as_("wang"), as_("qin")
    make_asset(wang, number="A", **ACME)
    make_asset(wang, number="B", manufacturer="Acme", model="V3")
    make_asset(wang, number="C", manufacturer="Other", model="V1")
    gone = make_asset(wang, number="D", **ACME)
    advance(wang, code=gone.code, action="retire")
    make_asset(qin, number="E", **ACME)

    notice = add_notice(wang, details=details())

    assert touched(as_("wang"), notice) == {"A"}
    with pytest.raises(NotFound):
        notice_by_id(as_("qin"), notice.id)

    late = make_asset(wang, number="F", **ACME)
    changed = update_asset(wang, code=asset_by_number(wang, "B").code, model="V2")
    deliver(as_("system"))
    assert touched(as_("wang"), notice) == {"A", "B", "F"}

    update_asset(as_("wang"), code=changed.code, model="V7")  # nobody had worked on it: it leaves
    decide(
        as_("wang"), notice_id=notice.id, asset=late.code, state=CaseState.CORRECTED, note="done"
    )
    update_asset(as_("wang"), code=late.code, model="V7")  # somebody had: that stays on record
    deliver(as_("system"))
    assert touched(as_("wang"), notice) == {"A", "F"}

    change_notice(as_("wang"), notice_id=notice.id, details=details(models="V3, V7"))
    assert touched(as_("wang"), notice) == {"B", "F"}
    with pytest.raises(Invalid, match="in the register already"):
        add_notice(as_("wang"), details=details())


def test_those_who_keep_the_register_are_told(as_):
    wang = as_("wang")
    make_asset(wang, **ACME)
    add_notice(wang, details=details(recall_class=RecallClass.I))
    deliver(as_("system"))
    make_asset(wang, **ACME)
    deliver(as_("system"))  # the asset's news leads to the notice's, in the same round or the next
    deliver(as_("system"))

    found = as_("wang").session.scalars(
        select(Notification).where(Notification.kind == "recall_grave")
    )
    told = [(n.params["no"], n.params["n"]) for n in found if n.user_id == wang.actor.user_id]
    assert told == [("2026-17", 1)] * 2


def test_each_device_gets_one_work_order_and_a_notice_closes_when_all_are_decided(as_, login):
    wang = as_("wang")
    a, b = (make_asset(wang, number=n, **ACME) for n in "AB")
    notice = add_notice(wang, details=details(recall_class=RecallClass.I))

    made = open_orders(wang, notice_id=notice.id)
    late = make_asset(wang, number="C", **ACME)
    deliver(as_("system"))
    [second] = open_orders(as_("wang"), notice_id=notice.id)

    assert open_orders(as_("wang"), notice_id=notice.id) == []
    assert [order.asset_id for order in made] == [a.id, b.id]
    assert second.asset_id == late.id
    assert (second.type, second.priority) == (WorkType.INSPECTION, Priority.URGENT)
    assert second.evidence["action"] == "Replace the blower"
    page = login("chen").get(f"/work-orders/{second.no}?lang=en").text
    assert "Blower may stop" in page
    assert "What the detector saw" not in page

    with pytest.raises(Conflict, match="3 devices"):
        close_notice(as_("wang"), notice_id=notice.id)
    with pytest.raises(Invalid, match="how you know"):
        decide(as_("wang"), notice_id=notice.id, asset=a.code, state=CaseState.NOT_AFFECTED)
    for asset, state in (
        (a, CaseState.NOT_AFFECTED),
        (b, CaseState.REMOVED),
        (late, CaseState.CORRECTED),
    ):
        decide(as_("zhao"), notice_id=notice.id, asset=asset.code, state=state, note="SW 2.1")
    closed = close_notice(as_("zhao"), notice_id=notice.id)
    assert closed.closed_by == as_("zhao").actor.name
    with pytest.raises(Conflict, match="closed"):
        open_orders(as_("wang"), notice_id=notice.id)


def test_only_a_class_one_recall_takes_equipment_out_of_use(as_):
    wang = as_("wang")
    asset = make_asset(wang, **ACME)
    other = make_asset(wang)
    grave = add_notice(wang, details=details(recall_class=RecallClass.I))
    mild = add_notice(wang, details=details(number="2026-18"))

    assert asset_by_code(as_("wang"), asset.code).availability is Availability.UP
    with pytest.raises(Conflict, match="class I"):
        take_out_of_use(as_("wang"), notice_id=mild.id, asset=asset.code)
    with pytest.raises(NotFound):
        take_out_of_use(as_("wang"), notice_id=grave.id, asset=other.code)
    take_out_of_use(as_("wang"), notice_id=grave.id, asset=asset.code)

    found = asset_by_code(as_("wang"), asset.code)
    assert (found.lifecycle, found.availability) == (AssetState.QUARANTINED, Availability.DOWN)


def test_an_open_notice_is_evidence_of_quality(as_):
    def seen():
        ctx = as_("wang")
        assessment = assess(ctx, failure_of(work_order(ctx, order.no)))
        found = {one.kind: one for one in assessment.found}.get("recall")
        weights = {piece.kind: piece for piece in assessment.proposal.pieces}
        return found, weights.get("recall")

    wang = as_("wang")
    asset = make_asset(wang, **ACME)
    order = make_work(wang, asset)
    assert seen() == (None, None)  # nobody keeps a register: not looked at

    before = as_("wang", now=lambda: wang.now() - timedelta(days=30))
    add_notice(before, details=details(number="other", manufacturer="Other"))
    assert seen()[0].level == "none"

    notice = add_notice(as_("wang"), details=details())
    found, piece = seen()
    assert found.level == "open"
    assert piece.speaks_for is Cause.QUALITY
    assert said(found) == (
        "Recall, class II of 2 Mar 2026 was open for it: Blower may stop (NMPA 2026-17)."
    )
    with speaking("zh"):
        assert "二级召回" in said(found)
        assert "风机可能停转" in said(found)

    done = {"notice_id": notice.id, "asset": asset.code, "note": "x"}
    decide(as_("wang"), state=CaseState.CORRECTED, **done)
    assert seen()[0].level == "open"  # it was, when the device failed
    decide(as_("wang"), state=CaseState.NOT_AFFECTED, **done)
    assert seen()[0].level == "none"


def test_the_pages_and_their_statements(as_, login, engine):
    wang = as_("wang")
    asset = make_asset(wang, number="A", name="Ventilator", **ACME)
    typed = {
        "number": "2026-17", "issuer": "fda", "class": "class_1", "published": "2026-03-02",
        "title": "Blower may stop", "manufacturer": "Acme", "link": "javascript:alert(1)",
    }  # fmt: skip
    browser = login("wang")
    refused = browser.post("/recalls/new", data=typed)
    assert refused.status_code == 422
    assert "beginning with https://" in refused.text

    made = browser.post("/recalls/new", data={**typed, "link": "https://fda.example/17"})
    where = made.headers["Location"]
    page = browser.get(where).text
    assert "1 device of ours is touched" in page
    assert "Take out of use" in page
    state = f"{where}/assets/{asset.code}"
    assert browser.post(state, data={"state": "not_affected"}).status_code == 422
    assert browser.post(f"{where}/orders").status_code == 303
    assert browser.post(f"{state}/quarantine").status_code == 303
    done = browser.post(state, data={"state": "corrected", "note": "新风机已更换"})
    assert done.headers["Location"].startswith(where)
    assert "新风机已更换" in browser.get(f"{where}?lang=zh").text
    assert "美国 FDA" in browser.get(f"/assets/{asset.code}").text
    assert browser.post(f"{where}/close").status_code == 303
    assert "Blower" not in browser.get("/recalls").text
    assert "Blower" in browser.get("/recalls?state=all&q=acme").text
    reader = login("chen")
    assert "/recalls/new" not in reader.get("/recalls").text
    assert reader.post(f"{where}/reopen").status_code == 403

    def statements(path):
        with count_queries(engine) as sent:
            assert browser.get(path).status_code == 200
        return len(sent)

    few = statements("/recalls?state=all"), statements(where)
    for n in range(4):
        make_asset(as_("wang"), **ACME)
        add_notice(as_("wang"), details=details(number=f"x{n}"))
    browser.post(f"{where}/reopen")
    assert (statements("/recalls?state=all"), statements(where)) == few


def test_the_api(as_, client, bearer):
    asset = make_asset(as_("wang"), **ACME)
    headers = bearer(Role.MANAGER)
    body = {
        "number": "2026-17", "issuer": "maker", "class": "class_3", "published": "2026-03-02",
        "title": "Blower may stop", "manufacturer": "Acme", "serial_from": "SN1",
    }  # fmt: skip
    made = client.post("/api/v1/recalls", json=body, headers=headers)
    assert made.status_code == 201, made.json
    assert made.json["class"] == "class_3"
    assert (made.json["affected"], made.json["to_check"]) == (1, 1)
    url = f"/api/v1/recalls/{made.json['id']}"
    assert client.get("/api/v1/recalls?state=open", headers=headers).json["items"] == [made.json]

    [case] = client.get(f"{url}/assets", headers=headers).json["items"]
    assert (case["asset"], case["unsure"]) == (asset.code, True)
    opened = client.post(f"{url}/orders", headers=headers)
    assert len(opened.json["work_orders"]) == 1
    said_so = client.put(
        f"{url}/assets/{asset.code}", json={"state": "corrected"}, headers=headers
    )
    assert said_so.json["work_order"] == opened.json["work_orders"][0]
    assert client.post(f"{url}/close", headers=headers).json["to_check"] == 0
    gone = client.put(url, json=body, headers=headers)
    assert (gone.status_code, gone.json["code"]) == (409, "closed")
    wrong = client.post("/api/v1/recalls", json={"number": "1"}, headers=headers)
    assert set(wrong.json["fields"]) >= {"issuer", "class", "published", "title", "manufacturer"}
