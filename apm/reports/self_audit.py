"""The skeleton of the yearly self-audit on devices in use (China's Order 18 of 2016, Art. 24).

What the records can say is filled in, article by article; what only people can say stays open.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, and_, func, or_, select

from apm.accounts.queries import zone_of
from apm.assets.model import GONE, Asset, AssetState, Risk
from apm.core.command import Context
from apm.core.i18n import _l
from apm.maintenance.model import Plan
from apm.metrology.lights import Light
from apm.metrology.model import Certificate, Instrument
from apm.metrology.queries import light_counts
from apm.readings.model import Alarm, Sensor
from apm.reports.compliance import Span, compliance
from apm.requests.model import Request
from apm.teams.model import Competence
from apm.vendors.link_model import VendorVisit
from apm.work.model import WorkOrder
from apm.work.states import WorkState, WorkType


@dataclass(frozen=True, slots=True)
class Line:
    """One figure of the records."""

    text: object
    value: int
    is_gap: bool = False
    """More than none of it wants an explanation."""

    @property
    def wants_words(self) -> bool:
        """Tell whether the report must say what is done about it."""
        return self.is_gap and self.value > 0


@dataclass(frozen=True, slots=True)
class Part:
    """What one article asks for, what the records say, and what is still to be written."""

    article: object
    title: object
    lines: Sequence[Line]
    to_write: object


def self_audit(ctx: Context, year: int) -> list[Part]:
    """Return the parts of the report of a year, in the order of the articles."""
    look = _Year(ctx, Span(year))
    return [part(look) for part in _PARTS]


class _Year:
    """Counts the rows of a year; its days are those of the hospital."""

    def __init__(self, ctx: Context, span: Span) -> None:
        self.ctx, self.span = ctx, span
        zone = ZoneInfo(zone_of(ctx))

        def midnight(day: date) -> datetime:
            return datetime.combine(day, time(), zone).astimezone(UTC)

        self._begin, self._end = midnight(span.first), midnight(span.after)

    def count(self, model: type[Any], *conditions: Any) -> int:
        query = select(func.count()).select_from(model).where(*conditions)
        return self.ctx.session.scalar(query) or 0

    def at(self, column: Any) -> ColumnElement[bool]:
        """The instant falls into the year."""
        return and_(column >= self._begin, column < self._end)

    def on(self, column: Any) -> ColumnElement[bool]:
        """The day falls into the year."""
        return and_(column >= self.span.first, column < self.span.after)


def _scope(look: _Year) -> Part:
    there = Asset.lifecycle.not_in(GONE)
    return Part(
        _l("Scope"),
        _l("Devices looked at"),
        [
            Line(_l("Devices on the register today"), look.count(Asset, there)),
            Line(_l("Of high risk"), look.count(Asset, there, Asset.risk == Risk.HIGH)),
            Line(
                _l("Missing"),
                look.count(Asset, Asset.lifecycle == AssetState.MISSING),
                is_gap=True,
            ),
        ],
        _l("Who audited what, when, and how the devices looked at were chosen."),
    )


def _receiving(look: _Year) -> Part:
    new = (Asset.lifecycle.not_in(GONE), look.on(Asset.in_service_on))
    incomplete = or_(Asset.serial.is_(None), Asset.model.is_(None), Asset.manufacturer.is_(None))
    return Part(
        _l("Art. 9"),
        _l("Receiving check and its records"),
        [
            Line(_l("Devices put into service in the year"), look.count(Asset, *new)),
            Line(
                _l("Of these without manufacturer, model or serial number"),
                look.count(Asset, *new, incomplete),
                is_gap=True,
            ),
        ],
        _l("Whether certificates were checked, and where the records are kept and for how long."),
    )


def _storage(look: _Year) -> Part:
    rooms = Sensor.location_id.is_not(None) & Sensor.retired_at.is_(None)
    return Part(
        _l("Art. 10"),
        _l("Storage under special conditions"),
        [
            Line(_l("Places whose conditions are measured"), look.count(Sensor, rooms)),
            Line(_l("Alarms in the year"), look.count(Alarm, look.at(Alarm.since)), is_gap=True),
        ],
        _l("What was stored where, and what became of what had been out of its limits."),
    )


def _upkeep(look: _Year) -> Part:
    total = compliance(look.ctx, look.span).total
    planned = select(Plan.asset_id).where(Plan.is_active)
    return Part(
        _l("Art. 13, 15"),
        _l("Checks before use, maintenance, and the dossier of each device"),
        [
            Line(_l("Due dates met in time"), total.in_time),
            Line(_l("Met late"), total.late, is_gap=True),
            Line(_l("Missed or overdue"), total.missed + total.overdue, is_gap=True),
            Line(_l("Excused: in use"), total.in_use),
            Line(_l("Excused: not located"), total.not_located, is_gap=True),
            Line(_l("Excused: held out of use"), total.held),
            Line(
                _l("Devices in service without a maintenance plan"),
                look.count(
                    Asset, Asset.lifecycle == AssetState.IN_SERVICE, Asset.id.not_in(planned)
                ),
                is_gap=True,
            ),
        ],
        _l("How checks before use are made and recorded; why dates were missed and what follows."),
    )


_LIGHTS = {
    Light.OVERDUE: _l("Devices whose verification is overdue today"),
    Light.FAILED: _l("Devices that did not pass and may not be used"),
    Light.NONE: _l("Devices without a certificate"),
}


def _metrology(look: _Year) -> Part:
    lights = light_counts(look.ctx)
    return Part(
        _l("Rules of 1987, Art. 5–7"),
        _l("Verification and test instruments"),
        [
            Line(_l("Certificates recorded in the year"), look.count(
                Certificate, look.on(Certificate.issued_on))),
            *(Line(text, lights[light], is_gap=True) for light, text in _LIGHTS.items()),
            Line(_l("Test instruments in use"), look.count(Instrument, Instrument.is_active)),
        ],
        _l("What was done with devices that were overdue or did not pass."),
    )  # fmt: skip


def _service(look: _Year) -> Part:
    done = (
        WorkOrder.type == WorkType.CORRECTIVE,
        WorkOrder.state == WorkState.CLOSED,
        look.at(WorkOrder.closed_at),
    )
    visits = look.at(VendorVisit.arrived_at)
    unsaid = or_(VendorVisit.done.is_(None), VendorVisit.done == "")
    return Part(
        _l("Art. 17, 18"),
        _l("Repair by ourselves and by others"),
        [
            Line(_l("Repairs closed in the year"), look.count(WorkOrder, *done)),
            Line(_l("Visits of other companies"), look.count(VendorVisit, visits)),
            Line(_l("Of these without a record of what was done"), look.count(
                VendorVisit, visits, unsaid), is_gap=True),
            Line(_l("Competences of our own staff on file"), look.count(Competence)),
        ],
        _l("Contracts, the companies' licences, and the training and assessment of our staff."),
    )  # fmt: skip


def _harm(look: _Year) -> Part:
    suspected = look.at(Request.adverse_at)
    return Part(
        _l("Order 739, Art. 51–52"),
        _l("Hazards and adverse events"),
        [
            Line(
                _l("Reports with a suspected adverse event"),
                look.count(Request, suspected),
                is_gap=True,
            )
        ],
        _l("Whether each was reported in time, and whether use was stopped until it was safe."),
    )


def _moving(look: _Year) -> Part:
    return Part(
        _l("Art. 20"),
        _l("Transfer, donation and disposal"),
        [Line(_l("Devices retired or disposed of so far"), look.count(
            Asset, Asset.lifecycle.in_(GONE)))],
        _l("What was handed over to whom, with which copies of its history."),
    )  # fmt: skip


def _own_words(_look: _Year) -> Part:
    return Part(
        _l("Art. 24"),
        _l("Findings, measures, conclusion"),
        [],
        _l("What is to be improved, by whom and until when; date, names and signatures."),
    )


_PARTS = (
    _scope, _receiving, _storage, _upkeep, _metrology, _service, _harm, _moving, _own_words,
)  # fmt: skip
