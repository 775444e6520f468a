"""Reading the register of verification and the certificates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import ColumnElement, Select, and_, case, exists, func, literal, or_, select
from sqlalchemy.orm import joinedload, undefer

from apm.accounts.queries import hospital_day
from apm.assets.model import GONE, Asset, Department
from apm.core.command import Context
from apm.core.errors import NotFound
from apm.core.i18n import _l
from apm.core.paging import Page, page_of
from apm.metrology.catalogue import Listed, doubtful_categories, verified_categories
from apm.metrology.lights import SOON, Light, light_of
from apm.metrology.model import Certificate, Result, SafetyProfile, VerificationDuty


@dataclass(frozen=True, slots=True)
class Entry:
    """One asset of the register, and how its verification stands."""

    asset: Asset
    duty: VerificationDuty | None
    light: Light

    @property
    def listed(self) -> Listed | None:
        """What the list says of its category."""
        return verified_categories().get(self.asset.category)


@dataclass(frozen=True, slots=True)
class RegisterFilter:
    """Which assets of the register are wanted; empty means all."""

    light: Light | None = None
    category: str | None = None
    department: int | None = None
    q: str = ""


def register_page(
    ctx: Context, wanted: RegisterFilter, *, after: str | None = None, limit: int = 50
) -> Page[Entry]:
    """Return the assets subject to verification, by asset number."""
    query = _chosen(ctx, wanted).options(joinedload(Asset.department), joinedload(Asset.location))
    page = page_of(ctx.session, query, by=[Asset.number, Asset.id], after=after, limit=limit)
    return Page(_entries(ctx, page.items), page.next)


def register_rows(ctx: Context, wanted: RegisterFilter) -> list[Entry]:
    """Return all of them, for a spreadsheet."""
    query = _chosen(ctx, wanted).options(joinedload(Asset.department), joinedload(Asset.location))
    return _entries(ctx, list(ctx.session.scalars(query.order_by(Asset.number))))


def light_counts(ctx: Context, wanted: RegisterFilter | None = None) -> dict[Light, int]:
    """Return how many assets stand under each light."""
    rest = wanted or RegisterFilter()
    others = RegisterFilter(category=rest.category, department=rest.department, q=rest.q)
    shown = _light(hospital_day(ctx)).label("light")
    query = (
        _chosen(ctx, others)
        .with_only_columns(shown, func.count(Asset.id))
        .group_by("light")  # by its name: PostgreSQL would take the same words for others
    )
    found = {Light(word): int(n) for word, n in ctx.session.execute(query)}
    return {one: found.get(one, 0) for one in Light}


def is_subject(asset: Asset, duty: VerificationDuty | None) -> bool:
    """Tell whether an asset is verified by law: as somebody decided, else as its category."""
    if duty is not None and duty.is_subject is not None:
        return duty.is_subject
    return asset.category in verified_categories()


def is_doubtful(asset: Asset, duty: VerificationDuty | None) -> bool:
    """Tell whether nobody has decided about a category of the old list."""
    undecided = duty is None or duty.is_subject is None
    return undecided and asset.category in doubtful_categories()


def duty_of(ctx: Context, asset: Asset) -> VerificationDuty | None:
    """Return what is on record about an asset's verification."""
    return ctx.session.scalar(
        select(VerificationDuty).where(VerificationDuty.asset_id == asset.id)
    )


def duty_to_change(ctx: Context, asset: Asset) -> VerificationDuty:
    """Return it fresh and locked, made if there is none; call it inside a command."""
    query = (
        select(VerificationDuty)
        .where(VerificationDuty.asset_id == asset.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    found = ctx.session.scalar(query)
    if found is None:
        found = VerificationDuty(asset_id=asset.id)
        ctx.session.add(found)
        ctx.session.flush()
    found.asset = asset
    return found


def certificates_of(ctx: Context, asset: Asset) -> list[Certificate]:
    """Return the certificates of an asset, the newest first."""
    query = select(Certificate).where(Certificate.asset_id == asset.id)
    newest = (Certificate.issued_on.desc(), Certificate.id.desc())
    return list(ctx.session.scalars(query.order_by(*newest)))


def certificate_file(ctx: Context, certificate_id: int) -> Certificate:
    """Return a certificate with its file, or raise `NotFound`."""
    query = (
        select(Certificate)
        .where(Certificate.id == certificate_id, Certificate.media_type.is_not(None))
        .options(undefer(Certificate.content))
    )
    found = ctx.session.scalar(query)
    if found is None:
        raise NotFound(_l("This certificate has no file. Ask whoever recorded it."))
    return found


def safety_profile_of(ctx: Context, asset: Asset) -> SafetyProfile | None:
    """Return the protection class and applied parts on record."""
    return ctx.session.scalar(select(SafetyProfile).where(SafetyProfile.asset_id == asset.id))


def departments_with_subjects(ctx: Context) -> list[Department]:
    """Return the departments that have equipment under verification, by name."""
    held = _chosen(ctx, RegisterFilter()).with_only_columns(Asset.department_id)
    query = select(Department).where(Department.id.in_(held)).order_by(Department.name)
    return list(ctx.session.scalars(query))


def _chosen(ctx: Context, wanted: RegisterFilter) -> Select[Asset]:
    listed = Asset.category.in_(verified_categories())
    query = (
        select(Asset)
        .join(VerificationDuty, VerificationDuty.asset_id == Asset.id, isouter=True)
        .where(Asset.lifecycle.not_in(GONE))
        .where(func.coalesce(VerificationDuty.is_subject, listed))
    )
    if wanted.light:
        query = query.where(_light(hospital_day(ctx)) == wanted.light.value)
    if wanted.category:
        query = query.where(Asset.category == wanted.category)
    if wanted.department:
        query = query.where(Asset.department_id == wanted.department)
    if wanted.q:
        query = query.where(_named(wanted.q))
    return query


def _named(q: str) -> ColumnElement[bool]:
    """Find by the beginning of a number or serial, or by a certificate's whole number."""
    has_certificate = exists().where(
        and_(Certificate.asset_id == Asset.id, Certificate.number == q)
    )
    beginning = [column.startswith(q, autoescape=True) for column in (Asset.number, Asset.serial)]
    return or_(*beginning, has_certificate)


def _light(today: date) -> ColumnElement[str]:
    """Return the light as the database sees it; `lights.light` says the same."""
    duty = VerificationDuty
    return case(
        (or_(duty.result.is_(None), duty.valid_until.is_(None)), literal(Light.NONE.value)),
        (duty.result == Result.FAIL, literal(Light.FAILED.value)),
        (duty.valid_until < today, literal(Light.OVERDUE.value)),
        (duty.valid_until <= today + SOON, literal(Light.SOON.value)),
        else_=literal(Light.OK.value),
    )


def _entries(ctx: Context, assets: Sequence[Asset]) -> list[Entry]:
    ids = [asset.id for asset in assets]
    query = select(VerificationDuty).where(VerificationDuty.asset_id.in_(ids))
    duties = {duty.asset_id: duty for duty in ctx.session.scalars(query)}
    today = hospital_day(ctx)
    return [
        Entry(asset, duties.get(asset.id), light_of(duties.get(asset.id), today))
        for asset in assets
    ]
