"""What a phone sends from the place of work, and what others do meanwhile."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from apm.work.model import WorkOrder
from apm.work.moving import Facts, move_work
from apm.work.results import Answer, answer_steps

V1 = "/api/v1"


class Phone:
    """A phone whose clock may be wrong: it sends with a key, its own time and its name."""

    def __init__(self, browser: FlaskClient, no: str, *, ahead: timedelta = timedelta(0)) -> None:
        self.browser, self.no, self.ahead = browser, no, ahead
        self.name = uuid4().hex

    def now(self) -> datetime:
        """What its clock says."""
        return datetime.now(UTC) + self.ahead

    def send(
        self, path: str, body: dict[str, Any], *, ago: timedelta = timedelta(0), key: str = ""
    ) -> TestResponse:
        """Send something that was done a while ago."""
        said = {"device": self.name, "device_at": (self.now() - ago).isoformat(), **body}
        headers = {"Idempotency-Key": key or uuid4().hex, "Apm-Sent-At": self.now().isoformat()}
        return self.browser.post(f"{V1}/work-orders/{self.no}/{path}", json=said, headers=headers)


def hand_over(as_: Any, order: WorkOrder, to: str) -> None:
    """Give an order in work to somebody else."""
    facts = Facts(assignee_id=as_(to).actor.user_id, reason="Shift ends", is_confirmed=True)
    move_work(as_("wang"), no=order.no, action="hand_over", facts=facts)


def answer_elsewhere(as_: Any, order: WorkOrder, key: str, **answer: Any) -> None:
    """Wang has the job for a while, answers one step, and gives it back to Chen."""
    hand_over(as_, order, "wang")
    answer_steps(as_("wang"), no=order.no, answers={key: Answer(**answer)})
    hand_over(as_, order, "chen")
