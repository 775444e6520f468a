"""A template of the hospital's own, with a version and a draft, for the pages about one."""

from __future__ import annotations

from apm.core.command import Context
from apm.procedures import commands, editing, trial
from apm.procedures.releasing import Confirmed, confirm_limit, release
from seed.demo.drafts import CODE, write_round
from tests.conftest import PASSWORD


def keep_templates(wang: Context, pages: dict[str, list[str]]) -> None:
    """Release it, confirm a limit, go on with the next version; note the addresses."""
    write_round(wang)
    trial.try_draft(wang, code=CODE, answers={"hr@60": {"value": "64"}})
    release(wang, code=CODE, note="第一版", password=PASSWORD)
    confirm_limit(wang, code="VENT", said=Confirmed("pip", "ISO 80601-2-12"), password=PASSWORD)
    commands.begin_draft(wang, code=CODE)
    commands.edit_draft(
        wang, code=CODE, change=lambda old: editing.with_head(old, {"minutes": 12})
    )
    commands.edit_draft(wang, code=CODE, change=lambda old: editing.without_step(old, "clean"))
    at = f"/templates/{CODE}"
    pages |= {
        "procedures.version_page": [f"{at}/versions/1"],
        "procedures.versions.versions": [f"{at}/versions"],
        "procedures.versions.diff": [f"{at}/diff", f"{at}/diff?from=1&to=1"],
        "procedures.drafts.draft": [f"{at}/draft"],
        "procedures.drafts.head": [f"{at}/draft/head"],
        "procedures.drafts.add_step": [f"{at}/draft/add?section=safety"],
        "procedures.drafts.change_step": [f"{at}/draft/steps/hr", f"{at}/draft/steps/alarm"],
        "procedures.signed.try_draft": [f"{at}/draft/try"],
        "procedures.signed.release": [f"{at}/draft/release"],
        "procedures.signed.confirm": ["/templates/VENT/limits/vt", f"{at}/limits/hr"],
    }
