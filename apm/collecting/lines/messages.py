"""What MQTT messages say: our own topics, topics of others by JSON pointer, Sparkplug B."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

import orjson

from apm.collecting import sparkplug
from apm.collecting.failures import LineFailed, Reason
from apm.collecting.sparkplug import Damaged, Metric
from apm.collecting.spec import PointSpec, Spec
from apm.collecting.values import NoValue, instant_of, number_of, pointed

OWN = "apm/v1"
SPARKPLUG = "spBv1.0"
MOST_IN_ONE = 10_000
"""Readings in one message."""
ASK_AGAIN_S = 30.0
"""A node that was asked to introduce itself is left alone for so long."""
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
Done = Callable[[], object]


class Receiver(Protocol):
    """What readings go to: a feed, or a test."""

    def take(self, readings: list[dict[str, Any]], *, done: Done, is_live: bool) -> None:
        """Take readings."""

    def stray(self, what: str, reason: str, n: int = 1) -> None:
        """Count what is no reading."""

    def missing(self, sensor: str, problem: LineFailed) -> None:
        """Note a point without a value."""


def topics_of(spec: Spec) -> list[str]:
    """Return what a connection subscribes to.

    >>> from apm.collecting.model import Protocol as P
    >>> points = (PointSpec("T-1", {"topic": "plant/f1"}),
    ...           PointSpec("T-2", {"topic": "spBv1.0/North/GW1", "metric": "T"}))
    >>> topics_of(Spec(1, 1, "NORTH", "x", P.MQTT, {"groups": ["Plant"]}, "", 1.0, points))
    ['apm/v1/NORTH/#', 'plant/f1', 'spBv1.0/North/#', 'spBv1.0/Plant/#']
    """
    found = {f"{OWN}/{spec.hospital}/#"}
    found |= {f"{SPARKPLUG}/{group}/#" for group in spec.config.get("groups", [])}
    for point in spec.points:
        topic = point.config["topic"]
        is_sparkplug = topic.startswith(f"{SPARKPLUG}/")
        found.add(f"{SPARKPLUG}/{topic.split('/')[1]}/#" if is_sparkplug else topic)
    return sorted(found)


class Decoder:
    """Turns the messages of one connection into readings."""

    def __init__(
        self, spec: Spec, receiver: Receiver, *, ask: Callable[[str, bytes], None]
    ) -> None:
        self._own = f"{OWN}/{spec.hospital}/"
        self._to, self._ask = receiver, ask
        self._points: dict[str, list[PointSpec]] = {}
        self._metrics: dict[tuple[str, str], list[PointSpec]] = {}
        for point in spec.points:
            topic = point.config["topic"]
            if topic.startswith(f"{SPARKPLUG}/"):
                key = (topic.partition("/")[2], point.config["metric"])
                self._metrics.setdefault(key, []).append(point)
            else:
                self._points.setdefault(topic, []).append(point)
        self._aliases: dict[str, dict[int, str]] = {}
        self._asked: dict[str, float] = {}

    def take(self, topic: str, payload: bytes, *, is_live: bool, done: Done) -> None:
        """Read one message; `done` is called when its readings, if any, are safe."""
        if topic.startswith(self._own):
            readings = self._read_own(topic, payload)
        elif topic.startswith(f"{SPARKPLUG}/"):
            metrics = self._metrics_in(topic, payload)
            readings = self._read_sparkplug(topic, metrics)
            is_live = is_live and not any(metric.is_historical for metric in metrics)
        else:
            readings = self._read_points(topic, payload)
        # Also when there are none: acknowledgements keep the order of the messages.
        self._to.take(readings, done=done, is_live=is_live)

    def _read_own(self, topic: str, payload: bytes) -> list[dict[str, Any]]:
        sensor = topic[len(self._own) :]
        document = _json(payload)
        entries = document if isinstance(document, list) else [document]
        if document is None or len(entries) > MOST_IN_ONE:
            self._to.stray(sensor, "not_json" if document is None else "too_many_readings")
            return []
        found = []
        for entry in entries:
            if isinstance(entry, Mapping) and "v" in entry:
                found.append(
                    {"sensor": sensor, "at": entry.get("at"), "value": entry["v"],
                     "quality": entry.get("q")}
                )  # fmt: skip
            else:
                self._to.stray(sensor, "not_a_reading")
        return found

    def _read_points(self, topic: str, payload: bytes) -> list[dict[str, Any]]:
        document = _json(payload)
        if document is None:
            self._to.stray(topic, "not_json")
            return []
        found = []
        for point in self._points.get(topic, []):
            config = point.config
            try:
                value = point.convert(number_of(pointed(document, config.get("pointer", ""))))
                where = config.get("time_pointer")
                at = instant_of(pointed(document, where)) if where else None
            except NoValue:
                self._to.missing(point.sensor, LineFailed(Reason.PLACE))
                continue
            found.append({"sensor": point.sensor, "at": at, "value": value, "quality": None})
        return found

    def _metrics_in(self, topic: str, payload: bytes) -> list[Metric]:
        parts = topic.split("/")
        if len(parts) not in {4, 5} or parts[2] not in {"NBIRTH", "NDATA", "DBIRTH", "DDATA"}:
            return []
        try:
            return sparkplug.decode(payload)
        except Damaged:
            self._to.stray(topic, "not_sparkplug")
            return []

    def _read_sparkplug(self, topic: str, metrics: list[Metric]) -> list[dict[str, Any]]:
        if not metrics:
            return []
        parts = topic.split("/")
        group, kind, node = parts[1], parts[2], "/".join(parts[3:])
        edge = f"{group}/{parts[3]}"
        if kind.endswith("BIRTH"):
            born = {m.alias: m.name for m in metrics if m.alias is not None and m.name}
            # An alias is the edge node's, whatever device of it uses it.
            known = {} if kind == "NBIRTH" else self._aliases.get(edge, {})
            self._aliases[edge] = {**known, **born}
        found = []
        for metric in metrics:
            name = metric.name or self._aliases.get(edge, {}).get(metric.alias or 0, "")
            if not name:
                self._introduce(group, parts[3])
            found += self._of_metric(f"{group}/{node}", name, metric)
        return found

    def _of_metric(self, source: str, name: str, metric: Metric) -> list[dict[str, Any]]:
        points = self._metrics.get((source, name), [])
        if not points and name and not name.startswith(("Node Control/", "bdSeq")):
            self._to.stray(f"{SPARKPLUG}/{source} {name}", "no_point", 0)
        if metric.value is None:
            return []
        at = None
        if metric.at_ms is not None and metric.at_ms < 10**14:
            at = EPOCH + timedelta(milliseconds=metric.at_ms)
        return [
            {"sensor": point.sensor, "at": at, "value": point.convert(metric.value),
             "quality": metric.quality}
            for point in points
        ]  # fmt: skip

    def _introduce(self, group: str, edge: str) -> None:
        """Ask a node what its aliases mean: we were not there when it said so."""
        now = time.monotonic()
        if now - self._asked.get(edge, -ASK_AGAIN_S) >= ASK_AGAIN_S:
            self._asked[edge] = now
            self._ask(f"{SPARKPLUG}/{group}/NCMD/{edge}", sparkplug.rebirth(at_ms=_now_ms()))


def _now_ms() -> int:
    return int(datetime.now(UTC).timestamp() * 1000)


def _json(payload: bytes) -> Any:
    """Return a document; None for what is none (and for null, which says nothing either)."""
    try:
        return orjson.loads(payload)
    except ValueError:
        pass
    try:  # what is no JSON but common, such as NaN
        return json.loads(payload)
    except (ValueError, RecursionError):
        return None
