"""Words an asset is found by: an inverted index in plain SQL, alike on every database.

Latin words and digits are kept from each word to the end of its field, without what stands
between ("ZC-2024-001" gives zc2024001, 2024001, 001): any beginning of any part finds it, however
it is punctuated.  Chinese is kept in pairs of characters, and by pinyin initials.  A search is
then a range of `asset_term`'s primary key for each word, and every word must match.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Select, delete, func, select
from sqlalchemy.orm import InstrumentedAttribute, aliased

from apm.assets.categories import category
from apm.assets.model import Asset, AssetTerm
from apm.core.command import Context

LONGEST = 24
"""Characters kept of a word; what is typed is cut alike."""
RUN = re.compile(r"[\u3400-\u9fff]+|[^\W_\u3400-\u9fff]+")
DIGITS_AFTER_LETTERS = re.compile(r"(?<=[^\W\d_])(?=\d)")
LISTED = 30_000
"""Above so many matches a word is checked asset by asset instead of being listed first."""
COUNTED = 10_000
"""Up to so many matches counting what a search finds is quick enough for every page."""


def terms_of(asset: Asset) -> set[str]:
    """Return every word `asset` is found by."""
    kind = category(asset.category)
    texts = (
        asset.number, asset.name, asset.name_zh, asset.serial, asset.model, asset.manufacturer,
        asset.code, asset.udi_di, asset.lot, kind.code, kind.en, kind.zh,
    )  # fmt: skip
    return set().union(*(terms_in(text) for text in texts if text))


@lru_cache(maxsize=20_000)  # names, models and manufacturers repeat all over a register
def terms_in(text: str) -> frozenset[str]:
    """Return the words that one text is found by."""
    found: set[str] = set()
    latin: list[str] = []
    for run in (*RUN.findall(plain(text)), "一"):  # a Chinese run closes the latin one before it
        if not _is_chinese(run):
            latin += DIGITS_AFTER_LETTERS.split(run)
            continue
        found.update("".join(latin[start:])[:LONGEST] for start in range(len(latin)))
        latin = []
        if run != "一":
            found.update(_chinese_terms(run))
    return frozenset(found)


def _chinese_terms(run: str) -> Iterator[str]:
    from pypinyin import Style, lazy_pinyin  # noqa: PLC0415  (seconds, which few starts need)

    yield from _pairs(run)
    yield run[-1]  # a single character is searched as a beginning; the last begins no pair
    initials = "".join(lazy_pinyin(run, style=Style.FIRST_LETTER))
    if initials.isascii() and len(initials) == len(run):
        yield from (initials[start:][:LONGEST] for start in range(len(run) - 1))


def _pairs(run: str) -> Iterator[str]:
    yield from (run[start : start + 2] for start in range(len(run) - 1))


def _is_chinese(run: str) -> bool:
    return "\u3400" <= run[0] <= "\u9fff"


def plain(text: str) -> str:
    """Return `text` with full-width and compatible characters made plain, in lower case."""
    return unicodedata.normalize("NFKC", text).lower()


def words_of(query: str) -> list[str]:
    """Return the beginnings that a search asks for, each once.

    >>> words_of("Evita-V500 呼吸机")
    ['evitav500', '呼吸', '吸机']
    """
    found: dict[str, None] = {}
    for chunk in plain(query).split():
        latin = ""
        for run in (*RUN.findall(chunk), "一"):
            if not _is_chinese(run):
                latin += run
                continue
            if latin:
                found[latin[:LONGEST]] = None
            latin = ""
            if run != "一":
                found.update(dict.fromkeys(list(_pairs(run)) or [run]))
    return list(found)


def index(ctx: Context, assets: Sequence[Asset]) -> None:
    """Bring the words of `assets` up to date; inside a command, after their flush."""
    wanted = {(asset.id, term) for asset in assets for term in terms_of(asset)}
    ids = [asset.id for asset in assets]
    kept = select(AssetTerm.asset_id, AssetTerm.term).where(AssetTerm.asset_id.in_(ids))
    stored = {(asset_id, term) for asset_id, term in ctx.session.execute(kept)}
    outdated: dict[int, set[str]] = {}
    for asset_id, term in stored - wanted:
        outdated.setdefault(asset_id, set()).add(term)
    for asset_id, gone in outdated.items():
        ctx.session.execute(
            delete(AssetTerm).where(AssetTerm.asset_id == asset_id, AssetTerm.term.in_(gone))
        )
    insert_terms(ctx, wanted - stored)


def insert_terms(ctx: Context, pairs: Iterable[tuple[int, str]]) -> None:
    """Store (asset id, term) pairs that are not there yet."""
    ctx.bulk_insert(AssetTerm, [{"asset_id": owner, "term": term} for owner, term in pairs])


@dataclass(frozen=True, slots=True)
class Search:
    """A search ready to be added to a query on assets."""

    conditions: tuple[ColumnElement[bool], ...]
    is_countable: bool
    """Whether the results are few enough to be counted on every page, or nothing is searched."""

    def of(self, query: Select[*tuple[Any, ...]]) -> Select[*tuple[Any, ...]]:
        """Return `query` with only the assets that every word matches."""
        return query.where(*self.conditions)


def search_for(ctx: Context, text: str) -> Search:
    """Return the search for what somebody typed; empty text finds everything.

    The assets of the rarest word are listed, and each is asked for the other words.  When even
    that word is very common, a list would be made only to be thrown away: then the register is
    walked in its order, each asset asked for every word, until the page is full.
    """
    sizes = {word: _matches(ctx, word) for word in words_of(text)}
    if not sizes:
        return Search((), is_countable=True)
    rarest = min(sizes, key=lambda word: sizes[word])
    if sizes[rarest] > LISTED:
        return Search(tuple(_has(Asset.id, word) for word in sizes), is_countable=False)
    # The other words are asked for inside the list, or PostgreSQL asks them of every asset first.
    others = (_has(AssetTerm.asset_id, word) for word in sizes if word != rarest)
    listed = select(AssetTerm.asset_id).where(*_begins_with(AssetTerm, rarest), *others)
    return Search((Asset.id.in_(listed),), sizes[rarest] <= COUNTED)


def _has(asset_id: InstrumentedAttribute[int], word: str) -> ColumnElement[bool]:
    """Return the condition that an asset has a word, asked of each asset by itself.

    A value, not EXISTS: PostgreSQL would turn that into a join with every row that has the word.
    """
    own = aliased(AssetTerm)
    query = select(own.term).where(own.asset_id == asset_id, *_begins_with(own, word))
    return query.correlate(asset_id.class_).limit(1).scalar_subquery().is_not(None)


def _matches(ctx: Context, word: str) -> int:
    some = (
        select(AssetTerm.asset_id)
        .where(*_begins_with(AssetTerm, word))
        .limit(LISTED + 1)
        .subquery()
    )
    return ctx.session.scalar(select(func.count()).select_from(some)) or 0


def _begins_with(row: type[AssetTerm], word: str) -> tuple[ColumnElement[bool], ...]:
    if len(word) > 1 and _is_chinese(word):
        return (row.term == word,)
    return row.term >= word, row.term < word[:-1] + chr(ord(word[-1]) + 1)
