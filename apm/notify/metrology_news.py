"""Who is told of verification and calibration: those who keep its records."""

from __future__ import annotations

from typing import Any

from apm.assets.queries import asset_by_code
from apm.core.command import Context
from apm.core.events import subscribe
from apm.core.permissions import Permission
from apm.metrology.events import (
    InstrumentDue,
    InstrumentOutOfTolerance,
    UseAllowed,
    UseBlocked,
    VerificationsDue,
)
from apm.notify.commands import send
from apm.notify.messages import News
from apm.notify.subjects import about, people_who_may


@subscribe(VerificationsDue)
def tell_of_verifications(ctx: Context, event_id: int, payload: dict[str, Any]) -> None:
    """Remind of those that are due soon; of each that is overdue or failed its block tells."""
    news = News("verifications_due", {"n": payload["n"]}, "/metrology?light=soon")
    _tell(ctx, event_id, news)


@subscribe(UseBlocked)
def tell_of_a_block(ctx: Context, event_id: int, payload: dict[str, Any]) -> None:
    """Tell that equipment must not be used any more, and why."""
    _tell_of_equipment(ctx, event_id, payload, "use_blocked", payload["why"])


@subscribe(UseAllowed)
def tell_of_the_end_of_a_block(ctx: Context, event_id: int, payload: dict[str, Any]) -> None:
    """Tell that nothing of its verification keeps equipment out of use."""
    _tell_of_equipment(ctx, event_id, payload, "use_allowed", None)


def _tell_of_equipment(
    ctx: Context, event_id: int, payload: dict[str, Any], kind: str, light: str | None
) -> None:
    asset = asset_by_code(ctx, payload["code"])
    params = {**about(ctx, asset.number, asset.id), "light": light}
    _tell(ctx, event_id, News(kind, params, f"/metrology/assets/{asset.code}"))


@subscribe(InstrumentDue)
def tell_of_an_instrument(ctx: Context, event_id: int, payload: dict[str, Any]) -> None:
    """Remind of the calibration of a test instrument."""
    params = {"no": payload["serial"], "light": payload["light"]}
    url = f"/metrology/instruments/{payload['instrument_id']}"
    _tell(ctx, event_id, News("instrument_due", params, url))


@subscribe(InstrumentOutOfTolerance)
def tell_of_doubtful_records(ctx: Context, event_id: int, payload: dict[str, Any]) -> None:
    """Tell that what was measured with an instrument is in doubt."""
    params = {"no": payload["serial"], "n": payload["orders"]}
    url = f"/metrology/instruments/{payload['instrument_id']}"
    _tell(ctx, event_id, News("instrument_doubtful", params, url))


def _tell(ctx: Context, event_id: int, news: News) -> None:
    people = people_who_may(ctx, Permission.METROLOGY_EDIT)
    send(ctx, event_id=event_id, user_ids=people, news=news)
