"""A failure whose cause is sought, and one piece of evidence as it is kept."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from apm.assets.model import Asset
from apm.core.errors import NotFound
from apm.core.i18n import _l
from apm.work.model import WorkOrder
from apm.work.states import WorkState, WorkType

FINISHED = frozenset({WorkState.DONE, WorkState.CLOSED})


@dataclass(frozen=True, slots=True)
class Failure:
    """A repair, the asset that failed, and when that was noticed."""

    order: WorkOrder
    asset: Asset
    at: datetime

    @property
    def is_finished(self) -> bool:
        """Whether it is known what the repair took."""
        return self.order.state in FINISHED


def failure_of(order: WorkOrder) -> Failure:
    """Return the failure a repair is for; the order's asset is loaded.

    Raises:
        NotFound: it is no repair of equipment.
    """
    if order.type is not WorkType.CORRECTIVE or order.asset is None:
        raise NotFound(
            _l("A cause is sought for repairs of equipment alone. Open a repair from the list.")
        )
    known = (order.clock_from, order.down_from, order.created_at)
    return Failure(order, order.asset, min(at for at in known if at is not None))


@dataclass(frozen=True, slots=True)
class Found:
    """What was seen of one kind of evidence; `facts` are plain JSON, worded when they are shown.

    url: where it comes from.  marks: instants for the time line.
    """

    kind: str
    level: str
    facts: dict[str, Any] = field(default_factory=dict)
    url: str = ""
    marks: tuple[datetime, ...] = ()

    def as_plain(self) -> dict[str, Any]:
        """Return it as it is kept."""
        return {
            "kind": self.kind,
            "level": self.level,
            "facts": self.facts,
            "url": self.url,
            "marks": [at.isoformat() for at in self.marks],
        }


def found_again(plain: dict[str, Any]) -> Found:
    """Return a piece that was kept."""
    marks = tuple(datetime.fromisoformat(at) for at in plain["marks"])
    return Found(plain["kind"], plain["level"], plain["facts"], plain["url"], marks)
