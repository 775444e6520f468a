"""Causes of failures and the logs of devices, as JSON."""

from __future__ import annotations

from typing import Any

from apm.attribution.commands import confirm_cause
from apm.attribution.log import Stored, add_events
from apm.attribution.queries import CauseView, cause_of
from apm.attribution.schema import CauseIn, CauseOut, LogIn, LogOut
from apm.attribution.wording import said, weight_words
from apm.core.http import context, requires
from apm.core.intake import Blueprint
from apm.core.permissions import Permission

api = Blueprint("attribution_api", __name__, url_prefix="/api/v1", description="Causes")


@api.get("/work-orders/<no>/cause")
@api.response(200, CauseOut)
@requires(Permission.WORK_READ)
def cause(no: str) -> dict[str, Any]:
    """What the evidence says of a repair, and what was decided."""
    return _shown(cause_of(context(), no))


@api.post("/work-orders/<no>/cause/confirm")
@api.arguments(CauseIn)
@api.response(201, CauseOut)
@requires(Permission.CAUSE_CONFIRM)
def confirm(body: dict[str, Any], no: str) -> dict[str, Any]:
    """Confirm the proposed cause, or say another and why.  Needs a person's session."""
    ctx = context()
    confirm_cause(ctx, no=no, **body)
    return _shown(cause_of(ctx, no))


@api.post("/device-events")
@api.arguments(LogIn)
@api.response(200, LogOut)
@requires(Permission.READING_SEND)
def send_log(body: dict[str, Any]) -> Stored:
    """Store lines of devices' logs, all or none; sent again they are known."""
    return add_events(context(), lines=body["lines"], source="api")


def _shown(view: CauseView) -> dict[str, Any]:
    assessment, row = view.assessment, view.row
    proposal = assessment.proposal
    return {
        "no": view.failure.order.no,
        "failed_at": view.failure.at,
        "proposed": proposal.cause,
        "probability": proposal.probability,
        "likeliest": proposal.likeliest,
        "posterior": {cause.value: p for cause, p in proposal.posterior.items()},
        "coverage": proposal.coverage,
        "table_version": proposal.version,
        "prior": {cause.value: p for cause, p in assessment.priors.shares.items()},
        "prior_n": assessment.priors.n,
        "frozen_at": row.frozen_at if row else None,
        "pieces": [
            {
                "kind": piece.kind,
                "level": piece.level,
                "text": said(found),
                "weight": weight_words(piece),
                "speaks_for": piece.speaks_for,
                "speaks_against": piece.speaks_against,
                "factor": piece.factor,
                "log_odds": {cause.value: w for cause, w in piece.weights.items()},
                "facts": found.facts,
                "url": found.url,
            }
            for piece in proposal.pieces
            for found in [assessment.of(piece.kind)]
        ],
        "changes": view.changes,
        "confirmed": row.confirmed_cause if row else None,
        "decisions": view.decisions,
    }
