"""What is known of a category or an asset: inputs, scores, evidence, decisions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import func, select

from apm.accounts.queries import hospital_day
from apm.assets.categories import Category, all_categories
from apm.assets.model import Asset
from apm.core.command import Context
from apm.core.errors import NotFound
from apm.core.i18n import _l
from apm.procedures.catalogue import Template
from apm.procedures.shelf import templates_for
from apm.risk.evidence import (
    Evidence,
    Proposal,
    evidence_by_category,
    evidence_of_asset,
    propose,
)
from apm.risk.model import AemReview, AssetScore, CategoryScore, IntervalDecision, Schedule
from apm.risk.scores import (
    HISTORY,
    Score,
    em_number,
    history_points,
    is_known,
    plain,
    proposed,
    vermont,
)


@dataclass(frozen=True, slots=True)
class Inputs:
    """What goes into the scores, and where each number comes from."""

    values: dict[str, int]
    entered: dict[str, int]
    """What somebody entered in place of the proposal."""
    reason: str | None
    changed_by: str | None
    counted: int
    """The points of the history as counted from the repairs."""
    is_known: bool = True
    """Whether there is a proposal of ours, rather than the middle of each scale."""

    @property
    def em(self) -> Score:
        """The Fennigkoh-Smith number."""
        return em_number(self.values, self.counted)

    @property
    def vermont(self) -> Score:
        """The University of Vermont's score."""
        return vermont(self.values)

    @property
    def history(self) -> int:
        """The points for history that count."""
        return self.values.get(HISTORY, self.counted)

    @property
    def months(self) -> int | None:
        """The shorter of the intervals the two scores propose."""
        return min((s.months for s in (self.em, self.vermont) if s.months), default=None)


@dataclass(frozen=True, slots=True)
class Assessment:
    """Everything the page of one category shows."""

    category: Category
    inputs: Inputs
    evidence: Evidence
    template: Template | None
    current: int | None
    """Months between two maintenances: as decided last, else as the template says."""
    decided: IntervalDecision | None
    review: AemReview | None
    barriers: list[object]
    """Why the maker's schedule must be kept; empty: the hospital may use its own."""
    today: date

    @property
    def may_leave_maker(self) -> bool:
        """Whether the hospital maintains it by a schedule of its own, and may."""
        by_own = self.review is not None and self.review.schedule is Schedule.AEM
        return by_own and not self.barriers

    @property
    def is_review_due(self) -> bool:
        """Whether the last review is old."""
        return self.review is not None and self.review.review_again_on <= self.today

    @property
    def proposal(self) -> Proposal | None:
        """What the evidence speaks for; None: the category has no maintenance."""
        if self.current is None:
            return None
        return propose(self.evidence, self.current, may_be_longer=self.may_leave_maker)

    @property
    def suggested(self) -> int | None:
        """Months as the scores propose; never longer than the maker's while that one holds."""
        scored, maker = self.inputs.months, self.template and self.template.interval_months
        if maker and not self.may_leave_maker:
            return min(scored, maker) if scored else maker
        return scored

    def as_plain(self) -> dict[str, Any]:
        """Return what a decision rests on, to be kept with it."""
        return {
            **self.evidence.as_plain(),
            "em": self.inputs.em.total,
            "vermont": self.inputs.vermont.total,
            "inputs": {**self.inputs.values, HISTORY: self.inputs.history},
            "current": self.current,
            "proposed": self.proposal.months if self.proposal else None,
        }


def category_or_404(code: str) -> Category:
    """Return a category, or raise `NotFound`."""
    for category in all_categories():
        if category.code == code.upper():
            return category
    raise NotFound(_l("There is no such category. Choose one of the list."))


def assessments(ctx: Context) -> list[Assessment]:
    """Return every category that has equipment, the highest EM number first."""
    evidence = evidence_by_category(ctx)
    scores = {row.category: row for row in ctx.session.scalars(select(CategoryScore))}
    shelf, reviews, decisions = templates_for(ctx), _last_reviews(ctx), _last_decisions(ctx)
    today = hospital_day(ctx)
    found = [
        _assessment(
            category,
            evidence[category.code],
            scores.get(category.code),
            shelf.get(category.code),
            reviews.get(category.code),
            decisions.get(category.code),
            today,
        )
        for category in all_categories()
        if category.code in evidence
    ]
    return sorted(found, key=lambda one: (-one.inputs.em.total, one.category.code))


def assessment_of(ctx: Context, code: str) -> Assessment:
    """Return one category, or raise `NotFound`; one without equipment has empty evidence."""
    category = category_or_404(code)
    row = ctx.session.scalar(select(CategoryScore).where(CategoryScore.category == category.code))
    return _assessment(
        category,
        evidence_by_category(ctx).get(category.code, Evidence()),
        row,
        templates_for(ctx).get(category.code),
        _last_reviews(ctx).get(category.code),
        _last_decisions(ctx).get(category.code),
        hospital_day(ctx),
    )


def _assessment(  # noqa: PLR0913, PLR0917  (each is one thing that is known of the category)
    category: Category,
    evidence: Evidence,
    score: CategoryScore | None,
    template: Template | None,
    review: AemReview | None,
    decision: IntervalDecision | None,
    today: date,
) -> Assessment:
    return Assessment(
        category=category,
        inputs=_inputs(category.code, score, None, _points(evidence)),
        evidence=evidence,
        template=template,
        current=_current(decision, template),
        decided=decision,
        review=review,
        barriers=_barriers(category.code, evidence, template),
        today=today,
    )


def _current(decision: IntervalDecision | None, template: Template | None) -> int | None:
    if decision is not None:
        return decision.new_months
    return template.interval_months if template else None


def _points(evidence: Evidence) -> int:
    each = evidence.device_months / evidence.assets if evidence.assets else 0.0
    watched = evidence.device_months if evidence.failures else each
    return history_points(evidence.months_between, watched)


def _inputs(
    category: str, score: CategoryScore | None, own: AssetScore | None, counted: int
) -> Inputs:
    entered = {**(score.inputs if score else {}), **(own.inputs if own else {})}
    last = own or score
    return Inputs(
        values={**proposed(category), **entered},
        entered=dict(own.inputs if own else entered),
        reason=last.reason if last else None,
        changed_by=last.changed_by if last else None,
        counted=counted,
        is_known=is_known(category),
    )


def _barriers(category: str, evidence: Evidence, template: Template | None) -> list[object]:
    """Return what forbids leaving the maker's schedule (CMS S&C 14-07)."""
    found: list[object] = []
    if category in plain()["not_aem"]:
        found.append(_l("Imaging and radiologic equipment follows its maker."))
    cycle = template.interval_months if template else 12
    watched = evidence.device_months / evidence.assets if evidence.assets else 0.0
    if watched < cycle or not evidence.completed:
        found.append(_l("There is no history of a full cycle of maintenance yet."))
    return found


@dataclass(frozen=True, slots=True)
class AssetRisk:
    """One asset: what is entered for it, and what its category says."""

    inputs: Inputs
    own: AssetScore | None
    evidence: Evidence


def risk_of(ctx: Context, asset: Asset) -> AssetRisk:
    """Return the scores of one asset; its history is its own."""
    own = ctx.session.scalar(select(AssetScore).where(AssetScore.asset_id == asset.id))
    score = ctx.session.scalar(
        select(CategoryScore).where(CategoryScore.category == asset.category)
    )
    evidence = evidence_of_asset(ctx, asset)
    return AssetRisk(_inputs(asset.category, score, own, _points(evidence)), own, evidence)


def reviews_of(ctx: Context, category: str) -> list[AemReview]:
    """Return the reviews of a category, the newest first."""
    query = select(AemReview).where(AemReview.category == category)
    return list(ctx.session.scalars(query.order_by(AemReview.id.desc())))


def decisions_of(ctx: Context, template_code: str) -> list[IntervalDecision]:
    """Return the decisions on a category's interval, the newest first."""
    query = select(IntervalDecision).where(IntervalDecision.template_code == template_code)
    return list(ctx.session.scalars(query.order_by(IntervalDecision.id.desc())))


def overrides_in(ctx: Context, category: str) -> list[tuple[Asset, AssetScore]]:
    """Return the assets of a category with scores of their own, by number."""
    query = (
        select(Asset, AssetScore)
        .join(AssetScore, AssetScore.asset_id == Asset.id)
        .where(Asset.category == category)
        .order_by(Asset.number)
    )
    return [(asset, score) for asset, score in ctx.session.execute(query)]


def _last_reviews(ctx: Context) -> dict[str, AemReview]:
    last = select(func.max(AemReview.id)).group_by(AemReview.category)
    found = ctx.session.scalars(select(AemReview).where(AemReview.id.in_(last)))
    return {row.category: row for row in found}


def _last_decisions(ctx: Context) -> dict[str, IntervalDecision]:
    last = (
        select(func.max(IntervalDecision.id))
        .where(IntervalDecision.is_approved)
        .group_by(IntervalDecision.template_code)
    )
    found = ctx.session.scalars(select(IntervalDecision).where(IntervalDecision.id.in_(last)))
    return {row.template_code: row for row in found}
