"""The units that values are measured in: one way to write each, and how people type them."""

from __future__ import annotations

import unicodedata
from decimal import Decimal

KNOWN: dict[str, tuple[str, ...]] = {
    # dimensionless, shares, counts
    "%": ("percent", "pct"),
    "% of SID": ("%SID",),
    "%RH": ("%rh", "RH"),
    "vol%": ("Vol.%", "%vol", "vol.%"),
    "ppm": (),
    "dB": (),
    "dBA": ("dB(A)",),
    "pcs": ("个", "件"),
    "times": ("次",),
    # rates
    "1/min": ("bpm", "rpm", "r/min", "/min", "min-1", "次/分", "次/min", "BrPM"),
    "Hz": ("赫兹",),
    "kHz": (),
    "MHz": (),
    # time
    "ms": ("毫秒",),
    "s": ("sec", "秒"),
    "min": ("分钟", "分"),
    "h": ("hr", "hrs", "小时"),
    "d": ("天",),
    # length, area, volume, mass
    "um": ("微米",),
    "mm": ("毫米",),
    "cm": ("厘米",),
    "m": ("米",),
    "mmAl": ("mm Al",),
    "cm2": (),
    "m2": (),
    "uL": ("微升",),
    "mL": ("毫升", "cc"),
    "L": ("升",),
    "m3": (),
    "ug": ("微克",),
    "mg": ("毫克",),
    "g": ("克",),
    "kg": ("公斤", "千克"),
    "mg/L": (),
    "g/L": (),
    "ug/L": (),
    "mmol/L": (),
    # flow and speed
    "mL/h": ("mL/hr", "毫升/小时"),
    "mL/min": ("毫升/分",),
    "L/min": ("lpm", "升/分"),
    "L/h": (),
    "m3/h": (),
    "mm/s": (),
    "mm/mV": (),
    "m/s": (),
    # pressure and force
    "Pa": ("帕",),
    "hPa": (),
    "kPa": ("千帕",),
    "MPa": (),
    "mbar": (),
    "bar": (),
    "mmHg": ("毫米汞柱",),
    "cmH2O": ("厘米水柱",),
    "mmHg/min": (),
    "kPa/min": (),
    "N": (),
    "kN": (),
    "N.m": ("N·m", "Nm"),
    # temperature
    "degC": ("℃", "°C", "摄氏度", "度"),
    "degF": ("℉", "°F"),
    "K": (),
    # electricity
    "nA": (),
    "uA": ("微安",),
    "mA": ("毫安",),
    "A": ("安",),
    "uV": ("微伏",),
    "uVpp": (),
    "mV": ("毫伏",),
    "V": ("伏", "伏特"),
    "kV": ("千伏",),
    "mohm": (),
    "ohm": ("Ω", "欧", "欧姆", "Ohms"),
    "kohm": ("kΩ", "千欧"),
    "Mohm": ("MΩ", "兆欧"),
    "uS/cm": (),
    "mS/cm": (),
    "mW": (),
    "W": ("瓦",),
    "kW": (),
    "VA": (),
    "J": ("焦", "焦耳"),
    "kJ": (),
    "nF": (),
    "uF": (),
    "Ah": (),
    "mAh": (),
    "mAs": (),
    # radiation and imaging
    "uGy": (),
    "mGy": (),
    "Gy": (),
    "uSv": (),
    "mSv": (),
    "mGy/min": (),
    "mGy.cm": ("mGy·cm",),
    "HU": (),
    "lp/cm": (),
    "lp/mm": (),
    "keV": (),
    "MeV": (),
    "T": (),
    "mT": (),
    "lx": (),
    "klx": (),
    "cd/m2": (),
    "nm": (),
    # biology
    "CFU/mL": (),
    "CFU/m3": (),
    "EU/mL": (),
    "pH": (),
}
"""Each unit as we write it, in ASCII, and what else people write for it."""
PREFIXES = {
    "n": Decimal("1e-9"), "u": Decimal("1e-6"), "m": Decimal("1e-3"), "c": Decimal("1e-2"),
    "": Decimal(1), "h": Decimal("1e2"), "k": Decimal("1e3"), "M": Decimal("1e6"),
}  # fmt: skip
STEMS = frozenset({"A", "V", "ohm", "Pa", "L", "W", "J", "Gy", "Sv", "Hz", "g", "m", "F", "N", "T",
                   "s", "lx"})  # fmt: skip
"""What takes a prefix of ten.  Lengths and pressures by other names are no such thing."""


def _plain(text: str) -> str:
    """Return a unit without what differs from one keyboard to the other."""
    same = unicodedata.normalize("NFKC", text)  # µ, ㎜ and full-width letters
    same = same.replace("μ", "u").replace("Ω", "ohm").replace("℃", "degC")
    return same.replace("°", "deg").replace("·", ".").replace(" ", "")


def _names() -> dict[str, str]:
    found = {}
    for unit, others in KNOWN.items():
        for name in (unit, *others):
            found[_plain(name)] = unit
    return found


_BY_NAME = _names()
_LOOSELY: dict[str, str | None] = {}
for _name, _unit in _BY_NAME.items():
    _key = _name.casefold()
    _LOOSELY[_key] = _unit if _LOOSELY.get(_key, _unit) == _unit else None  # mohm is not Mohm


def known_unit(text: str) -> str | None:
    """Return the unit that somebody wrote, as we write it; None if there is no such unit.

    >>> known_unit("µA"), known_unit("℃"), known_unit("ml/H"), known_unit("MOHM"), known_unit("x")
    ('uA', 'degC', 'mL/h', None, None)
    """
    plain = _plain(text)
    if plain in _BY_NAME:
        return _BY_NAME[plain]
    loosely = _LOOSELY.get(plain.casefold())
    return None if loosely is None or _means_another(plain, loosely) else loosely


def _means_another(plain: str, loosely: str) -> bool:
    """Tell whether capitals matter here: M is a million and m a thousandth, S no second."""
    with_prefix = loosely[0] == "m" and loosely[1:] in STEMS | {""}
    with_million = loosely[0] == "M" and loosely[1:] in STEMS
    is_time = loosely in {"s", "ms"}
    return is_time or ((with_prefix or with_million) and plain[0] != loosely[0])


def same_unit(one: str, other: str) -> bool:
    """Tell whether two texts name one unit; a unit we do not know is the same only as itself."""
    first, second = known_unit(one), known_unit(other)
    return _plain(one) == _plain(other) if first is None else first == second


def factor(typed: str, wanted: str) -> Decimal | None:
    """Return by what `typed` is multiplied to be `wanted`, where that is a power of ten.

    >>> str(factor("L", "mL")), factor("mmHg", "kPa")
    ('1E+3', None)
    """
    first, second = _split(known_unit(typed)), _split(known_unit(wanted))
    if first is None or second is None or first[1] != second[1]:
        return None
    return (first[0] / second[0]).normalize()


def _split(unit: str | None) -> tuple[Decimal, str] | None:
    for prefix, size in PREFIXES.items():
        if unit and unit.startswith(prefix) and unit[len(prefix) :] in STEMS:
            return size, unit[len(prefix) :]
    return None


_SIGNS = {
    "uA": "µA", "uV": "µV", "uF": "µF", "uS/cm": "µS/cm", "ohm": "Ω", "mohm": "mΩ", "kohm": "kΩ",
    "Mohm": "MΩ", "degC": "°C", "degF": "°F", "cmH2O": "cmH₂O",
}  # fmt: skip


def shown(unit: str | None) -> str:
    """Return a unit as it is printed.

    >>> shown("Mohm"), shown("mL"), shown(None)
    ('MΩ', 'mL', '')
    """
    return _SIGNS.get(unit or "", unit or "")
