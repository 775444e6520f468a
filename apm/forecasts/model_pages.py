"""The models of the hospital: what each is for, how good it is, what it may do, its records."""

from __future__ import annotations

import csv
import io
from typing import Any

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from marshmallow import Schema, fields, validate
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from apm.accounts.queries import own_hospital
from apm.core.command import Context
from apm.core.errors import Invalid, NotFound
from apm.core.http import Form, context, load, requires
from apm.core.i18n import _, _l
from apm.core.permissions import Permission
from apm.forecasts.card_words import rows_of_card, told
from apm.forecasts.deciding import decide, wish_training
from apm.forecasts.model import ForecastRecord, ModelKind, ModelState, ModelVersion
from apm.forecasts.registry import version_of
from apm.forecasts.score_keeping import shown_cards
from apm.forecasts.score_pages import score_words
from apm.labels import label
from apm.work.page import form_of

model_pages = Blueprint("models", __name__)
LAST = 50
"""Frozen forecasts shown on a card, the newest; the file has them all."""
MOST_ROWS = 200_000
HEADER = (
    "asset", "number", "sensor", "frozen_at", "until", "horizon_days", "probability",
    "base_probability", "life_low", "life_median", "life_high", "confidence", "warned", "shadow",
    "work_order", "outcome", "outcome_at", "why",
)  # fmt: skip
FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet would take for a formula."""
KINDS = "any(life, trend, soon)"


class StateForm(Schema):
    """What a person decides about a model, and why."""

    state = fields.Enum(ModelState, by_value=True, required=True)
    reason = fields.String(
        required=True,
        validate=validate.Length(1, 500),
        error_messages={"required": [_l("Say why: the reason is kept with the model.")]},
    )
    password = fields.String(load_default=None, validate=validate.Length(max=200))


@model_pages.get("/fleet/models")
@requires(Permission.FORECAST_READ)
def overview() -> ResponseReturnValue:
    """All versions of all kinds, the newest of each kind first."""
    query = select(ModelVersion).order_by(ModelVersion.kind, ModelVersion.version.desc())
    versions = list(context().session.scalars(query))
    by_kind = {kind: [v for v in versions if v.kind is kind] for kind in ModelKind}
    return render_template("forecasts/models.html", by_kind=by_kind, **score_words())


@model_pages.get(f"/fleet/models/<{KINDS}:kind>/<int:version>")
@requires(Permission.FORECAST_READ)
def card(kind: str, version: int) -> ResponseReturnValue:
    """One version: intended use, data, figures, limits, state."""
    return _card(version_of(context(), ModelKind(kind), version))


@model_pages.post(f"/fleet/models/<{KINDS}:kind>/<int:version>/state")
@requires(Permission.MODEL_EDIT)
def change_state(kind: str, version: int) -> ResponseReturnValue:
    """Mute a model or let it work, for a reason, under one's name."""
    ctx = context()
    row = version_of(ctx, ModelKind(kind), version)
    form = load(StateForm(), request.form)
    if form.data is None:
        return _card(row, form, 422)
    try:
        decide(ctx, kind=row.kind, version=row.version, **form.data)
    except Invalid as error:
        return _card(version_of(ctx, ModelKind(kind), version), form_of(error), error.status)
    flash(_("Saved."), "success")
    return redirect(url_for(".card", kind=kind, version=version), 303)


@model_pages.post(f"/fleet/models/<{KINDS}:kind>/<int:version>/train")
@requires(Permission.MODEL_EDIT)
def train(kind: str, version: int) -> ResponseReturnValue:
    """Have it trained anew."""
    wish_training(context(), kind=ModelKind(kind), version=version)
    flash(_("The worker trains it anew within minutes. What comes of it stands here."), "success")
    return redirect(url_for(".card", kind=kind, version=version), 303)


@model_pages.get(f"/fleet/models/<{KINDS}:kind>/<int:version>/records.csv")
@requires(Permission.FORECAST_READ)
def export(kind: str, version: int) -> Response:
    """Every frozen forecast of a version with how it turned out, one a line."""
    row = version_of(context(), ModelKind(kind), version)
    out = io.StringIO()
    out.write("\ufeff")  # so that a spreadsheet reads it as UTF-8
    writer = csv.writer(out)
    writer.writerow(HEADER)
    for record in _records(context(), row, MOST_ROWS):
        writer.writerow(_plain(cell) for cell in _line(record))
    name = f"forecasts-{kind}-{version}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(out.getvalue(), mimetype="text/csv", headers=headers)


def _card(row: ModelVersion, form: Form | None = None, status: int = 200) -> ResponseReturnValue:
    ctx = context()
    [found] = shown_cards(ctx, [row])
    hospital = own_hospital(ctx)
    page = render_template(
        "forecasts/model.html",
        version=row,
        card=found.card,
        counted_at=found.at,
        rows=rows_of_card(found.card.figures, found.card.coverage) if found.card else [],
        records=_records(ctx, row, LAST),
        currency=hospital.currency if hospital else "CNY",
        wish=(row.state_why or {}).get("training"),
        targets=_targets(row),
        form=form,
        may_edit=ctx.actor.can(Permission.MODEL_EDIT),
        **score_words(),
        **record_words(),
    )
    return page, status


def record_words() -> dict[str, object]:
    """Return what templates say of a frozen forecast."""
    return {"outcome_why": lambda record: told("outcome_why", record.outcome_why or {})}


def _targets(row: ModelVersion) -> list[tuple[str, str]]:
    """Return the states a person may give it, with the words of what that means."""
    words = {
        ModelState.ACTIVE: _("Let it work: it shows numbers and may open work"),
        ModelState.MUTED: _("Mute it: it is scored, but shows no number and opens no work"),
        ModelState.RETIRED: _("Retire it: it foretells no more"),
    }
    if row.state is ModelState.RETIRED:
        return []
    return [(state.value, text) for state, text in words.items() if state is not row.state]


def _records(ctx: Context, row: ModelVersion, most: int) -> list[ForecastRecord]:
    query = (
        select(ForecastRecord)
        .where(ForecastRecord.model_version_id == row.id)
        .options(joinedload(ForecastRecord.asset), joinedload(ForecastRecord.sensor))
        .order_by(ForecastRecord.at.desc(), ForecastRecord.id.desc())
        .limit(most)
    )
    return list(ctx.session.scalars(query))


def _line(record: ForecastRecord) -> list[Any]:
    return [
        record.asset.code,
        record.asset.number,
        record.sensor.code if record.sensor else "",
        record.at.isoformat(),
        record.until.isoformat(),
        record.horizon_days,
        record.probability,
        record.base_probability,
        record.life_low,
        record.life_median,
        record.life_high,
        record.confidence,
        int(record.warned),
        int(record.was_shadow),
        record.work_order_no,
        label("outcome", record.outcome),
        record.outcome_at.isoformat() if record.outcome_at else "",
        told("outcome_why", record.outcome_why or {}),
    ]


def _plain(cell: Any) -> Any:
    is_formula = isinstance(cell, str) and cell.startswith(FORMULA_SIGNS)
    return f"'{cell}" if is_formula else cell


def record_by_id(ctx: Context, record_id: int) -> ForecastRecord:
    """Return one frozen forecast with what a page says of it, or raise `NotFound`."""
    query = (
        select(ForecastRecord)
        .where(ForecastRecord.id == record_id)
        .options(
            joinedload(ForecastRecord.asset),
            joinedload(ForecastRecord.sensor),
            joinedload(ForecastRecord.model),
        )
        .execution_options(populate_existing=True)
    )
    found = ctx.session.scalar(query)
    if found is None:
        raise NotFound(_l("There is no such forecast here. Choose one from the list."))
    return found
