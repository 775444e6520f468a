"""The models of a hospital: which is at work, how a new one comes in, how its state moves."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version as version_of_library
from typing import Any

from sqlalchemy import func, select

from apm.core.command import Context, command
from apm.core.errors import Invalid, NotFound
from apm.core.i18n import _l
from apm.core.permissions import Permission
from apm.forecasts.arranging import arrange
from apm.forecasts.asof import at_days
from apm.forecasts.foretold import Trained
from apm.forecasts.model import ModelKind, ModelState, ModelVersion
from apm.forecasts.standing import REPLACED

S = ModelState
HIDDEN = ("interval", "horizons")
"""What of a model's numbers may be hidden while it works, as `ModelVersion.state_why` names it."""


@dataclass(frozen=True, slots=True)
class Standing:
    """The state a version gets, and why: figures for the words of a page."""

    state: ModelState
    why: dict[str, Any]


def at_work(ctx: Context, kind: ModelKind | None = None) -> list[ModelVersion]:
    """Return the versions that foretell: all but the retired, by kind, the oldest first."""
    query = (
        select(ModelVersion)
        .where(ModelVersion.state != S.RETIRED)
        .order_by(ModelVersion.kind, ModelVersion.version)
    )
    if kind is not None:
        query = query.where(ModelVersion.kind == kind)
    return list(ctx.session.scalars(query.execution_options(populate_existing=True)))


def active(ctx: Context, kind: ModelKind) -> ModelVersion | None:
    """Return the version of a kind whose numbers are shown, if there is one."""
    query = select(ModelVersion).where(ModelVersion.kind == kind, ModelVersion.state == S.ACTIVE)
    return ctx.session.scalar(query.execution_options(populate_existing=True))


def version_of(ctx: Context, kind: ModelKind, version: int) -> ModelVersion:
    """Return one version, or raise `NotFound`."""
    query = select(ModelVersion).where(ModelVersion.kind == kind, ModelVersion.version == version)
    found = ctx.session.scalar(query)
    if found is None:
        raise NotFound(_l("There is no such model. Choose one from the list of models."))
    return found


@command("model.register", Permission.SYSTEM_RUN)
def register(  # noqa: PLR0913  (each is one fact of the version, given by name)
    ctx: Context,
    *,
    kind: ModelKind,
    trained: Trained,
    metrics: dict[str, Any],
    data_until: datetime,
    trained_why: str,
    standing: Standing,
) -> ModelVersion:
    """Keep a new version of a kind of model and return it.

    An active one takes the place of the version at work; a shadow that of the shadow before it.
    """
    last = select(func.max(ModelVersion.version)).where(ModelVersion.kind == kind)
    number = (ctx.session.scalar(last) or 0) + 1
    now = ctx.now()
    row = ModelVersion(
        kind=kind,
        version=number,
        state=standing.state,
        state_why=standing.why,
        state_since=now,
        trained_at=now,
        trained_why=trained_why,
        data_from=None if trained.data_from is None else at_days(trained.data_from),
        data_until=data_until,
        data_hash=trained.data_hash,
        n_units=trained.n_units,
        n_failures=trained.n_failures,
        metrics=metrics,
        parameters=trained.parameters,
        artifact=trained.artifact,
        artifact_sha256=trained.artifact and hashlib.sha256(trained.artifact).hexdigest(),
        made_with=libraries(),
    )
    _make_room(ctx, row)
    ctx.session.add(row)
    ctx.session.flush()
    return row


@command("model.move", Permission.SYSTEM_RUN)
def move_model(ctx: Context, *, kind: ModelKind, version: int, standing: Standing) -> ModelVersion:
    """Give a version another state, as the figures say.  People do it by `decide_model`."""
    row = version_of(ctx, kind, version)
    _enter(ctx, row, standing)
    arrange(ctx)
    return row


@command("model.decide", Permission.MODEL_EDIT)
def decide_model(
    ctx: Context, *, kind: ModelKind, version: int, state: ModelState, reason: str
) -> ModelVersion:
    """Let a person mute a model, let it work, or retire it, for a reason that is kept.

    Raises:
        NotFound: no such version.
        Invalid: no reason is given, or a retired version is asked back.
    """
    row = version_of(ctx, kind, version)
    if not reason.strip():
        message = _l("Say why: the reason is kept with the model.")
        raise Invalid(message, fields={"reason": [message]})
    if row.state is S.RETIRED:
        raise Invalid(_l("A retired model does not come back. Train a new one."))
    why = {"code": "by_hand", "by": ctx.actor.name, "reason": reason.strip()[:500]}
    _enter(ctx, row, Standing(state, why))
    arrange(ctx)
    return row


def libraries() -> dict[str, str]:
    """Return the versions of the libraries that models are made with."""
    names = ("scikit-learn", "statsmodels", "numpy", "scipy", "joblib")
    return {name: version_of_library(name) for name in names}


def _enter(ctx: Context, row: ModelVersion, standing: Standing) -> None:
    if row.state is standing.state and row.state_why == standing.why:
        return
    if row.state is not standing.state or _bare(row.state_why) != _bare(standing.why):
        row.state_since = ctx.now()
    row.state, row.state_why = standing.state, standing.why
    _make_room(ctx, row)


def _bare(why: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return why a version is in its state, without what is hidden of its numbers meanwhile."""
    return {name: what for name, what in (why or {}).items() if name not in HIDDEN}


def _make_room(ctx: Context, newcomer: ModelVersion) -> None:
    """Retire what the newcomer replaces: nothing while it is muted or retired itself."""
    if newcomer.state not in {S.ACTIVE, S.SHADOW}:
        return
    leaving = {S.ACTIVE, S.MUTED, S.SHADOW} if newcomer.state is S.ACTIVE else {S.SHADOW}
    for row in at_work(ctx, newcomer.kind):
        if row is not newcomer and row.state in leaving:
            row.state_why = {
                "code": REPLACED, "version": newcomer.version, "was": row.state.value,
            }  # fmt: skip
            row.state, row.state_since = S.RETIRED, ctx.now()
