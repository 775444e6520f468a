"""Webhooks as a carrier of deliveries: signed anew for each try, the body always the same."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from uuid import NAMESPACE_URL, uuid5

from sqlalchemy import select

from apm.accounts.queries import own_hospital
from apm.core.clock import utc_now
from apm.core.command import Context
from apm.core.sealing import Unreadable, unseal
from apm.core.settings import Settings
from apm.notify.carriers import Send, carrier
from apm.notify.channel_carrier import delivery_name
from apm.notify.health import is_failing, note_health
from apm.notify.model import Delivery
from apm.notify.outside import post
from apm.notify.sending import Reason, SendFailed, cleaned
from apm.webhooks.events import WebhookSwitchedOff
from apm.webhooks.model import Webhook
from apm.webhooks.signing import DELIVERY, EVENT, HEADER, signature

OFF_AFTER = timedelta(days=5)
"""A webhook that has failed for so long is switched off."""
PREFIX = 80
"""Characters of a refusal that are kept."""


@dataclass(frozen=True, slots=True)
class Letter:
    """One body for one address."""

    url: str
    secret: str
    kind: str
    body: bytes
    name: str
    reach: str

    def send(self) -> None:
        """POST it, signed now; any 2xx is an acceptance."""
        at = int(utc_now().timestamp())
        headers = {
            HEADER: signature(self.secret, self.body, at),
            DELIVERY: self.name,
            EVENT: self.kind,
        }
        answer = post(self.url, self.body, reach=self.reach, headers=headers)
        if not 200 <= answer.status < 300:
            secrets = {"secret": self.secret, "url": self.url}
            said = cleaned(answer.content.decode(errors="replace"), secrets)
            raise SendFailed(Reason.ANSWER, f"HTTP {answer.status} {said[:PREFIX]}".strip())


def event_name(hospital_id: int | None, event_id: int | str) -> str:
    """Return what others know an event by: the same in every webhook, and no number of ours."""
    return str(uuid5(NAMESPACE_URL, f"apm:event:{hospital_id}:{event_id}"))


class Webhooks:
    """Carries events to other programs."""

    def standing(self, ctx: Context, target_ids: Sequence[int]) -> dict[int, datetime | None]:
        """Return, of those of these webhooks that fail, when each may be tried again."""
        found = self._webhooks(ctx, target_ids)
        return {number: one.retry_at for number, one in found.items() if is_failing(one)}

    def pack(
        self, ctx: Context, settings: Settings, deliveries: Sequence[Delivery]
    ) -> dict[int, Send | SendFailed]:
        """Return what sends each delivery, or why it cannot be sent."""
        found = self._webhooks(ctx, {one.target_id for one in deliveries})
        hospital = own_hospital(ctx)
        place = hospital.code if hospital else None
        packed: dict[int, Send | SendFailed] = {}
        for one in deliveries:
            try:
                letter = _letter(found.get(one.target_id), one, settings, place)
            except SendFailed as error:
                packed[one.id] = error
            else:
                packed[one.id] = partial(Letter.send, letter)
        return packed

    def note(self, ctx: Context, target_id: int, errors: Sequence[SendFailed | None]) -> None:
        """Remember how a webhook fared; one that failed for days is switched off."""
        found = self._webhooks(ctx, [target_id]).get(target_id)
        if found is None:
            return
        note_health(found, errors, ctx.now())
        since = found.failing_since
        if found.is_active and since is not None and ctx.now() - since >= OFF_AFTER:
            found.is_active, found.disabled_at = False, ctx.now()
            ctx.emit(WebhookSwitchedOff(found.id, found.name))

    def _webhooks(self, ctx: Context, ids: Collection[int]) -> dict[int, Webhook]:
        found = ctx.session.scalars(select(Webhook).where(Webhook.id.in_(ids)))
        return {one.id: one for one in found}


def _letter(found: Webhook | None, one: Delivery, settings: Settings, place: str | None) -> Letter:
    if found is None or not found.is_active:
        raise SendFailed(Reason.OFF)
    try:
        url = unseal(settings.secret_key, found.address)["url"]
        secret = unseal(settings.secret_key, found.secret)["secret"]
    except Unreadable:
        raise SendFailed(Reason.SEALED) from None
    body = {
        "id": one.params.get("id") or delivery_name(one),
        "kind": one.kind,
        "at": one.params["at"],
        "hospital": place,
        "data": one.params["data"],
    }
    return Letter(
        url=url,
        secret=secret,
        kind=one.kind,
        body=json.dumps(body, ensure_ascii=False, sort_keys=True).encode(),
        name=delivery_name(one),
        reach=settings.allow_private_targets,
    )


carrier("webhook", Webhooks())
