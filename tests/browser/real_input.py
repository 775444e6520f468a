"""What a hospital starts from: its equipment list as a spreadsheet, and two sensor logs.

The logs are the ambient and the machine temperature of the Numenta Anomaly Benchmark (real
machines, failures labelled), where that data lies beside the project; else a simulated season
with a failure in it, so that the loop can be walked anywhere.  Times are read as UTC.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
from openpyxl import Workbook

from tests.bench import nab_data

ROWS = 2_200
HEADERS = {
    "en": [
        "Asset number", "Name", "Chinese name", "Category", "Manufacturer", "Model",
        "Serial number", "Department", "Location", "Purchase date", "Price", "State",
    ],
    "zh": [
        "资产编号", "英文名", "名称", "类别", "生产厂家", "型号",
        "序列号", "使用科室", "存放地点", "购置日期", "价格", "状态",
    ],
}  # fmt: skip
KINDS = [
    # name, Chinese name, category in both languages, maker, model
    ("Infusion pump", "输液泵", "INFP", "输液泵", "Mindray", "BeneFusion VP5"),
    ("Patient monitor", "多参数监护仪", "MON", "监护仪", "Philips", "MX450"),
    ("Syringe pump", "注射泵", "SYRP", "微量泵", "B. Braun", "Perfusor Space"),
    ("Defibrillator", "除颤监护仪", "DEFIB", "除颤仪", "ZOLL", "R Series"),
    ("Electrocardiograph", "心电图机", "ECG", "心电图机", "GE", "MAC 2000"),
]
PLACES = {
    "en": [("Cardiology", "Ward 3"), ("Surgery", "Ward 5"), ("Paediatrics", "Ward 7")],
    "zh": [("心内科", "三病区"), ("外科", "五病区"), ("儿科", "七病区")],
}
VENTILATOR, CHILLER, CT_ROOM = "VT-0001", "CH-0001", "CT 1"
ICU = {"en": "Intensive care", "zh": "重症医学科"}
FACILITIES = {"en": "Facilities", "zh": "后勤保障部"}
IN_USE = {"en": "In service", "zh": "在用"}


def equipment_list(path: Path, lang: str) -> Path:
    """Write a hospital's list of `ROWS` assets with headers in `lang`; .xlsx, or else CSV."""
    rows: list[list[object]] = [list(HEADERS[lang]), *_special(lang)]
    rows += [_usual(lang, n) for n in range(ROWS - len(rows) + 1)]
    if path.suffix == ".xlsx":
        book = Workbook()
        sheet = book.active
        assert sheet is not None
        for row in rows:
            sheet.append(row)
        book.save(path)
    else:
        with path.open("w", encoding="gb18030" if lang == "zh" else "utf-8", newline="") as file:
            csv.writer(file).writerows(rows)
    return path


def _special(lang: str) -> list[list[object]]:
    vent = "呼吸机" if lang == "zh" else "VENT"
    chiller = "CHILLER"
    state = IN_USE[lang]
    return [
        [VENTILATOR, "Ventilator", "呼吸机", vent, "Dräger", "Evita V300", "ASKH-0042",
         ICU[lang], "ICU 2", date(2021, 3, 15), 268_000, state],
        [CHILLER, "MRI chiller", "磁共振水冷机", chiller, "KKT", "cBoxX 60", "KKT-77",
         FACILITIES[lang], "B1", date(2019, 9, 1), 152_000.5, state],
    ]  # fmt: skip


def _usual(lang: str, n: int) -> list[object]:
    name, name_zh, code, word, maker, model = KINDS[n % len(KINDS)]
    department, ward = PLACES[lang][n % 3]
    bought = date(2015, 1, 1) + timedelta(days=(n * 37) % 3600)
    category = word if lang == "zh" else code
    return [f"E-{n:05}", name, name_zh, category, maker, model, f"SN{n:06}", department, ward,
            bought, 1_000 + n % 900, IN_USE[lang]]  # fmt: skip


@dataclass(frozen=True)
class Log:
    """One sensor's readings in order."""

    at: list[datetime]
    value: list[float]

    def write(self, path: Path, sensor: str) -> Path:
        """Write them as `apm import readings` takes them."""
        with path.open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["sensor", "at", "value"])
            writer.writerows([sensor, at.isoformat(), v] for at, v in self.rows)
        return path

    def as_json(self, sensor: str) -> list[dict[str, object]]:
        """Return them as the API takes them."""
        return [{"sensor": sensor, "at": at.isoformat(), "value": v} for at, v in self.rows]

    @property
    def rows(self) -> list[tuple[datetime, float]]:
        """Pairs of instant and value."""
        return list(zip(self.at, self.value, strict=True))


def room_log() -> Log:
    """The temperature of a room whose cooling fails."""
    return _nab("ambient") or simulated_log(mean=71.0, swing=2.0, broken_on=33)


def machine_log() -> Log:
    """The temperature of a machine that breaks down."""
    return _nab("machine") or simulated_log(mean=85.0, swing=6.0, broken_on=33)


def _nab(what: str) -> Log | None:
    folder = nab_data.find()
    if folder is None:
        return None
    found = nab_data.read(folder, f"realKnownCause/{what}_temperature_system_failure.csv")
    return Log([datetime.fromtimestamp(s, UTC) for s in found.at], found.value.tolist())


def simulated_log(
    *, mean: float, swing: float, broken_on: float, start: datetime | None = None
) -> Log:
    """Forty days, a reading each ten minutes, a daily season; from a day on it is off, 8 hours."""
    step = np.arange(40 * 144)
    noise = np.random.default_rng(1).normal(0.0, swing / 8, len(step))
    value = mean + swing * np.sin(2 * np.pi * step / 144) + noise
    first = int(broken_on * 144)
    value[first : first + 48] -= 6 * swing
    start = start or datetime(2026, 1, 5, tzinfo=UTC)
    at = [start + timedelta(minutes=10 * int(i)) for i in step]
    return Log(at, [round(float(v), 3) for v in value])
