"""Finds when one sensor stops behaving like itself, as the readings arrive.

For each reading: what was expected (`expectation`), how far the residual's means over several
memories are from zero measured by limits the sensor sets itself (`limits`), whether the value
is new or stands still (`history`); the largest of these scores, 1 = alarm, drives the episodes
(`episodes`).  Formulas and their sources stand in those modules, figures in docs/models.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import nan
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from predict.episodes import Episode, EpisodeRule, EpisodeTracker, Reason, tracker_from
from predict.expectation import DAY, HOUR, Expectation, expectation_from
from predict.history import History
from predict.limits import Channel
from predict.plain import plain

STATE_VERSION = 1

STEP_GAIN = 0.05
"""How fast the typical time between readings is learnt, per reading."""

GAP_STEPS = 3.0
"""A reading stands for the time since the last, but for no more than this many usual steps."""

_NUMBERS = ("readings", "last_at", "last_value", "step_s", "day", "today_s")

HIGHEST_SCORE = 100.0
"""Scores end here; a jump of a sensor that never moved has no meaningful size."""


@dataclass(frozen=True, slots=True)
class DetectorConfig:
    """The one frozen configuration.  Days and seconds of observed time, gaps left out.

    Warm-up: no score before `warm_up_days` days observed and `warm_up_readings` readings.
    Expectation: `level_memory_s`; residuals are clipped at `clip` spreads before they teach.
    Channels: means of the residual over `memories_s`, the longer ones of a residual clipped at
    `spike_clip` limits of the first; limits are passed once in `return_period_days` days,
    judged by `keep_days` days.  Range: `range_share` of the known range beyond it, after
    `range_days` days.  Standstill: `still_factor` times the longest known, `still_least_s` and
    `still_readings` at least.
    """

    memories_s: tuple[float, ...] = (0.0, HOUR, 6 * HOUR, DAY)
    level_memory_s: float = 7 * DAY
    clip: float = 3.0
    spike_clip: float = 1.0
    warm_up_days: int = 7
    warm_up_readings: int = 100
    keep_days: int = 60
    return_period_days: float = 365.0
    range_days: int = 14
    range_share: float = 0.05
    still_factor: float = 3.0
    still_least_s: float = HOUR
    still_readings: int = 12
    episodes: EpisodeRule = field(default_factory=EpisodeRule)


DEFAULT = DetectorConfig()


@dataclass(frozen=True, slots=True)
class Scores:
    """What `update` says of its readings; every array has shape (n,), in the order given.

    at: seconds since the epoch, UTC.  expected, low, high: in the sensor's unit; a reading
    inside low..high raises no spike.  score: 1 = alarm limit.  NaN means "cannot say": low, high
    and score during warm-up, all of them for the very first reading and for one that came late.
    episodes: those that this batch opened, went on with or ended, oldest first.
    """

    at: NDArray[np.float64]
    value: NDArray[np.float64]
    expected: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    score: NDArray[np.float64]
    episodes: list[Episode]


class SeasonalDetector:
    """Online detector of one sensor.  The past decides; batches may be cut anywhere.

    A reading not newer than the newest one seen is late or a repetition: it gets NaN and
    changes nothing, so that sending a batch twice is harmless.
    """

    def __init__(self, config: DetectorConfig = DEFAULT) -> None:
        self._config = config
        self._channels = [Channel(memory_s) for memory_s in config.memories_s]
        self._history = History()
        self._tracker = EpisodeTracker(config.episodes)
        self._expectation = Expectation(0.0, config.level_memory_s, config.clip)
        self._readings = 0
        self._last_at = 0.0
        self._last_value = 0.0
        self._step_s = 0.0
        self._day = 0
        self._today_s = 0.0

    @property
    def is_ready(self) -> bool:
        """Whether the warm-up is over."""
        config = self._config
        return (
            self._readings >= config.warm_up_readings
            and len(self._history.lowest) >= config.warm_up_days - 1
            and self._expectation.seen_s >= config.warm_up_days * DAY
        )

    def update(self, at: ArrayLike, value: ArrayLike) -> Scores:
        """Score readings in order of arrival and learn from each after scoring it.

        Args:
            at: shape (n,), seconds since the epoch, UTC.
            value: shape (n,), finite.

        Raises:
            ValueError: the shapes differ, or something is not finite.
        """
        times, values = np.asarray(at, dtype=np.float64), np.asarray(value, dtype=np.float64)
        if times.ndim != 1 or times.shape != values.shape:
            raise ValueError(f"at {times.shape} and value {values.shape} must be alike and flat")
        if not (np.isfinite(times).all() and np.isfinite(values).all()):
            raise ValueError("times and values must be finite")
        rows: list[tuple[float, float, float]] = []
        episodes: dict[float, Episode] = {}
        for when_s, reading in zip(times.tolist(), values.tolist(), strict=True):
            row, episode = self._take(when_s, reading)
            rows.append(row)
            if episode is not None:
                episodes[episode.raised_at] = episode
        expected, half_width, score = np.array(rows, dtype=np.float64).reshape(-1, 3).T
        return Scores(
            at=times,
            value=values,
            expected=expected,
            low=expected - half_width,
            high=expected + half_width,
            score=score,
            episodes=list(episodes.values()),
        )

    def _take(
        self, when_s: float, value: float
    ) -> tuple[tuple[float, float, float], Episode | None]:
        if self._readings == 0:
            self._begin(when_s, value)
            return (nan, nan, nan), None
        gap_s = when_s - self._last_at
        if gap_s <= 0.0:
            return (nan, nan, nan), None
        self._step_s = self._step_s or gap_s
        self._step_s += STEP_GAIN * (min(gap_s, 2 * self._step_s) - self._step_s)
        weight_s = min(gap_s, GAP_STEPS * self._step_s)
        if when_s // DAY != self._day:
            self._close_day(when_s)

        ready = self.is_ready
        expected = self._expectation.at(when_s)
        residual = value - expected
        least = self._history.least_change(self._expectation.level)
        self._follow(residual, gap_s=gap_s, weight_s=weight_s, least=least)
        self._history.update(value, self._last_value, gap_s)
        episode = None
        half_width = score = nan
        if ready:
            score, reason = self._score(value, least)
            half_width = max(self._channels[0].limit, least)
            episode = self._tracker.follow(when_s, score, reason)

        self._expectation.learn(when_s, residual, weight_s, least=least)
        self._readings += 1
        self._today_s += weight_s
        self._last_at, self._last_value = when_s, value
        if episode is not None and episode.settled:
            self._settle()
        return (expected, half_width, score), episode

    def _follow(self, residual: float, *, gap_s: float, weight_s: float, least: float) -> None:
        """Give the residual to every memory, the longer ones a clipped one (Huber's psi)."""
        first, *longer = self._channels
        first.update(residual, gap_s=gap_s, weight_s=weight_s)
        if first.limit > 0.0:
            most = self._config.spike_clip * max(first.limit, least)
            residual = max(-most, min(most, residual))
        for channel in longer:
            channel.update(residual, gap_s=gap_s, weight_s=weight_s)

    def _score(self, value: float, least: float) -> tuple[float, Reason]:
        config, history = self._config, self._history
        best, reason = 0.0, _reason(0.0)
        for channel in self._channels:
            score = abs(channel.mean) / max(channel.limit, least)
            if score > best:
                best, reason = score, _reason(channel.memory_s)
        if len(history.lowest) >= config.range_days:
            score = history.novelty(value, share=config.range_share, least=least)
            if score > best:
                best, reason = score, "range"
        if history.still_readings >= config.still_readings:
            score = history.standstill(factor=config.still_factor, least_s=config.still_least_s)
            if score > best:
                best, reason = score, "flat"
        return min(best, HIGHEST_SCORE), reason

    def _begin(self, when_s: float, value: float) -> None:
        self._expectation.level = value
        self._last_at, self._last_value, self._day = when_s, value, int(when_s // DAY)
        self._readings = 1

    def _close_day(self, when_s: float) -> None:
        self._day = int(when_s // DAY)
        if self._today_s < DAY / 2:
            return  # too short to have had its peak: it goes on into the next day
        self._today_s = 0.0
        self._history.close_day(self._config.keep_days)
        for channel in self._channels:
            channel.close_day(
                keep_days=self._config.keep_days,
                return_period_days=self._config.return_period_days,
            )

    def _settle(self) -> None:
        """Take the readings of the last day for the new normal."""
        self._expectation.settle()
        for channel in self._channels:
            channel.mean = 0.0
        self._history.end_standstill()

    def state(self) -> dict[str, Any]:
        """Return all that `from_state` needs, as JSON values; below 64 kB by construction."""
        return {
            "version": STATE_VERSION,
            "config": plain(self._config),
            "channels": [plain(channel) for channel in self._channels],
            "history": plain(self._history),
            "tracker": plain(self._tracker),
            "expectation": plain(self._expectation),
            **{name: getattr(self, f"_{name}") for name in _NUMBERS},
        }

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> SeasonalDetector:
        """Return the detector that `state()` described, with the configuration saved there.

        Raises:
            ValueError: the state is of another version; score the stored readings anew.
        """
        if state.get("version") != STATE_VERSION:
            raise ValueError(f"state version {state.get('version')}, expected {STATE_VERSION}")
        whole = plain(dict(state))  # a detector shares no list with the caller's dict
        config = whole["config"]
        detector = cls(
            DetectorConfig(
                **{
                    **config,
                    "memories_s": tuple(config["memories_s"]),
                    "episodes": EpisodeRule(**config["episodes"]),
                }
            )
        )
        detector._channels = [Channel(**channel) for channel in whole["channels"]]
        detector._history = History(**whole["history"])
        detector._tracker = tracker_from(whole["tracker"])
        detector._expectation = expectation_from(whole["expectation"])
        for name in _NUMBERS:
            setattr(detector, f"_{name}", whole[name])
        return detector


def _reason(memory_s: float) -> Reason:
    if memory_s == 0.0:
        return "spike"
    return "level" if memory_s < DAY else "drift"
