"""One fault from the ward's report to its rating, as it went or as far as it has come."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm.attributes import set_committed_value

from apm.core.command import Context
from apm.requests.confirming import SILENCE, verify, verify_silent
from apm.requests.reporting import Report, Sent, report_fault
from apm.requests.symptoms import symptoms_for
from apm.requests.triage import Acceptance, accept
from apm.work.model import WorkOrder
from apm.work.results import put_findings
from apm.work.states import CostKind
from seed.demo import working
from seed.demo.diary import Diary
from seed.demo.scenery import Fault
from seed.demo.world import Person, Unit, World

COMMENTS = {
    5: "很快，谢谢 / Quick, thank you",
    3: "等得有点久 / It took a while",
    2: "等太久了 / Too long",
}


@dataclass(frozen=True, slots=True)
class Times:
    """When each step was taken; None: not yet, or not needed."""

    reported: datetime
    accepted: datetime | None = None
    started: datetime | None = None
    waits: datetime | None = None
    resumed: datetime | None = None
    done: datetime | None = None
    closed: datetime | None = None
    rated: datetime | None = None


@dataclass(slots=True, eq=False)
class Repair:
    """What is wrong and who deals with it; the methods are what one command each did."""

    world: World
    unit: Unit
    fault: Fault
    worker: Person
    closer: Person
    minutes: int
    parts: int
    vendor: int
    """fen"""
    rating: int = 4
    has_patient: bool = False
    is_out_of_use: bool = True
    access: str = ""
    """Why nobody can get at the device, if that is what it waits for."""
    request_no: str = ""
    order: WorkOrder | None = None

    def note(self, diary: Diary, times: Times) -> None:
        """Write into the diary what has happened by now."""
        self.world.repairs.append((self, times))
        wang, visitor = self.world.people["wang"].actor, self.world.visitor
        worker, closer = self.worker.actor, self.closer.actor
        rated = self._rated(times)
        for at, actor, name, act in (
            (times.reported, visitor, "request.report", self.report),
            (times.accepted, wang, "request.accept", self.accept),
            (times.accepted, wang, "work_order.assign", self.assign),
            (times.started, worker, "work_order.start", self.start),
            (times.waits, worker, f"work_order.{self.waiting}", self.wait),
            (times.resumed, worker, "work_order.resume", self.resume),
            (times.done, worker, "work_order.complete", self.complete),
            (times.closed, closer, "work_order.close", self.close),
            (rated, visitor, "request.verify", self.rate),
        ):
            if at is not None:
                diary.note(at, actor, name, act)
        if times.done and rated is None:
            heard = (times.closed or times.done) + SILENCE
            self._note_silence(diary, heard + timedelta(minutes=20))

    def _rated(self, times: Times) -> datetime | None:
        """The ward says so once the device is back, which on high-risk ones is at closing.

        After the time for silence it has nothing more to say.
        """
        if times.rated is None or times.done is None or times.closed is None:
            return None
        rated = max(times.rated, times.closed + timedelta(minutes=10))
        return rated if rated < min(self.world.now, times.done + SILENCE) else None

    def _note_silence(self, diary: Diary, at: datetime) -> None:
        if at < self.world.now:
            diary.note(at, self.world.system, "request.verify_silent", verify_silent)

    @property
    def made(self) -> WorkOrder:
        """The work order, once the request was accepted."""
        if self.order is None:
            raise ValueError("this request was not accepted yet")
        return self.order

    @property
    def waiting(self) -> str:
        """The step that says what this repair waits for, if it waits."""
        if self.access:
            return "wait_access"
        return "wait_vendor" if self.vendor else "wait_parts"

    def report(self, ctx: Context) -> None:
        """The ward taps a tile behind the label."""
        said = Report(
            symptom=_symptom(self.unit, self.fault),
            description=f"{self.fault.text_zh} / {self.fault.text}",
            patient_involved=self.has_patient,
            reporter_name=self.world.people["lin"].name_zh,
        )
        sent = Sent(client_key=self.world.code() * 2, token=self.world.code() * 4)
        made = report_fault(ctx, asset_code=self.unit.code, report=said, sent=sent)
        self.request_no = made.no

    def accept(self, ctx: Context) -> None:
        """The engineer takes it on and says whether the device may still be used."""
        how = Acceptance(is_out_of_use=self.is_out_of_use)
        self.order = accept(ctx, no=self.request_no, how=how)
        set_committed_value(self.order, "asset", self.unit.row)

    def assign(self, ctx: Context) -> None:
        """The engineer gives it to somebody."""
        working.assign(ctx, self.made, self.worker)

    def start(self, ctx: Context) -> None:
        """The technician arrives; the device is taken out of service."""
        working.start(ctx, self.made)

    def wait(self, ctx: Context) -> None:
        """Parts or the maker are needed."""
        usual = "等待厂家 / Waiting for the maker" if self.vendor else "配件已订 / Part ordered"
        working.wait(ctx, self.made, self.waiting, self.access or usual, 7)

    def resume(self, ctx: Context) -> None:
        """What was missing has come."""
        working.resume(ctx, self.made)

    def complete(self, ctx: Context) -> None:
        """It works again: cause, remedy, money."""
        order, fault = self.made, self.fault
        remedy = f"{fault.remedy_zh} / {fault.remedy}"
        put_findings(order, labour_minutes=self.minutes, cause=fault.cause, remedy=remedy)
        spent = {CostKind.PARTS: self.parts, CostKind.VENDOR: self.vendor}
        working.complete(ctx, order, self.worker, minutes=self.minutes, spent=spent)

    def close(self, ctx: Context) -> None:
        """Somebody else approves it."""
        working.close(ctx, self.made, self.closer)

    def rate(self, ctx: Context) -> None:
        """The ward says that it works again."""
        verify(ctx, no=self.request_no, rating=self.rating, comment=COMMENTS.get(self.rating))


def _symptom(unit: Unit, fault: Fault) -> str:
    codes = [symptom.code for symptom in symptoms_for(unit.category)]
    return fault.symptom if fault.symptom in codes else "other"
