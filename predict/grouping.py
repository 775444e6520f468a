"""Which replacements to do in one visit, when each visit has a price of its own.

Moving a replacement away from its best age costs a little, a visit saved pays for it.

Source: R. Wildeman, R. Dekker, A. Smit, "A dynamic policy for grouping maintenance activities",
European Journal of Operational Research 99 (1997) 530-551: the penalty of moving by d is
the integral of (failure - planned) h(x) - g over the move, h the hazard and g the lowest cost rate
(the marginal cost of M. Berg, 1980), and groups are runs of jobs in order of their dates.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf

from predict.age_replacement import Policy, Weibull, best_age


@dataclass(frozen=True, slots=True)
class Job:
    """A part with its life, its age now, and the cost of replacing it early or after failure."""

    name: str
    life: Weibull
    age: float
    planned: float
    failure: float

    def policy(self) -> Policy:
        """Return when it is best replaced if alone."""
        return best_age(self.life, planned=self.planned, failure=self.failure)

    def penalty(self, wait: float, policy: Policy) -> float:
        """Return the extra cost of replacing after `wait` hours and not at the best age, >= 0."""
        start, end = policy.age, self.age + wait
        passed = float((end / self.life.scale) ** self.life.shape)
        hazard = passed - float((start / self.life.scale) ** self.life.shape)
        return (self.failure - self.planned) * hazard - policy.cost * (end - start)


@dataclass(frozen=True, slots=True)
class Visit:
    """Jobs to do together `wait` hours from now, and what that saves against going for each."""

    wait: float
    jobs: tuple[str, ...]
    saved: float


def group(jobs: Sequence[Job], visit_cost: float) -> list[Visit]:
    """Return the visits, in order, that cost the least.  Jobs that never pay are left out.

    Args:
        jobs: with positive ages; an overdue one is due now.
        visit_cost: of going there once, >= 0, in the same money as the jobs' costs.

    >>> tube = Job("tube", Weibull(3.0, 1000.0), 300.0, 1.0, 10.0)
    >>> [v.jobs for v in group([tube, Job("pump", Weibull(3.0, 1000.0), 290.0, 1.0, 10.0)], 1.0)]
    [('tube', 'pump')]
    """
    if not 0.0 <= visit_cost < inf:
        raise ValueError("visit_cost >= 0 and finite")
    paying = [(job, job.policy()) for job in jobs]
    paying = [(job, policy) for job, policy in paying if policy.pays]
    paying.sort(key=lambda pair: pair[1].age - pair[0].age)
    best: list[tuple[float, list[Visit]]] = [(0.0, [])]
    for last in range(1, len(paying) + 1):
        options = []
        for first in range(last):
            visit = _together(paying[first:last], visit_cost)
            saved, before = best[first]
            options.append((saved + visit.saved, [*before, visit]))
        best.append(max(options, key=lambda option: option[0]))
    return best[-1][1]


def _together(pairs: Sequence[tuple[Job, Policy]], visit_cost: float) -> Visit:
    from scipy.optimize import minimize_scalar  # noqa: PLC0415  (seconds, which few starts need)

    alone = [max(policy.age - job.age, 0.0) for job, policy in pairs]
    forced = sum(
        job.penalty(wait, policy) for (job, policy), wait in zip(pairs, alone, strict=True)
    )

    def cost(wait: float) -> float:
        return sum(job.penalty(wait, policy) for job, policy in pairs) - forced

    wait = alone[0]
    if max(alone) > min(alone):
        found = minimize_scalar(cost, bounds=(min(alone), max(alone)), method="bounded")
        wait = float(found.x)
    saved = visit_cost * (len(pairs) - 1) - cost(wait)
    return Visit(wait, tuple(job.name for job, _ in pairs), saved)
