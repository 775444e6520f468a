"""Recording certificates: of equipment that is verified, and of instruments that measure."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import select

from apm.accounts.queries import hospital_day
from apm.assets.model import GONE, Asset
from apm.assets.queries import asset_by_code
from apm.core.command import Context, command
from apm.core.errors import Conflict, Invalid, NotFound
from apm.core.i18n import _l
from apm.core.permissions import Permission
from apm.metrology.blocking import put_right
from apm.metrology.model import Certificate, Result, VerificationDuty
from apm.metrology.queries import duty_to_change
from apm.vendors.documents import Document, read_report

LONGEST = timedelta(days=3660)


@dataclass(frozen=True, slots=True)
class Issued:
    """What stands on a certificate."""

    number: str
    body: str
    issued_on: date
    result: Result
    valid_until: date | None = None
    note: str | None = None


def read_file(data: bytes) -> Document | None:
    """Return a certificate's file, believed only for what is in it; None for none.

    Raises:
        Invalid: it is no PDF and no picture, damaged, locked, or larger than 10 MB; field `file`.
    """
    if not data:
        return None
    try:
        return read_report(data)
    except Invalid as error:
        raise Invalid(error.message, fields={"file": [error.message]}, code=error.code) from error


def record_certificate(
    ctx: Context, *, asset: str, issued: Issued, data: bytes = b""
) -> Certificate:
    """Record a verification of the asset with this code.

    Raises:
        NotFound: no such asset.
        Conflict: the asset is retired, or the certificate is on record.
        Invalid: days that cannot be, or a file that is none.
    """
    # A file takes long to read; it is read before the command, so that it holds no lock.
    return _record(ctx, asset=asset, issued=issued, document=read_file(data))


@command("certificate.record", Permission.METROLOGY_EDIT)
def _record(ctx: Context, *, asset: str, issued: Issued, document: Document | None) -> Certificate:
    """Keep a certificate, and let or stop the use of what it is about."""
    thing = asset_by_code(ctx, asset)
    if thing.lifecycle in GONE:
        raise Conflict(_l("This asset is retired. It needs no verification."))
    duty = duty_to_change(ctx, thing)
    known = select(Certificate.id).where(
        Certificate.asset_id == thing.id, Certificate.number == issued.number
    )
    if ctx.session.scalar(known) is not None:
        raise Conflict(
            _l("This certificate is on record already. Look at the list below."), code="known"
        )
    certificate = new_certificate(ctx, issued, document)
    certificate.asset_id = thing.id
    ctx.session.add(certificate)
    ctx.session.flush()
    _take_over(ctx, duty)
    return certificate


def new_certificate(ctx: Context, issued: Issued, document: Document | None) -> Certificate:
    """Return a certificate that belongs to nothing yet.

    Raises:
        Invalid: days that cannot be, or a limited use that nobody describes.
    """
    check_days(issued, hospital_day(ctx))
    until = issued.issued_on if issued.result is Result.FAIL else issued.valid_until
    return Certificate(
        number=issued.number,
        body=issued.body,
        issued_on=issued.issued_on,
        valid_until=until,
        result=issued.result,
        note=issued.note,
        content=document.content if document else None,
        media_type=document.media_type if document else None,
        sha256=hashlib.sha256(document.content).hexdigest() if document else None,
        recorded_by=ctx.actor.name,
        recorded_at=ctx.now(),
    )


def check_days(issued: Issued, today: date) -> None:
    """Refuse days that cannot be."""
    wrong: dict[str, list[object]] = {}
    if issued.issued_on > today:
        wrong["issued_on"] = [_l("This day has not come yet.")]
    if issued.result is not Result.FAIL:
        if issued.valid_until is None:
            wrong["valid_until"] = [_l("Give the last day it is valid.")]
        elif not issued.issued_on < issued.valid_until <= issued.issued_on + LONGEST:
            wrong["valid_until"] = [_l("Give a day after the issue, within ten years.")]
    if issued.result is Result.LIMITED and not issued.note:
        wrong["note"] = [_l("Say for what it may be used.")]
    if wrong:
        raise Invalid(_l("The certificate cannot be right like this."), fields=wrong)


@command("certificate.withdraw", Permission.METROLOGY_EDIT)
def withdraw_certificate(ctx: Context, *, certificate_id: int, reason: str) -> Certificate:
    """Take back a certificate that was recorded wrongly; it stays on record, struck through.

    Raises:
        NotFound: no such certificate of an asset.
        Conflict: it has been withdrawn already.
    """
    query = select(Certificate).where(
        Certificate.id == certificate_id, Certificate.asset_id.is_not(None)
    )
    certificate = ctx.session.scalar(query)
    if certificate is None:
        raise NotFound(_l("There is no such certificate. Look at the list of the equipment."))
    asset = ctx.session.scalars(select(Asset).where(Asset.id == certificate.asset_id)).one()
    duty = duty_to_change(ctx, asset)
    strike(ctx, certificate, reason)
    _take_over(ctx, duty)
    return certificate


def strike(ctx: Context, certificate: Certificate, reason: str) -> None:
    """Mark a certificate as withdrawn."""
    if certificate.withdrawn_at is not None:
        raise Conflict(_l("This certificate has been withdrawn already."))
    certificate.withdrawn_at, certificate.withdrawn_why = ctx.now(), reason
    ctx.session.flush()


@command("verification.decide", Permission.METROLOGY_EDIT)
def decide_subject(
    ctx: Context, *, asset: str, is_subject: bool | None, reason: str
) -> VerificationDuty:
    """Say whether one asset is subject to verification, whatever its category; None: as that."""
    duty = duty_to_change(ctx, asset_by_code(ctx, asset))
    duty.is_subject, duty.reason = is_subject, reason
    put_right(ctx, duty)
    return duty


def newest(certificates: list[Certificate]) -> Certificate | None:
    """Return the newest certificate that nobody has withdrawn."""
    standing = [one for one in certificates if one.is_in_force]
    return max(standing, key=lambda one: (one.issued_on, one.id), default=None)


def _take_over(ctx: Context, duty: VerificationDuty) -> None:
    query = select(Certificate).where(Certificate.asset_id == duty.asset_id)
    last = newest(list(ctx.session.scalars(query)))
    duty.result = last.result if last else None
    duty.valid_until = last.valid_until if last else None
    put_right(ctx, duty)
