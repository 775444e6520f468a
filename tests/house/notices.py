"""A recall in the world that touches one asset, with the world's name in every text."""

from __future__ import annotations

from datetime import date

from apm.core.command import Context
from apm.recalls.commands import add_notice, decide, open_orders
from apm.recalls.model import CaseState, Issuer, RecallClass
from tests.apm.hospital import make_asset


def warn_of(ctx: Context, name: str) -> int:
    """Enter a notice about a device of this maker, open its work, and say what was found."""
    short = name[:100]
    asset = make_asset(ctx, name=name, manufacturer=short, model=short, serial=short)
    texts = ("number", "title", "title_zh", "text", "action", "manufacturer", "models")
    details = {
        **dict.fromkeys(texts, short),
        "issuer": Issuer.NMPA,
        "recall_class": RecallClass.I,
        "published_on": date(2026, 5, 1),
    }
    notice = add_notice(ctx, details=details)
    open_orders(ctx, notice_id=notice.id)
    decide(ctx, notice_id=notice.id, asset=asset.code, state=CaseState.TO_CHECK, note=name)
    return notice.id
