"""The rules as shipped: `seed/alarm_rules.yaml`, loaded once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from apm.core.i18n import _l, choose
from apm.core.settings import ROOT
from apm.core.shipped import read_yaml
from apm.readings.model import AlarmKind
from apm.work.states import Priority

CATALOGUE = ROOT / "seed" / "alarm_rules.yaml"
UNITS = {"temperature": frozenset({"°C", "℃"}), "humidity": frozenset({"%", "%RH"})}
"""What the shipped limits are given in; a sensor with another unit has only rules of its own."""
STALE, NEIGHBOURS = "stale", "neighbours"
KINDS = {
    "high": AlarmKind.HIGH,
    "high_warn": AlarmKind.HIGH,
    "high_total": AlarmKind.HIGH,
    "hot": AlarmKind.HIGH,
    "low": AlarmKind.LOW,
    "low_warn": AlarmKind.LOW,
    "freeze": AlarmKind.LOW,
    "rate": AlarmKind.RATE,
    "dew": AlarmKind.DEW_POINT,
    "outside": AlarmKind.OUT_OF_RANGE,
    "spike": AlarmKind.SPIKE,
    "flat": AlarmKind.FLATLINE,
    STALE: AlarmKind.STALE,
    NEIGHBOURS: AlarmKind.SENSOR_FAULT,
}
"""What each rule raises."""
NAMES = {
    "high": _l("Upper limit"),
    "high_warn": _l("Warning below the upper limit"),
    "high_total": _l("Upper limit, time in all"),
    "hot": _l("Extreme heat"),
    "low": _l("Lower limit"),
    "low_warn": _l("Warning above the lower limit"),
    "freeze": _l("Freezing"),
    "rate": _l("Rate of change"),
    "dew": _l("Dew-point margin"),
    "outside": _l("Out of the sensor's range"),
    "spike": _l("Jump between two readings"),
    "flat": _l("Standing still"),
    STALE: _l("No readings"),
    NEIGHBOURS: _l("Differs from its neighbours"),
}
OWN = ("high", "low", "rate")
"""What any sensor may be given a limit for, shipped or not."""


@dataclass(frozen=True, slots=True)
class Spec:
    """One rule in force on a sensor.

    limit, low_limit, deadband: in the sensor's unit (`RATE`: per hour); limit None: not set.
    text: which consequence and response; own: since when and why it departs from what is shipped.
    """

    key: str
    limit: float | None
    low_limit: float | None = None
    deadband: float = 0.0
    on_delay_s: int = 0
    off_delay_s: int = 0
    is_inclusive: bool = False
    is_cumulative: bool = False
    rest_s: int | None = None
    priority: Priority = Priority.NORMAL
    opens_work: bool = False
    latches: bool = False
    text: str = "sensor"
    source: str = ""
    to_verify: bool = False
    is_on: bool = True
    own: str | None = None

    @property
    def kind(self) -> AlarmKind:
        """What it raises."""
        return KINDS[self.key]

    @property
    def name(self) -> str:
        """What it is called."""
        return str(NAMES[self.key])

    @property
    def usual_wait(self) -> Silence | None:
        """What it waits for where nobody gave it a delay of its own; None: for nothing."""
        return silence() if self.key == STALE and not self.on_delay_s else None

    @property
    def is_counted(self) -> bool:
        """Whether it is counted reading by reading: on, and with a limit."""
        return self.is_on and self.limit is not None and self.key not in {STALE, NEIGHBOURS}

    @property
    def consequence(self) -> str:
        """What may happen, in the language spoken."""
        return _text(self.text, "consequence")

    @property
    def response(self) -> str:
        """What is to be done, in the language spoken."""
        return _text(self.text, "response")


@dataclass(frozen=True, slots=True)
class Silence:
    """When a sensor is silent: more than so many of its usual intervals, and seconds at least."""

    intervals: float
    least_s: float


@cache
def _plain() -> Mapping[str, Any]:
    found: Mapping[str, Any] = read_yaml(CATALOGUE)
    return found


@cache
def silence() -> Silence:
    """Return when a sensor counts as silent."""
    entry = _plain()[STALE]
    return Silence(float(entry["intervals"]), float(entry["least"]))


@cache
def shipped(profile: str | None, quantity: str, unit: str) -> tuple[Spec, ...]:
    """Return the rules as shipped for a sensor; those without a limit may be given one."""
    entries: dict[str, Any] = {}
    if unit in UNITS.get(quantity, ()):
        entries |= _plain()["profiles"].get(profile or "", {}).get(quantity, {})
        entries |= _plain()["everywhere"].get(quantity, {})
    found = [_spec(key, entry) for key, entry in entries.items()]
    text = entries["high"]["text"] if "high" in entries else "own"
    found += [Spec(key, None, text=text) for key in OWN if key not in entries]
    found.append(_spec(STALE, _plain()[STALE]))
    found.append(Spec(NEIGHBOURS, None, priority=Priority.NORMAL, opens_work=True))
    order = list(KINDS)
    return tuple(sorted(found, key=lambda spec: order.index(spec.key)))


def _spec(key: str, entry: Mapping[str, Any]) -> Spec:
    limit = entry.get("limit", entry.get("high"))
    return Spec(
        key=key,
        limit=None if limit is None else float(limit),
        low_limit=float(entry["low"]) if "low" in entry else None,
        deadband=float(entry.get("deadband", 0.0)),
        on_delay_s=int(entry.get("delay", 0)),
        off_delay_s=int(entry.get("back", 0)),
        is_inclusive=bool(entry.get("incl", False)),
        is_cumulative=bool(entry.get("total", False)),
        rest_s=entry.get("rest"),
        priority=Priority(entry["priority"]),
        opens_work=bool(entry.get("work", False)),
        latches=bool(entry.get("latch", False)),
        text=entry["text"],
        source=entry["source"],
        to_verify=entry["confidence"] != "read",
    )


def _text(name: str, which: str) -> str:
    words = _plain()["texts"][name][which]
    return choose(words["en"], words["zh"])
