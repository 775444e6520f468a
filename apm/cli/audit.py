"""Proving that nobody edited the audit trail."""

from __future__ import annotations

import click
from sqlalchemy import select

from apm.accounts.queries import hospital_by_code, hospitals
from apm.cli.frame import acting
from apm.cli.refusal import Refused
from apm.core.audit import NO_HOSPITAL, AuditEntry, AuditHead, ChainReport, verify_chain
from apm.core.db import ApmSession
from apm.core.i18n import _


@click.group()
def audit() -> None:
    """The audit trail."""


@audit.command()
@click.option("--hospital", metavar="CODE", help="One hospital's chain; all by default.")
def verify(hospital: str | None) -> None:
    """Recompute the hash chain; exit 1 and name the first bad entry if it was tampered with."""
    with acting(None) as ctx:
        reports = [
            (name, verify_chain(ctx.session, chain))
            for name, chain in _chains(ctx.session, hospital)
        ]
    bad = False
    for name, report in reports:
        click.echo(_line(name, report))
        bad = bad or report.broken_at is not None
    if bad:
        raise Refused(_("The audit trail was tampered with. Restore a backup and compare."))


def _chains(session: ApmSession, hospital: str | None) -> list[tuple[str, int]]:
    if hospital is not None:
        return [(hospital.upper(), hospital_by_code(session, hospital).id)]
    names = {h.id: h.code for h in hospitals(session)} | {NO_HOSPITAL: "-"}
    found = set(session.scalars(select(AuditEntry.chain).distinct()))
    found |= set(session.scalars(select(AuditHead.chain)))
    return [(names.get(chain, f"#{chain}"), chain) for chain in sorted(found)]


def _line(name: str, report: ChainReport) -> str:
    if report.broken_at is None:
        return f"{name}: ok, {report.entries} entries, head {report.head}"
    return f"{name}: entry {report.broken_at} is bad: {report.reason}"
