"""How much each unit departs from its make: a third level below `pooling`'s model and category.

A unit's rate varies around its make's by a gamma law whose spread is estimated from all units;
after its own failures and exposure it is gamma again (source: see `pooling`).  The unit's own
failures are first taken out of the make's posterior, which is exact for conjugate laws: a make of
one unit would otherwise count them twice.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from predict.pooling import spread_between

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Make:
    """What is known of a make's rate.  own: share of it that rests on the make's own failures."""

    rate: float
    known: float
    own: float
    failures: int


def unit_spread(failures: ArrayLike, exposure: ArrayLike, rate: ArrayLike) -> float:
    """Return the relative spread of rates between units of one make.

    Args:
        failures: shape (n,), of each unit.
        exposure: shape (n,), sum of exit ** shape - entry ** shape of each unit.
        rate: shape (n,), of each unit's make.
    """
    counts = list(zip(np.asarray(failures, float), np.asarray(exposure, float), strict=True))
    seen = [k for k, (_, watched) in enumerate(counts) if watched > 0.0]
    means = np.asarray(rate, dtype=np.float64)
    return spread_between([counts[k] for k in seen], [float(means[k]) for k in seen])


def unit_rates(
    failures: ArrayLike, exposure: ArrayLike, makes: list[Make], spread: float
) -> tuple[Array, Array]:
    """Return mean rate and gamma shape of each unit, shapes (n,).

    >>> one = Make(rate=0.01, known=50.0, own=0.9, failures=40)
    >>> rate, known = unit_rates([6.0, 0.0], [100.0, 100.0], [one, one], spread=0.5)
    >>> bool(rate[0] > 0.01 > rate[1])
    True
    """
    d, e = np.asarray(failures, dtype=np.float64), np.asarray(exposure, dtype=np.float64)
    rate, known, own, seen = (
        np.array([getattr(make, name) for make in makes], dtype=np.float64)
        for name in ("rate", "known", "own", "failures")
    )
    total = known / rate
    others = np.maximum(known - d, known - seen)
    watched = np.maximum(total - e, (1.0 - own) * total)
    mean = others / watched
    shape = 1.0 / (np.expm1(spread * spread) + 1.0 / others)
    return (shape + d) / (shape / mean + e), shape + d
