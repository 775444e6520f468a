"""Somebody looks for equipment by whatever they remember of it."""

import pytest

from apm.assets.commands import create_asset, update_asset
from apm.assets.facets import facets_of
from apm.assets.model import AssetState, AssetTerm
from apm.assets.queries import RegisterFilter, register_page
from apm.assets.search import LISTED, terms_of, words_of

pytestmark = pytest.mark.database


@pytest.fixture
def ctx(as_):
    ctx = as_("wang")
    create_asset(
        ctx, number="ZC-2024-00123", name="Evita V500", name_zh="多参数呼吸机", category="VENT",
        manufacturer="Dräger", model="V500/IC", serial="ASBK-0421", udi_di="06901234567892",
        department="ICU",
    )  # fmt: skip
    # Noise, each of which shares something with the one looked for.
    create_asset(
        ctx, number="ZC-2023-00123", name="Evita 4", name_zh="除颤仪", category="DEFIB",
        manufacturer="Dräger", model="V700", serial="ASBK-0500", department="Ward 5",
    )  # fmt: skip
    create_asset(ctx, number="ZC-9", name="Perfusor", name_zh="注射泵", category="SYRP")
    south = as_("qin")
    create_asset(
        south, number="ZC-2024-00123", name="Evita V500", name_zh="多参数呼吸机", category="VENT",
        manufacturer="Dräger", model="V500/IC", serial="ASBK-0421", udi_di="06901234567892",
    )  # fmt: skip
    return ctx


def found(ctx, text, **filters):
    return [a.number for a in register_page(ctx, RegisterFilter(q=text, **filters)).items]


@pytest.mark.parametrize(
    "text",
    [
        "v500", "V500/IC", "evita v5", "V500 Evita", "v500ic", "zc-2024", "2024-00123",
        "zc202400123",
        "ＺＣ－２０２４", "asbk-0421", "0421", "06901234567892", "呼吸机", "呼吸", "呼", "吸",
        "参数 呼吸机",
        "多参数呼吸机", "hxj", "dcshxj", "VENT", "critical", "ventilator",
        "evita呼吸机", "  呼吸机   dräger ",
    ],
)  # fmt: skip
def test_what_people_type_finds_the_one_asset(ctx, text):
    assert found(ctx, text) == ["ZC-2024-00123"]


@pytest.mark.parametrize(
    "text",
    ["v501", "呼吸泵", "机呼", "hxjx", "zc-2025", "vita", "evita 注射", "0421asbk", "%", "_"],
)
def test_what_does_not_match_is_not_found(ctx, text):
    expected = ["ZC-2023-00123", "ZC-2024-00123", "ZC-9"] if not words_of(text) else []
    assert found(ctx, text) == expected


def test_a_shared_word_finds_both_in_order(ctx):
    assert found(ctx, "dräger") == ["ZC-2023-00123", "ZC-2024-00123"]


def test_search_and_filters_narrow_together(ctx):
    assert found(ctx, "evita", department=("Ward 5",)) == ["ZC-2023-00123"]
    assert found(ctx, "evita", category=("VENT", "SYRP")) == ["ZC-2024-00123"]
    assert found(ctx, "evita", lifecycle=(AssetState.RETIRED,)) == []


def test_the_public_code_finds_the_asset(ctx):
    [asset] = register_page(ctx, RegisterFilter(q="hxj")).items
    assert found(ctx, asset.code.lower()) == ["ZC-2024-00123"]


def test_a_change_is_found_and_the_old_word_is_not(ctx):
    [asset] = register_page(ctx, RegisterFilter(q="asbk0421")).items
    update_asset(ctx, code=asset.code, serial="NEW-77")
    assert found(ctx, "new77") == ["ZC-2024-00123"]
    assert found(ctx, "asbk0421") == []


def test_words_are_kept_once_for_each_asset_and_no_more(ctx):
    [asset] = register_page(ctx, RegisterFilter(q="hxj")).items
    kept = [t.term for t in ctx.session.query(AssetTerm).filter_by(asset_id=asset.id)]
    assert sorted(kept) == sorted(terms_of(asset))


def test_counts_say_what_another_choice_would_bring(ctx):
    facets = facets_of(ctx, RegisterFilter(q="evita", department=("ICU",)))
    assert facets.total == 1
    assert facets.department == [("ICU", "ICU", 1), ("Ward 5", "Ward 5", 1)]
    assert [(code, n) for code, _name, n in facets.category] == [("VENT", 1)]


def test_a_very_common_word_is_searched_but_not_counted(ctx, monkeypatch):
    assert LISTED >= 10_000
    monkeypatch.setattr("apm.assets.search.LISTED", 1)
    monkeypatch.setattr("apm.assets.search.COUNTED", 1)

    facets = facets_of(ctx, RegisterFilter(q="evita"))

    assert found(ctx, "evita") == ["ZC-2023-00123", "ZC-2024-00123"]
    assert found(ctx, "evita dräger ventilator") == ["ZC-2024-00123"]
    assert facets.total is None
    assert {count for _v, _n, count in facets.category} == {None}
