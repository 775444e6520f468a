"""Metrology as JSON: the register, certificates, instruments, safety tests, drifting values."""

from __future__ import annotations

from typing import Any

from apm.assets.queries import asset_by_code
from apm.core.errors import NotFound
from apm.core.http import context, requires
from apm.core.i18n import _l
from apm.core.intake import Blueprint
from apm.core.permissions import Permission
from apm.metrology import certificates, drifting, instruments, naming, queries, safety
from apm.metrology.certificates import Issued
from apm.metrology.instruments import Details
from apm.metrology.model import Certificate, Instrument, Result, SafetyProfile
from apm.metrology.result_model import Drift
from apm.metrology.schema import (
    AffectedList,
    CertificateIn,
    CertificateList,
    CertificateOut,
    DriftList,
    EntryList,
    InstrumentIn,
    InstrumentList,
    InstrumentOut,
    ListArgs,
    OrderOut,
    RegisterArgs,
    SafetyIn,
    SafetyOut,
    UseIn,
    UseList,
)
from apm.work.queries import work_order

READ, EDIT = Permission.METROLOGY_READ, Permission.METROLOGY_EDIT
api = Blueprint("metrology_api", __name__, url_prefix="/api/v1", description="Metrology")


@api.get("/verifications")
@api.arguments(RegisterArgs, location="query")
@api.response(200, EntryList)
@requires(READ)
def register(args: dict[str, Any]) -> dict[str, Any]:
    """List the equipment under mandatory verification, by asset number."""
    wanted = queries.RegisterFilter(
        light=args.get("light"),
        category=args.get("category"),
        department=args.get("department"),
        q=args.get("q", ""),
    )
    page = queries.register_page(context(), wanted, after=args.get("after"), limit=args["limit"])
    return {"items": [_entry(entry) for entry in page.items], "next": page.next}


def _entry(entry: queries.Entry) -> dict[str, Any]:
    duty = entry.duty
    return {
        "asset": entry.asset.code,
        "number": entry.asset.number,
        "category": entry.asset.category,
        "light": entry.light.value,
        "result": duty.result.value if duty and duty.result else None,
        "valid_until": duty.valid_until if duty else None,
        "blocked": duty.blocked_why if duty else None,
    }


@api.get("/assets/<code>/certificates")
@api.response(200, CertificateList)
@requires(READ)
def asset_certificates(code: str) -> dict[str, Any]:
    """List the certificates of an asset, the newest first."""
    ctx = context()
    return {"items": queries.certificates_of(ctx, asset_by_code(ctx, code)), "next": None}


@api.post("/assets/<code>/certificates")
@api.arguments(CertificateIn)
@api.response(201, CertificateOut)
@requires(EDIT)
def add_certificate(body: dict[str, Any], code: str) -> Certificate:
    """Record a verification; an overdue or failed one blocks the use of the asset at once."""
    return certificates.record_certificate(context(), asset=code, issued=Issued(**body))


@api.get("/assets/<code>/safety")
@api.response(200, SafetyOut)
@requires(READ)
def asset_safety(code: str) -> dict[str, Any]:
    """Return an asset's protection class, applied parts and the limits that follow (IEC 62353)."""
    ctx = context()
    profile = queries.safety_profile_of(ctx, asset_by_code(ctx, code))
    if profile is None:
        raise NotFound(_l("Nobody has recorded the protection class of this equipment yet."))
    return _safety(profile)


@api.put("/assets/<code>/safety")
@api.arguments(SafetyIn)
@api.response(200, SafetyOut)
@requires(EDIT)
def describe(body: dict[str, Any], code: str) -> dict[str, Any]:
    """Record protection class, applied parts and method of leakage."""
    return _safety(safety.describe_safety(context(), asset=code, **body))


@api.post("/assets/<code>/safety-tests")
@api.response(201, OrderOut)
@requires(Permission.WORK_CREATE)
def open_test(code: str) -> dict[str, Any]:
    """Open an inspection with the safety tests of an asset; one that is open is returned."""
    return {"work_order": safety.open_safety_test(context(), asset=code).no}


def _safety(profile: SafetyProfile) -> dict[str, Any]:
    tests = [
        {
            "key": test.key,
            "text": test.name,
            "unit": test.unit,
            "tolerance": test.tolerance,
            "verify": test.to_verify,
        }
        for test in safety.tests_of(profile)
    ]
    return {
        "protection": profile.protection,
        "parts": profile.parts,
        "method": profile.method,
        "has_cord": profile.has_cord,
        "tests": tests,
    }


@api.get("/instruments")
@api.arguments(ListArgs, location="query")
@api.response(200, InstrumentList)
@requires(READ)
def instrument_list(args: dict[str, Any]) -> dict[str, Any]:
    """List the test instruments."""
    page = instruments.instrument_page(context(), after=args.get("after"), limit=args["limit"])
    return {"items": page.items, "next": page.next}


@api.post("/instruments")
@api.arguments(InstrumentIn)
@api.response(201, InstrumentOut)
@requires(EDIT)
def add_instrument(body: dict[str, Any]) -> Instrument:
    """Add a test instrument."""
    ctx = context()
    code = body.pop("asset")
    asset = asset_by_code(ctx, code) if code else None
    details = Details(**body, asset_id=asset.id if asset else None)
    return instruments.add_instrument(ctx, details=details)


@api.post("/instruments/<int:instrument_id>/calibrations")
@api.arguments(CertificateIn)
@api.response(201, CertificateOut)
@requires(EDIT)
def calibrate(body: dict[str, Any], instrument_id: int) -> Certificate:
    """Record a calibration; `fail` says that the instrument was found out of tolerance."""
    return instruments.calibrate(context(), instrument_id=instrument_id, issued=Issued(**body))


@api.get("/instruments/<int:instrument_id>/affected")
@api.response(200, AffectedList)
@requires(READ)
def affected(instrument_id: int) -> dict[str, Any]:
    """List the records measured since the last good calibration before a failed one."""
    ctx = context()
    instrument = instruments.instrument_by_id(ctx, instrument_id)
    last = certificates.newest(instrument.certificates)
    if last is None or last.result is not Result.FAIL:
        return {"items": [], "next": None}
    found = instruments.affected_by(ctx, instrument, last)
    return {
        "items": [
            {
                "work_order": used.order.no,
                "asset": used.order.asset.code if used.order.asset else None,
                "used_on": used.uses[0].used_on,
                "steps": [use.step_key for use in used.uses],
            }
            for used in found
        ],
        "next": None,
    }


@api.get("/work-orders/<no>/instruments")
@api.response(200, UseList)
@requires(Permission.WORK_READ)
def order_instruments(no: str) -> dict[str, Any]:
    """List the instruments a work order was measured with."""
    ctx = context()
    return {
        "items": [_use(one) for one in naming.named_on(ctx, work_order(ctx, no))],
        "next": None,
    }


@api.post("/work-orders/<no>/instruments")
@api.arguments(UseIn)
@api.response(201, UseList)
@requires(Permission.WORK_DO)
def use_instrument(body: dict[str, Any], no: str) -> dict[str, Any]:
    """Note that steps were measured with an instrument; again changes nothing."""
    ctx = context()
    naming.name_instrument(
        ctx,
        no=no,
        instrument_id=body["instrument"],
        scope=body["scope"],
        used_on=body["used_on"],
    )
    return {
        "items": [_use(one) for one in naming.named_on(ctx, work_order(ctx, no))],
        "next": None,
    }


def _use(one: naming.Named) -> dict[str, Any]:
    return {
        "instrument": one.instrument.id,
        "serial": one.instrument.serial,
        "used_on": one.used_on,
        "steps": one.keys,
        "calibrated": one.holds,
    }


@api.get("/drifts")
@api.arguments(ListArgs, location="query")
@api.response(200, DriftList)
@requires(READ)
def drifts(args: dict[str, Any]) -> dict[str, Any]:
    """List the measured values that move to their limit, what fails first first."""
    page = drifting.drift_page(context(), after=args.get("after"), limit=args["limit"])
    items = [
        {**_drift(row), "asset": row.asset.code, "number": row.asset.number} for row in page.items
    ]
    return {"items": items, "next": page.next}


def _drift(row: Drift) -> dict[str, Any]:
    names = (
        "step_key", "unit", "n", "last", "limit", "slope", "slope_low", "slope_high",
        "crosses_on", "earliest", "latest",
    )  # fmt: skip
    return {name: getattr(row, name) for name in names}
