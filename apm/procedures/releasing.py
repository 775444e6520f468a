"""What needs a signature: releasing a version, and confirming a limit for this hospital."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from marshmallow import ValidationError

from apm.accounts.model import User
from apm.core.command import Context, command
from apm.core.errors import Conflict, Invalid, NotFound
from apm.core.i18n import _l
from apm.core.permissions import Permission
from apm.procedures import catalogue
from apm.procedures.catalogue import Step, Template
from apm.procedures.commands import draft_of
from apm.procedures.documents import digest, template_of
from apm.procedures.editing import checked, refused
from apm.procedures.limits import check_set_points, check_tolerance
from apm.procedures.model import HospitalTemplate, LimitConfirmation, StepKind, TemplateVersion
from apm.procedures.queries import released_versions, template_for_writing
from apm.procedures.shelf import content_of
from apm.procedures.signing import CONFIRMS, RELEASES, signer_of
from apm.procedures.trial import tried

MOST_NOTE = 300


def release(ctx: Context, *, code: str, note: str, password: str | None) -> TemplateVersion:
    """Sign a draft: it becomes the next version, and new work is done by it.

    Raises:
        NotAllowed: a program.
        Invalid: wrong password, no word about what changed, or a draft without steps.
        Conflict: there is no draft, it was not tried, or it says what the last version says.
    """
    signer = signer_of(ctx, password)
    return _release(ctx, code=code, note=note, signer=signer)


@command("template.release", Permission.TEMPLATE_EDIT)
def _release(ctx: Context, *, code: str, note: str, signer: User) -> TemplateVersion:
    """Make the draft the next version of its template, under the signature of an engineer."""
    own = template_for_writing(ctx, code)
    document = checked(draft_of(own))
    _refuse_unready(ctx, own, note)
    number = own.released + 1
    last = next(iter(released_versions(ctx, own.code)), None)
    if last is not None and last[1].document == document:
        raise Conflict(
            _l("Nothing has changed since version %(n)s.", n=own.released), code="unchanged"
        )
    signed = {
        "code": own.code, "number": number, "document": document, "note": note.strip(),
        "person": signer.id, "at": ctx.now().isoformat(), "meaning": RELEASES,
    }  # fmt: skip
    version = TemplateVersion(
        template_id=own.id,
        number=number,
        document=document,
        note=note.strip(),
        person_id=signer.id,
        person=signer.name,
        at=ctx.now(),
        meaning=RELEASES,
        record_hash=digest(signed),
    )
    ctx.session.add(version)
    own.released = number
    own.draft = own.draft_by = own.draft_at = own.trial = None
    own.retired_at = own.retired_by = None
    ctx.session.flush()
    return version


def _refuse_unready(ctx: Context, own: HospitalTemplate, note: str) -> None:
    if not note.strip() or len(note) > MOST_NOTE:
        says = _l("Say in a few words what is new and why.")
        raise Invalid(says, fields={"note": [says]})
    run = tried(ctx, own)
    if run.of == 0:
        raise Invalid(_l("A template without steps cannot be released. Add a step."))
    if not run.is_current:
        raise Conflict(
            _l("The draft has changed since it was tried. Make a test run, then release it."),
            code="not_tried",
        )


@dataclass(frozen=True, slots=True)
class Confirmed:
    """A limit as somebody confirms it; `tolerance` None leaves it as the template says."""

    step: str
    source: str
    tolerance: Mapping[str, Any] | None = None
    everywhere: bool = False
    """In all templates that hold this same step with this same limit."""


def confirm_limit(
    ctx: Context, *, code: str, said: Confirmed, password: str | None
) -> list[LimitConfirmation]:
    """Sign that a limit holds at this hospital; work that is open keeps what it had.

    Raises:
        NotFound: no such template or step.
        NotAllowed: a program.
        Invalid: wrong password, no source, or a limit that nothing can be judged by.
    """
    signer = signer_of(ctx, password)
    return _confirm(ctx, code=code, said=said, signer=signer)


@command("template.confirm_limit", Permission.TEMPLATE_EDIT)
def _confirm(ctx: Context, *, code: str, said: Confirmed, signer: User) -> list[LimitConfirmation]:
    """Store an engineer's signature under one limit."""
    template = content_of(ctx, code)
    step = measurement_in(template, said.step)
    tolerance = _checked(step, said)
    places = [template.code]
    if said.everywhere:
        places += [other.code for other in same_limit(ctx, template, step)]
    made = [
        _signed(ctx, place, step=step, tolerance=tolerance, source=said.source, signer=signer)
        for place in places
    ]
    ctx.session.add_all(made)
    ctx.session.flush()
    return made


def measurement_in(template: Template, step_id: str) -> Step:
    """Return a step that has a limit, or raise `NotFound`."""
    for step in template.steps:
        if step.id == step_id and step.kind is StepKind.MEASURE:
            return step
    raise NotFound(_l("This template has no such limit. Reload the page."))


def same_limit(ctx: Context, template: Template, step: Step) -> list[Template]:
    """Return the other templates that hold this same step, limit and source."""
    own = (
        template_of(version.document, version=str(version.number))
        for found, version in released_versions(ctx)
        if found.retired_at is None
    )
    found = {t.code: t for t in (*catalogue.templates().values(), *own)}
    return [t for t in found.values() if t.code != template.code and _holds(t.steps, step)]


def _holds(steps: Iterable[Step], wanted: Step) -> bool:
    return any(
        (s.id, s.en, s.unit, s.tolerance, s.at) == (
            wanted.id, wanted.en, wanted.unit, wanted.tolerance, wanted.at,
        )
        for s in steps
    )  # fmt: skip


def _checked(step: Step, said: Confirmed) -> dict[str, Any]:
    if not said.source.strip() or len(said.source) > MOST_NOTE:
        says = _l("Say where the limit comes from: a standard, a manual, a page.")
        raise Invalid(says, fields={"source": [says]})
    try:
        tolerance = check_tolerance(said.tolerance or step.tolerance)
    except ValidationError as error:
        raise refused({"tolerance": error.messages}) from error
    errors = check_set_points(tolerance, step.at)
    if not errors and tolerance == {"type": "manufacturer"}:
        errors = [_l("There is no number to confirm. Give the manufacturer's limit.")]
    if errors:
        raise refused({"tolerance": {"type": errors}})
    return tolerance


def _signed(
    ctx: Context, code: str, *, step: Step, tolerance: dict[str, Any], source: str, signer: User
) -> LimitConfirmation:
    content = {
        "template_code": code, "step": step.id, "was": step.tolerance, "tolerance": tolerance,
        "unit": step.unit, "source": source.strip(), "person_id": signer.id,
        "meaning": CONFIRMS,
    }  # fmt: skip
    at = ctx.now()
    return LimitConfirmation(
        **content,
        person=signer.name,
        at=at,
        record_hash=digest({**content, "at": at.isoformat()}),
    )
