"""What other features may hear of: verification and calibration running out, drifting values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from apm.core.events import Event


@dataclass(frozen=True, slots=True)
class VerificationsDue(Event):
    """So many more verifications are due soon; each is counted once."""

    kind: ClassVar[str] = "metrology.verifications_due"
    n: int


@dataclass(frozen=True, slots=True)
class UseBlocked(Event):
    """Equipment must not be used: its verification is overdue or failed."""

    kind: ClassVar[str] = "metrology.use_blocked"
    asset_id: int
    code: str
    why: str


@dataclass(frozen=True, slots=True)
class UseAllowed(Event):
    """A new certificate ended the block."""

    kind: ClassVar[str] = "metrology.use_allowed"
    asset_id: int
    code: str


@dataclass(frozen=True, slots=True)
class InstrumentDue(Event):
    """The calibration of a test instrument is due soon, overdue or failed; told once each."""

    kind: ClassVar[str] = "metrology.instrument_due"
    instrument_id: int
    serial: str
    light: str
    calibrated_until: str | None


@dataclass(frozen=True, slots=True)
class InstrumentOutOfTolerance(Event):
    """An instrument was found out of tolerance: `orders` records were measured with it."""

    kind: ClassVar[str] = "metrology.instrument_out_of_tolerance"
    instrument_id: int
    serial: str
    orders: int
