"""A recall for the furnished hospital: one device to check, another that is decided."""

from __future__ import annotations

from datetime import timedelta

from apm.core.command import Context
from apm.recalls.commands import add_notice, decide, open_orders
from apm.recalls.model import CaseState, Issuer, RecallClass
from tests.apm.hospital import make_asset


def keep_notices(ctx: Context, pages: dict[str, list[str]]) -> None:
    """Enter it, open the work, decide about one; where to look."""
    assets = [
        make_asset(
            ctx, number=f"R-{n}", name="Infusion pump", name_zh="输液泵", category="INFP",
            manufacturer="Polarn", model="Lava 12", serial=f"LV-{100 + n}",
        )
        for n in range(2)
    ]  # fmt: skip
    details = {
        "issuer": Issuer.NMPA,
        "number": "国械召 2026-118",
        "published_on": (ctx.now() - timedelta(days=20)).date(),
        "recall_class": RecallClass.I,
        "title": "Battery may fail without a warning",
        "title_zh": "电池可能在无报警的情况下失效",
        "text": "批次 LV-100 至 LV-199 的电池管理板存在缺陷。",
        "action": "停用并更换电池管理板；更换前改用其他设备。",
        "manufacturer": "Polarn",
        "models": "Lava 12",
    }
    notice = add_notice(ctx, details=details)
    open_orders(ctx, notice_id=notice.id)
    decide(
        ctx, notice_id=notice.id, asset=assets[0].code, state=CaseState.NOT_AFFECTED,
        note="序列号不在召回范围内",
    )  # fmt: skip
    pages["recalls.show"] = [f"/recalls/{notice.id}"]
    pages["recalls.edit"] = [f"/recalls/{notice.id}/edit"]
