"""Evidence of the equipment's like: age, failure rate by age, the same model, the same lot."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from sqlalchemy import func, or_, select

from apm.assets.model import GONE, Asset
from apm.attribution.catalogue import life_is_to_verify, life_years
from apm.attribution.finding import Failure, Found
from apm.core.command import Context
from apm.recalls.evidence import is_register_kept, recall_at
from apm.work.causes import causes
from apm.work.model import WorkOrder
from apm.work.states import WorkState, WorkType
from predict.ageing import Ageing, fit_ageing
from predict.errors import NotEnoughData
from predict.rate_ratio import rate_ratio

YEAR = timedelta(days=365.25)
FIRST_MONTHS, FIRST_YEAR = timedelta(days=90), timedelta(days=365)
YOUNG = 0.5
"""Share of the usual life below which equipment is young."""
NOTICEABLY = 1.2
"""Times the mean rate from which on a rate by age says something."""
LEAST_PEERS, LEAST_FAILURES = 2, 5
MOST = 5000


@dataclass(frozen=True, slots=True)
class Peer:
    """One device of the category, with the ages (years) it was watched from and until."""

    id: int
    model: tuple[str | None, str | None]
    lot: str | None
    began: float
    ended: float
    service_began: datetime


@dataclass(frozen=True, slots=True)
class Fleet:
    """The category: its devices, and when each failed (asset, instant), up to the failure."""

    peers: dict[int, Peer]
    failures: list[tuple[int, datetime]]


def fleet(ctx: Context, failure: Failure) -> Iterator[Found]:
    """Yield what the equipment's age and its like say, in at most five statements."""
    asset = failure.asset
    yield from _age(failure)
    yield from _commissioning(failure)
    known = fleet_of(ctx, failure)
    yield from _hazard(failure, known)
    yield from _peers(failure, known)
    yield from _lot(asset, failure.at, known)
    yield from _recall(ctx, failure)


def _since(asset: Asset) -> date | None:
    return asset.in_service_on or asset.purchased_on


def _years(failure: Failure) -> float | None:
    since = _since(failure.asset)
    return None if since is None else max(0.0, (failure.at.date() - since).days / 365.25)


def _age(failure: Failure) -> Iterator[Found]:
    years = _years(failure)
    if years is None:
        return
    life = life_years(failure.asset.category)
    level = "young" if years < YOUNG * life else "old" if years > life else "middle"
    facts = {"years": round(years, 1), "life": life, "to_verify": life_is_to_verify()}
    yield Found("age", level, facts, f"/assets/{failure.asset.code}")


def _commissioning(failure: Failure) -> Iterator[Found]:
    began = failure.asset.in_service_on
    if began is None:
        return
    days = max(0, (failure.at.date() - began).days)
    level = "first_months" if days <= FIRST_MONTHS.days else "first_year"
    level = level if days <= FIRST_YEAR.days else "later"
    yield Found("commissioning", level, {"days": days}, f"/assets/{failure.asset.code}")


def fleet_of(ctx: Context, failure: Failure) -> Fleet:
    """Return the category's devices and failures before this one; what nobody could find is none.

    A device is watched from the hospital's first record, or from when it was put in service.
    """
    at, category = failure.at, failure.asset.category
    first = ctx.session.scalar(select(func.min(WorkOrder.created_at))) or at
    devices = select(
        Asset.id, Asset.manufacturer, Asset.model, Asset.lot, Asset.in_service_on,
        Asset.purchased_on,
    ).where(Asset.category == category, Asset.lifecycle.not_in(GONE)).limit(MOST)  # fmt: skip
    peers = {}
    for row in ctx.session.execute(devices):
        since = row.in_service_on or row.purchased_on
        if since is None or since >= at.date():
            continue
        service = datetime.combine(since, time(), UTC)
        began, ended = (max(first, service) - service) / YEAR, (at - service) / YEAR
        if ended > began:
            model = (row.manufacturer, row.model)
            peers[row.id] = Peer(row.id, model, row.lot, began, ended, service)
    no_failure = [code for code, cause in causes().items() if not cause.is_failure]
    failed = (
        select(WorkOrder.asset_id, WorkOrder.created_at)
        .join(Asset, Asset.id == WorkOrder.asset_id)
        .where(
            Asset.category == category,
            WorkOrder.type == WorkType.CORRECTIVE,
            WorkOrder.state != WorkState.CANCELLED,
            WorkOrder.id != failure.order.id,
            WorkOrder.created_at < at,
            or_(WorkOrder.cause_code.is_(None), WorkOrder.cause_code.not_in(no_failure)),
        )
        .order_by(WorkOrder.created_at.desc())
        .limit(MOST)
    )
    rows = ctx.session.execute(failed)
    return Fleet(peers, [(i, when) for i, when in rows if i is not None and i in peers])


def _hazard(failure: Failure, known: Fleet) -> Iterator[Found]:
    """Tell whether such equipment fails more often at this age: the same model, else category."""
    own = (failure.asset.manufacturer, failure.asset.model)
    years = _years(failure)
    if years is None or years <= 0:
        return
    for of in ("model", "category"):
        some = [p for p in known.peers.values() if of == "category" or p.model == own]
        try:
            fit = _fitted(some, known)
        except NotEnoughData:
            continue
        ratio = fit.against_mean(years)
        rises = fit.low > 1 and ratio >= NOTICEABLY
        falls = fit.high < 1 and ratio >= NOTICEABLY
        facts = {"of": of, "shape": round(fit.shape, 2), "low": round(fit.low, 2),
                 "high": round(fit.high, 2), "n": fit.n, "devices": len(some),
                 "years": round(years, 1), "ratio": round(ratio, 2)}  # fmt: skip
        yield Found("hazard", "rising" if rises else "falling" if falls else "flat", facts)
        return


def _fitted(some: list[Peer], known: Fleet) -> Ageing:
    chosen = {peer.id: peer for peer in some}
    ages = [(at - chosen[i].service_began) / YEAR for i, at in known.failures if i in chosen]
    if not chosen:
        raise NotEnoughData("no device with a date of service")
    return fit_ageing(
        [age for age in ages if age > 0],
        [peer.began for peer in some],
        [peer.ended for peer in some],
    )


def _peers(failure: Failure, known: Fleet) -> Iterator[Found]:
    """Tell whether the others of this model failed more often than the category's rest."""
    own, since = (failure.asset.manufacturer, failure.asset.model), failure.at - FIRST_YEAR
    if own == (None, None):
        return
    others = [p for p in known.peers.values() if p.id != failure.asset.id]
    same, rest = _split(others, lambda peer: peer.model == own)
    if len(same) < LEAST_PEERS or len(rest) < LEAST_PEERS:
        return
    counts = Counter(i for i, at in known.failures if at >= since)
    k1, k2 = sum(counts[p.id] for p in same), sum(counts[p.id] for p in rest)
    t1, t2 = _watched(same), _watched(rest)
    if k1 + k2 < LEAST_FAILURES or min(t1, t2) <= 0:
        return
    found = rate_ratio(k1, t1, k2, t2)
    facts = {
        "maker": own[0] or "", "model": own[1] or "", "k1": k1, "n1": len(same), "k2": k2,
        "n2": len(rest), "ratio": None if found.value is None else round(found.value, 2),
        "low": round(found.low, 2), "high": round(found.high, 2) if k2 else None,
    }  # fmt: skip
    yield Found("peers", "more" if found.low > 1 else "alike", facts, f"/assets?q={own[1] or ''}")


def _split(peers: list[Peer], is_one: Callable[[Peer], bool]) -> tuple[list[Peer], list[Peer]]:
    return [p for p in peers if is_one(p)], [p for p in peers if not is_one(p)]


def _watched(peers: list[Peer]) -> float:
    """Return device-years within the last year."""
    return sum(min(1.0, peer.ended - peer.began) for peer in peers)


def _lot(asset: Asset, at: datetime, known: Fleet) -> Iterator[Found]:
    own = (asset.manufacturer, asset.model)
    alike = {
        p.id
        for p in known.peers.values()
        if asset.lot and p.lot == asset.lot and p.model == own and p.id != asset.id
    }
    if not alike:
        return
    failed = {i for i, when in known.failures if i in alike and when >= at - FIRST_YEAR}
    facts = {"lot": asset.lot, "n": len(alike), "k": len(failed)}
    yield Found("lot", "others" if failed else "alone", facts, f"/assets?q={asset.lot}")


def _recall(ctx: Context, failure: Failure) -> Iterator[Found]:
    """Tell whether a notice was open; nothing where nobody keeps the register."""
    notice = recall_at(ctx, failure.asset, failure.at)
    if notice is not None:
        facts = {"no": notice.number, "issuer": notice.issuer.value, "title": notice.title,
                 "title_zh": notice.title_zh, "class": notice.recall_class.value,
                 "published": notice.published_on.isoformat()}  # fmt: skip
        yield Found("recall", "open", facts, f"/recalls/{notice.id}")
    elif failure.asset.manufacturer and is_register_kept(ctx, failure.at):
        yield Found("recall", "none", {}, "/recalls?state=all")
