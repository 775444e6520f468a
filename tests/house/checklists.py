"""A hospital's own template, for the house's world: a released version and the next draft."""

from __future__ import annotations

from apm.core.command import Context
from apm.procedures import commands, editing, trial
from apm.procedures.releasing import Confirmed, confirm_limit, release
from tests.conftest import PASSWORD


def make_template(ctx: Context, name: str, code: str = "VENT") -> None:
    """One with a step called 1, in the place of a shipped one; `name` is in every text."""
    commands.create_template(ctx, code=code, en=name, zh=name, copy_of=code)
    step = editing.checked_step(
        {
            "id": "1", "kind": "measure", "en": name, "zh": name, "unit": "V", "note": name,
            "tolerance": {"type": "le", "limit": 1}, "source": name, "trust": "recalled",
        }
    )  # fmt: skip
    commands.edit_draft(ctx, code=code, change=lambda old: editing.with_step(old, step))
    words = {"tools": [name], "spares": [name], "interval_source": name}
    commands.edit_draft(ctx, code=code, change=lambda old: editing.with_head(old, words))
    trial.try_draft(ctx, code=code, answers={"1": {"value": "1"}})
    release(ctx, code=code, note=name, password=PASSWORD)
    confirm_limit(ctx, code=code, said=Confirmed("1", name), password=PASSWORD)
    commands.begin_draft(ctx, code=code)
    commands.edit_draft(ctx, code=code, change=lambda old: editing.with_head(old, {"minutes": 9}))
