"""Collecting the evidence of one failure and asking the table what it says."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select

from apm.attribution.finding import Failure, Found, found_again
from apm.attribution.fleet import fleet
from apm.attribution.model import Attribution
from apm.attribution.surroundings import surroundings
from apm.attribution.upkeep import upkeep
from apm.attribution.using import using
from apm.core.command import Context
from predict.cause import Piece, Priors, Proposal, learned_priors, propose
from predict.cause_table import NAMED, Cause

SOURCES: tuple[Callable[[Context, Failure], Iterator[Found]], ...] = (
    surroundings,
    using,
    upkeep,
    fleet,
)


@dataclass(frozen=True, slots=True)
class Assessment:
    """What was seen, what was believed before, and what follows."""

    found: tuple[Found, ...]
    priors: Priors
    proposal: Proposal

    @property
    def seen(self) -> dict[str, str]:
        """Level by kind: what the table is asked with."""
        return {one.kind: one.level for one in self.found}

    def of(self, kind: str) -> Found:
        """Return what was seen of one kind."""
        return next(one for one in self.found if one.kind == kind)


def assess(ctx: Context, failure: Failure) -> Assessment:
    """Return what the records of now say of a failure, with a bounded number of statements."""
    found = tuple(one for source in SOURCES for one in source(ctx, failure))
    priors = priors_of(ctx, failure.order.id)
    return Assessment(found, priors, propose({one.kind: one.level for one in found}, priors))


def priors_of(ctx: Context, but_order_id: int) -> Priors:
    """Return the priors the hospital's other confirmed cases have led to."""
    query = (
        select(Attribution.confirmed_cause, func.count(Attribution.id))
        .where(Attribution.confirmed_cause.is_not(None), Attribution.work_order_id != but_order_id)
        .group_by(Attribution.confirmed_cause)
    )
    counts = {cause: n for cause, n in ctx.session.execute(query) if cause is not None}
    return learned_priors(counts)


def kept(assessment: Assessment) -> dict[str, Any]:
    """Return an assessment as the columns of `Attribution`."""
    proposal, priors = assessment.proposal, assessment.priors
    weights = {piece.kind: piece for piece in proposal.pieces}
    return {
        "evidence": [{**one.as_plain(), **_weight(weights[one.kind])} for one in assessment.found],
        "priors": {"shares": _plain(priors.shares), "counts": _plain(priors.counts)},
        "posterior": _plain(proposal.posterior),
        "proposed": proposal.cause,
        "probability": proposal.probability,
        "coverage": proposal.coverage,
        "table_version": proposal.version,
    }


def _weight(piece: Piece) -> dict[str, Any]:
    return {"share": piece.share, "weights": _plain(piece.weights)}


def _plain(by_cause: Mapping[Cause, float]) -> dict[str, float]:
    return {cause.value: value for cause, value in by_cause.items()}


def kept_again(row: Attribution) -> Assessment:
    """Return what was kept, with the weights of the table it was computed with."""
    pieces = tuple(
        Piece(
            one["kind"],
            one["level"],
            one["share"],
            {cause: one["weights"][cause.value] for cause in NAMED},
        )
        for one in row.evidence
    )
    posterior = {cause: row.posterior[cause.value] for cause in Cause}
    proposal = Proposal(
        cause=row.proposed,
        probability=row.probability,
        likeliest=max(NAMED, key=lambda cause: posterior[cause]),
        posterior=posterior,
        coverage=row.coverage,
        pieces=tuple(sorted(pieces, key=lambda piece: -piece.loudness)),
        version=row.table_version,
    )
    shares = {cause: row.priors["shares"][cause.value] for cause in Cause}
    counts = {cause: int(row.priors["counts"][cause.value]) for cause in Cause}
    return Assessment(
        tuple(found_again(one) for one in row.evidence), Priors(shares, counts), proposal
    )
