"""Numbers as people type, paste, dictate and scan them: taken exactly, or refused with a hint."""

import random
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apm.core.typed import BadNumber, number
from apm.core.units import KNOWN, factor, known_unit, same_unit

GOOD = [
    ("12.5", None, "12.5"),
    (" 12.5 ", None, "12.5"),
    ("12,5", None, "12.5"),
    ("１２．５", None, "12.5"),
    ("１２，５", None, "12.5"),
    ("12。5", None, "12.5"),
    ("\u300012.5\ufeff", None, "12.5"),
    ("0,125", None, "0.125"),
    ("1234,567", None, "1234.567"),
    ("12,34", None, "12.34"),
    (".5", None, "0.5"),
    ("5.", None, "5"),
    ("1,234.5", None, "1234.5"),
    ("1.234,5", None, "1234.5"),
    ("1,234,567", None, "1234567"),
    ("1,234,567.25", None, "1234567.25"),
    ("+3", None, "3"),
    ("-3", None, "-3"),
    ("−3", None, "-3"),
    ("–3", None, "-3"),
    ("—3", None, "-3"),
    ("－３", None, "-3"),
    ("﹣3", None, "-3"),
    ("‐3", None, "-3"),
    ("1e3", None, "1000"),
    ("1.5E-3", None, "0.0015"),
    ("1.5×10^3", None, "1500"),
    ("2 x 10^-2", None, "0.02"),
    ("12 mL", "mL", "12"),
    ("12ml", "mL", "12"),
    ("12毫升", "mL", "12"),
    ("10 µA", "uA", "10"),
    ("10μA", "uA", "10"),
    ("36.8 ℃", "degC", "36.8"),
    ("36.8°C", "degC", "36.8"),
    ("5％", "%", "5"),
    ("0.2Ω", "ohm", "0.2"),
    ("30 次/分", "1/min", "30"),
    ("5L", "L", "5"),
    ("1e3 mL", "mL", "1000"),
]
BAD = [
    ("", None, "empty", ""),
    ("   ", None, "empty", ""),
    ("abc", None, "not_a_number", ""),
    ("-", None, "not_a_number", ""),
    (".", None, "not_a_number", ""),
    ("1.2.3", None, "not_a_number", "decimal point"),
    ("1,23,4", None, "not_a_number", "decimal point"),
    ("120/80", None, "not_a_number", "note"),
    ("3-5", None, "not_a_number", ""),
    ("<5", None, "not_a_number", ""),
    ("≈5", None, "not_a_number", ""),
    ("±5", None, "not_a_number", ""),
    ("--5", None, "not_a_number", ""),
    ("٣", None, "not_a_number", ""),
    ("²", None, "not_a_number", ""),
    ("十二", None, "not_a_number", ""),
    ("0x10", None, "not_a_number", ""),
    ("1_000", None, "not_a_number", ""),
    ("1e", None, "not_a_number", ""),
    ("1e3e3", None, "not_a_number", ""),
    ("=1+1", None, "not_a_number", ""),
    ("inf", None, "not_finite", "finite"),
    ("-Infinity", None, "not_finite", ""),
    ("NaN", None, "not_finite", ""),
    ("∞", None, "not_finite", ""),
    ("1O2", None, "letters", "102"),
    ("l2", None, "letters", "12"),
    ("O.5", None, "letters", "0.5"),
    ("I00", None, "letters", "100"),
    ("5l", "L", "letters", "51"),
    ("S0", None, "letters", "50"),
    ("1,234", None, "ambiguous", "1234 or 1.234"),
    ("12，345", None, "ambiguous", "12345 or 12.345"),
    ("12 5", None, "ambiguous", "spaces"),
    ("1 234", None, "ambiguous", "spaces"),
    ("1'234", None, "ambiguous", "spaces"),
    ("0.4 L", "mL", "other_unit", "400 mL"),
    ("400 mL", "L", "other_unit", "0.4 L"),
    ("12mV", "V", "other_unit", "0.012 V"),
    ("30 kPa", "mmHg", "other_unit", "mmHg"),
    ("98 degF", "degC", "other_unit", "degC"),
    ("5 mS", "mS/cm", "not_a_number", ""),
    ("5 mL", None, "other_unit", "without a unit"),
    ("1e99", None, "too_large", ""),
    ("1e-99", None, "too_large", ""),
    ("9" * 40, None, "too_large", ""),
    ("1e999999999", None, "not_a_number", ""),
]


@pytest.mark.parametrize(("typed", "unit", "meant"), GOOD)
def test_what_is_beyond_doubt_is_taken_exactly(typed, unit, meant):
    assert number(typed, unit=unit) == Decimal(meant)


@pytest.mark.parametrize(("typed", "unit", "code", "hint"), BAD)
def test_what_is_not_is_refused_with_a_hint(typed, unit, code, hint):
    with pytest.raises(BadNumber) as caught:
        number(typed, unit=unit)
    assert caught.value.code == code
    assert hint in str(caught.value.message)


decimals = st.decimals(-(10**9), 10**9, allow_nan=False, allow_infinity=False, places=4)
FULL_WIDTH = {ord(a): ord(a) + 0xFEE0 for a in "0123456789.-"}


@given(decimals)
def test_every_plain_number_comes_back_whichever_keyboard_typed_it(value):
    plain = f"{value:f}"
    assert number(plain) == value
    assert number(plain.translate(FULL_WIDTH)) == value
    assert number(plain.replace("-", "−")) == value
    assert number(f" {plain} kPa", unit="kPa") == value


def outcome(typed, unit=None):
    """The number, or the code of the refusal."""
    try:
        return number(typed, unit=unit)
    except BadNumber as error:
        return error.code if str(error.message) else None


@given(decimals)
def test_a_decimal_comma_is_a_point_or_refused_but_never_a_thousand(value):
    assert outcome(f"{value:f}".replace(".", ",")) in {value, "ambiguous"}


@given(st.integers(0, 10**12))
def test_grouped_thousands_are_whole_or_refused(value):
    in_doubt = 1000 <= value < 10**6
    assert outcome(f"{value:,}") == ("ambiguous" if in_doubt else value)


@given(st.text(max_size=30))
def test_whatever_is_typed_it_is_a_finite_number_or_a_refusal_with_words(typed):
    found = outcome(typed, unit="mL")
    assert found is not None
    assert isinstance(found, str) or found.is_finite()


@given(st.text("0123456789Ool|I.,", min_size=1, max_size=8))
def test_a_letter_among_digits_is_never_dropped(typed):
    if any(letter in "Ool|I" for letter in typed):
        with pytest.raises(BadNumber):
            number(typed)


def test_every_unit_is_known_by_its_own_name_and_by_no_other():
    names = [name for unit, others in KNOWN.items() for name in (unit, *others)]
    for unit, others in KNOWN.items():
        for name in (unit, *others):
            assert known_unit(name) == unit
            assert same_unit(f" {name} ", unit)
    assert len(set(names)) == len(names)


def test_case_decides_where_it_must():
    for other in ("MV", "mS", "MA", "S", "mpA"):
        assert known_unit(other) is None, other
    assert known_unit("mohm") != known_unit("Mohm")
    assert known_unit("KPA") == "kPa"


def test_a_factor_there_is_a_factor_back():
    rng = random.Random(7)
    for _ in range(300):
        one, other = rng.choices(list(KNOWN), k=2)
        there, back = factor(one, other), factor(other, one)
        assert (there is None) == (back is None)
        assert there is None or there * back == 1
