"""What each moment to replace a part costs in the long run, seen from its present age.

Acting after a wait of w, unless the part fails before, costs

    V(w) = planned * S(w) + failure * (1 - S(w)) - g * integral of S from 0 to w,

S the share of parts of this age that still run and g the lowest cost rate (`age_replacement`):
what the time until then would cost on average is taken off, so that waits of different lengths
can be compared.  The smallest V is the best; of a new part it is 0.  Waiting for the failure is
w = inf.

Source: relative values of a semi-Markov decision process, R. Howard, "Dynamic Probabilistic
Systems" II (1971), chapter 15; with a renewal at each replacement, S. Ross, "Stochastic Processes"
(1996), 3.6.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, log

from predict.age_replacement import Weibull


@dataclass(frozen=True, slots=True)
class Option:
    """Replacing after `wait`: cost relative to the best policy, and the chance it fails before."""

    wait: float
    cost: float
    failed: float


def weibull_of(share: float, low: float, median: float) -> Weibull:
    """Return the life of which a `share` has ended by `low` and half by `median`.

    Raises:
        ValueError: not 0 < share < 1/2 and 0 < low < median.

    >>> weibull_of(0.1, 100.0, 200.0)
    Weibull(shape=2.71..., scale=228.8...)
    """
    if not (0.0 < share < 0.5 and 0.0 < low < median < inf):
        raise ValueError("0 < share < 1/2 and 0 < low < median needed")
    shape = log(log(1.0 - share) / log(0.5)) / log(low / median)
    return Weibull(shape, median / log(2.0) ** (1.0 / shape))


def options(
    life: Weibull, age: float, waits: Sequence[tuple[float, float]], *, failure: float, rate: float
) -> list[Option]:
    """Return what each wait costs.

    Args:
        life: of a new part.
        age: of this one, >= 0, in the unit of the life.
        waits: pairs of a wait (inf: until it fails) and the cost of the planned replacement then,
            which may be less where somebody is there anyway.
        failure: cost of a failure, in the same money.
        rate: the lowest cost rate, as `best_age(...).cost`.

    Raises:
        ValueError: a wait, an age or a cost is negative.

    >>> life = Weibull(3.0, 1000.0)
    >>> from predict.age_replacement import best_age
    >>> best = best_age(life, planned=1.0, failure=10.0)
    >>> [new] = options(life, 0.0, [(best.age, 1.0)], failure=10.0, rate=best.cost)
    >>> abs(new.cost) < 1e-9
    True
    """
    if age < 0.0 or failure < 0.0 or any(wait < 0.0 or cost < 0.0 for wait, cost in waits):
        raise ValueError("age, waits and costs >= 0 needed")
    now = life.reliability(age)
    found = []
    for wait, planned in waits:
        if now <= 0.0:  # so old that none is left to compare with: it fails at once
            found.append(Option(wait, planned if wait == 0.0 else failure, float(wait > 0.0)))
            continue
        alive = 0.0 if wait == inf else life.reliability(age + wait) / now
        lived = (life.mean_life_up_to(age + wait) - life.mean_life_up_to(age)) / now
        cost = planned * alive + failure * (1.0 - alive) - rate * lived
        found.append(Option(wait, cost, 1.0 - alive))
    return found
