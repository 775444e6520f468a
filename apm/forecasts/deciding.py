"""What people decide about models: mute one, let one work, have one trained anew; all signed."""

from __future__ import annotations

from typing import Any

from apm.core.command import Context, command
from apm.core.permissions import Permission
from apm.forecasts.arranging import arrange
from apm.forecasts.model import ModelKind, ModelState, ModelVersion
from apm.forecasts.registry import at_work, decide_model, version_of
from apm.forecasts.training import train_kind
from apm.work.signing import BY_PASSWORD, Signer, signer_of


def decide(
    ctx: Context,
    *,
    kind: ModelKind,
    version: int,
    state: ModelState,
    reason: str,
    password: str | None,
) -> ModelVersion:
    """Give a version another state under one's name; the score leaves it alone for 90 days.

    Raises:
        NotFound: no such version.
        NotAllowed: a program, or somebody without the right.
        Invalid: wrong password, no reason, or a retired version is asked back.
    """
    ctx.actor.require(Permission.MODEL_EDIT)
    signer = signer_of(ctx, password, BY_PASSWORD)
    return decide_as(ctx, kind=kind, version=version, state=state, reason=reason, signer=signer)


@command("model.sign", Permission.MODEL_EDIT)
def decide_as(
    ctx: Context,
    *,
    kind: ModelKind,
    version: int,
    state: ModelState,
    reason: str,
    signer: Signer,
) -> ModelVersion:
    """Give a version another state under a signature that has been checked."""
    row = decide_model(ctx, kind=kind, version=version, state=state, reason=reason)
    row.state_why = {**(row.state_why or {}), "signed": signer.method}
    arrange(ctx)
    return row


@command("model.wish", Permission.MODEL_EDIT)
def wish_training(ctx: Context, *, kind: ModelKind, version: int) -> ModelVersion:
    """Ask the worker to train this kind of model anew, within minutes."""
    row = version_of(ctx, kind, version)
    wish = {"by": ctx.actor.name, "at": ctx.now().isoformat(), "result": None}
    row.state_why = {**(row.state_why or {}), "training": wish}
    return row


def train_wished(ctx: Context) -> list[ModelVersion]:
    """Train the kinds somebody asked for; return the new versions.  Safe to repeat."""
    made = []
    for row in at_work(ctx):
        wish = (row.state_why or {}).get("training") or {}
        if not wish or wish.get("result"):
            continue
        found = train_kind(ctx, row.kind, why="by_hand")
        if not isinstance(found, ModelVersion):
            result: dict[str, Any] = {"result": "needs", **found.as_plain()}
        elif found.trained_at < ctx.now():
            result = {"result": "same", "version": found.version}
        else:
            result = {"result": "made", "version": found.version}
            made.append(found)
        answer_wish(ctx, kind=row.kind, version=row.version, answer={**wish, **result})
    return made


@command("model.answer", Permission.SYSTEM_RUN)
def answer_wish(
    ctx: Context, *, kind: ModelKind, version: int, answer: dict[str, Any]
) -> ModelVersion:
    """Keep what came of a wish to train."""
    row = version_of(ctx, kind, version)
    row.state_why = {**(row.state_why or {}), "training": answer}
    return row
