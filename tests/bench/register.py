"""A register of many assets, written straight into the database: the bench's stage."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from random import Random

from sqlalchemy import Engine, insert

from apm.assets.categories import all_categories
from apm.assets.model import (
    Asset,
    AssetState,
    AssetTerm,
    Availability,
    Condition,
    Department,
    Location,
    Risk,
)
from apm.assets.search import terms_of
from apm.core.codes import PublicCode, new_code

MAKERS = ("Nordlicht", "Haiyun", "Medvia", "Kestrel", "Sanhe", "Orbita")
WORDS = ("Evolve", "Prime", "Care", "Vita", "Aero", "Pulse", "Clarity", "Swift")
CHUNK = 5_000


def fill(engine: Engine, hospital_id: int, n: int, *, seed: int = 20261122) -> list[Asset]:
    """Insert `n` assets with departments, locations, codes and search terms; return a sample."""
    rng = Random(seed)
    places = _places(engine, hospital_id)
    sample: list[Asset] = []
    for chunk in _chunks(_assets(rng, hospital_id, n, places)):
        with engine.execution_options(apm_writing=True).begin() as connection:
            connection.execute(insert(Asset), [_row(a) for a in chunk])
            connection.execute(
                insert(PublicCode),
                [
                    {
                        "code": a.code,
                        "kind": "asset",
                        "hospital_id": hospital_id,
                        "target": a.code,
                    }
                    for a in chunk
                ],
            )
            connection.execute(
                insert(AssetTerm),
                [
                    {"hospital_id": hospital_id, "term": term, "asset_id": a.id}
                    for a in chunk
                    for term in terms_of(a)
                ],
            )
        sample += rng.sample(chunk, min(20, len(chunk)))
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    return sample


def _places(engine: Engine, hospital_id: int) -> int:
    names = [f"Department {k:02d}" for k in range(1, 41)]
    with engine.execution_options(apm_writing=True).begin() as connection:
        connection.execute(
            insert(Department),
            [
                {"id": k, "hospital_id": hospital_id, "name": name, "name_zh": f"第{k}科室"}
                for k, name in enumerate(names, 1)
            ],
        )
        connection.execute(
            insert(Location),
            [
                {
                    "id": k,
                    "code": new_code(),
                    "hospital_id": hospital_id,
                    "name": f"Room {k}",
                    "department_id": 1 + k % 40,
                }
                for k in range(1, 401)
            ],
        )
    return len(names)


def _assets(rng: Random, hospital_id: int, n: int, departments: int) -> Iterator[Asset]:
    kinds = all_categories()
    for k in range(1, n + 1):
        kind = rng.choice(kinds)
        yield Asset(
            id=k,
            hospital_id=hospital_id,
            code=new_code(),
            number=f"ZC-{2005 + k % 20}-{k:06d}",
            name=f"{kind.en} {rng.choice(WORDS)}",
            name_zh=kind.zh,
            category=kind.code,
            manufacturer=rng.choice(MAKERS),
            model=f"{rng.choice(WORDS)[:2].upper()}{rng.randrange(100, 999)}",
            serial=f"SN{rng.randrange(16**8):08X}",
            department_id=rng.randrange(1, departments + 1),
            location_id=rng.randrange(1, 401),
            lifecycle=AssetState.IN_SERVICE if k % 20 else AssetState.STANDBY,
            availability=Availability.UP if k % 50 else Availability.DOWN,
            condition=Condition.UNKNOWN,
            risk=Risk(kind.risk),
            purchased_on=date(2005 + k % 20, 1 + k % 12, 1 + k % 28),
            purchase_cost=rng.randrange(500_000, 900_000_000),
            currency="CNY",
            version=1,
        )


def _row(asset: Asset) -> dict[str, object]:
    return {c.key: getattr(asset, c.key) for c in Asset.__mapper__.column_attrs}


def _chunks(assets: Iterator[Asset]) -> Iterator[list[Asset]]:
    chunk: list[Asset] = []
    for asset in assets:
        chunk.append(asset)
        if len(chunk) == CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk
