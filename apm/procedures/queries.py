"""What a hospital has of its own: templates, versions, confirmed limits."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import and_, select

from apm.core.command import Context
from apm.core.errors import NotFound
from apm.core.i18n import _l
from apm.procedures.model import HospitalTemplate, LimitConfirmation, TemplateVersion

Confirmations = dict[tuple[str, str], LimitConfirmation]


def own_template(ctx: Context, code: str) -> HospitalTemplate | None:
    """Return the hospital's own template with this code, drafts and retired ones too."""
    query = select(HospitalTemplate).where(HospitalTemplate.code == code.upper())
    return ctx.session.scalar(query)


def own_template_or_404(ctx: Context, code: str) -> HospitalTemplate:
    """Return the hospital's own template, or raise `NotFound`."""
    return _found(own_template(ctx, code))


def template_for_writing(ctx: Context, code: str) -> HospitalTemplate:
    """Return the hospital's own template, fresh and locked until the command ends."""
    query = (
        select(HospitalTemplate)
        .where(HospitalTemplate.code == code.upper())
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return _found(ctx.session.scalar(query))


def _found(own: HospitalTemplate | None) -> HospitalTemplate:
    if own is None:
        raise NotFound(
            _l("The hospital has no template of its own by this code. Copy a shipped one first.")
        )
    return own


def own_templates(ctx: Context) -> list[HospitalTemplate]:
    """Return the hospital's own templates by code, drafts and retired ones too."""
    return list(ctx.session.scalars(select(HospitalTemplate).order_by(HospitalTemplate.code)))


def released_versions(
    ctx: Context, code: str | None = None
) -> list[tuple[HospitalTemplate, TemplateVersion]]:
    """Return the versions that hold, with their templates; of one code, or of all."""
    query = (
        select(HospitalTemplate, TemplateVersion)
        .join(
            TemplateVersion,
            and_(
                TemplateVersion.template_id == HospitalTemplate.id,
                TemplateVersion.number == HospitalTemplate.released,
            ),
        )
        .order_by(HospitalTemplate.code)
    )
    if code is not None:
        query = query.where(HospitalTemplate.code == code.upper())
    return [(own, version) for own, version in ctx.session.execute(query)]


def versions_of(ctx: Context, own: HospitalTemplate) -> list[TemplateVersion]:
    """Return the released versions of a template, the newest first."""
    query = select(TemplateVersion).where(TemplateVersion.template_id == own.id)
    return list(ctx.session.scalars(query.order_by(TemplateVersion.number.desc())))


def version_of(ctx: Context, own: HospitalTemplate, number: int) -> TemplateVersion:
    """Return one released version, or raise `NotFound`."""
    query = select(TemplateVersion).where(
        TemplateVersion.template_id == own.id, TemplateVersion.number == number
    )
    found = ctx.session.scalar(query)
    if found is None:
        raise NotFound(_l("There is no such version. Choose one from the list of versions."))
    return found


def confirmations(ctx: Context, codes: Iterable[str] | None = None) -> Confirmations:
    """Return the latest confirmation of each limit by template and step; of some codes or all."""
    query = select(LimitConfirmation).order_by(LimitConfirmation.id)
    if codes is not None:
        query = query.where(LimitConfirmation.template_code.in_(list(codes)))
    return {(found.template_code, found.step): found for found in ctx.session.scalars(query)}


def confirmations_of(ctx: Context, code: str) -> list[LimitConfirmation]:
    """Return every confirmation of one template's limits, the newest first."""
    query = select(LimitConfirmation).where(LimitConfirmation.template_code == code.upper())
    return list(ctx.session.scalars(query.order_by(LimitConfirmation.id.desc())))
