"""The page of one asset's metrology: certificates, electrical safety, trends."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from apm.accounts.queries import hospital_day
from apm.assets.model import Asset
from apm.assets.queries import asset_by_code
from apm.core.errors import DomainError, Invalid
from apm.core.http import Form, context, load, requires
from apm.core.i18n import _
from apm.core.permissions import Permission
from apm.metrology import certificates, drifting, queries, safety
from apm.metrology.catalogue import verified_categories
from apm.metrology.certificates import Issued
from apm.metrology.lights import light_of
from apm.metrology.model import AppliedPart, Method, ProtectionClass, Result
from apm.metrology.schema import CertificateIn, ReasonIn, SafetyIn, SubjectIn

READ, EDIT = Permission.METROLOGY_READ, Permission.METROLOGY_EDIT
asset_pages = Blueprint("assets", __name__)
NAMES = {"image/jpeg": "jpg", "application/pdf": "pdf"}


@asset_pages.get("/metrology/assets/<code>")
@requires(READ)
def show(code: str) -> ResponseReturnValue:
    """One asset."""
    return asset_page(asset_by_code(context(), code))


@asset_pages.post("/metrology/assets/<code>/certificates")
@requires(EDIT)
def add_certificate(code: str) -> ResponseReturnValue:
    """Record a certificate, with its file."""
    ctx = context()
    asset = asset_by_code(ctx, code)
    form = load(CertificateIn(), request.form)
    if form.data is None:
        return asset_page(asset, {"certificate": form}, 422)
    file = request.files.get("file")
    try:
        certificates.record_certificate(
            ctx, asset=code, issued=Issued(**form.data), data=file.read() if file else b""
        )
    except DomainError as error:
        return _again(ctx_asset(code), "certificate", error)
    flash(_("The certificate is recorded."), "success")
    return redirect(url_for("metrology.assets.show", code=asset.code), 303)


@asset_pages.post("/metrology/certificates/<int:certificate_id>/withdraw")
@requires(EDIT)
def withdraw(certificate_id: int) -> ResponseReturnValue:
    """Take back a certificate that was recorded wrongly."""
    form = load(ReasonIn(), request.form)
    if form.data is None:
        raise Invalid(_("Say why the certificate is withdrawn."), fields=form.errors)
    ctx = context()
    certificates.withdraw_certificate(ctx, certificate_id=certificate_id, **form.data)
    flash(_("The certificate is withdrawn."), "success")
    return redirect(_back(), 303)


@asset_pages.get("/metrology/certificates/<int:certificate_id>/file")
@requires(READ)
def certificate_file(certificate_id: int) -> Response:
    """The file of a certificate."""
    found = queries.certificate_file(context(), certificate_id)
    kind = found.media_type or "application/pdf"
    answer = Response(found.content, content_type=kind)
    name = f"certificate-{found.id}.{NAMES[kind]}"
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


@asset_pages.post("/metrology/assets/<code>/subject")
@requires(EDIT)
def decide(code: str) -> ResponseReturnValue:
    """Say whether this asset is under verification."""
    asset = asset_by_code(context(), code)
    form = load(SubjectIn(), request.form)
    if form.data is None:
        return asset_page(asset, {"subject": form}, 422)
    certificates.decide_subject(context(), asset=code, **form.data)
    flash(_("That is recorded."), "success")
    return redirect(url_for("metrology.assets.show", code=asset.code), 303)


@asset_pages.post("/metrology/assets/<code>/safety")
@requires(EDIT)
def describe(code: str) -> ResponseReturnValue:
    """Record class, applied parts and method."""
    asset = asset_by_code(context(), code)
    form = load(SafetyIn(exclude=("parts",)), request.form)
    parts = [AppliedPart(p) for p in request.form.getlist("parts") if p in set(AppliedPart)]
    if form.data is None:
        return asset_page(asset, {"safety": form}, 422)
    safety.describe_safety(context(), asset=code, parts=parts, **form.data)
    flash(_("The limits of this equipment are recorded."), "success")
    return redirect(url_for("metrology.assets.show", code=asset.code) + "#safety", 303)


@asset_pages.post("/metrology/assets/<code>/safety-test")
@requires(Permission.WORK_CREATE)
def open_test(code: str) -> ResponseReturnValue:
    """Open an inspection with this asset's safety tests."""
    order = safety.open_safety_test(context(), asset=code)
    return redirect(f"/work-orders/{order.no}", 303)


def ctx_asset(code: str) -> Asset:
    """Return the asset anew: a command that was refused has thrown away what was read."""
    return asset_by_code(context(), code)


def asset_page(
    asset: Asset, forms: Mapping[str, Form] | None = None, status: int = 200
) -> ResponseReturnValue:
    """Return the page of an asset; `forms` are those that could not be taken, by part."""
    ctx = context()
    duty = queries.duty_of(ctx, asset)
    today = hospital_day(ctx)
    profile = queries.safety_profile_of(ctx, asset)
    series = drifting.series_of(ctx, asset)
    page = render_template(
        "metrology/asset.html",
        asset=asset,
        duty=duty,
        light=light_of(duty, today),
        is_subject=queries.is_subject(asset, duty),
        is_doubtful=queries.is_doubtful(asset, duty),
        listed=verified_categories().get(asset.category),
        certificates=queries.certificates_of(ctx, asset),
        profile=profile,
        tests=safety.tests_of(profile) if profile else [],
        series=[(one, one.is_drifting(today)) for one in series],
        day_of=drifting.day_of,
        forms=forms or {},
        results=list(Result),
        classes=list(ProtectionClass),
        parts=list(AppliedPart),
        methods=list(Method),
        today=today,
    )
    return page, status


def _again(asset: Asset, part: str, error: DomainError) -> ResponseReturnValue:
    fields = {name: [str(text) for text in texts] for name, texts in error.fields.items()}
    form = Form(None, fields or {"_schema": [str(error)]}, request.form)
    return asset_page(asset, {part: form}, error.status)


def _back() -> str:
    """Return the page of what the form came from."""
    code = request.form.get("asset", "")
    return url_for("metrology.assets.show", code=code) if code.isalnum() else "/metrology"
