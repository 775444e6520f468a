"""Probabilities and shares in per cent.  What is not certain is never said to be."""

from __future__ import annotations

from babel.numbers import format_decimal

from apm.core.i18n import _, language

SURE = 0.99
"""No forecast is told more exactly than this from certainty, nor than 1 - this from none."""


def chance(p: float) -> str:
    """Return a probability that somebody foretells, 0..1, as a text in per cent.

    Even of exactly 0 or 1: a model that says so has seen no exception yet, no more.

    >>> [chance(p) for p in (1.0, 0.995, 0.42, 0.041, 0.004, 0.0)]
    ['over 99 %', 'over 99 %', '42 %', '4.1 %', 'under 1 %', 'under 1 %']
    """
    if p > SURE:
        return _("over %(percent)s", percent=percent(SURE))
    if p < 1.0 - SURE:
        return _("under %(percent)s", percent=_percent("1"))
    return percent(p)


def percent(share: float) -> str:
    """Return a share that was counted, 0..1, in per cent to the digits that it has.

    Only all of them are 100 %, and none of them 0 %.

    >>> [percent(p) for p in (1.0, 0.998, 0.42, 0.041, 0.0004, 0.0)]
    ['100 %', 'over 99 %', '42 %', '4.1 %', 'under 0.1 %', '0 %']
    """
    figure = round(100 * float(share), 0 if share >= 0.1 else 1)
    if figure == 100.0 and share < 1.0:
        return _("over %(percent)s", percent=percent(SURE))
    if figure == 0.0 and share > 0.0:
        return _("under %(percent)s", percent=_percent(_number(0.1)))
    return _percent(_number(figure))


def _number(value: float) -> str:
    locale = "zh_Hans_CN" if language() == "zh" else "en_GB"
    return str(format_decimal(value, locale=locale))


def _percent(figure: str) -> str:
    return f"{figure}%" if language() == "zh" else f"{figure} %"
