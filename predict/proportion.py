"""How sure a share is: Wilson's score interval.

Source: E. B. Wilson, "Probable inference, the law of succession, and statistical inference",
Journal of the American Statistical Association 22 (1927) 209-212.
"""

from __future__ import annotations

from math import sqrt
from statistics import NormalDist


def wilson(hits: int, n: int, confidence: float = 0.9) -> tuple[float, float]:
    """Return the interval (low, high), within 0..1, for a share of `hits` out of `n`.

    Raises:
        ValueError: `n` is not positive, `hits` is not within 0..n, or confidence not within 0..1.

    >>> low, high = wilson(9, 10)
    >>> round(low, 3), round(high, 3)
    (0.652, 0.977)
    """
    if n <= 0 or not 0 <= hits <= n or not 0.0 < confidence < 1.0:
        raise ValueError("0 <= hits <= n, n > 0 and 0 < confidence < 1 needed")
    z = NormalDist().inv_cdf((1.0 + confidence) / 2.0)
    share = hits / n
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    reach = z / (1 + z * z / n) * sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    # Exact at the ends, where rounding would leave 1e-17 outside.
    low = 0.0 if hits == 0 else max(0.0, middle - reach)
    high = 1.0 if hits == n else min(1.0, middle + reach)
    return low, high
