"""Storing the results of a file: in the work order they belong to, each once."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import selectinload

from apm.accounts.queries import zone_of
from apm.core.command import Context, command
from apm.core.errors import Invalid
from apm.core.i18n import _l
from apm.core.permissions import Permission
from apm.metrology.naming import note_use
from apm.metrology.profiles import profiles_of, table_for
from apm.metrology.result_model import ResultFile, ResultRow
from apm.metrology.result_reading import Outcome, Results, read_results
from apm.metrology.safety import new_safety_order
from apm.metrology.tables import MOST_BYTES, refused
from apm.procedures.model import Verdict
from apm.work.model import WorkOrder
from apm.work.numbers import locked_counter
from apm.work.phone import Moment
from apm.work.results import Answer, put_answer, step_of
from apm.work.states import OPEN_WORK, WorkState, WorkType

TAKES = OPEN_WORK - {WorkState.DONE}
LAST = 20


@dataclass(frozen=True, slots=True)
class Stored:
    """What came of a file: the orders that hold its results, and how many were new."""

    file: ResultFile | None
    orders: list[str]
    results: Results


def check_file(ctx: Context, *, data: bytes, profile: str = "") -> Results:
    """Read a file and say what it would bring; nothing is stored.

    Raises:
        Invalid: it cannot be read, or is another maker's; the message says what was found.
    """
    if len(data) > MOST_BYTES:
        raise refused(_l("The file is larger than 10 MB. Export it in parts."))
    everything = profiles_of(ctx)
    chosen = everything.get(profile)
    if profile and chosen is None:
        message = _l("There is no such profile. Choose one from the list.")
        raise Invalid(message, fields={"profile": [message]})
    found, table = table_for(data, chosen, everything)
    return read_results(ctx, found, table)


def import_file(
    ctx: Context, *, data: bytes, name: str, profile: str = "", leave_out: bool = False
) -> Stored:
    """Store the results of a file; what is stored already stays as it is.

    With `leave_out` rows that are wrong are left out, else nothing is stored while one is.
    """
    results = check_file(ctx, data=data, profile=profile)
    if (results.problems and not leave_out) or not results.outcomes:
        return Stored(None, [], results)
    return _store(ctx, results=results, name=name[:200], sha256=hashlib.sha256(data).hexdigest())


@command("result_file.import", Permission.METROLOGY_EDIT)
def _store(ctx: Context, *, results: Results, name: str, sha256: str) -> Stored:
    """Write what is new into work orders, one for each asset and day; open those that miss."""
    locked_counter(ctx, "WO")  # two people with one file: the second finds what the first stored
    results.known |= _stored_now(ctx, results)
    fresh = results.fresh
    if not fresh:
        return Stored(None, [], results)
    file = ResultFile(
        name=name,
        sha256=sha256,
        profile=results.profile,
        stored=len(fresh),
        known=len(results.outcomes) - len(fresh),
        left_out=len(results.problems),
        read_by=ctx.actor.name,
        read_at=ctx.now(),
    )
    ctx.session.add(file)
    ctx.session.flush()
    zone = _zone(ctx)
    keyed = sorted(fresh, key=lambda o: (o.asset.id, o.at.astimezone(zone).date(), o.row))
    orders: list[str] = []
    for (_asset, day), group in groupby(
        keyed, key=lambda o: (o.asset.id, o.at.astimezone(zone).date())
    ):
        parts = _once_each(list(group))
        orders.extend(_into_order(ctx, file, tests, day) for tests in parts)
    return Stored(file, list(dict.fromkeys(orders)), results)


def _once_each(outcomes: list[Outcome]) -> list[list[Outcome]]:
    """Split results so that each part holds a test once: a test done again is a second record."""
    parts: list[list[Outcome]] = []
    for outcome in outcomes:
        fitting = (p for p in parts if outcome.test.key not in {o.test.key for o in p})
        part = next(fitting, None)
        if part is None:
            parts.append([outcome])
        else:
            part.append(outcome)
    return parts


def _into_order(ctx: Context, file: ResultFile, outcomes: Sequence[Outcome], day: date) -> str:
    keys = [outcome.test.key for outcome in outcomes]
    order = _waiting_order(ctx, outcomes[0].asset.id, set(keys))
    if order is None:
        tests = [outcome.test for outcome in outcomes]
        origin = f"results:{file.id}:{outcomes[0].row}"
        made = new_safety_order(ctx, outcomes[0].asset, tests, origin=origin)
        order = _whole(ctx, made.id)
    for outcome in outcomes:
        _answer(ctx, order, outcome)
        if outcome.instrument:
            note_use(ctx, order, outcome.instrument, [outcome.test.key], day)
    ctx.bulk_insert(
        ResultRow,
        [
            {
                "file_id": file.id,
                "digest": outcome.digest,
                "row": outcome.row,
                "work_order_id": order.id,
                "step_key": outcome.test.key,
                "raw": outcome.raw,
            }
            for outcome in outcomes
        ],
    )
    return order.no


def _waiting_order(ctx: Context, asset_id: int, keys: set[str]) -> WorkOrder | None:
    """Return open work on the asset that asks for all of this, and has none of it yet."""
    query = (
        select(WorkOrder)
        .where(
            WorkOrder.asset_id == asset_id,
            WorkOrder.type.in_([WorkType.PREVENTIVE, WorkType.INSPECTION]),
            WorkOrder.state.in_(TAKES),
        )
        .options(selectinload(WorkOrder.steps))
        .order_by(WorkOrder.id)
        .with_for_update(of=WorkOrder)
        .execution_options(populate_existing=True)
    )
    for order in ctx.session.scalars(query):
        open_keys = {step.key for step in order.steps if step.verdict is None}
        if keys <= open_keys:
            return order
    return None


def _whole(ctx: Context, order_id: int) -> WorkOrder:
    query = (
        select(WorkOrder)
        .where(WorkOrder.id == order_id)
        .options(selectinload(WorkOrder.steps))
        .execution_options(populate_existing=True)
    )
    return ctx.session.scalars(query).one()


def _answer(ctx: Context, order: WorkOrder, outcome: Outcome) -> None:
    step = step_of(order, outcome.test.key)
    note = (
        f"{outcome.measured.bound} {outcome.measured.value:g}" if outcome.measured.bound else None
    )
    at = Moment(at=outcome.at, received_at=ctx.now())
    put_answer(ctx, step, Answer(value=outcome.measured.value, note=note), at)
    if outcome.verdict is Verdict.FAIL:
        step.verdict = Verdict.FAIL  # `> 500` is beyond the limit that 500 itself would keep


def _stored_now(ctx: Context, results: Results) -> set[str]:
    digests = [outcome.digest for outcome in results.outcomes]
    found: set[str] = set()
    for start in range(0, len(digests), 500):
        some = digests[start : start + 500]
        found.update(
            ctx.session.scalars(select(ResultRow.digest).where(ResultRow.digest.in_(some)))
        )
    return found


def _zone(ctx: Context) -> ZoneInfo:
    return ZoneInfo(zone_of(ctx))


def files_read(ctx: Context) -> list[ResultFile]:
    """Return the files read last."""
    query = select(ResultFile).order_by(ResultFile.id.desc()).limit(LAST)
    return list(ctx.session.scalars(query))
