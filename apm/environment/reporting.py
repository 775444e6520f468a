"""Reports of excursions: begun from the readings, filled in, signed and then unchangeable."""

from __future__ import annotations

import secrets
from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from apm.accounts.model import User
from apm.core.codes import ALPHABET, PublicCode
from apm.core.command import Context, command
from apm.core.errors import Conflict, Invalid, NotFound
from apm.core.i18n import _l
from apm.core.paging import Page, page_of
from apm.core.permissions import Permission
from apm.environment.facts import facts_of, seen_by_code
from apm.environment.model import Decision, ExcursionReport
from apm.procedures.documents import digest
from apm.procedures.signing import signer_of

LENGTH = 16
"""Characters of a sheet's code: 80 random bits."""
MEANS = "I have reviewed this excursion and decided on the goods"
"""What the signature means, as it is stored; pages show it in the language spoken."""
SAID = ("products", "cause", "action", "decision", "decision_reason")


def reports_by_start(
    ctx: Context, sensor_ids: Collection[int]
) -> dict[tuple[int, datetime], ExcursionReport]:
    """Return the reports of some sensors by sensor and beginning."""
    query = select(ExcursionReport).where(ExcursionReport.sensor_id.in_(list(sensor_ids)))
    return {(row.sensor_id, row.began): row for row in ctx.session.scalars(query)}


def report_by_id(ctx: Context, report_id: int) -> ExcursionReport:
    """Return one report with its sensor and place, or raise `NotFound`."""
    query = select(ExcursionReport).where(ExcursionReport.id == report_id)
    found = ctx.session.scalar(
        query.options(joinedload(ExcursionReport.sensor), joinedload(ExcursionReport.location))
    )
    if found is None:
        raise NotFound(_l("There is no such report. Choose one from the list."))
    return found


def reports_page(
    ctx: Context, *, after: str | None = None, limit: int = 25
) -> Page[ExcursionReport]:
    """Return one page of the reports, the newest first."""
    query = select(ExcursionReport).options(
        joinedload(ExcursionReport.sensor), joinedload(ExcursionReport.location)
    )
    by = [ExcursionReport.began, ExcursionReport.id]
    return page_of(ctx.session, query, by=by, after=after, limit=25, descending=True)


@command("excursion.begin_report", Permission.ENVIRONMENT_EDIT)
def begin_report(ctx: Context, *, sensor: str, began: datetime) -> ExcursionReport:
    """Begin the report of an excursion; the one that exists is returned.

    Raises:
        NotFound: no such sensor.
        Conflict: its readings show no excursion at this time.
    """
    seen = seen_by_code(ctx, sensor)
    facts = facts_of(ctx, seen, began)
    start = datetime.fromisoformat(facts["start"])
    query = select(ExcursionReport).where(
        ExcursionReport.sensor_id == seen.sensor_id, ExcursionReport.began == start
    )
    if found := ctx.session.scalar(query):
        return found
    row = ExcursionReport(
        sensor_id=seen.sensor_id,
        location_id=seen.place_id,
        began=start,
        facts=facts,
        drafted_by=ctx.actor.name,
        drafted_at=ctx.now(),
    )
    ctx.session.add(row)
    ctx.session.flush()
    return row


@command("excursion.write_report", Permission.ENVIRONMENT_EDIT)
def write_report(ctx: Context, /, *, report_id: int, **said: Any) -> ExcursionReport:
    """Say what was concerned, why it happened, what was done, what becomes of the goods.

    Raises:
        NotFound: no such report.
        Conflict: it is signed.
    """
    row = _draft(ctx, report_id)
    for name in SAID:
        setattr(row, name, said.get(name))
    row.facts = facts_of(ctx, seen_by_code(ctx, row.sensor.code), row.began)
    ctx.session.flush()
    return row


def sign_report(ctx: Context, *, report_id: int, password: str | None) -> ExcursionReport:
    """Sign a report: it never changes again, and can be printed.

    Raises:
        NotFound: no such report.
        NotAllowed: a program.
        Invalid: wrong password, or something is not said yet.
        Conflict: signed already, or the excursion goes on.
    """
    signer = signer_of(ctx, password)
    return sign_as(ctx, report_id=report_id, signer=signer)


@command("excursion.sign_report", Permission.ENVIRONMENT_EDIT)
def sign_as(ctx: Context, *, report_id: int, signer: User) -> ExcursionReport:
    """Put a person's name to the report of an excursion."""
    row = _draft(ctx, report_id)
    _refuse_unready(row)
    facts = facts_of(ctx, seen_by_code(ctx, row.sensor.code), row.began)
    if facts["is_open"]:
        raise Conflict(
            _l("The excursion goes on. Sign when the readings are back within the limits."),
            code="goes_on",
        )
    row.facts = facts
    row.person_id, row.person, row.signed_at = signer.id, signer.name, ctx.now()
    row.meaning = MEANS
    row.code = new_sheet_code(ctx, "excursion", str(row.id))
    row.record_hash = digest(document_of(row))
    ctx.session.flush()
    return row


def new_sheet_code(ctx: Context, kind: str, target: str) -> str:
    """Return a random code for a sheet, and store the way from it to `target`."""
    code = "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))
    hospital_id = ctx.actor.hospital_id
    ctx.session.add(PublicCode(code=code, kind=kind, hospital_id=hospital_id, target=target))
    return code


def document_of(row: ExcursionReport) -> dict[str, Any]:
    """Return all that is signed, as plain content."""
    return {
        "id": row.id,
        "code": row.code,
        "facts": row.facts,
        **{name: getattr(row, name) for name in SAID},
        "decision": row.decision.value if row.decision else None,
        "drafted_by": row.drafted_by,
        "person": [row.person_id, row.person],
        "at": row.signed_at.astimezone(UTC).isoformat() if row.signed_at else None,
        "meaning": row.meaning,
    }


def is_as_signed(row: ExcursionReport) -> bool:
    """Tell whether the row still says what was signed."""
    return row.record_hash is not None and digest(document_of(row)) == row.record_hash


def _draft(ctx: Context, report_id: int) -> ExcursionReport:
    query = select(ExcursionReport).where(ExcursionReport.id == report_id).with_for_update()
    if ctx.session.scalar(query.execution_options(populate_existing=True)) is None:
        raise NotFound(_l("There is no such report. Choose one from the list."))
    row = report_by_id(ctx, report_id)
    if row.is_signed:
        raise Conflict(
            _l("This report is signed and does not change. Write what is new in a work order."),
            code="signed",
        )
    return row


def _refuse_unready(row: ExcursionReport) -> None:
    wanted = {
        "products": _l("Say which goods or equipment were concerned; none is an answer too."),
        "cause": _l("Say why it happened, or that the cause is not known."),
        "action": _l("Say what was done about it."),
        "decision": _l("Decide what becomes of the goods."),
    }
    missing: dict[str, list[object]] = {
        name: [text] for name, text in wanted.items() if not getattr(row, name)
    }
    if row.decision not in {None, Decision.NONE} and not row.decision_reason:
        missing["decision_reason"] = [_l("Say why.")]
    if missing:
        raise Invalid(
            _l("Fill in and save what is marked, then sign."), fields=missing, code="incomplete"
        )


def sensor_name(row: ExcursionReport) -> tuple[str, str | None]:
    """Return the sensor's names as they were when the report was written."""
    said: dict[str, Any] = row.facts["sensor"]
    return said["en"], said["zh"]
