"""What `parts.yaml` says, as values."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from apm.core.shipped import read_yaml
from apm.parts.catalogue import Unit
from apm.parts.quantities import MILLI
from apm.parts.schema import PartDetails
from seed.demo.scenery import HERE
from seed.demo.world import Unit as Equipment

MONTH_DAYS = 30


@dataclass(frozen=True, slots=True)
class Supplier:
    """Who delivers; `late` and `faulty` are shares of deliveries."""

    name: str
    name_zh: str
    contact: str
    phone: str
    email: str
    late: float
    faulty: float


@dataclass(frozen=True, slots=True)
class Item:
    """One part; quantities in thousandths of its unit."""

    position: int
    plain: dict[str, Any]
    number: str
    supplier: str
    category: str | None
    remedy: str | None
    visit_milli: int
    each_milli: int
    min_milli: int
    lot_milli: int
    lead_days: int
    shelf_days: int
    short: str
    story: str

    @property
    def has_lots(self) -> bool:
        """Whether its package bears a lot number."""
        return bool(self.shelf_days)

    @property
    def first_milli(self) -> int:
        """How much there was when the program came."""
        return self.min_milli + self.lot_milli

    @property
    def fen(self) -> int:
        """Price of a unit."""
        return int(self.plain["price"]) * 100

    @property
    def each_fen(self) -> int:
        """What one job's worth of it costs."""
        return self.fen * self.each_milli // MILLI

    def suits(self, unit: Equipment) -> bool:
        """Tell whether it goes into a piece of equipment."""
        if self.category and unit.category != self.category:
            return False
        fits = self.plain.get("fits", [])
        return not fits or [unit.maker, unit.model] in fits

    def details(self, supplier_id: int) -> dict[str, Any]:
        """Return what the catalogue is told of it."""
        plain = self.plain
        details: PartDetails = {
            "name_zh": plain["zh"],
            "unit": Unit(plain.get("unit", "piece")),
            "maker": plain.get("maker"),
            "category": self.category,
            "is_consumable": bool(plain.get("consumable")),
            "price": self.fen,
            "lead_days": self.lead_days,
            "supplier": supplier_id,
            "minimum": self.min_milli / MILLI,
            "fits": [{"manufacturer": m, "model": str(n)} for m, n in plain.get("fits", [])],
            "barcodes": [barcode(self.position)],
        }
        return {"number": self.number, "name": plain["en"], **details}


def barcode(position: int) -> str:
    """Return a GTIN-13 of the range that shops may use for themselves (it begins with 2).

    >>> barcode(1)
    '2000000000015'
    """
    digits = f"2{position:011d}"
    total = sum(int(d) * (3 if i % 2 else 1) for i, d in enumerate(digits))
    return f"{digits}{-total % 10}"


@cache
def _plain() -> dict[str, Any]:
    found: dict[str, Any] = read_yaml(HERE / "parts.yaml")
    return found


def suppliers() -> dict[str, Supplier]:
    """Return who delivers, by key."""
    return {key: Supplier(**entry) for key, entry in _plain()["suppliers"].items()}


def stores() -> list[dict[str, str]]:
    """Return the places where parts lie, the main store first, each in both languages."""
    found: list[dict[str, str]] = _plain()["stores"]
    return found


@cache
def items() -> tuple[Item, ...]:
    """Return every part."""
    return tuple(_item(n, entry) for n, entry in enumerate(_plain()["parts"], start=1))


def _item(position: int, plain: dict[str, Any]) -> Item:
    def milli(name: str) -> int:
        return round(float(plain.get(name, 0)) * MILLI)

    return Item(
        position=position,
        plain=plain,
        number=plain["number"],
        supplier=plain["from"],
        category=plain.get("category"),
        remedy=plain.get("remedy"),
        visit_milli=milli("visit"),
        each_milli=milli("visit") or milli("each") or MILLI,
        min_milli=milli("min"),
        lot_milli=milli("lot"),
        lead_days=plain["lead"],
        shelf_days=plain.get("shelf", 0) * MONTH_DAYS,
        short=plain.get("short", ""),
        story=plain.get("story", ""),
    )
