"""Bringing the fleet's page up to date with what is foretold.

Call `arrange` inside the command that changes forecasts or the state of a model; the job arranges
the whole fleet again, as equipment moves and is retired meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, TypeVar

from sqlalchemy import delete, select

from apm.accounts.model import Hospital
from apm.assets.model import GONE, Asset
from apm.core.command import Context, command
from apm.core.permissions import Permission
from apm.forecasts.fleet_model import FleetEntry, Standing, band_of
from apm.forecasts.horizons import RANKED_DAYS, known_within
from apm.forecasts.model import Forecast, ModelState, ModelVersion
from apm.forecasts.standing import standing_of

T = TypeVar("T")
Stood = tuple[ModelState, dict[str, Any] | None]
"""The state of a model, and why."""
CHUNK = 5000
KEPT = ("asset_id", "standing", "kind", "sensor_id", "rank", "chance", "band", "warns", "needs",
        "at", "risk", "department_id", "category")  # fmt: skip
_BEST = (Standing.NEEDS, Standing.MUTED, Standing.FORETOLD)


@command("fleet.arrange", Permission.SYSTEM_RUN)
def arrange_fleet(ctx: Context, *, only: Sequence[int] | None = None) -> int:
    """Bring the fleet, or only some assets, up to date; return how many stand otherwise."""
    return arrange(ctx, only)


def arrange(ctx: Context, asset_ids: Sequence[int] | None = None) -> int:
    """Do so for some assets, or for all; inside a command."""
    ctx.session.flush()
    # Two at once would both insert an asset's row: the second waits, and then sees the first's.
    own = select(Hospital.id).where(Hospital.id == ctx.actor.hospital_id)
    ctx.session.execute(own.with_for_update(key_share=True))
    if asset_ids is None:
        return _store(ctx, _found(ctx, None), None)
    parts = _parts(sorted(set(asset_ids)))
    return sum(_store(ctx, _found(ctx, part), part) for part in parts)


def _found(ctx: Context, asset_ids: list[int] | None) -> dict[int, dict[str, Any]]:
    """Return how each asset stands now, by its id."""
    models = select(ModelVersion.id, ModelVersion.state, ModelVersion.state_why)
    states = {row.id: (row.state, row.state_why) for row in ctx.session.execute(models)}
    query = (
        select(
            Forecast.asset_id, Forecast.kind, Forecast.sensor_id, Forecast.model_version_id,
            Forecast.probabilities, Forecast.life_median, Forecast.needs, Forecast.rank,
            Forecast.warns, Forecast.at, Asset.risk, Asset.department_id, Asset.category,
        )
        .join(Asset, Asset.id == Forecast.asset_id)
        .where(Asset.lifecycle.not_in(GONE))
    )  # fmt: skip
    if asset_ids is not None:
        query = query.where(Forecast.asset_id.in_(asset_ids))
    best: dict[int, dict[str, Any]] = {}
    for row in ctx.session.execute(query):
        entry = _entry(row, states)
        known = best.get(row.asset_id)
        if entry and (known is None or _weight(entry) > _weight(known)):
            best[row.asset_id] = entry
    return best


def _entry(row: Any, states: dict[int, Stood]) -> dict[str, Any] | None:
    """Return what a forecast makes of its asset; None: it is nobody's business (a shadow's)."""
    standing = standing_of(row, *states.get(row.model_version_id, (None, None)))
    if standing is None:
        return None
    is_foretold = standing is Standing.FORETOLD
    days, known = known_within(row.probabilities, RANKED_DAYS) if is_foretold else (0, 0.0)
    chance = known if days else None
    return {
        "asset_id": row.asset_id,
        "standing": standing,
        "kind": row.kind,
        "sensor_id": row.sensor_id,
        "rank": row.rank if is_foretold else 0.0,
        "chance": chance,
        "band": band_of(chance) if days == RANKED_DAYS else None,
        "warns": bool(row.warns and is_foretold),
        "needs": (row.needs or {}).get("code") if standing is Standing.NEEDS else None,
        "at": row.at,
        "risk": row.risk,
        "department_id": row.department_id,
        "category": row.category,
    }


def _weight(entry: dict[str, Any]) -> tuple[int, bool, float, str, int]:
    standing = _BEST.index(entry["standing"])
    which = entry["kind"].value, entry["sensor_id"] or 0
    return standing, entry["warns"], entry["rank"], *which


def _store(ctx: Context, wanted: dict[int, dict[str, Any]], asset_ids: list[int] | None) -> int:
    """Write only what differs: most assets stand as they stood yesterday."""
    columns = [getattr(FleetEntry, name) for name in KEPT]
    query = select(*columns)
    if asset_ids is not None:
        query = query.where(FleetEntry.asset_id.in_(asset_ids))
    kept = {row.asset_id: row._asdict() for row in ctx.session.execute(query)}
    new = [entry for asset_id, entry in wanted.items() if kept.get(asset_id) != entry]
    gone = (kept.keys() - wanted.keys()) | {e["asset_id"] for e in new if e["asset_id"] in kept}
    for part in _parts(sorted(gone)):
        ctx.session.execute(delete(FleetEntry).where(FleetEntry.asset_id.in_(part)))
    for some in _parts(new):
        ctx.bulk_insert(FleetEntry, some)
    return len(new) + len(kept.keys() - wanted.keys())


def _parts(rows: list[T]) -> Iterator[list[T]]:
    yield from (rows[start : start + CHUNK] for start in range(0, len(rows), CHUNK))
