"""Spare parts of the furnished house: enough, too few, expired soon, recalled, on its way."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select

from apm.accounts.queries import hospital_day
from apm.assets.model import Asset
from apm.core.command import Context
from apm.parts.commands import add_part
from apm.parts.demand import recalculate
from apm.parts.issuing import give_back, issue, reserve
from apm.parts.keeping import Delivery, receive
from apm.parts.model import Stock, Unit
from apm.parts.purchasing import order_part, receive_order
from apm.parts.quarantine import quarantine
from apm.vendors.commands import add_vendor
from apm.work.commands import open_work
from apm.work.states import WorkType
from tests.apm.hospital import start_work


def keep_parts(wang: Context, chen: Context, vent: Asset, pages: dict[str, list[str]]) -> None:
    """Fill the store, let a repair use some, and note where to look."""
    soon = hospital_day(wang) + timedelta(days=20)
    vendor = add_vendor(
        wang, name="Example Medical Supplies (East China) Company Limited",
        name_zh="示例医疗器械供应（华东）有限责任公司", phone="400-555-0100",
    )  # fmt: skip
    cell = add_part(
        wang, number="NV-O2-CELL-2026-REV-B", name="Oxygen cell for critical care ventilators",
        name_zh="呼吸机氧电池（含接头与密封圈）", price=168_000, minimum=9, category="VENT",
        supplier=vendor.id, lead_days=21, barcodes=["2000000000015"], note="冷藏保存",
    )  # fmt: skip
    hose = add_part(wang, number="H-8", name="Hose", name_zh="软管", unit=Unit.METRE, price=1250)
    for lot, days in (("A1", 0), ("A2", 400)):
        came = Delivery(3, "设备科库房 B区 3号柜", lot=lot, expires_on=soon + timedelta(days=days))
        receive(wang, part_id=cell.id, delivery=came)
    receive(wang, part_id=hose.id, delivery=Delivery("2.5", "设备科库房 B区 3号柜"))
    line = order_part(
        wang, part_id=cell.id, vendor_id=vendor.id, quantity=5, promised_on=hospital_day(wang)
    )
    torn = Delivery(1, "ICU", lot="A3", rejected=1, reject_reason="包装破损")
    receive_order(wang, line_id=line.id, delivery=torn)
    order = open_work(
        wang, type=WorkType.CORRECTIVE, title="Oxygen alarm", title_zh="氧浓度报警", asset=vent
    )
    start_work(chen, wang, order)
    [move] = issue(chen, no=order.no, part_id=cell.id, quantity=2)
    give_back(chen, no=order.no, move_id=move.id, quantity=1)
    reserve(chen, no=order.no, part_id=cell.id, quantity=1)
    quarantine(wang, lot_id=move.lot_id, reason="厂家召回：密封不良")
    recalculate(wang)
    stock = wang.session.scalars(select(Stock.id).where(Stock.part_id == cell.id)).first()
    one = f"/parts/{cell.id}"
    pages |= {
        "parts.show": [one, f"/parts/{hose.id}"],
        "parts.by_code": ["/parts/H-8"],
        "parts.edit": [f"{one}/edit"],
        "parts.stock.receive_part": [f"{one}/receive"],
        "parts.stock.change_stock": [f"{one}/stock/{stock}"],
        "parts.stock.lot": [f"/parts/lots/{move.lot_id}"],
        "parts.buying.order": [f"{one}/order"],
        "parts.buying.receive_order": [f"/parts/orders/{line.id}"],
        "parts.work.parts": [
            f"/work-orders/{order.no}/parts", f"/work-orders/{order.no}/parts?code=H-8",
        ],
        "vendors.edit": [f"/vendors/{vendor.id}"],
    }  # fmt: skip
