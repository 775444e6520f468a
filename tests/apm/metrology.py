"""Things of metrology for tests: certificates, instruments, signed measurements."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from uuid import uuid4

from apm.accounts.queries import hospital_day
from apm.assets.model import Asset
from apm.core.command import Context
from apm.metrology.certificates import Issued, record_certificate
from apm.metrology.instruments import Details, add_instrument, calibrate
from apm.metrology.model import Certificate, Instrument, Result
from apm.work.completion import Completion, complete
from apm.work.model import WorkOrder
from tests.conftest import PASSWORD


def days(n: int, ctx: Context) -> date:
    """A day relative to today in the hospital."""
    return hospital_day(ctx) + timedelta(days=n)


def issued(ctx: Context, *, until: int = 300, ago: int = 10, **details: Any) -> Issued:
    """A certificate issued `ago` days before, valid for `until` more; good unless said."""
    made = {
        "number": f"JL-{uuid4().hex[:8]}",
        "body": "Provincial Institute of Metrology",
        "issued_on": days(-ago, ctx),
        "result": Result.PASS,
        "valid_until": days(until, ctx),
        **details,
    }
    return Issued(**made)


def verify(ctx: Context, asset: Asset, **details: Any) -> Certificate:
    """Record a certificate of an asset."""
    return record_certificate(ctx, asset=asset.code, issued=issued(ctx, **details))


def make_instrument(ctx: Context, *, until: int | None = 200, **details: Any) -> Instrument:
    """A safety analyser, calibrated for `until` more days; None: never calibrated."""
    said = {"name": "Safety analyser", "serial": f"ESA-{uuid4().hex[:6]}", **details}
    made = add_instrument(ctx, details=Details(**said))
    if until is not None:
        good = issued(ctx, until=until, ago=400)
        calibrate(ctx, instrument_id=made.id, issued=good)
    return made


def sign(ctx: Context, order: WorkOrder, **said: Any) -> WorkOrder:
    """Complete an order under a password."""
    done = Completion(labour_minutes=20, **said)
    return complete(ctx, no=order.no, password=PASSWORD, said=done)
