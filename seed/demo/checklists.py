"""Answers to a checklist, the way a sound device would be found."""

from __future__ import annotations

from random import Random

from apm.core.command import Context
from apm.procedures.model import StepKind, Verdict
from apm.procedures.tolerance import COMPARED, Tolerance, judge
from apm.work.model import WorkOrder, WorkStep
from seed.demo.working import steps_of

USUAL = 50.0
"""What is measured where neither set point nor limit says anything."""


def answer(ctx: Context, order: WorkOrder, rng: Random, *, share: float = 1.0) -> None:
    """Answer the first `share` (0..1) of an order's steps as the acting person."""
    steps = steps_of(ctx, order)
    for step in steps[: round(len(steps) * share)]:
        if step.kind is StepKind.MEASURE:
            _measure(step, rng)
        else:
            step.verdict = Verdict.PASS
        step.answered_by, step.answered_at = ctx.actor.name, ctx.now()


def _measure(step: WorkStep, rng: Random) -> None:
    plain = step.tolerance or {}
    tolerance = Tolerance.of(plain)
    takes_aim = tolerance.type in COMPARED or tolerance.type == "baseline_drift"
    if step.reference is None and takes_aim:
        step.reference = USUAL  # read off the device, or the first measurement of all
    slip = rng.triangular(-0.7, 0.7, 0.0)
    value = sound_value(tolerance, USUAL if step.reference is None else step.reference, slip)
    step.value = float(f"{value:.4g}")
    if tolerance.type == "manufacturer":
        step.tolerance = {**plain, "low": USUAL * 0.9, "high": USUAL * 1.1}
        tolerance = Tolerance.of(step.tolerance)
    step.verdict = judge(step.value, tolerance, step.reference, step.reference)


def sound_value(tolerance: Tolerance, aim: float, slip: float) -> float:
    """Return a value within `tolerance` of `aim`; `slip` in -1..1: how far towards its edge."""
    low, high = tolerance.low or 0.0, tolerance.high or 0.0
    wide, rel = tolerance.abs or 0.0, tolerance.rel or 0.0
    value = {
        "le": (tolerance.limit or 0.0) * (0.6 + 0.3 * slip),
        "ge": (tolerance.limit or 0.0) * (1.4 + 0.3 * slip),
        "between": (low + high) / 2 + (high - low) / 2 * slip,
        "rel": aim * (1 + rel * slip),
        "asym_rel": aim * (1 + min(-low, high) * slip),
        "by_range": aim * (1 + min((part.rel for part in tolerance.ranges), default=0.0) * slip),
        "manufacturer": aim * (1 + 0.1 * slip),
    }
    return value.get(tolerance.type, aim + wide * slip)
