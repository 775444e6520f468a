"""Things for tests: equipment, reports, work, made by the commands people use."""

from __future__ import annotations

import io
from typing import Any
from uuid import uuid4

from PIL import Image

from apm.assets.commands import create_asset
from apm.assets.model import Asset
from apm.core.command import Context
from apm.procedures.model import StepKind, Verdict
from apm.requests.model import Request
from apm.requests.reporting import Report, Sent, report_fault
from apm.work.commands import open_work
from apm.work.model import WorkOrder
from apm.work.moving import Facts, move_work
from apm.work.results import Answer, answer_steps
from apm.work.states import WorkType


def make_asset(ctx: Context, category: str = "MON", **details: Any) -> Asset:
    """A device of the actor's hospital; a monitor unless said otherwise."""
    number = details.pop("number", f"N-{uuid4().hex[:8]}")
    name = details.pop("name", "Bedside monitor")
    return create_asset(ctx, number=number, name=name, category=category, **details)


def make_request(ctx: Context, asset: Asset, **said: Any) -> Request:
    """A report on it."""
    key = uuid4().hex
    report = Report(**{"symptom": "alarm", **said})
    return report_fault(
        ctx, asset_code=asset.code, report=report, sent=Sent(client_key=key, token=key)
    )


def make_work(ctx: Context, asset: Asset | None = None, **facts: Any) -> WorkOrder:
    """A work order; corrective, on a new device, unless said otherwise."""
    made = {"type": WorkType.CORRECTIVE, "title": "Repair", "title_zh": "维修", **facts}
    return open_work(ctx, asset=asset or make_asset(ctx), **made)


def start_work(ctx: Context, engineer: Context, order: WorkOrder) -> None:
    """Give it to somebody, who starts."""
    give = Facts(assignee_id=ctx.actor.user_id)
    move_work(engineer, no=order.no, action="assign", facts=give)
    move_work(ctx, no=order.no, action="start")


def pass_all(ctx: Context, order: WorkOrder, steps: list[Any]) -> None:
    """Answer every step well enough to complete."""
    good = {}
    for step in steps:
        if step.kind is StepKind.CHECK:
            good[step.key] = Answer(verdict=Verdict.PASS)
        else:
            good[step.key] = Answer(verdict=Verdict.NOT_APPLICABLE)
    answer_steps(ctx, no=order.no, answers=good)


def jpeg(width: int = 640, height: int = 480, **options: Any) -> bytes:
    """A picture as a phone sends it."""
    out = io.BytesIO()
    Image.new("RGB", (width, height), (200, 60, 60)).save(out, "JPEG", **options)
    return out.getvalue()
