"""The steps of an asset's life that a person takes; repair is entered and left by work orders."""

from __future__ import annotations

from collections.abc import Callable

from apm.assets.model import GONE, Asset, AssetState, Availability
from apm.core.command import Context
from apm.core.lifecycle import Lifecycle, Step
from apm.core.permissions import Permission
from apm.core.registry import Hooks

S = AssetState
SIDE = frozenset({S.UNDER_REPAIR, S.QUARANTINED, S.MISSING})
"""States beside the way, which remember where to return to."""
COMING = frozenset({S.PLANNED, S.ORDERED, S.RECEIVED, S.ACCEPTANCE})
USED = frozenset({S.IN_SERVICE, S.STANDBY, S.ON_LOAN})
EDIT = Permission.ASSET_EDIT

LIFECYCLE: Lifecycle[AssetState] = Lifecycle(
    Step("order", frozenset({S.PLANNED}), S.ORDERED, EDIT),
    Step("receive", frozenset({S.PLANNED, S.ORDERED}), S.RECEIVED, EDIT),
    Step("begin_acceptance", frozenset({S.RECEIVED}), S.ACCEPTANCE, EDIT),
    Step("put_in_service", COMING | {S.STANDBY, S.ON_LOAN}, S.IN_SERVICE, EDIT),
    Step("stand_by", frozenset({S.IN_SERVICE, S.ON_LOAN}), S.STANDBY, EDIT),
    Step("lend", frozenset({S.IN_SERVICE, S.STANDBY}), S.ON_LOAN, EDIT),
    Step("quarantine", USED | {S.UNDER_REPAIR}, S.QUARANTINED, EDIT),
    Step("report_missing", USED | {S.QUARANTINED}, S.MISSING, EDIT),
    # The target of these two is `return_to`; in service is only where that is not known.
    Step("release", frozenset({S.QUARANTINED}), S.IN_SERVICE, EDIT),
    Step("find", frozenset({S.MISSING}), S.IN_SERVICE, EDIT),
    Step("retire", USED | {S.QUARANTINED, S.MISSING}, S.RETIRED, EDIT),
    Step("dispose", frozenset({S.RETIRED}), S.DISPOSED, EDIT),
)

Guard = Callable[[Context, Asset], None]
_GUARDS: Hooks[Guard] = Hooks("guards of retirement")


def before_retirement(guard: Guard) -> Guard:
    """Let a later feature object: the guard raises `Conflict` while, say, work is still open."""
    _GUARDS.add(guard)
    return guard


def enter(ctx: Context, asset: Asset, state: AssetState) -> None:
    """Put `asset` into `state`, keeping where to return to; the caller has checked the step.

    Availability follows: out of use where nobody should use it, usable again when it comes back.
    """
    if state in GONE:
        for guard in _GUARDS:
            guard(ctx, asset)
    if state in SIDE and asset.lifecycle not in SIDE:
        asset.return_to = asset.lifecycle
    elif state not in SIDE:
        asset.return_to = None
    if state in SIDE | GONE:
        asset.availability = Availability.DOWN
    elif asset.lifecycle in SIDE:
        asset.availability = Availability.UP
    asset.lifecycle = state


def step_between(old: AssetState, new: AssetState) -> str | None:
    """Return the action that leads from one state to another, None if no person can do that."""
    steps = (s for s in LIFECYCLE.steps if old in s.sources and s.target == new)
    return next((step.action for step in steps), None)
