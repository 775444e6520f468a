"""Many readings above the limit, one finding: when an episode opens, goes on and ends."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

Reason = Literal["spike", "level", "drift", "range", "flat"]
"""Which statistic raised the episode:

spike: readings far from what is expected now; level: an hour or six of it; drift: a day of it;
range: a value never seen in two months; flat: the value stands still after a lively past.
"""

ONSET_SCORE = 0.5
"""An episode began when the score last rose above this, half way to the alarm."""


@dataclass(frozen=True, slots=True)
class EpisodeRule:
    """When to open and close, in scores (1 = limit) and seconds.

    A lone wild reading opens nothing: `confirm_readings` in a row must be above the limit.
    After an end, `rest_s` must pass before the next, unless it is `rest_factor` times worse.
    An episode ends after `calm_s` below `calm_score`, or, as the new normal, after `settle_s`.
    """

    confirm_readings: int = 2
    calm_score: float = 0.8
    calm_s: float = 12 * 3600.0
    rest_s: float = 3 * 86400.0
    rest_factor: float = 1.2
    settle_s: float = 7 * 86400.0


@dataclass(frozen=True, slots=True)
class Episode:
    """One finding.  Times in seconds since the epoch, UTC; `raised_at` identifies it.

    `ended` is None while it goes on.  `settled` tells the two ends apart: False, the readings
    came back; True, they stayed away so long that they are the new normal from now on.
    """

    began: float
    raised_at: float
    ended: float | None
    peak_score: float
    peak_at: float
    reason: Reason
    settled: bool = False


@dataclass(slots=True)
class EpisodeTracker:
    """Follows the score of one sensor and holds at most one open episode."""

    rule: EpisodeRule
    current: Episode | None = None
    onset: float | None = None
    quiet_since: float | None = None
    above: int = 0
    last_ended: float | None = None
    last_peak: float = 0.0

    def follow(self, at: float, score: float, reason: Reason) -> Episode | None:
        """Take in one score; return the episode that it opened, went on with or ended."""
        if score < ONSET_SCORE:
            self.onset = None
        elif self.onset is None:
            self.onset = at
        self.above = self.above + 1 if score >= 1.0 else 0
        if self.current is None:
            self._open(at, score, reason)
            return self.current
        if score > self.current.peak_score:
            self.current = replace(self.current, peak_score=score, peak_at=at)
        return self._go_on(at, self.current, score)

    def _open(self, at: float, score: float, reason: Reason) -> None:
        resting = self.last_ended is not None and at - self.last_ended <= self.rule.rest_s
        if resting and score < self.rule.rest_factor * self.last_peak:
            return
        if self.above >= self.rule.confirm_readings:
            began = at if self.onset is None else self.onset
            self.current = Episode(began, at, None, score, at, reason)
            self.quiet_since = None

    def _go_on(self, at: float, current: Episode, score: float) -> Episode:
        if score >= self.rule.calm_score:
            self.quiet_since = None
        elif self.quiet_since is None:
            self.quiet_since = at
        calm = self.quiet_since is not None and at - self.quiet_since >= self.rule.calm_s
        settled = not calm and at - current.raised_at >= self.rule.settle_s
        if not (calm or settled):
            return current
        self.current, self.onset, self.quiet_since, self.above = None, None, None, 0
        self.last_ended, self.last_peak = at, current.peak_score
        return replace(current, ended=at, settled=settled)


def tracker_from(saved: dict[str, Any]) -> EpisodeTracker:
    """Return the tracker that `dataclasses.asdict` took apart."""
    current = None if saved["current"] is None else Episode(**saved["current"])
    return EpisodeTracker(**{**saved, "rule": EpisodeRule(**saved["rule"]), "current": current})
