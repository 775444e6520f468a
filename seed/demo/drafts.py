"""A template of the hospital's own that an engineer is still writing: the monthly round."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

from apm.core.command import Context
from apm.procedures.commands import create_template, edit_draft
from apm.procedures.documents import Document
from apm.procedures.editing import checked_step, with_head, with_step
from seed.demo.diary import Diary
from seed.demo.world import World

CODE = "MON-MONTHLY"
HEAD = {"interval_months": 1, "minutes": 10, "spares": ["NIBP hose 血压导气管"]}
STEPS: tuple[Document, ...] = (
    {"id": "clean", "kind": "check", "section": "general", "en": "Clean, no cracks, label legible",
     "zh": "清洁、无破损、标签清晰"},
    {"id": "alarm", "kind": "check", "section": "function", "on_fail": "stop",
     "en": "Alarm is heard at the nurses' station", "zh": "护士站能听到报警"},
    {"id": "hr", "kind": "measure", "section": "measurement", "en": "Heart rate",
     "zh": "心率示值误差", "unit": "1/min", "at": [60, 120],
     "tolerance": {"type": "sum_of", "abs": 1, "rel": 0.05},
     "source": "JJG 1163-2019 multiparameter monitors", "trust": "seen"},
)  # fmt: skip


def write_round(ctx: Context) -> None:
    """Begin the template and write its steps; nobody has released it yet."""
    create_template(ctx, code=CODE, en="Monitor, monthly round", zh="监护仪月度巡检")
    edit_draft(ctx, code=CODE, change=lambda old: with_head(old, HEAD))
    for step in STEPS:
        edit_draft(ctx, code=CODE, change=partial(_added, checked_step(step)))


def _added(step: Document, old: Document) -> Document:
    return with_step(old, step)


def note_drafts(world: World, diary: Diary) -> None:
    """Write it into the diary, for the day before yesterday."""
    wang = world.people["wang"].actor
    diary.note(world.now - timedelta(days=2), wang, "template.create", write_round)
