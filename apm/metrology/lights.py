"""How a verification or a calibration stands today: a light with a word of its own."""

from __future__ import annotations

from datetime import date, timedelta
from enum import StrEnum

from apm.metrology.model import Instrument, Result, VerificationDuty

SOON = timedelta(days=60)
"""So long before its last day a certificate turns amber."""


class Light(StrEnum):
    """The more pressing first."""

    FAILED = "failed"
    OVERDUE = "overdue"
    SOON = "soon"
    NONE = "none"
    """no certificate is on record"""
    OK = "ok"


def light(result: Result | None, valid_until: date | None, today: date) -> Light:
    """Return how something stands whose newest certificate says so.

    >>> light(Result.PASS, date(2026, 3, 1), date(2026, 3, 1)).value
    'soon'
    >>> light(Result.PASS, date(2026, 3, 1), date(2026, 3, 2)).value
    'overdue'
    """
    if result is None or valid_until is None:
        return Light.NONE
    if result is Result.FAIL:
        return Light.FAILED
    if valid_until < today:
        return Light.OVERDUE
    return Light.SOON if valid_until - today <= SOON else Light.OK


def light_of(duty: VerificationDuty | None, today: date) -> Light:
    """Return how an asset's verification stands."""
    return light(duty.result, duty.valid_until, today) if duty else Light.NONE


def light_of_instrument(instrument: Instrument, today: date) -> Light:
    """Return how an instrument's calibration stands."""
    return light(instrument.result, instrument.calibrated_until, today)
