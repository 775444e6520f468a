"""Electrical safety tests by IEC 62353: what an asset needs, and the record of a test."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select

from apm.assets.model import GONE, Asset
from apm.assets.queries import asset_by_code
from apm.core.command import Context, command
from apm.core.errors import Conflict, Invalid
from apm.core.i18n import _l
from apm.core.permissions import Permission
from apm.metrology.catalogue import SafetyTest, fitting_tests, safety_source, safety_version
from apm.metrology.model import AppliedPart, Method, ProtectionClass, SafetyProfile
from apm.metrology.queries import safety_profile_of
from apm.procedures.model import StepKind
from apm.work.model import WorkOrder, WorkStep
from apm.work.opening import NewWork, make_order
from apm.work.states import OPEN_WORK, WorkType

CODE = "IEC62353"
"""The checklist of a safety test, as a work order names it."""


@command("safety.describe", Permission.METROLOGY_EDIT)
def describe_safety(
    ctx: Context,
    *,
    asset: str,
    protection: ProtectionClass,
    parts: Sequence[AppliedPart],
    method: Method,
    has_cord: bool = True,
) -> SafetyProfile:
    """Record what an asset's limits depend on: class, applied parts, method of leakage."""
    thing = asset_by_code(ctx, asset)
    query = (
        select(SafetyProfile)
        .where(SafetyProfile.asset_id == thing.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    found = ctx.session.scalar(query) or SafetyProfile(asset_id=thing.id)
    found.protection, found.method, found.has_cord = protection, method, has_cord
    found.parts = [part.value for part in AppliedPart if part in parts]
    found.recorded_by, found.recorded_at = ctx.actor.name, ctx.now()
    ctx.session.add(found)
    ctx.session.flush()
    return found


def tests_of(profile: SafetyProfile) -> list[SafetyTest]:
    """Return what is measured on an asset that was described so."""
    return fitting_tests(
        profile.protection, profile.parts, profile.method, has_cord=profile.has_cord
    )


@command("safety.open", Permission.WORK_CREATE)
def open_safety_test(ctx: Context, *, asset: str) -> WorkOrder:
    """Open an inspection that measures an asset's electrical safety; one that is open is returned.

    Raises:
        NotFound: no such asset.
        Conflict: it is retired.
        Invalid: nobody has recorded its class and applied parts.
    """
    thing = asset_by_code(ctx, asset)
    profile = safety_profile_of(ctx, thing)
    if profile is None:
        raise Invalid(
            _l("Record the protection class and the applied parts of this equipment first."),
            fields={"protection": [_l("Fill this in.")]},
            code="no_profile",
        )
    open_one = ctx.session.scalar(
        select(WorkOrder)
        .where(
            WorkOrder.asset_id == thing.id,
            WorkOrder.template_code == CODE,
            WorkOrder.state.in_(OPEN_WORK),
        )
        .limit(1)
    )
    return open_one or new_safety_order(ctx, thing, tests_of(profile))


def new_safety_order(
    ctx: Context, asset: Asset, tests: Sequence[SafetyTest], *, origin: str | None = None
) -> WorkOrder:
    """Make an inspection with these tests as its steps; inside another command."""
    if asset.lifecycle in GONE:
        raise Conflict(_l("This asset is retired. It needs no safety test."))
    order = make_order(
        ctx,
        NewWork(
            type=WorkType.INSPECTION,
            title="Electrical safety test (IEC 62353)",
            title_zh="电气安全检测（IEC 62353）",
            asset=asset,
            origin=origin,
        ),
    )
    order.template_code, order.template_version = CODE, safety_version()
    ctx.session.add_all(step_of_test(order, test, position) for position, test in enumerate(tests))
    ctx.session.flush()
    return order


def step_of_test(order: WorkOrder, test: SafetyTest, position: int) -> WorkStep:
    """Return one safety test as a step of a work order, its limit frozen there."""
    return WorkStep(
        work_order_id=order.id,
        key=test.key,
        position=position,
        section="safety",
        kind=StepKind.MEASURE,
        text=test.en,
        text_zh=test.zh,
        unit=test.unit,
        tolerance=test.tolerance,
        source=safety_source(),
        to_verify=test.to_verify,
        mandatory=not test.is_optional,
    )
