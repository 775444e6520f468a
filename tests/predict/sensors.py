"""Simulated sensors for the tests: a room with days, weekends and noise that has a memory."""

import numpy as np
from scipy.signal import lfilter

DAY = 86400.0
START = 1_700_000_000.0


def room(
    seed: int, *, days: float, step_s: float = 3600.0, memory: float = 0.9, noise: float = 0.5
) -> tuple[np.ndarray, np.ndarray]:
    """Return times (s, UTC) and values: 20 + day swing 3 + weekend 2 + AR(1) noise of this sd."""
    rng = np.random.default_rng(seed)
    at = START + step_s * np.arange(int(days * DAY / step_s))
    wander = lfilter([np.sqrt(1 - memory**2)], [1, -memory], rng.normal(0, noise, len(at)))
    weekend = (at // DAY % 7) >= 5
    return at, 20 + 3 * np.sin(2 * np.pi * at / DAY) + 2 * weekend + wander
