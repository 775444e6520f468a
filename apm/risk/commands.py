"""Entering scores, reviewing schedules, deciding on intervals."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from sqlalchemy import select

from apm.accounts.queries import hospital_day
from apm.assets.queries import asset_by_code
from apm.core.command import Context, command
from apm.core.errors import Conflict, Invalid
from apm.core.i18n import _l
from apm.core.permissions import Permission
from apm.risk.model import AemReview, AssetScore, CategoryScore, IntervalDecision, Schedule
from apm.risk.queries import assessment_of, category_or_404
from apm.risk.scores import check, proposed

REVIEW_AGAIN = timedelta(days=365)
MOST_MONTHS = 120


@command("risk.score_category", Permission.PLAN_EDIT)
def score_category(
    ctx: Context, *, category: str, inputs: Mapping[str, int], reason: str
) -> CategoryScore:
    """Enter a category's scores; what equals the proposal is not kept.

    Raises:
        NotFound: no such category.
        Invalid: a number that a score does not have.
    """
    code = category_or_404(category).code
    check(inputs)
    query = select(CategoryScore).where(CategoryScore.category == code).with_for_update()
    row = ctx.session.scalar(query) or CategoryScore(category=code)
    row.inputs = _different(inputs, proposed(code))
    row.reason, row.changed_by, row.changed_at = reason, ctx.actor.name, ctx.now()
    ctx.session.add(row)
    ctx.session.flush()
    return row


@command("risk.score_asset", Permission.PLAN_EDIT)
def score_asset(
    ctx: Context, *, asset: str, inputs: Mapping[str, int], reason: str
) -> AssetScore | None:
    """Enter what differs for one asset, and why; nothing that differs ends the exception.

    Raises:
        NotFound: no such asset.
        Invalid: a number that a score does not have.
    """
    thing = asset_by_code(ctx, asset)
    check(inputs)
    of_category = ctx.session.scalar(
        select(CategoryScore).where(CategoryScore.category == thing.category)
    )
    usual = {**proposed(thing.category), **(of_category.inputs if of_category else {})}
    query = select(AssetScore).where(AssetScore.asset_id == thing.id).with_for_update()
    row = ctx.session.scalar(query)
    different = _different(inputs, usual)
    if not different:
        if row is not None:
            ctx.session.delete(row)
        return None
    row = row or AssetScore(asset_id=thing.id)
    row.inputs, row.reason = different, reason
    row.changed_by, row.changed_at = ctx.actor.name, ctx.now()
    ctx.session.add(row)
    ctx.session.flush()
    return row


def _different(inputs: Mapping[str, int], usual: Mapping[str, int]) -> dict[str, int]:
    return {key: value for key, value in inputs.items() if usual.get(key) != value}


@command("risk.review", Permission.PLAN_EDIT)
def review_schedule(ctx: Context, *, category: str, schedule: Schedule, reason: str) -> AemReview:
    """Say by whose schedule a category is maintained; to be said again after a year.

    Raises:
        NotFound: no such category.
        Conflict: the rules forbid leaving the maker's schedule.
    """
    known = assessment_of(ctx, category)
    if schedule is Schedule.AEM and known.barriers:
        raise Conflict(known.barriers[0], code="not_eligible")
    row = AemReview(
        category=known.category.code,
        schedule=schedule,
        reason=reason,
        evidence=known.as_plain(),
        reviewed_by=ctx.actor.name,
        reviewed_at=ctx.now(),
        review_again_on=hospital_day(ctx) + REVIEW_AGAIN,
    )
    ctx.session.add(row)
    ctx.session.flush()
    return row


@command("risk.decide_interval", Permission.PLAN_EDIT)
def decide_interval(
    ctx: Context, *, category: str, months: int, is_approved: bool, reason: str
) -> IntervalDecision:
    """Approve or reject another interval; the evidence is kept as it stands now.

    Plans that exist go on: whoever approves changes them on the page of plans.

    Raises:
        NotFound: no such category.
        Invalid: months that cannot be, or the interval that holds already.
        Conflict: longer than the maker's while its schedule must be kept.
    """
    known = assessment_of(ctx, category)
    if not 1 <= months <= MOST_MONTHS:
        message = _l("Give whole months, 1 to %(n)s.", n=MOST_MONTHS)
        raise Invalid(message, fields={"months": [message]})
    if known.current is None or months == known.current:
        message = _l("This interval holds already. Choose another one.")
        raise Invalid(message, fields={"months": [message]})
    maker = known.template.interval_months if known.template else known.current
    if is_approved and months > maker and not known.may_leave_maker:
        raise Conflict(
            _l("This is longer than the maker's %(n)s months. Review the schedule first."),
            code="maker_governs",
            n=maker,
        )
    row = IntervalDecision(
        template_code=known.category.code,
        old_months=known.current,
        new_months=months,
        is_approved=is_approved,
        reason=reason,
        evidence=known.as_plain(),
        decided_by=ctx.actor.name,
        decided_at=ctx.now(),
    )
    ctx.session.add(row)
    ctx.session.flush()
    return row
