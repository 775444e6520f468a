"""Templates out to YAML and spreadsheets and back: nothing changes, nothing is half-taken."""

import copy
import io
import json

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import load_workbook

from apm.core.i18n import speak
from apm.procedures import catalogue, editing, queries
from apm.procedures.documents import digest, document_of
from apm.procedures.exchange import import_file, read_file
from apm.procedures.files import BadFile
from apm.procedures.model import OnFail, Section
from apm.procedures.schema import DocumentIn
from apm.procedures.sheets import to_xlsx
from apm.procedures.yaml_files import to_yaml

SHIPPED = [document_of(entry) for entry in catalogue.templates().values()]
WRITERS = {"yaml": to_yaml, "xlsx": to_xlsx}
STEP = {
    "id": "warm", "kind": "measure", "section": "measurement", "en": "Warmth", "zh": "温度",
    "unit": "degC", "at": [36, 37], "tolerance": {"type": "abs", "abs": 0.5},
    "source": "Manual p. 3", "trust": "seen",
}  # fmt: skip
SMALL = {"code": "WARMER", "en": "Warmer", "zh": "辐射台", "interval_months": 6, "steps": [STEP]}


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("kind", WRITERS)
def test_out_and_in_again_changes_nothing(kind, lang):
    speak(lang)
    content = WRITERS[kind](SHIPPED)
    speak("zh" if lang == "en" else "en")
    assert [digest(one) for one in read_file(content)] == [digest(one) for one in SHIPPED]


def tolerances():
    number = st.integers(-(10**6), 10**6).map(lambda n: n / 100)
    some = st.integers(1, 10**5).map(lambda n: n / 100)
    share = st.integers(1, 100).map(lambda n: n / 100)
    two = st.tuples(some, some).map(sorted)
    return st.one_of(
        number.map(lambda n: {"type": "le", "limit": n}),
        number.map(lambda n: {"type": "ge", "limit": n}),
        two.map(lambda ends: {"type": "between", "low": ends[0], "high": ends[1]}),
        some.map(lambda n: {"type": "abs", "abs": n}),
        share.map(lambda n: {"type": "rel", "rel": n}),
        st.tuples(some, share).map(lambda p: {"type": "sum_of", "abs": p[0], "rel": p[1]}),
        st.tuples(some, share).map(lambda p: {"type": "max_of", "abs": p[0], "rel": p[1]}),
        share.map(lambda n: {"type": "asym_rel", "low": -n, "high": n / 2}),
        some.map(lambda n: {"type": "baseline_drift", "abs": n}),
        st.just({"type": "manufacturer"}),
        two.map(lambda ends: {"type": "manufacturer", "low": ends[0]}),
        share.map(lambda n: {"type": "by_range", "ranges": [
            {"from": 0, "from_inc": True, "to": 50, "to_inc": False, "rel": n},
            {"from": 50, "from_inc": True, "to": 1000, "to_inc": True, "rel": 0.5}]}),
    )  # fmt: skip


words = st.text("abcäöü 温度；=+-@'\"0123456789#|", min_size=1, max_size=20).filter(
    lambda text: text.strip()
)
points = st.lists(
    st.one_of(st.integers(1, 900), st.integers(1, 9000).map(lambda n: n / 10), st.just("max")),
    min_size=1, max_size=5, unique_by=str,
)  # fmt: skip
steps = st.fixed_dictionaries(
    {
        "kind": st.just("measure"), "section": st.sampled_from([s.value for s in Section]),
        "en": words, "zh": words, "unit": st.sampled_from(["mL", "degC", "%", "1/min"]),
        "tolerance": tolerances(), "source": words, "at": points, "mandatory": st.booleans(),
        "photo": st.booleans(), "on_fail": st.sampled_from([o.value for o in OnFail]),
        "note": words,
    }
)  # fmt: skip
documents = st.builds(
    lambda made, tools, minutes: DocumentIn().load(
        {**SMALL, "tools": tools, "minutes": minutes,
         "steps": [{**one, "id": f"s{n}"} for n, one in enumerate(made)]}
    ),
    st.lists(steps, min_size=1, max_size=4), st.lists(words, max_size=3), st.integers(1, 500),
)  # fmt: skip


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(document=documents)
def test_whatever_a_template_says_comes_back(document):
    for write in WRITERS.values():
        [back] = read_file(write([document]))
        assert digest(back) == digest(document)


HEAD = {"code", "interval_months", "steps", "absorbs"}


def small(**changes):
    """The small template with one step changed, as YAML."""
    head = {k: v for k, v in changes.items() if k in HEAD}
    step = {**STEP, **{k: v for k, v in changes.items() if k not in head}}
    plain = {**SMALL, "steps": [{k: v for k, v in step.items() if v != "gone"}], **head}
    whole = json.dumps({"format": "apm-templates/1", "templates": [plain]})
    return yaml.safe_dump(json.loads(whole)).encode()  # no aliases


@pytest.mark.parametrize(
    ("changes", "column", "says"),
    [
        ({"steps": [STEP, {**STEP, "id": "WARM"}]}, "steps / WARM / id", "two steps"),
        ({"absorbs": ["WARMER"]}, "absorbs", "itself"),
        ({"source": "gone"}, "warm / source", "Say where the limit comes from"),
        ({"source": " "}, "warm / source", "Say where the limit comes from"),
        ({"at": "gone"}, "warm / at", "compared with a set value"),
        ({"at": []}, "warm / at", "list of set points is empty"),
        ({"at": [1, 1]}, "warm / at", "twice"),
        ({"at": [0, 1], "tolerance": {"type": "rel", "rel": 0.1}}, "warm / at", "percentage of 0"),
        ({"at": [True]}, "warm / at / 0", "set point is a number"),
        ({"at": [float("inf")]}, "warm / at / 0", "set point is a number"),
        ({"unit": "furlong"}, "warm / unit", "furlong"),
        ({"unit": "gone"}, "warm / unit", "needs a unit"),
        ({"kind": "guess"}, "warm / kind", "Choose one of"),
        ({"kind": "check"}, "warm / unit", "make it a measurement"),
        ({"section": "attic"}, "warm / section", "Choose one of"),
        ({"trust": "confirmed"}, "warm / trust", "Choose one of"),
        ({"tolerance": "gone"}, "warm / tolerance", "needs a limit"),
        ({"tolerance": {"type": "roughly"}}, "warm / tolerance / type", "sum_of"),
        ({"tolerance": {"type": "abs"}}, "warm / tolerance / abs", "needs this number"),
        ({"tolerance": {"type": "abs", "abs": "1"}}, "warm / tolerance / abs", "Give a number"),
        (
            {"tolerance": {"type": "abs", "abs": {"of": "warm"}}},
            "warm / tolerance / abs",
            "number",
        ),
        ({"tolerance": {"type": "abs", "abs": 0}}, "warm / tolerance / abs", "exact value"),
        ({"tolerance": {"type": "abs", "abs": 1, "rel": 1}}, "warm / tolerance / rel", "Leave"),
        ({"tolerance": {"type": "rel", "rel": 15}}, "warm / tolerance / rel", "10 % is 0.1"),
        ({"zh": "gone"}, "warm / zh", "Fill this in"),
        ({"surprise": 1}, "warm / surprise", "no such field"),
        ({"interval_months": 0}, "interval_months", "1 to 120"),
        ({"interval_months": "6"}, "interval_months", "whole number"),
        ({"code": "../x"}, "code", "letters"),
    ],
)
def test_what_is_wrong_is_named_with_its_line_and_nothing_is_taken(changes, column, says):
    with pytest.raises(BadFile) as caught:
        read_file(small(**changes))
    flaw = next(f for f in caught.value.flaws if f.column.endswith(column))
    assert says in str(flaw.message)
    assert flaw.row >= 2


def test_the_line_is_the_one_to_correct():
    content = to_yaml([DocumentIn().load(SMALL)]).decode()
    lines = content.splitlines()
    at = next(n for n, line in enumerate(lines, 1) if "abs: 0.5" in line)
    with pytest.raises(BadFile) as caught:
        read_file(content.replace("abs: 0.5", "abs: -1").encode())
    assert [flaw.row for flaw in caught.value.flaws] == [at]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "empty"),
        (b"  \n", "empty"),
        (b"\xff\xfe\x00", "UTF-8"),
        (b"hello", "format"),
        (b"format: apm-templates/1\n", "no templates"),
        (b"format: apm-templates/1\ntemplates: []\n", "no templates"),
        (b"format: apm-templates/1\ntemplates: [1]\n", "object"),
        (b"format: apm-templates/2\ntemplates: [{}]\n", "apm-templates/1"),
        (b"a: [1\nb: 2", "no YAML"),
        (b"a: &x [1]\nb: *x\n", "aliases"),
        (b"a: !!python/object:os.system {}\n", "tags"),
        (b"a: !custom 1\n", "tags"),
        (b"[" * 3000, "nesting"),
        (b"format: apm-templates/1\nformat: apm-templates/1\n", "twice"),
        (b"a: \x00", "no YAML"),
        (b"PK\x03\x04" + b"\xff" * 40, "damaged"),
        (b"\xd0\xcf\x11\xe0" + b"x" * 40, "old or password-protected"),
        (b"x" * (5 * 1024 * 1024), "too large"),
    ],
)
def test_what_is_no_list_of_templates_is_refused_in_words(content, says):
    with pytest.raises(BadFile) as caught:
        read_file(content)
    assert any(says in str(flaw.message) for flaw in caught.value.flaws)


def workbook(change):
    """The small template as a workbook, after somebody changed it."""
    book = load_workbook(io.BytesIO(to_xlsx([DocumentIn().load(SMALL)])))
    change(book)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def cell(sheet, header, row=2):
    column = next(c.column for c in sheet[1] if c.value == header)
    return sheet.cell(row, column)


@pytest.mark.parametrize(
    ("sheet", "header", "value", "says"),
    [
        ("Steps", "Unit", "furlong", "furlong"),
        ("Steps", "Kind", "guess", "Measurement"),
        ("Steps", "Rule", "roughly", "At most a limit"),
        ("Steps", "Amount", "O.5", "0.5"),
        ("Steps", "Amount", "1,234", "1234 or 1.234"),
        ("Steps", "Amount", "0.5 K", "degC"),
        ("Steps", "Percentage", "5", "no such number"),
        ("Steps", "Set points", "36, 37", "semicolon"),
        ("Steps", "Set points", "36; 36", "twice"),
        ("Steps", "Source", None, "Say where"),
        ("Steps", "Template", "OTHER", "none by this code"),
        ("Steps", "Mandatory", "perhaps", "Yes"),
        ("Steps", "Amount", "=1/2", "formula"),
        ("Templates", "Interval in months", "six", "whole number"),
        ("Templates", "Chinese", None, "Fill this in"),
    ],
)
def test_a_cell_that_is_wrong_is_named_by_sheet_row_and_column(sheet, header, value, says):
    header = {"Amount": "Permitted amount"}.get(header, header)

    def spoil(book):
        cell(book[sheet], header).value = value

    with pytest.raises(BadFile) as caught:
        read_file(workbook(spoil))
    flaw = caught.value.flaws[0]
    assert (flaw.sheet, flaw.row, flaw.column) == (sheet, 2, header)
    assert says in str(flaw.message)


def test_full_width_digits_and_units_in_cells_are_taken():
    def change(book):
        cell(book["Steps"], "Permitted amount").value = "０．５ ℃"
        cell(book["Steps"], "Set points").value = "３６；37"
        cell(book["Steps"], "Unit").value = "°C"

    [document] = read_file(workbook(change))
    assert document == DocumentIn().load(SMALL)


def test_a_sheet_without_its_columns_or_without_templates_is_refused():
    def without_kind(book):
        cell(book["Steps"], "Kind", row=1).value = "Something"

    with pytest.raises(BadFile) as caught:
        read_file(workbook(without_kind))
    assert ("Steps", 1, "Kind") in {(f.sheet, f.row, f.column) for f in caught.value.flaws}
    with pytest.raises(BadFile, match="flaws"):
        read_file(workbook(lambda book: book.remove(book["Templates"])))


@pytest.mark.database
def test_an_import_makes_drafts_and_leaves_what_is_released(as_):
    wang = as_("wang")
    made = import_file(wang, to_yaml([*SHIPPED[:2], DocumentIn().load(SMALL)]))
    assert [own.code for own in made] == ["VENT", "MON", "WARMER"]
    assert [own.released for own in made] == [0, 0, 0]
    assert made[0].based_on == "VENT"
    changed = editing.with_head(made[2].draft, {"minutes": 5})
    import_file(wang, to_xlsx([changed]))
    assert queries.own_template(wang, "WARMER").draft["minutes"] == 5
    assert queries.own_templates(as_("qin")) == []


@pytest.mark.database
def test_all_or_nothing(as_):
    wang = as_("wang")
    bad = copy.deepcopy(DocumentIn().load(SMALL)) | {"code": "OTHER", "absorbs": ["NOWHERE"]}
    with pytest.raises(BadFile) as caught:
        import_file(wang, to_yaml([DocumentIn().load(SMALL), bad]))
    assert "NOWHERE" in str(caught.value.flaws[0].message)
    circle = [
        DocumentIn().load({**SMALL, "code": code, "absorbs": [other]})
        for code, other in (("AA", "BB"), ("BB", "CC"), ("CC", "AA"))
    ]
    with pytest.raises(BadFile) as caught:
        import_file(wang, to_yaml(circle))
    assert "AA → BB → CC → AA" in str(caught.value.flaws[0].message)
    assert queries.own_templates(wang) == []


def test_one_code_twice_in_a_file_is_refused():
    with pytest.raises(BadFile, match="flaws"):
        read_file(to_yaml([DocumentIn().load(SMALL)] * 2))
