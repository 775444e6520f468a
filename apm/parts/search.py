"""Words a part is found by: number, names, pinyin initials, maker, barcodes, models.

The words are those of the register of equipment (`assets.search`), kept in a table of our own.
"""

from __future__ import annotations

from sqlalchemy import ColumnElement, delete, select

from apm.assets.search import terms_in, words_of
from apm.core.command import Context
from apm.parts.model import Part, PartTerm

CJK = ("\u3400", "\u9fff")


def terms_of(part: Part) -> set[str]:
    """Return every word `part` (fits and barcodes loaded) is found by."""
    texts = [part.number, part.name, part.name_zh, part.maker]
    texts += [barcode.code for barcode in part.barcodes]
    texts += [text for fit in part.fits for text in (fit.manufacturer, fit.model)]
    return set().union(*(terms_in(text) for text in texts if text))


def index(ctx: Context, part: Part) -> None:
    """Bring the words of `part` up to date; inside a command, after its flush."""
    wanted = terms_of(part)
    stored = set(ctx.session.scalars(select(PartTerm.term).where(PartTerm.part_id == part.id)))
    if gone := stored - wanted:
        ctx.session.execute(
            delete(PartTerm).where(PartTerm.part_id == part.id, PartTerm.term.in_(gone))
        )
    ctx.bulk_insert(
        PartTerm, [{"part_id": part.id, "term": term} for term in sorted(wanted - stored)]
    )


def matches(text: str) -> list[ColumnElement[bool]]:
    """Return the conditions on `Part` that what somebody typed means, one for each word."""
    return [
        Part.id.in_(select(PartTerm.part_id).where(*_begins_with(word))) for word in words_of(text)
    ]


def _begins_with(word: str) -> tuple[ColumnElement[bool], ...]:
    first, last = CJK
    if len(word) > 1 and first <= word[0] <= last:  # Chinese is kept in pairs of characters
        return (PartTerm.term == word,)
    return PartTerm.term >= word, PartTerm.term < word[:-1] + chr(ord(word[-1]) + 1)
