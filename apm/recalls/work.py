"""The work order that a notice asks for, one an asset."""

from __future__ import annotations

from apm.assets.model import Asset
from apm.recalls.model import RecallClass, SafetyNotice
from apm.work.opening import NewWork
from apm.work.states import Priority, WorkType

PRIORITIES = {
    RecallClass.I: Priority.URGENT,
    RecallClass.II: Priority.HIGH,
    RecallClass.III: Priority.NORMAL,
    RecallClass.NOTICE: Priority.NORMAL,
}


def new_work(notice: SafetyNotice, asset: Asset) -> NewWork:
    """Return the inspection of one asset, with the notice as its evidence."""
    return NewWork(
        WorkType.INSPECTION,
        f"Recall {notice.number}: {notice.title}",
        asset=asset,
        title_zh=f"召回核查 {notice.number}：{notice.title_zh or notice.title}",
        priority=PRIORITIES[notice.recall_class],
        origin=f"recall:{notice.id}:{asset.id}",
        evidence={
            "kind": "recall",
            "notice": notice.id,
            "number": notice.number,
            "issuer": notice.issuer.value,
            "class": notice.recall_class.value,
            "published": notice.published_on.isoformat(),
            "title": notice.title,
            "title_zh": notice.title_zh,
            "action": notice.action,
            "link": notice.link,
        },
    )
