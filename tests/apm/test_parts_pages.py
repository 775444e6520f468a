"""Parts over HTTP, without JavaScript: add, receive, issue by barcode, bring back, order."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import select

from apm.accounts.queries import hospital_day
from apm.parts.commands import update_part
from apm.parts.issuing import issue
from apm.parts.model import Lot, PurchaseLine, Stock, StockMove
from apm.parts.purchasing import order_part
from apm.vendors.model import Vendor
from apm.work.queries import work_order
from tests.apm.stockroom import fill, job, make_part, make_vendor, standing, stocked
from tests.queries import count_queries


def text(answer, status=200):
    assert answer.status_code == status, answer.get_data(as_text=True)[:2000]
    return answer.get_data(as_text=True)


def only(as_, model):
    return as_("wang").session.scalars(select(model)).one()


def test_from_an_empty_catalogue_to_a_part_in_a_repair(login, as_):
    wang, chen = login("wang"), login("chen")
    assert "No spare part yet." in text(wang.get("/parts"))
    vendor = make_vendor(as_("wang"))
    said = {
        "number": "O2-1", "name": "Oxygen cell", "name_zh": "氧电池", "unit": "piece",
        "price": "1,680.50", "minimum": "2", "lead_days": "14", "supplier": vendor.id,
        "fits": "Norvelia, Aera 500\r\nQinghe Medical", "barcodes": "6901\n6902\n",
        "category": "VENT", "note": "Keep cool",
    }  # fmt: skip
    made = wang.post("/parts/new", data=said)
    assert made.status_code == 303
    page = text(wang.get(made.location))
    for shown in ("Oxygen cell", "O2-1", "6902", "Aera 500", "Qinghe Medical", "1,680.50"):
        assert shown in page
    assert "There is none of it." in page
    assert "Order 2 pcs" in page

    number = re.search(r"/parts/(\d+)", made.location)[1]
    came = {"quantity": "3", "store": "Main store", "lot": "L7", "expires_on": "2199-01-31"}
    assert wang.post(f"/parts/{number}/receive", data=came).status_code == 303
    assert "Main store" in text(wang.get(f"/parts/{number}"))

    order = job(as_)
    page = text(chen.get(f"/work-orders/{order.no}"))
    assert f'action="/work-orders/{order.no}/parts"' in page
    scanned = text(chen.get(f"/work-orders/{order.no}/parts?code=6901"))
    assert "L7, use by 31 Jan 2199: 3" in scanned
    took = chen.post(
        f"/work-orders/{order.no}/parts", data={"code": "6901", "quantity": "2", "lot": "L7"}
    )
    assert took.status_code == 303
    assert "CN¥3,361.00" in text(chen.get(f"/work-orders/{order.no}"))
    move = as_("wang").session.scalars(select(StockMove.id).order_by(StockMove.id.desc())).first()
    back = {"move": move, "quantity": "1"}
    assert chen.post(f"/work-orders/{order.no}/parts/return", data=back).status_code == 303
    page = text(chen.get(f"/work-orders/{order.no}/parts"))
    assert "1 still out" in page
    assert [c.amount for c in work_order(as_("wang"), order.no).costs] == [336100, -168050]


def test_a_part_is_promised_and_given_up(login, as_):
    part, order, chen = stocked(as_("wang"), 2, number="P-1"), job(as_), login("chen")
    said = {"code": "P-1", "quantity": "2", "do": "reserve"}
    assert chen.post(f"/work-orders/{order.no}/parts", data=said).status_code == 303
    page = text(chen.get(f"/work-orders/{order.no}/parts"))
    reservation = re.search(r'name="reservation" value="(\d+)"', page)[1]
    url = f"/work-orders/{order.no}/parts/release"
    assert chen.post(url, data={"reservation": reservation}).status_code == 303
    assert standing(as_, part).reserved == 0
    assert chen.post(url, data={"reservation": "999"}).status_code == 404


@pytest.mark.parametrize(
    ("said", "status", "says"),
    [
        ({"code": "P-1", "quantity": "9"}, 409, "Only 2 left"),
        ({"code": "P-1", "quantity": "1.5"}, 422, "whole units"),
        ({"code": "P-1", "quantity": ""}, 422, "Fill this in."),
        ({"code": "NOPE", "quantity": "1"}, 404, "No part has the number or barcode NOPE."),
        ({"code": "P-1", "quantity": "1", "lot": "X"}, 422, "no lot X"),
        ({"code": "", "quantity": "1"}, 422, "Fill this in."),
        ({"code": "OLD", "quantity": "1", "do": "reserve"}, 409, "retired"),
    ],
)
def test_a_refusal_is_said_on_the_page(login, as_, said, status, says):
    part, order = stocked(as_("wang"), 2, number="P-1"), job(as_)
    old = stocked(as_("wang"), 2, number="OLD")
    update_part(as_("wang"), part_id=old.id, is_active=False)

    page = text(login("chen").post(f"/work-orders/{order.no}/parts", data=said), status)

    assert says in page
    assert standing(as_, part).on_hand == 2000


def test_the_same_in_chinese(login, as_):
    stocked(as_("wang"), 2, number="P-1")
    order = job(as_)
    page = text(
        login("chen").post(
            f"/work-orders/{order.no}/parts?lang=zh", data={"code": "P-1", "quantity": "9"}
        ),
        409,
    )
    assert "仅剩2，其余可能刚被他人领走。" in page


def test_stock_is_corrected_thrown_away_and_carried(login, as_):
    part, wang = stocked(as_("wang"), 5), login("wang")
    url = f"/parts/{part.id}/stock/{only(as_, Stock).id}"
    assert "Correct or move" in text(wang.get(url))
    assert "Say why" in text(wang.post(url, data={"do": "adjust", "quantity": "4"}), 422)
    page = text(wang.post(url, data={"do": "adjust", "quantity": "x", "reason": "y"}), 422)
    assert 'id="quantity-error"' in page
    for said in (
        {"do": "adjust", "quantity": "4", "reason": "Counted"},
        {"do": "scrap", "quantity": "1", "reason": "Broken"},
        {"do": "transfer", "quantity": "1", "store": "ICU"},
    ):
        assert wang.post(url, data=said).status_code == 303
    page = text(wang.get(f"/parts/{part.id}"))
    for shown in ("Counted", "Broken", "ICU", "Carried elsewhere"):
        assert shown in page
    assert wang.get(f"/parts/{make_part(as_('wang')).id}/stock/1").status_code == 404


def test_a_recalled_lot_shows_who_received_it(login, as_):
    part, order = stocked(as_("wang"), 5, lot="BAD"), job(as_)
    issue(as_("chen"), no=order.no, part_id=part.id, quantity=1)
    url, wang = f"/parts/lots/{only(as_, Lot).id}", login("wang")

    assert "why" in text(wang.post(f"{url}/quarantine", data={"reason": ""}), 422)
    assert wang.post(f"{url}/quarantine", data={"reason": "Recall 7"}).status_code == 303
    page = text(wang.get(url))
    for shown in ("Recall 7", "Wang Lei", order.no, "Bedside monitor"):
        assert shown in page
    assert "Part of it not usable" in text(wang.get("/parts?show=quarantined"))
    assert "Lot in quarantine" in text(login("chen").get(f"/work-orders/{order.no}"))
    assert wang.post(f"{url}/release", data={"note": "Tested"}).status_code == 303
    assert "Tested" in text(wang.get(url))


def test_buying(login, as_):
    vendor, wang = make_vendor(as_("wang")), login("wang")
    part = make_part(as_("wang"), number="P-1", minimum=4, supplier=vendor.id)
    page = text(wang.get("/parts/reorder"))
    assert "P-1" in page
    assert "Not enough history: the minimum decides" in page
    table = wang.get("/parts/reorder.csv")
    assert table.mimetype == "text/csv"
    assert "P-1" in text(table)
    assert wang.post("/parts/reorder").status_code == 303

    order = f"/parts/{part.id}/order"
    assert 'value="4"' in text(wang.get(order))
    said = {"quantity": "4", "supplier": vendor.id}
    assert "past" in text(wang.post(order, data={**said, "promised_on": "2020-01-01"}), 422)
    promised = (hospital_day(as_("wang")) + timedelta(days=9)).isoformat()
    assert wang.post(order, data={**said, "promised_on": promised}).status_code == 303
    line = f"/parts/orders/{only(as_, PurchaseLine).id}"
    assert "PO-" in text(wang.get("/parts/orders"))
    assert "Still to come" in text(wang.get(line))
    came = {"quantity": "3", "store": "Store", "rejected": "1"}
    assert "Say why" in text(wang.post(line, data=came), 422)
    assert wang.post(line, data={**came, "reject_reason": "Torn"}).status_code == 303
    assert wang.post(f"{line}/close").status_code == 303
    assert "PO-" in text(wang.get("/parts/orders?state=closed"))
    page = text(wang.get("/parts/suppliers"))
    assert "too few" in page
    assert "n = 1" in page


def test_a_number_or_barcode_leads_to_the_part(login, as_):
    part, chen = stocked(as_("wang"), 1, number="M-1/B", barcodes=["6901"]), login("chen")
    for path in ("/parts/6901", "/parts/scan?code=6901", "/parts/scan?code=M-1/B"):
        assert chen.get(path).location == f"/parts/{part.id}"
    again = text(chen.get("/parts/scan?code=6902"), 404)
    assert "No part has the number or barcode" in again
    assert 'value="6902"' in again  # to be corrected, not typed anew
    assert chen.get("/parts/nothing").status_code == 404


def test_the_form_keeps_what_was_typed_and_empties_what_was_emptied(login, as_):
    part, wang = make_part(as_("wang"), barcodes=["6901"], maker="Norvelia"), login("wang")
    make_part(as_("wang"), barcodes=["7"])
    said = {"number": "N", "name": "Cell", "unit": "piece", "version": "1", "is_active": "true"}
    url = f"/parts/{part.id}/edit"
    page = text(wang.post(url, data={**said, "barcodes": "7", "note": "typed"}), 422)
    assert "belongs to part" in page
    assert "typed" in page
    done = wang.post(url, data={**said, "barcodes": "", "maker": "", "price": "", "minimum": ""})
    assert done.status_code == 303
    assert "6901" not in text(wang.get(f"/parts/{part.id}"))
    assert "Somebody else" in text(wang.post(url, data=said), 409)


def test_who_sees_parts(login, as_):
    part, order = stocked(as_("wang"), 2, number="P-1", lot="A"), job(as_)
    lot, stock = only(as_, Lot).id, only(as_, Stock).id
    vendor = make_vendor(as_("wang"))
    line = order_part(as_("wang"), part_id=part.id, vendor_id=vendor.id, quantity=1)
    own = [
        f"/parts/{part.id}", "/parts/P-1", f"/parts/lots/{lot}", f"/work-orders/{order.no}/parts",
    ]  # fmt: skip
    stocks = [
        f"/parts/{part.id}/receive", f"/parts/{part.id}/order", f"/parts/{part.id}/edit",
        f"/parts/{part.id}/stock/{stock}", f"/parts/orders/{line.id}", f"/vendors/{vendor.id}",
    ]  # fmt: skip
    lin, chen, qin = login("lin"), login("chen"), login("qin")
    for path in own:
        assert lin.get(path).status_code == 403
        assert chen.get(path).status_code in {200, 303}
        assert qin.get(path).status_code == 404
    for path in stocks:
        assert chen.get(path).status_code == 403
        assert login("wang").get(path).status_code == 200
        assert qin.get(path).status_code == 404
        assert qin.post(path, data={"quantity": "1"}).status_code == 404
    for path in ("/parts", "/parts/reorder", "/parts/orders", "/parts/suppliers", "/vendors"):
        page = text(qin.get(path))
        assert "P-1" not in page
        assert "Example Supplies" not in page


def test_the_list_asks_as_often_for_many_parts(login, as_, engine):
    def statements(path):
        with count_queries(engine) as sent:
            text(browser.get(path))
        return len(sent)

    browser = login("wang")
    part = stocked(as_("wang"), 1)
    order = job(as_)
    issue(as_("wang"), no=order.no, part_id=part.id, quantity=1)
    paths = ("/parts", f"/work-orders/{order.no}", f"/parts/{part.id}")
    before = [statements(path) for path in paths]
    for n in range(6):
        other = stocked(
            as_("wang"), 1, barcodes=[str(n)], fits=[{"manufacturer": "X", "model": None}]
        )
        issue(as_("wang"), no=order.no, part_id=other.id, quantity=1)
        fill(as_("wang"), part, 1, lot=f"L{n}")
    assert [statements(path) for path in paths] == before


def test_vendors_are_kept(login, as_):
    wang = login("wang")
    assert "No vendor yet." in text(wang.get("/vendors"))
    assert "Fill this in." in text(wang.post("/vendors/new", data={"name": ""}), 422)
    said = {"name": "Qinghe", "name_zh": "清河", "email": "a@b.example", "phone": "021"}
    assert "e-mail" in text(wang.post("/vendors/new", data={**said, "email": "x"}), 422)
    assert wang.post("/vendors/new", data=said).status_code == 303
    assert "Another vendor" in text(wang.post("/vendors/new", data=said), 422)
    vendor = only(as_, Vendor)
    url = f"/vendors/{vendor.id}"
    assert "清河" in text(wang.get(url))
    changed = {"name": "Qinghe Ltd", "email": "", "version": "1"}
    assert wang.post(url, data=changed).status_code == 303
    assert wang.post(url, data=changed).status_code == 409
    kept = only(as_, Vendor)
    assert (kept.name, kept.email, kept.is_active) == ("Qinghe Ltd", None, False)
    assert "No longer used" in text(wang.get("/vendors"))
    part = make_part(as_("wang"))
    assert "Qinghe" not in text(wang.get(f"/parts/{part.id}/order"))
