"""What a nurse can say with one tap: six symptoms for each category of equipment."""

from __future__ import annotations

from dataclasses import dataclass

from apm.core.i18n import choose


@dataclass(frozen=True, slots=True)
class Symptom:
    """One tile."""

    code: str
    en: str
    zh: str
    icon: str

    @property
    def name(self) -> str:
        """Its words in the language spoken."""
        return choose(self.en, self.zh)


POWER = Symptom("power", "Does not switch on", "无法开机", "plug")
ALARM = Symptom("alarm", "Alarm or error code", "报警或错误代码", "alert")
SCREEN = Symptom("screen", "Screen or keys", "屏幕或按键", "screen")
BROKEN = Symptom("broken", "Damaged, loose or leaking", "损坏、松动或漏液", "x")
BATTERY = Symptom("battery", "Battery does not hold", "电池不耐用", "battery")
VALUES = Symptom("values", "Values look wrong", "数值不准", "chart")
NOISE = Symptom("noise", "Noise, heat or smell", "异响、发热或异味", "volume")
ACCESSORY = Symptom("accessory", "Cable, probe or accessory", "线缆、探头或附件", "link")
FLOW = Symptom("flow", "Flow or pressure is wrong", "流量或压力异常", "droplet")
IMAGE = Symptom("image", "Poor or no image", "图像异常或无图像", "screen")
TEMPERATURE = Symptom("temperature", "Temperature is wrong", "温度异常", "thermometer")
OUTPUT = Symptom("output", "No or wrong output", "无输出或输出异常", "battery")
OTHER = Symptom("other", "Something else", "其他问题", "info")

SYMPTOMS = {
    s.code: s
    for s in (
        POWER, ALARM, SCREEN, BROKEN, BATTERY, VALUES, NOISE, ACCESSORY, FLOW, IMAGE,
        TEMPERATURE, OUTPUT, OTHER,
    )
}  # fmt: skip

_USUAL = (POWER, ALARM, SCREEN, BROKEN, BATTERY, OTHER)
_IMAGING = (POWER, ALARM, IMAGE, NOISE, BROKEN, OTHER)
_BREATHING = (POWER, ALARM, FLOW, VALUES, BROKEN, OTHER)
_COLD = (TEMPERATURE, ALARM, POWER, NOISE, BROKEN, OTHER)
_TILES = {
    "VENT": _BREATHING,
    "ANES": _BREATHING,
    "HD": _BREATHING,
    "INFP": (ALARM, FLOW, POWER, BATTERY, BROKEN, OTHER),
    "SYRP": (ALARM, FLOW, POWER, BATTERY, BROKEN, OTHER),
    "MON": (VALUES, ALARM, ACCESSORY, SCREEN, POWER, OTHER),
    "ECG": (VALUES, ALARM, ACCESSORY, SCREEN, POWER, OTHER),
    "DEFIB": (POWER, BATTERY, OUTPUT, ALARM, ACCESSORY, OTHER),
    "ESU": (POWER, OUTPUT, ALARM, ACCESSORY, BROKEN, OTHER),
    "INCU": (TEMPERATURE, ALARM, POWER, NOISE, BROKEN, OTHER),
    "FRIDGE": _COLD,
    "CHILLER": _COLD,
    "US": (IMAGE, ACCESSORY, POWER, ALARM, SCREEN, OTHER),
    "DR": _IMAGING,
    "CT": _IMAGING,
    "MRI": _IMAGING,
}


def symptoms_for(category: str) -> tuple[Symptom, ...]:
    """Return the six tiles of one category, the likeliest first."""
    return _TILES.get(category, _USUAL)


def symptom_name(code: str) -> str:
    """Return the words of a symptom in the language spoken."""
    return SYMPTOMS[code].name
